"""Memory of the device: recognizing that it is full, and giving it back."""

import torch

# PyTorch has an error of its own for a full GPU only where its own allocator found it full.
# The CPU's allocator, cuBLAS, cuDNN and the driver raise a plain RuntimeError (or one of its
# kinds, such as AcceleratorError), with one of these in its text.
SIGNS = (
    "out of memory",
    "can't allocate memory",
    "defaultcpuallocator",
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
    "cudnn_status_internal_error_device_allocation_failed",
    "cudnn_status_internal_error_host_allocation_failed",
)
ADVICE = "The device ran out of memory. Use a smaller batch, smaller pictures or a narrower network"


def is_lacking(error: BaseException) -> bool:
    """Whether an error says that the device has no memory left."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in SIGNS)


def release(device: torch.device) -> None:
    """Give the memory that PyTorch keeps for later back to the device, for the next run."""
    if device.type != "cpu":
        torch.get_device_module(device).empty_cache()
