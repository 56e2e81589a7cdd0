"""CNN Lab: the networks of the chapter, looked at, looked through and trained."""

import os

# PyTorch's CPU threads wait for each other in a busy loop. Where the app, a run and a browser
# share two cores, that makes a step up to twenty times slower; sleeping costs next to nothing.
# OpenMP reads this once, when PyTorch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
