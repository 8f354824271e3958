"""The list of weightings, by the name that ``tasks.weighting`` gives."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from trefoil.fusion.network.weighting.base import Static, Weighting
from trefoil.fusion.network.weighting.by_gradients import GradientNorm, surgery
from trefoil.fusion.network.weighting.by_losses import DynamicAverage, FastAdaptive, Uncertainty

WEIGHTINGS: Mapping[str, Callable[[Sequence[float]], Weighting]] = {
    "static": Static,
    "uncertainty": Uncertainty,
    "dwa": DynamicAverage,
    "gradnorm": GradientNorm,
    "famo": FastAdaptive,
    "pcgrad": partial(surgery, "pcgrad"),
    "cagrad": partial(surgery, "cagrad"),
    "upgrad": partial(surgery, "upgrad"),
    "mgda": partial(surgery, "mgda"),
}
