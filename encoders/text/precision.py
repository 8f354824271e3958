"""In which precision a language model multiplies."""

from typing import Literal

import torch

Precision = Literal["auto", "float32", "bfloat16"]  # auto: the second where it is faster

CIRCUITS = ("amx_bf16", "avx512_bf16")  # of a processor, as torch names them


def halves(precision: Precision, device: torch.device | str) -> bool:
    """Whether products are of bfloat16 numbers on this device."""
    return precision == "bfloat16" or (precision == "auto" and _faster(torch.device(device).type))


def _faster(kind: str) -> bool:
    """Whether a device has circuits of its own for products of bfloat16 matrices."""
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    told = getattr(torch.cpu, "get_capabilities", dict)()
    return kind == "cpu" and any(told.get(name) for name in CIRCUITS)
