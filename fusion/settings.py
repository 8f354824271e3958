"""The settings tree: frozen, checked, and saved beside the weights."""

import logging
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import tomli_w
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from trefoil.data.errors import ConfigError
from trefoil.data.refusals import explain, place_of

log = logging.getLogger(__name__)


class Part(BaseModel):
    """One branch of the tree; unknown names are refused, names of version 0.1.0 are read."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    earlier: ClassVar[dict[str, str]] = {}  # names of version 0.1.0, to those of today

    @model_validator(mode="before")
    @classmethod
    def _renamed(cls, tree: Any) -> Any:
        return cls.renamed(tree) if isinstance(tree, dict) else tree

    @classmethod
    def renamed(cls, tree: Mapping[str, Any], tell: bool = True, place: str = "") -> dict[str, Any]:
        """The tree under the names of today; a warning tells each that is old.

        Raises ValueError where both names of a setting are given.
        """
        today: dict[str, Any] = {}
        for name, value in tree.items():
            new = cls.earlier.get(name, name)
            if new != name and new in tree:
                raise ValueError(f"{place}{name} is called {new} now; give one of them")
            if new != name and tell:
                log.warning("the setting %s%s is called %s%s now", place, name, place, new)
            kind = cls.model_fields[new].annotation if new in cls.model_fields else None
            if isinstance(value, Mapping) and isinstance(kind, type) and issubclass(kind, Part):
                value = kind.renamed(value, tell, f"{place}{new}.")
            today[new] = value
        return today


class HeldOut(Part):
    """Which events choose and which judge; see ``data.split``."""

    by: Literal["dataset", "time", "ratio", "leave-one-out", "given", "rows"] = "dataset"
    valid: float | None = Field(default=None, gt=0, lt=1)  # share; unset: as the dataset says
    test: float | None = Field(default=None, gt=0, lt=1)


class Text(Part):
    """What texts say."""

    earlier = {"batch": "batch_size", "width": "dimensions"}

    on: bool = True
    model: str = "minilm"  # a folder, a hub name, "minilm", or "ngrams" (the stand-in)
    revision: str | None = None
    max_tokens: PositiveInt = 64  # longer texts are cut; cost is linear in it
    batch_size: PositiveInt = 64  # texts encoded at once
    dimensions: PositiveInt = 128  # directions kept by whitening
    in_network: bool = True  # item vectors get an adapter over texts
    shuffle: bool = False  # deal texts to other items: a control, see --ablate


class Graph(Part):
    """What the knowledge graph knows."""

    on: bool = True
    shared_by: PositiveInt = 2  # facts of fewer items are left out: they join nothing
    in_network: bool = True  # item vectors get the mean of their entities' vectors
    shuffle: bool = False  # deal facts and numbers to other items: a control, see --ablate


class Behaviour(Part):
    """What people did in order; needs times. Off, decays and next items are off too."""

    earlier = {
        "batch": "batch_size",
        "rate": "learning_rate",
        "smoothing": "label_smoothing",
        "spans": "time_gaps",
    }

    on: bool = True
    only_where_order_pays: bool = True  # skip it where decayed histories do not help validation
    max_events: PositiveInt = 50  # events per window, and read when asked
    layers: PositiveInt = 2
    heads: PositiveInt = 2
    dropout: float = Field(default=0.3, ge=0, lt=1)
    only_new: bool = True  # items met before are no rivals of the next, unless people return
    label_smoothing: float = Field(
        default=0.1, ge=0, lt=1
    )  # share of the target on all items alike
    time_gaps: bool = True  # time between events is read, not their order alone
    batch_size: PositiveInt = 64  # windows per step
    patience: PositiveInt = 8  # epochs without a better validation NDCG@10
    learning_rate: PositiveFloat = 2e-3


class Linear(Part):
    """The closed-form item-item model (EASE)."""

    on: bool = True
    max_items: PositiveInt = 20_000  # beyond, only the items with most events take part
    decays: tuple[PositiveFloat, ...] = (5.0, 15.0)  # events; tried where there is time


class Network(Part):
    """The joint network and its training."""

    earlier = {
        "average": "ema_decay",
        "batch": "batch_size",
        "every": "evaluate_every",
        "rate": "learning_rate",
        "sample": "sampled_items",
    }

    on: bool = True
    layers: NonNegativeInt = 2  # hops over the user-item graph
    seeds: NonNegativeInt = 0  # networks trained and averaged; 0 chooses by what one costs
    temperature: NonNegativeFloat = 0.0  # of the softmax; 0 chooses by events per user
    dropout: float = Field(
        default=-1.0, lt=1
    )  # on final vectors; below 0 chooses by the training events
    id_dropout: float = Field(
        default=0.1, ge=0, lt=1
    )  # share of items predicted from content alone
    learning_rate: PositiveFloat = 0.01
    ema_decay: float = Field(
        default=0.95, ge=0, lt=1
    )  # of the running mean of the weights; 0: none
    batch_size: PositiveInt = 512  # users per step, in each context apart
    epochs: PositiveInt = 300
    patience: PositiveInt = 4  # evaluations without a better validation NDCG@10
    evaluate_every: PositiveInt = 5  # epochs
    softmax_items: PositiveInt = 50_000  # with more, the softmax sees a sample of them
    sampled_items: PositiveInt = 8_192  # drawn for each step


class Tasks(Part):
    """Weights of the tasks; 0 switches one off, but for ranking."""

    earlier = {
        "order": "ranking",
        "choice": "category",
        "stars": "rating",
        "numbers": "attributes",
    }

    ranking: PositiveFloat = 1.0  # softmax over items: the one that was chosen
    category: NonNegativeFloat = 0.1  # cross-entropy: categories of the item that was chosen
    rating: NonNegativeFloat = 0.5  # squared error: ratings
    attributes: NonNegativeFloat = 0.0  # squared error: numbers of items; off, it brought nothing


class Settings(Part):
    """Everything that decides what a model becomes."""

    earlier = {
        "attributes": "user_attributes",
        "lately": "recent_popularity",
        "next_items": "next_item",
        "numbers": "item_attributes",
        "ratings": "rating_process",
        "rerank": "reranker",
        "walks": "random_walks",
        "width": "embedding_size",
    }

    seed: int = 0
    split_seed: int = 0  # which events are held out; the same for all models compared
    threads: NonNegativeInt = 0  # 0: as many as there are, at most 8
    memory_gb: NonNegativeFloat = (
        0.0  # that training may take; 0: three quarters of what is free, at most 3.6
    )
    device: Literal["auto", "cpu", "cuda"] = "auto"
    embedding_size: PositiveInt = 64  # D, shared by all encoders
    random_walks: bool = True  # base model: random walks over events
    next_item: bool = True  # base model: what often came soon after, where times are known
    returning: bool = True  # base model: past events, where people return to items
    factors: bool = True  # base model: a small matrix factorisation
    rating_process: bool = (
        True  # base model: a Gaussian process of ratings; also beside the networks' ratings
    )
    item_attributes: bool = True  # numbers such as a year tell which new items are alike
    user_attributes: bool = True  # base model: what is told of users, such as age
    recent_popularity: bool = True  # base model, where the split follows time
    scenarios: bool = True
    reranker: bool = True  # a small network puts the first items of each list in order
    split: HeldOut = HeldOut()
    text: Text = Text()
    graph: Graph = Graph()
    behaviour: Behaviour = Behaviour()
    linear: Linear = Linear()
    network: Network = Network()
    tasks: Tasks = Tasks()

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> "Settings":
        width, heads = self.embedding_size, self.behaviour.heads
        if self.network.on and self.behaviour.on and width % heads:
            raise ValueError(
                f"embedding_size = {width} cannot be shared between behaviour.heads = {heads}; "
                "choose a number of heads that divides it"
            )
        return self

    def toml(self) -> str:
        """This tree as TOML."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


def load_settings(
    path: Path | None = None,
    changes: Sequence[str] = (),
    base: Settings | None = None,
    tell: bool = True,
) -> Settings:
    """Settings from a TOML file (else ``base``) and ``a.b=value`` changes, in that order.

    Names of earlier versions are read; with ``tell`` a warning gives the name of today.
    Raises ConfigError naming the unknown key, with a suggestion, or the value refused.
    """
    tree: dict[str, Any] = {} if base is None else base.model_dump()
    where = "settings" if path is None else str(path)
    try:
        if path is not None:
            tree = Settings.renamed(_read(path), tell)
        for change in changes:
            tree = _merged(tree, Settings.renamed(_change(change), tell), change)
        return Settings.model_validate(tree)
    except ValidationError as error:
        name = ".".join(place_of(error))
        raise ConfigError(f"{where}: {explain(error, Settings, 'setting', name)}") from None
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; name a TOML file of settings") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


def _change(change: str) -> dict[str, Any]:
    """``a.b=value`` as a tree."""
    name, equals, text = change.partition("=")
    if not equals:
        raise ConfigError(f"--set {change!r}: write a.b=value")
    value = _value(text.strip())
    for part in reversed(name.strip().split(".")):
        value = {part: value}
    return value


def _merged(tree: Mapping[str, Any], change: Mapping[str, Any], said: str) -> dict[str, Any]:
    """The tree with the one value of ``change`` in its place."""
    ((name, value),) = change.items()
    if isinstance(value, dict):
        branch = tree.get(name, {})
        if not isinstance(branch, Mapping):
            raise ConfigError(f"--set {said!r}: {name!r} has no branches")
        value = _merged(branch, value, said)
    return {**tree, name: value}


def _value(text: str) -> Any:
    """A TOML value, or plain text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
