"""The settings tree: frozen, checked, and saved beside the weights."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

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


class Part(BaseModel):
    """One branch of the tree; unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class HeldOut(Part):
    """Which events choose and which judge; see ``data.split``."""

    by: Literal["dataset", "time", "ratio", "leave-one-out", "given", "rows"] = "dataset"
    valid: float | None = Field(default=None, gt=0, lt=1)  # share; unset: as the dataset says
    test: float | None = Field(default=None, gt=0, lt=1)


class Text(Part):
    """The leaf of what texts say."""

    on: bool = True
    model: str = "minilm"  # a folder, a hub name, "minilm", or "ngrams" (the stand-in)
    revision: str | None = None
    max_tokens: PositiveInt = 64  # longer texts are cut; cost is linear in it
    batch: PositiveInt = 64  # texts encoded at once
    width: PositiveInt = 128  # directions kept by whitening
    in_network: bool = True  # item vectors get an adapter over texts
    shuffle: bool = False  # deal texts to other items: a control, see --ablate


class Graph(Part):
    """The leaf of what the knowledge graph knows."""

    on: bool = True
    shared_by: PositiveInt = 2  # facts of fewer items are left out: they join nothing
    in_network: bool = True  # item vectors get the mean of their entities' vectors
    shuffle: bool = False  # deal facts and numbers to other items: a control, see --ablate


class Behaviour(Part):
    """The leaf of what people did in order; needs times."""

    on: bool = True
    only_where_order_pays: bool = True  # skip it where decayed histories do not help validation
    max_events: PositiveInt = 50  # events per window, and read when asked
    layers: PositiveInt = 2
    heads: PositiveInt = 2
    dropout: float = Field(default=0.3, ge=0, lt=1)
    only_new: bool = True  # items met before are no rivals of the next, unless people return
    smoothing: float = Field(default=0.1, ge=0, lt=1)  # share of the target on all items alike
    spans: bool = True  # time between events is read, not their order alone
    batch: PositiveInt = 64  # windows per step
    patience: PositiveInt = 8  # epochs without a better validation NDCG@10
    rate: PositiveFloat = 2e-3  # learning rate


class Linear(Part):
    """The closed-form item-item leaf."""

    on: bool = True
    max_items: PositiveInt = 20_000  # beyond, only the items with most events take part
    decays: tuple[PositiveFloat, ...] = (5.0, 15.0)  # events; tried where there is time


class Network(Part):
    """The joint network and its training."""

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
    rate: PositiveFloat = 0.01  # learning rate
    average: float = Field(
        default=0.95, ge=0, lt=1
    )  # decay of the running mean of the weights; 0: none
    batch: PositiveInt = 512  # users per step
    epochs: PositiveInt = 300
    patience: PositiveInt = 4  # evaluations without a better validation NDCG@10
    every: PositiveInt = 5  # epochs between evaluations
    softmax_items: PositiveInt = 50_000  # with more, the softmax sees a sample of them
    sample: PositiveInt = 8_192  # items drawn for each step


class Tasks(Part):
    """Weights of the objectives; 0 switches one off."""

    order: NonNegativeFloat = 1.0  # softmax over items: what is taken
    choice: NonNegativeFloat = 0.1  # cross-entropy: categories of what is taken
    stars: NonNegativeFloat = 0.5  # squared error: ratings
    numbers: NonNegativeFloat = 0.0  # squared error: numbers of items; off, for it brought nothing


class Settings(Part):
    """Everything that decides what a model becomes."""

    seed: int = 0
    split_seed: int = 0  # which events are held out; the same for all models compared
    threads: NonNegativeInt = 0  # 0: as many as there are
    memory_gb: NonNegativeFloat = 0.0  # that training may take; 0: what is free, at most 3.6
    device: Literal["auto", "cpu", "cuda"] = "auto"
    width: PositiveInt = 64  # D, shared by all encoders
    walks: bool = True  # the leaf of random walks over events
    next_items: bool = True  # the leaf of what often came soon after, where times are known
    returning: bool = True  # the leaf of past events, where people return to items
    factors: bool = True  # the small matrix factorisation leaf
    ratings: bool = True  # a Gaussian process over items beside the networks' ratings
    numbers: bool = True  # columns such as a year tell which items without events are alike
    attributes: bool = True  # the leaf of what is told of people, such as age
    lately: bool = True  # the leaf of what is popular lately, where the split follows time
    scenarios: bool = True
    rerank: bool = True  # a small network puts the first items of each list in order
    split: HeldOut = HeldOut()
    text: Text = Text()
    graph: Graph = Graph()
    behaviour: Behaviour = Behaviour()
    linear: Linear = Linear()
    network: Network = Network()
    tasks: Tasks = Tasks()

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> "Settings":
        width, heads = self.width, self.behaviour.heads
        if self.network.on and self.behaviour.on and width % heads:
            raise ValueError(
                f"width = {width} cannot be shared between behaviour.heads = {heads}; "
                "choose a number of heads that divides the width"
            )
        return self

    def toml(self) -> str:
        """This tree as TOML."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


def load_settings(
    path: Path | None = None, changes: Sequence[str] = (), base: Settings | None = None
) -> Settings:
    """Settings from a TOML file (else ``base``) and ``a.b=value`` changes, in that order.

    Raises ConfigError naming the unknown key, with a suggestion, or the value refused.
    """
    tree: dict[str, Any] = {} if base is None else base.model_dump()
    where = "settings"
    if path is not None:
        where = str(path)
        try:
            tree = tomllib.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise ConfigError(f"{path}: no such file; name a TOML file of settings") from None
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: not valid TOML: {error}") from None
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals:
            raise ConfigError(f"--set {change!r}: write a.b=value")
        branch = tree
        *parents, leaf = name.strip().split(".")
        for parent in parents:
            branch = branch.setdefault(parent, {})
            if not isinstance(branch, dict):
                raise ConfigError(f"--set {change!r}: {parent!r} has no branches")
        branch[leaf] = _value(text.strip())
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        name = ".".join(place_of(error))
        raise ConfigError(f"{where}: {explain(error, Settings, 'setting', name)}") from None


def _value(text: str) -> Any:
    """A TOML value, or plain text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
