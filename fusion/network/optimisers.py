"""What changes the weights of a network, and the running mean of them."""

from collections.abc import Set

import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from trefoil.fusion.network.early_stopping import sequence_part
from trefoil.fusion.network.freezing import groups_of
from trefoil.fusion.network.module import JointNetwork
from trefoil.fusion.network.processes import several
from trefoil.fusion.network.weighting.base import Weighting
from trefoil.fusion.settings import Settings

BY_ROWS = "item_id.weight"  # the table of which a step by rows changes its own rows alone


def touches_rows(network: JointNetwork, settings: Settings, weighting: Weighting) -> bool:
    """Whether a step may leave all but its own rows of ``item_id`` as they are.

    Not where a gradient of the whole table is asked for.
    """
    part = settings.network
    whole = part.weight_decay or part.adversarial or weighting.reads_gradients or several()
    return network.config.by_rows and not whole


def optimisers_of(
    network: JointNetwork, settings: Settings, weighting: Weighting, inherited: Set[str]
) -> dict[str, torch.optim.Optimizer]:
    """One for the weights that propagation reads, one for those of sequences, one for tasks.

    Where steps touch rows, the vectors of items have one of their own, in which rows that a
    step does not read keep their moments as well ("lazy" Adam).
    """
    own = set(sequence_part(network))
    named = dict(network.named_parameters())
    rate, decay = settings.network.learning_rate, settings.network.weight_decay
    found: dict[str, torch.optim.Optimizer] = {}
    if network.item_id.sparse:
        rows = {BY_ROWS: named.pop(BY_ROWS)}
        parts = groups_of(rows, inherited) if inherited else [*rows.values()]
        found["rows"] = torch.optim.SparseAdam(parts, lr=rate)
    order, following = (
        [p for n, p in named.items() if (n in own) == part] for part in (False, True)
    )
    if inherited:
        order = groups_of({n: p for n, p in named.items() if n not in own}, inherited)
    found["ranking"] = (
        torch.optim.AdamW(order, lr=rate, weight_decay=decay, fused=True)
        if decay
        else torch.optim.Adam(order, lr=rate, fused=True)
    )
    if following:
        rate, decay = settings.behaviour.learning_rate, settings.behaviour.weight_decay
        found["next_item"] = torch.optim.AdamW(following, lr=rate, weight_decay=decay, fused=True)
    if learned := list(weighting.parameters()):
        found["weighting"] = torch.optim.Adam(learned, lr=weighting.learning_rate)
    return found


class RunningMean:
    """The exponential moving average of all weights, brought up to date every few steps."""

    def __init__(
        self, averaged: JointNetwork, network: JointNetwork, decay: float, every: int
    ) -> None:
        """``averaged`` holds the mean; ``decay`` is that of a single step."""
        self.means: list[Tensor] = list(averaged.parameters())
        self.weights: list[Tensor] = list(network.parameters())
        self.decay, self.every, self.behind = decay, every, 0

    def follow(self) -> None:
        """A step was made."""
        self.behind += 1
        if self.behind == self.every:
            self.catch_up()

    def catch_up(self) -> None:
        """Take the weights as they are for the steps since."""
        if self.behind:
            get_ema_multi_avg_fn(self.decay**self.behind)(self.means, self.weights, 0)
        self.behind = 0
