"""What fine-tuning changes in a language model, kept apart from its weights."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from trefoil.data.errors import ConfigError

NAMED = ("lora", "adalora", "prefix")  # ways that add small matrices, by peft
OWN = ("lora_", "ia3_", "ranknum")  # in the names of the tensors they add


@dataclass(frozen=True, eq=False)
class Adapter:
    """Tensors that stand beside, or in place of, those of a language model.

    ``method`` is one of "lora", "adalora", "prefix", "top:k", "all"; ``rank`` that of the
    matrices of the first two.
    """

    method: str
    rank: int
    tensors: Mapping[str, Tensor]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that it is."""
        total = hashlib.sha256(f"{self.method}/{self.rank}".encode())
        for name in sorted(self.tensors):
            total.update(name.encode() + b"\0")
            total.update(self.tensors[name].contiguous().view(torch.uint8).numpy().tobytes())
        return total.hexdigest()

    @property
    def nbytes(self) -> int:
        """Bytes of the tensors."""
        return sum(one.numel() * one.element_size() for one in self.tensors.values())

    def save(self, path: Path) -> None:
        """Write one safetensors file."""
        told = {"method": self.method, "rank": str(self.rank)}
        save_file({name: one.contiguous() for name, one in self.tensors.items()}, path, told)

    @classmethod
    def read(cls, path: Path) -> "Adapter":
        """What ``save`` wrote."""
        with safe_open(path, "pt") as file:
            told = file.metadata()
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        return cls(told["method"], int(told["rank"]), tensors)


class Tuner:
    """A language model of which some weights learn, and all others are held.

    Low-rank matrices on the attention (LoRA, Hu et al. 2021, arXiv:2106.09685; AdaLoRA,
    Zhang et al. 2023, arXiv:2303.10512) start at zero. "prefix" scales keys, values and
    feed-forward states (IA3, Liu et al. 2022, arXiv:2205.05638): encoders take no prefix
    of keys and values, and this is the nearest that both kinds take.
    """

    def __init__(self, inner: nn.Module, method: str, rank: int, steps: int = 1) -> None:
        self.inner, self.method, self.rank = inner, method, rank
        inner.requires_grad_(False)
        self._peft: Any = None
        kind, _, count = method.partition(":")
        if kind in NAMED:
            self._peft = _with_matrices(inner, kind, rank, steps)
        elif kind == "top":
            for layer in layers_of(inner)[-int(count) :]:
                layer.requires_grad_(True)
        elif kind == "all":
            inner.requires_grad_(True)
        else:
            raise ConfigError(f"fine_tuning.method={method!r} does not change a language model")

    def parameters(self) -> list[nn.Parameter]:
        """What learns."""
        return [one for one in self.inner.parameters() if one.requires_grad]

    def stepped(self, step: int) -> None:
        """After the gradients of a step: AdaLoRA gives ranks to the matrices that need them."""
        if self.method == "adalora":
            self._peft.update_and_allocate(step)

    def taken(self) -> Adapter:
        """What was learned, as it will be stored: whole layers in half precision."""
        exact = self.method.partition(":")[0] in NAMED
        found = {}
        for name, one in self._own().items():
            tensor = one.detach().cpu()
            found[name] = tensor.clone() if exact else tensor.half()
        return Adapter(self.method, self.rank, found)

    def put(self, adapter: Adapter) -> None:
        """The weights of an adapter in place of those that learn."""
        own = self._own()
        if own.keys() != adapter.tensors.keys():
            raise ConfigError("the adapter belongs to another language model")
        with torch.no_grad():
            for name, tensor in adapter.tensors.items():
                own[name].copy_(tensor)

    def merged(self) -> nn.Module:
        """The model with the matrices added to its weights: as fast as it was."""
        if self._peft is not None:
            self._peft.merge_and_unload()
        return self.inner

    def _own(self) -> dict[str, Tensor]:
        named = dict(self.inner.named_parameters())
        if self._peft is not None:
            return {name: one for name, one in named.items() if any(part in name for part in OWN)}
        return {name: one for name, one in named.items() if one.requires_grad}


def layers_of(inner: nn.Module) -> nn.ModuleList:
    """The layers of a Transformer: its longest list of modules."""
    lists = [one for one in inner.modules() if isinstance(one, nn.ModuleList)]
    return max(lists, key=len)


def _with_matrices(inner: nn.Module, kind: str, rank: int, steps: int) -> Any:
    """The tuner of peft, after it put its matrices into the model."""
    try:
        import peft
    except ImportError:
        raise ConfigError(
            f"fine_tuning.method={kind!r} needs peft: pip install 'trefoil[finetune]'"
        ) from None
    if kind == "lora":
        config = peft.LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0)
        return peft.LoraModel(inner, config, "default")
    if kind == "adalora":
        config = peft.AdaLoraConfig(
            init_r=rank + rank // 2,
            target_r=rank,
            lora_alpha=2 * rank,
            tinit=steps // 10,
            tfinal=steps // 2,
            total_step=max(steps, 3),
        )
        return peft.AdaLoraModel(inner, config, "default")
    return peft.IA3Model(inner, peft.IA3Config(), "default")
