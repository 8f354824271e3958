"""Weights that came from another run: which stay as they are for how long, and how fast they learn.

Weights are frozen by a rate of zero: losses and the lengths of gradients are told as always.
"""

from collections.abc import Mapping, Sequence, Set

import torch
from torch import nn

from trefoil.fusion.settings import Network

ENCODER = ("text.", "facts.", "entity_id.")  # what reads texts and facts
PARTS = "encoder", "vectors", "rest"  # the last is what learns first


def part_of(name: str, inherited: Set[str]) -> str:
    """Which part a weight is of; what did not come from elsewhere is of the rest."""
    if name not in inherited:
        return "rest"
    return "encoder" if name.startswith(ENCODER) else "vectors"


def groups_of(named: Mapping[str, nn.Parameter], inherited: Set[str]) -> list[dict[str, object]]:
    """The weights by part, for an optimiser; parts without weights are left out."""
    parts: dict[str, list[nn.Parameter]] = {name: [] for name in PARTS}
    for name, weight in named.items():
        parts[part_of(name, inherited)].append(weight)
    return [{"params": own, "part": name} for name, own in parts.items() if own]


def share_of_rate(part: str, settings: Network, looks: int) -> float:
    """What of the learning rate a part has after so many looks at validation.

    "encoder" keeps what reads texts and facts, "all_but_heads" vectors of items as well;
    "gradually" thaws vectors after the first look and the encoder after the second (Howard &
    Ruder 2018, arXiv:1801.06146). What came from elsewhere learns at ``inherited_rate``.
    """
    if part == "rest":
        return 1.0
    frozen = {
        "none": False,
        "encoder": part == "encoder",
        "all_but_heads": True,
        "gradually": looks < (2 if part == "encoder" else 1),
    }
    return 0.0 if frozen[settings.freeze] else settings.inherited_rate


def set_rates(optimisers: Sequence[torch.optim.Optimizer], settings: Network, looks: int) -> None:
    """Give each part its rate from now on."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            if "part" in group:
                share = share_of_rate(group["part"], settings, looks)
                group["lr"] = share * optimiser.defaults["lr"]
