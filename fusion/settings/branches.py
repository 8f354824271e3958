"""The branches of the settings tree, one for each subject."""

from typing import ClassVar, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from trefoil.fusion.settings.part import Part


class HeldOut(Part):
    """Which events choose and which judge; see ``data.split``."""

    # the rule; "dataset": that of dataset.toml
    by: Literal["dataset", "time", "ratio", "leave-one-out", "given", "rows"] = "dataset"
    valid: float | None = Field(default=None, gt=0, lt=1)  # share; unset: as the dataset says
    test: float | None = Field(default=None, gt=0, lt=1)  # the same
    fold: NonNegativeInt = 0  # which of the parts that a drawn split could hold out; see folds


class Text(Part):
    """What texts say."""

    earlier: ClassVar[dict[str, str]] = {"batch": "batch_size", "width": "dimensions"}

    on: bool = True  # off: no text is read
    # a folder, a hub name, "minilm", "smollm2", "static", "ngrams" (the stand-in), or "words":
    # no encoder, texts are read by the words of ``item_fields`` alone
    model: str = "minilm"
    revision: str | None = None  # of a model of the hub
    # how states of tokens become one vector; auto: as the model says, "weighted" of a decoder
    pooling: Literal["auto", "mean", "last", "weighted"] = "auto"
    max_tokens: PositiveInt = 64  # longer texts are cut; cost is linear in it
    batch_size: PositiveInt = 64  # texts encoded at once
    # of products; auto: bfloat16 where the processor or GPU has circuits for it
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    dimensions: PositiveInt = 128  # directions kept by whitening
    in_network: bool = True  # item vectors get an adapter over texts
    wordings: NonNegativeInt = 0  # other ways to say each text, which steps of training draw from
    word_dropout: float = Field(default=0.1, ge=0, lt=1)  # share of words a wording leaves out
    sentence_shuffle: bool = True  # sentences of a wording stand in another order
    synonyms: str | None = None  # a file: words of a line, between commas, mean the same
    shuffle: bool = False  # deal texts to other items: a control, see --ablate


class FineTuning(Part):
    """What the text encoder learns of training events, before anything reads its vectors.

    "frozen": nothing. "linear": a map behind it, which costs seconds. The others change the
    language model as well: "lora", "adalora", "prefix" (the nearest that encoders take, IA3),
    "top:k" (its last k layers) and "all".
    """

    # one of these names
    method: str = Field(
        default="frozen", pattern=r"^(frozen|linear|lora|adalora|prefix|top:[1-9]\d*|all)$"
    )
    # co-occurrence: items that come together, and nothing else learns; network: a joint network
    # learns beside it, whose steps read some texts anew, and is then trained once more
    taught_by: Literal["co-occurrence", "network"] = "co-occurrence"
    texts_per_step: PositiveInt = 32  # that a step of the network reads anew
    ahead: PositiveInt = 3  # an item comes with those up to so many events later
    rank: PositiveInt = 8  # of the matrices of lora and adalora
    epochs: PositiveInt = 10  # over the items, at most, of the map
    model_epochs: PositiveInt = 2  # of the language model, which begins with the map taught
    patience: PositiveInt = 2  # epochs without a better validation NDCG@10
    batch_size: PositiveInt = 128  # items of a step
    accumulate: PositiveInt = 1  # steps whose gradients are added up
    learning_rate: PositiveFloat = 5e-4  # of the language model
    map_rate: PositiveFloat = 0.05  # of the map, as a share of its mean entry
    temperature: PositiveFloat = 0.1  # of the softmax over items
    popularity: NonNegativeFloat = 1.0  # share of an item's popularity that vectors need not tell
    candidates: PositiveInt = 20_000  # items of the softmax; of more, a sample
    max_tokens: PositiveInt = 32  # of a text, while it learns
    checkpointing: bool = False  # less memory, a third more time
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # as of texts, while it learns


class Profiles(Part):
    """What an instruct model writes of items and people before anything is learned."""

    of: Literal["none", "items", "users", "both"] = "none"  # who gets one
    model: str = "smollm2"  # or a GGUF file, or a folder of weights
    most: PositiveInt = 2000  # items, and people, with most events that have one
    liked: PositiveInt = 8  # titles that the model is told of a person
    most_tokens: PositiveInt = 48  # of an answer
    batch_size: PositiveInt = 16  # answers written at once


class Graph(Part):
    """What the knowledge graph knows."""

    on: bool = True  # off: no fact is read
    shared_by: PositiveInt = 2  # facts of fewer items are left out: they join nothing
    in_network: bool = True  # item vectors get the mean of their entities' vectors
    numbers: bool = False  # years, prices, ... of linked items tell which new items are alike
    shuffle: bool = False  # deal facts and numbers to other items: a control, see --ablate


class Behaviour(Part):
    """What people did in order; needs times. Off, decays and next items are off too."""

    earlier: ClassVar[dict[str, str]] = {
        "batch": "batch_size",
        "rate": "learning_rate",
        "smoothing": "label_smoothing",
        "spans": "time_gaps",
    }

    on: bool = True  # the sequence network
    only_where_order_pays: bool = True  # skip it where decayed histories do not help validation
    max_events: PositiveInt = 50  # events per window, and read when asked
    layers: PositiveInt = 2  # of the Transformer
    heads: PositiveInt = 2  # of attention
    dropout: float = Field(default=0.3, ge=0, lt=1)  # in the Transformer
    only_new: bool = True  # items met before are no rivals of the next, unless people return
    label_smoothing: float = Field(
        default=0.1, ge=0, lt=1
    )  # share of the target on all items alike
    time_gaps: bool = True  # time between events is read, not their order alone
    event_dropout: float = Field(default=0.0, ge=0, lt=1)  # share of events read without item
    weight_decay: NonNegativeFloat = 0.01  # of its weights, as in AdamW
    batch_size: PositiveInt = 64  # windows per step
    patience: PositiveInt = 8  # epochs without a better validation NDCG@10
    learning_rate: PositiveFloat = 2e-3  # of the sequence network


class Linear(Part):
    """The closed-form item-item model (EASE)."""

    on: bool = True  # base model
    max_items: PositiveInt = 20_000  # beyond, only the items with most events take part
    head_items: PositiveInt = 8_000  # that take part in a large catalogue: time grows by the cube
    decays: tuple[PositiveFloat, ...] = (5.0, 15.0)  # events; tried where there is time


class Network(Part):
    """The joint network and its training."""

    earlier: ClassVar[dict[str, str]] = {
        "average": "ema_decay",
        "batch": "batch_size",
        "every": "evaluate_every",
        "rate": "learning_rate",
        "sample": "sampled_items",
    }

    on: bool = True  # the joint network; off, the sequence network is off too
    layers: NonNegativeInt = 2  # hops over the user-item graph
    seeds: NonNegativeInt = 0  # networks trained and averaged; 0 chooses by what one costs
    temperature: NonNegativeFloat = 0.0  # of the softmax; 0 chooses by events per user
    dropout: float = Field(
        default=-1.0, lt=1
    )  # on final vectors; below 0 chooses by the training events
    id_dropout: float = Field(
        default=0.1, ge=0, lt=1
    )  # share of items predicted from content alone
    learning_rate: PositiveFloat = 0.01  # of Adam
    ema_decay: float = Field(
        default=0.95, ge=0, lt=1
    )  # of the running mean of the weights; 0: none
    batch_size: PositiveInt = 512  # users per step, in each context apart
    epochs: PositiveInt = 300  # at most; patience ends earlier
    patience: PositiveInt = 4  # evaluations without a better validation NDCG@10
    evaluate_every: PositiveInt = 5  # epochs
    # of a training with --from: which of the weights that came from there stay as they are
    freeze: Literal["none", "encoder", "all_but_heads", "gradually"] = "none"
    inherited_rate: PositiveFloat = 1.0  # at which the others of them learn, of learning_rate
    weight_decay: NonNegativeFloat = 0.0  # of the weights that propagation reads, per unit of rate
    adversarial: NonNegativeFloat = 0.0  # embeddings move so far, of their length, against a step
    domain_rank: NonNegativeInt = 0  # of what each domain adds to vectors that all share; 0: none
    scenario_names: bool = False  # what the names of scenario values say is read as well
    softmax_items: PositiveInt = 50_000  # with more, the softmax sees a sample of them
    sampled_items: PositiveInt = 8_192  # drawn for each step


class Tasks(Part):
    """Weights of the tasks; 0 switches one off, but for ranking."""

    earlier: ClassVar[dict[str, str]] = {
        "order": "ranking",
        "choice": "category",
        "stars": "rating",
        "numbers": "attributes",
    }

    ranking: PositiveFloat = 1.0  # softmax over items: the one that was chosen
    category: NonNegativeFloat = 0.1  # cross-entropy: categories of the item that was chosen
    rating: NonNegativeFloat = 0.5  # squared error: ratings
    attributes: NonNegativeFloat = 0.0  # squared error: numbers of items; off, it brought nothing
    kind: NonNegativeFloat = 0.0  # cross-entropy: kind of an event, where they have any
    like: NonNegativeFloat = 0.0  # binary: positive or not, where data hold events that are not
    facts: NonNegativeFloat = 0.0  # binary: facts of items against drawn ones
    texts: NonNegativeFloat = 0.0  # squared error: text vectors of items
    corpus: NonNegativeFloat = 0.1  # class or number of the texts of a corpus, where there is one
    consistency: NonNegativeFloat = 0.0  # contrast: people as two passes of dropout see them
    debias: float = Field(
        default=0.0, ge=0, le=2
    )  # power of popularity that positives of the ranking are weighed against
    ranking_loss: Literal["softmax", "bpr", "gbce"] = "softmax"  # of the task that ranks
    negatives: PositiveInt = 256  # items drawn for a step of bpr and gbce
    weighting: Literal[
        "static",
        "uncertainty",
        "dwa",
        "gradnorm",
        "famo",
        "pcgrad",
        "cagrad",
        "upgrad",
        "mgda",
    ] = "static"  # how the losses of the tasks become one step; static: by the weights above
    trunk: Literal["none", "shared_bottom", "mmoe", "ple"] = "none"  # between vectors and heads
    experts: PositiveInt = 4  # of a trunk; in ple as many for each task as shared
