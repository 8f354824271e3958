"""Tasks of what is said of items: facts of the graph, and texts, told from their vectors."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from trefoil.fusion.network import objectives
from trefoil.fusion.network.heads import Sizes
from trefoil.fusion.network.steps import UserStep
from trefoil.fusion.network.tasks.base import Rows, Target, Task, TaskData

PAIRS = 4_096  # facts, and items with a text, that a step is asked about


class FactHead(nn.Module):
    """A vector and a bias for each fact: never a table of items by facts."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.fact = nn.Embedding(sizes.outputs, sizes.width)
        self.bias = nn.Parameter(torch.zeros(sizes.outputs))
        nn.init.normal_(self.fact.weight, std=0.05)

    def forward(self, items: Float[Tensor, "n D"], facts: Tensor) -> Float[Tensor, " n"]:
        return 10 * (items * self.fact(facts)).sum(1) + self.bias[facts]


@dataclass(frozen=True)
class Facts(Task):
    """Binary cross-entropy: a fact that an item has against one drawn for it.

    Facts are drawn as often as items have them, so that how common one is tells nothing.
    """

    name: ClassVar[str] = "facts"

    def target(self, data: TaskData) -> Target | None:
        facts = data.known.facts
        if facts is None:
            return None
        pairs, count = facts.matrix.tocoo(), facts.matrix.shape[1]
        keys = np.sort(pairs.row.astype(np.int64) * count + pairs.col)
        return Target({"pair": torch.from_numpy(keys)}, outputs=count)

    def head(self, sizes: Sizes) -> FactHead:
        return FactHead(sizes)

    def rows(self, step: UserStep, target: Target) -> Rows:
        pair, facts = target.tensors["pair"], target.outputs
        size = min(len(pair), PAIRS)
        drawn, others = (pair[step.draw(len(pair), size)] for _ in range(2))
        item, fact, other = drawn // facts, drawn % facts, others % facts
        asked = item * facts + other
        place = torch.searchsorted(pair, asked).clamp(max=len(pair) - 1)
        kept = pair[place] != asked  # what an item does not have
        items = step.vectors_of(self.name).items
        head = step.head(self.name)
        held, denied = head(items[item], fact), head(items[item[kept]], other[kept])
        label = torch.cat([torch.ones_like(held), torch.zeros_like(denied)])
        return Rows((torch.cat([held, denied]), label))

    def loss(self, logit: Float[Tensor, " n"], label: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        return objectives.binary_cross_entropy(logit, label)


@dataclass(frozen=True)
class ItemTexts(Task):
    """Squared error: the whitened text vector of an item, mean over its directions."""

    name: ClassVar[str] = "texts"

    def target(self, data: TaskData) -> Target | None:
        text = data.known.text
        if text is None or not bool(text.known.any()):
            return None
        rows = text.known.nonzero()[:, 0]
        spread = text.vectors[rows].square().mean().sqrt().clamp(min=1e-6)
        tensors = {"item": rows, "text": text.vectors[rows] / spread}
        return Target(tensors, outputs=text.vectors.shape[1])

    def rows(self, step: UserStep, target: Target) -> Rows:
        count = len(target.tensors["item"])
        drawn = step.draw(count, min(count, PAIRS))
        items = step.vectors_of(self.name).items[target.tensors["item"][drawn]]
        return Rows((step.head(self.name)(items), target.tensors["text"][drawn]))

    def loss(self, told: Float[Tensor, "n T"], text: Float[Tensor, "n T"]) -> Float[Tensor, " n"]:
        return objectives.squared_error(told, text).mean(1)
