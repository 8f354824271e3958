"""What a run was trained on, found again: its dataset and its split."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trefoil.data import ConfigError, Dataset, read_dataset
from trefoil.data.split import Split
from trefoil.fusion.recommender import Recommender


def dataset_of(recommender: Recommender, args: argparse.Namespace) -> Dataset:
    """The dataset a run was trained on, read again; ConfigError where it has changed."""
    if recommender.state.purpose == "serve":
        raise ConfigError(
            f"{args.run}: learned from all events (--final), so nothing is held out to judge it "
            "by; evaluate a run of the same settings without --final"
        )
    source, root = data_location(recommender.about.get("data"), args)
    share = recommender.about.get("max_bad_share")  # None: as the folder says
    people = recommender.about.get("forgotten")  # None: the list of the folder, if there
    try:
        dataset = read_dataset(source, root=root, max_bad_share=share, forgotten=people)
    except ConfigError as error:
        if args.data:
            raise
        raise ConfigError(
            f"{error}; {args.run} was trained on {source}: say where that lies now with --data"
        ) from None
    trained = recommender.about["dataset"]["fingerprint"]
    if dataset.fingerprint != trained:
        raise ConfigError(
            f"{source}: fingerprint {dataset.fingerprint[:12]}, but {args.run} was trained on "
            f"{trained[:12]}; the data has changed since, so train again"
        )
    if recommender.about.get("updated"):
        raise ConfigError(
            f"{args.run}: learned on from {recommender.about['updated']} changes that came, of "
            "which the data knows nothing; evaluate the run that was updated"
        )
    if recommender.about.get("added"):
        raise ConfigError(
            f"{args.run}: {recommender.about['added']} items were added after training, of which "
            "the data knows nothing; evaluate the run that they were added to"
        )
    return dataset


def data_location(made_from: Mapping[str, Any] | None, args: argparse.Namespace) -> tuple[str, Any]:
    """Where the data of a run lies: as told, else where it lay, else by the name it had."""
    if args.data:
        return args.data, args.data_root
    if made_from is None:
        raise ConfigError(
            f"{args.run}: saved from Python, so the run does not know its data; "
            "say where that lies with --data"
        )
    source, root, at = made_from["source"], made_from["root"], made_from.get("at")
    if at and Path(at).is_dir():
        return (at, None) if root is None else (source, args.data_root or at)
    return source, args.data_root or root


def split_as_trained(recommender: Recommender, dataset: Dataset, path: Path) -> Split:
    """The split that the run was trained by. Raises ConfigError where it was another."""
    from trefoil.fusion.features.preparation import split_of  # torch takes seconds

    split, about = split_of(dataset, recommender.settings), recommender.about
    if about["dataset"].get("split", split.digest) != split.digest:
        raise ConfigError(
            f"{path}: trained on a split by {about['split']['by']} with other events in its parts "
            f"than the split by {split.rule.by} that its settings give, so test events may have "
            "been seen; train again"
        )
    now = (split.rule.by, len(split.train), len(split.valid))
    then = (about["split"]["by"], about["dataset"]["train"], about["dataset"]["valid"])
    if now != then:
        raise ConfigError(
            f"{path}: trained on a split by {then[0]} with {then[1]} training and {then[2]} "
            f"validation events; its settings give {now[0]}, {now[1]} and {now[2]}, so test events "
            "may have been seen; train again with train.py --set split.by=RULE"
        )
    return split
