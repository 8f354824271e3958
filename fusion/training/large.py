"""Large and sparse data: what is done in another way, so that time grows no faster than they."""

from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.settings import Settings

MANY_EVENTS = 2_000_000  # from which a step does not pass messages over the whole graph
# What a large training sets where settings leave the default: fewer, larger steps and a look
# after each epoch. Sequences are left out: an epoch of them costs more than all else.
NETWORK = {
    "batch_size": 2_048,
    "evaluate_every": 1,
    "patience": 3,
    "epochs": 8,
    "softmax_items": 1,
    "sampled_items": 4_096,
}
EVENTS_READ = 30_000_000  # in all epochs: with more events there are fewer, at least two
# The same for few events of many items in order: there a step's softmax over all items, and its
# pass of messages over the whole graph for few people, cost more than they teach.
SPARSE = {"batch_size": 2_048, "softmax_items": 1, "sampled_items": 2_048}
SPARSE_ITEMS = 5_000  # from which they are many


def is_large(known: TrainingData, settings: Settings) -> bool:
    """Whether items or events are so many that every step must stay with its own rows."""
    return known.matrix.shape[1] > settings.large_items or known.matrix.nnz > MANY_EVENTS


def is_sparse(known: TrainingData) -> bool:
    """Whether people have few events of many items, in an order that is known."""
    return known.timed and not known.dense and known.matrix.shape[1] > SPARSE_ITEMS


def sized_for(known: TrainingData, settings: Settings) -> Settings:
    """The settings, with the defaults of large or of sparse data where it is such."""
    if is_large(known, settings):
        often = EVENTS_READ // max(known.matrix.nnz, 1)
        sized = NETWORK | {"epochs": max(2, min(NETWORK["epochs"], often))}
    elif is_sparse(known):
        sized = SPARSE
    else:
        return settings
    usual = type(settings.network)()
    changes = {
        name: value
        for name, value in sized.items()
        if getattr(settings.network, name) == getattr(usual, name)
    }
    return settings.model_copy(update={"network": settings.network.model_copy(update=changes)})
