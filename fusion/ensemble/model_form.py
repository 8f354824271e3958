"""A base model as a plan reads it: by the form that it has, else asked as it is."""

from dataclasses import dataclass

from trefoil.data.interactions import Ints
from trefoil.fusion.models.base import Compilable, ScoringModel
from trefoil.fusion.network.forms import array
from trefoil.fusion.plan.asked import Asked, Reals
from trefoil.fusion.plan.forms import Form


@dataclass(frozen=True)
class AskedAsItIs:
    """A base model that has no form of its own: its scores, whatever computes them."""

    model: ScoringModel
    order: Ints | None = None

    def fill(self, asked: Asked, out: Reals) -> None:
        found = array(self.model.score(asked.cases))
        out[:] = found if self.order is None else found[:, self.order]

    def ordered(self, order: Ints) -> "AskedAsItIs":
        return AskedAsItIs(self.model, order)


def form_of(model: ScoringModel) -> Form:
    """The form of a base model; what has none is asked as it is."""
    return model.form() if isinstance(model, Compilable) else AskedAsItIs(model)
