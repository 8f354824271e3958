"""One network trained by several processes: each takes its part of every batch.

``torchrun`` starts them and ``accelerate`` joins them. All learn the same from the same data, and
after each step of the network their gradients are averaged, so that all hold the same
weights. One process alone is told nothing of this.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, distributed, nn

from trefoil.data.errors import ConfigError


@contextmanager
def joined() -> Iterator[bool]:
    """Join the processes that were started together; whether this one writes and speaks.

    Raises ConfigError where there are several and accelerate is missing.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield True
        return
    try:
        from accelerate import PartialState
    except ImportError:
        raise ConfigError(
            'several processes need accelerate: pip install "trefoil[cluster]"'
        ) from None
    state = PartialState(cpu=True)
    try:
        yield state.is_main_process
        state.wait_for_everyone()
    finally:
        state.destroy_process_group()


def several() -> bool:
    """Whether there is more than one process."""
    return distributed.is_available() and distributed.is_initialized()


def own_part(rows: Tensor) -> Tensor:
    """The rows of a batch that this process takes; all of them where there are too few."""
    if not several():
        return rows
    count = distributed.get_world_size()
    return rows[distributed.get_rank() :: count] if len(rows) >= count else rows


def same_draws(seed: int, epoch: int, before: np.random.Generator) -> np.random.Generator:
    """The generator of an epoch: the same in every process; of one alone ``before``."""
    return np.random.default_rng((seed, epoch)) if several() else before


def average_gradients(parameters: Sequence[nn.Parameter]) -> None:
    """Give every process the mean of all gradients; one that a process lacks counts as zero."""
    if not several():
        return
    from accelerate.utils import reduce

    device = parameters[0].device
    there = torch.tensor([float(one.grad is not None) for one in parameters], device=device)
    there = reduce(there, "sum")
    assert isinstance(there, Tensor)
    for one, found in zip(parameters, there.tolist(), strict=True):
        if found:
            gradient = torch.zeros_like(one) if one.grad is None else one.grad
            mean = reduce(gradient, "mean")
            assert isinstance(mean, Tensor)
            one.grad = mean
