"""Settings searched for on validation: ``python -m trefoil.fusion.experiments.tune``.

The defaults need no search; this is for who wants the last percent of one dataset,
or the trade between several wishes. Needs ``pip install trefoil[tune]``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from trefoil.data import Dataset, Split, read_dataset
from trefoil.data.command import run
from trefoil.data.errors import ConfigError, TrainingError
from trefoil.data.files import write_file
from trefoil.evaluation.metrics.list_metrics import Background
from trefoil.evaluation.protocols.pointwise_exam import stars_exam, stars_result
from trefoil.evaluation.ranking import rank
from trefoil.evaluation.result import deepest, summarise
from trefoil.fusion.features.preparation import split_of, validation_exam
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.reporting.progress import Progress
from trefoil.fusion.settings import Settings, load_settings

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

# Setting -> lowest, highest, whether on a log scale; or the values to choose from.
SPACE: dict[str, tuple[float, float, bool] | list[int]] = {
    "embedding_size": [32, 64, 128],
    "network.layers": [1, 2, 3],
    "network.temperature": (0.05, 0.4, True),
    "network.dropout": (0.0, 0.6, False),
    "network.id_dropout": (0.0, 0.3, False),
    "network.learning_rate": (2e-3, 3e-2, True),
    "behaviour.layers": [1, 2, 3],
    "behaviour.dropout": (0.1, 0.5, False),
    "behaviour.learning_rate": (5e-4, 5e-3, True),
    "tasks.category": (0.01, 1.0, True),
    "tasks.rating": (0.05, 5.0, True),
}
RANKED = ("ndcg@10", "recall@10", "recall@20", "mrr@10", "coverage@10", "novelty@10")
DIRECTIONS = dict.fromkeys(RANKED, "maximize") | {"rmse": "minimize", "seconds": "minimize"}


def tune(
    dataset: Dataset,
    settings: Settings,
    folder: Path,
    *,
    trials: int = 30,
    objectives: Sequence[str] = ("ndcg@10",),
    space: Sequence[str] = (),
    progress: Progress | None = None,
) -> Study:
    """Go on with the study in ``folder`` until it holds ``trials`` finished ones.

    The first trial is ``settings`` itself; a tree-structured Parzen estimator
    (Bergstra et al. 2011; for several objectives Ozaki et al. 2022) proposes the
    others. ``objectives`` are taken on the validation part, ``seconds`` is
    processor time of training; ``space`` names settings of ``SPACE`` to search, all
    of them if empty. Trials are appended to ``study.log`` as they end, so a study
    that was stopped goes on where it was. Raises ConfigError for unknown names, and where
    the folder holds a study of other data, settings, objectives or space.
    """
    names = list(space) or [name for name in SPACE if _searchable(name, settings)]
    if not names:
        raise ConfigError("nothing to search: network.on is false")
    _known("objective", objectives, DIRECTIONS)
    _known("setting to search", names, SPACE)
    split = split_of(dataset, settings)
    create_trial = _optuna().trial.create_trial
    study = _study(folder, [DIRECTIONS[one] for one in objectives], settings.seed)
    asked = {
        "data": dataset.fingerprint,
        "settings": settings.model_dump(mode="json"),
        "objectives": list(objectives),
        "space": names,
    }
    for key, value in asked.items():
        if study.user_attrs.get(key, value) != value:
            raise ConfigError(f"{folder}: holds a study of other {key}; name another folder")
        study.set_user_attr(key, value)
    if not study.trials:
        found = _measured(dataset, split, settings)
        study.add_trial(
            create_trial(
                values=_values(found, objectives),
                user_attrs={"changes": [], "found": found},
            )
        )

    def measure(trial: Trial) -> list[float]:
        if progress:
            progress(_finished(study), trials, "trials")
        changes = [f"{name}={_proposed(trial, name)}" for name in names]
        trial.set_user_attr("changes", changes)
        found = _measured(dataset, split, load_settings(None, changes, base=settings))
        trial.set_user_attr("found", found)
        return _values(found, objectives)

    while _finished(study) < trials:
        study.optimize(measure, n_trials=1, catch=(TrainingError,))
    return study


def best_of(study: Study, settings: Settings) -> list[tuple[FrozenTrial, Settings]]:
    """The best trial, or for several objectives all that no other beats in each, as settings."""
    return [
        (trial, load_settings(None, trial.user_attrs["changes"], base=settings))
        for trial in study.best_trials
    ]


def _measured(dataset: Dataset, split: Split, settings: Settings) -> dict[str, float]:
    """What one training reaches on validation, and its processor seconds."""
    began = time.process_time()
    recommender = Recommender(settings).fit(dataset, split=split)
    found = {"seconds": time.process_time() - began}
    exam = validation_exam(dataset, split)
    train = dataset.interactions.take(split.train)
    background = Background.of(train, len(dataset.users), len(dataset.items))
    ranks = rank(recommender, exam, deepest(RANKED))
    found |= summarise("trial", ranks, RANKED, 0.0, background).means()
    if recommender.model.rates is not None:
        found["rmse"] = stars_result(recommender, stars_exam(dataset, split, "valid"))["rmse"]
    return found


def _values(found: Mapping[str, float], objectives: Sequence[str]) -> list[float]:
    if "rmse" in objectives and "rmse" not in found:
        raise ConfigError("objective 'rmse': no ratings are learned; leave it out")
    return [found[one] for one in objectives]


def _optuna() -> Any:
    try:
        import optuna
        import optuna.storages.journal
    except ImportError:
        raise ConfigError("tuning needs Optuna: pip install trefoil[tune]") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _study(folder: Path, directions: Sequence[str], seed: int) -> Study:
    """The study kept in ``folder``; begun where there is none."""
    optuna = _optuna()
    folder.mkdir(parents=True, exist_ok=True)
    backend = optuna.storages.journal.JournalFileBackend(str(folder / "study.log"))
    storage = optuna.storages.JournalStorage(backend)
    known = {one.study_name: one for one in optuna.get_all_study_summaries(storage)}
    if "trefoil" in known and len(known["trefoil"].directions) != len(directions):
        raise ConfigError(f"{folder}: holds a study of other objectives; name another folder")
    study = optuna.create_study(
        storage=storage, study_name="trefoil", directions=[*directions], load_if_exists=True
    )
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials), multivariate=True)
    return study


def _finished(study: Study) -> int:
    return sum(trial.state.is_finished() for trial in study.trials)


def _known(kind: str, names: Sequence[str], known: Mapping[str, Any]) -> None:
    for name in names:
        if name not in known:
            raise ConfigError(f"unknown {kind} {name!r}; known are {', '.join(known)}")


def _searchable(name: str, settings: Settings) -> bool:
    """Whether a setting changes anything: of a part that is on, and not switched off by 0."""
    part, _, own = name.rpartition(".")
    if not settings.network.on:  # all of them shape the network
        return False
    if part == "tasks":
        return getattr(settings.tasks, own) > 0
    return not part or getattr(settings, part).on


def _proposed(trial: Trial, name: str) -> float | int:
    bounds = SPACE[name]
    if isinstance(bounds, list):
        return trial.suggest_categorical(name, bounds)  # type: ignore[return-value]
    return trial.suggest_float(name, bounds[0], bounds[1], log=bounds[2])


def show(study: Study, objectives: Sequence[str], console: Console) -> None:
    """The best trials, beside the settings that the study began with."""
    table = Table(title="validation")
    for name in ("trial", *objectives, "settings"):
        table.add_column(name, justify="left" if name == "settings" else "right")
    best = {trial.number for trial in study.best_trials}
    for trial in study.trials:
        if trial.values and (trial.number == 0 or trial.number in best):
            star = "*" if trial.number in best else ""
            values = [f"{value:.4f}" for value in trial.values]
            changes = " ".join(trial.user_attrs["changes"]) or "as given"
            table.add_row(f"{trial.number}{star}", *values, changes)
    console.print(table)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(
        prog="python -m trefoil.fusion.experiments.tune",
        description="Search settings on the validation part; the same command goes on with a "
        "study that was stopped. Writes best.toml, or one file for each best compromise.",
    )
    p.add_argument("--data", required=True, help="a folder with dataset.toml, or a name")
    p.add_argument("--data-root", type=Path, metavar="DIR", help="where a named dataset lies")
    p.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the study")
    p.add_argument("--config", type=Path, metavar="FILE.toml", help="settings to begin with")
    p.add_argument("--set", action="append", default=[], metavar="a.b=value")
    p.add_argument("--trials", type=int, default=30, help="in all (default: 30)")
    p.add_argument(
        "--objective", action="append", metavar="NAME", help=f"of {', '.join(DIRECTIONS)}"
    )
    p.add_argument("--space", action="append", default=[], metavar="a.b", help="search only these")
    return p


def search(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    objectives = args.objective or ["ndcg@10"]
    settings = load_settings(args.config, args.set)
    dataset = read_dataset(args.data, root=args.data_root)
    with Progress() as progress:
        study = tune(
            dataset,
            settings,
            args.out,
            trials=args.trials,
            objectives=objectives,
            space=args.space,
            progress=progress,
        )
    console = Console(soft_wrap=True, markup=False, emoji=False)
    show(study, objectives, console)
    found_best = best_of(study, settings)[: None if len(objectives) > 1 else 1]
    for number, (trial, best) in enumerate(found_best, 1):
        name = "best.toml" if len(objectives) == 1 else f"best-{number}.toml"
        found = json.dumps(trial.user_attrs["found"])
        write_file(
            args.out / name, f"# trial {trial.number}, on validation: {found}\n{best.toml()}"
        )
        console.print(f"{args.out / name}: train with train.py --config", highlight=False)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return run(search, argv)


if __name__ == "__main__":
    raise SystemExit(main())
