"""The settings tree: frozen, checked, and saved beside the weights."""

from typing import Any, ClassVar, Literal

import tomli_w
from pydantic import (
    ModelWrapValidatorHandler,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    model_validator,
)

from trefoil.data.refusals import explain, place_of
from trefoil.fusion.settings.branches import (
    Behaviour,
    FineTuning,
    Graph,
    HeldOut,
    Linear,
    Network,
    Profiles,
    Tasks,
    Text,
)
from trefoil.fusion.settings.part import Part

Switch = bool | Literal["auto"]


class Settings(Part):
    """Everything that decides what a model becomes."""

    earlier: ClassVar[dict[str, str]] = {
        "attributes": "user_attributes",
        "lately": "recent_popularity",
        "next_items": "next_item",
        "numbers": "item_attributes",
        "ratings": "rating_process",
        "rerank": "reranker",
        "walks": "random_walks",
        "width": "embedding_size",
    }

    seed: int = 0  # of all that is drawn while a model learns
    split_seed: int = 0  # which events are held out; the same for all models compared
    threads: NonNegativeInt = 0  # 0: as many as there are, at most 8
    memory_gb: NonNegativeFloat = (
        0.0  # that training may take; 0: three quarters of what is free, at most 3.6
    )
    large_items: PositiveInt = (
        20_000  # a larger catalogue is learned by ways whose time grows with it, and no faster
    )
    device: Literal["auto", "cpu", "cuda"] = "auto"  # of the networks; auto: cuda if there
    embedding_size: PositiveInt = 64  # D, shared by all encoders
    random_walks: bool = True  # base model: random walks over events
    next_item: bool = True  # base model: what often came soon after, where times are known
    # base model: what comes with what, in a visit and in later ones; auto: where events are few
    cooccurrence: Switch = "auto"
    # base model: items alike by words and categories; auto: where events are few and in order
    item_fields: Switch = "auto"
    # base model: items nearest by text vectors; auto: where events are few and in order
    nearest_texts: Switch = False
    returning: bool = True  # base model: past events, where people return to items
    factors: bool = True  # base model: a small matrix factorisation
    rating_process: bool = (
        True  # base model: a Gaussian process of ratings; also beside the networks' ratings
    )
    item_attributes: bool = True  # numbers such as a year tell which new items are alike
    user_attributes: bool = True  # base model: what is told of users, such as age
    recent_popularity: bool = True  # base model, where the split follows time
    scenarios: bool = True  # where and when an item is asked for is read
    reranker: bool = True  # a small network puts the first items of each list in order
    split: HeldOut = HeldOut()
    text: Text = Text()
    fine_tuning: FineTuning = FineTuning()
    profiles: Profiles = Profiles()
    graph: Graph = Graph()
    behaviour: Behaviour = Behaviour()
    linear: Linear = Linear()
    network: Network = Network()
    tasks: Tasks = Tasks()

    @model_validator(mode="wrap")
    @classmethod
    def _in_words(cls, tree: Any, read: ModelWrapValidatorHandler["Settings"]) -> "Settings":
        """Say what was wrong as ``load_settings`` does, with the nearest name there is."""
        try:
            return read(tree)
        except ValidationError as error:
            name = ".".join(place_of(error))
            raise ValueError(explain(error, cls, "setting", name)) from None

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
