"""Large data: what is done in another way, so that time grows with the data and no faster."""

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


def is_large(known: TrainingData, settings: Settings) -> bool:
    """Whether items or events are so many that every step must stay with its own rows."""
    return known.matrix.shape[1] > settings.large_items or known.matrix.nnz > MANY_EVENTS


def sized_for(known: TrainingData, settings: Settings) -> Settings:
    """The settings, with the defaults of large data where it is large."""
    if not is_large(known, settings):
        return settings
    usual, events = type(settings.network)(), known.matrix.nnz
    epochs = max(2, min(NETWORK["epochs"], EVENTS_READ // max(events, 1)))
    changes = {
        name: value
        for name, value in (NETWORK | {"epochs": epochs}).items()
        if getattr(settings.network, name) == getattr(usual, name)
    }
    return settings.model_copy(update={"network": settings.network.model_copy(update=changes)})
