"""The split that settings ask for: the same for training and for evaluation."""

from data.dataset import Dataset, SplitRule
from data.split import Split, split_events
from fusion.settings import Settings


def split_of(dataset: Dataset, settings: Settings) -> Split:
    """Events divided by the settings' rule, else by the dataset's own.

    Raises ConfigError for shares that leave nothing, SplitError where the events
    cannot be divided so.
    """
    asked, own = settings.split, dataset.rule
    rule = SplitRule(
        own.by if asked.by == "dataset" else asked.by,
        own.valid if asked.valid is None else asked.valid,
        own.test if asked.test is None else asked.test,
        own.repeats,
    )
    return split_events(dataset, settings.split_seed, rule)
