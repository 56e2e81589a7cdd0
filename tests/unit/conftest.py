"""Settings of the unit tests."""

import torch

# Small tensors: a second thread only waits for the first, and on a busy machine for long.
torch.set_num_threads(1)
