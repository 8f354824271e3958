"""Tasks of a corpus: the class or the number of a text, read as the network reads item texts."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from trefoil.fusion.network import objectives
from trefoil.fusion.network.module import JointNetwork
from trefoil.fusion.network.steps import UserStep
from trefoil.fusion.network.tasks.base import Rows, Target, Task, TaskData

TEXTS = 1_024  # that a step is asked about


def read_corpus(
    network: JointNetwork, task: str, text: Float[Tensor, "n T"]
) -> Float[Tensor, "n D"]:
    """Vectors of texts as the network reads those of items, ten long, as a task sees them."""
    assert network.text is not None
    return 10 * network.items_of(task, F.normalize(network.text(text), dim=1))


@dataclass(frozen=True)
class CorpusTask(Task):
    """What is told of the texts of a corpus, from the map that item texts go through.

    The head is all of its own: whatever a corpus teaches of texts is in the shared map.
    """

    everywhere: ClassVar[bool] = False

    def rows(self, step: UserStep, target: Target) -> Rows | None:
        if step.network.text is None:
            return None
        told, label = target.tensors["text"], target.tensors["label"]
        drawn = step.draw(len(told), min(len(told), TEXTS))
        read = read_corpus(step.network, self.name, told[drawn])
        return Rows((step.head(self.name)(read), label[drawn]))

    @abstractmethod
    def loss(self, *reads: Tensor) -> Float[Tensor, " n"]: ...


@dataclass(frozen=True)
class CorpusClass(CorpusTask):
    """Cross-entropy: the class of a text."""

    name: ClassVar[str] = "corpus_class"

    def target(self, data: TaskData) -> Target | None:
        corpus = data.known.corpus
        if corpus is None or corpus.classes is None:
            return None
        rows = (corpus.classes >= 0) & corpus.text.known
        tensors = {"text": corpus.text.vectors[rows], "label": corpus.classes[rows]}
        return Target(tensors, outputs=corpus.names) if bool(rows.any()) else None

    def loss(self, logits: Float[Tensor, "n C"], label: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
        return F.cross_entropy(logits, label, reduction="none")


@dataclass(frozen=True)
class CorpusNumber(CorpusTask):
    """Squared error: the number of a text, in spreads around the mean."""

    name: ClassVar[str] = "corpus_number"

    def target(self, data: TaskData) -> Target | None:
        corpus = data.known.corpus
        if corpus is None or corpus.numbers is None:
            return None
        rows = ~corpus.numbers.isnan() & corpus.text.known
        if not bool(rows.any()):
            return None
        told = corpus.numbers[rows]
        standard = (told - told.mean()) / told.std(correction=0).clamp(min=1e-6)
        return Target({"text": corpus.text.vectors[rows], "label": standard}, outputs=1)

    def loss(self, told: Float[Tensor, "n 1"], given: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        return objectives.squared_error(told[:, 0], given)
