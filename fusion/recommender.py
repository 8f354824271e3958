"""The front of the engine: fit, recommend, explain, save and load, in ids and words."""

import logging
import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from trefoil.data.dataset import Dataset
from trefoil.data.errors import ConfigError, DataError
from trefoil.data.files import write_file
from trefoil.data.manifest import load_manifest
from trefoil.data.progress import Progress
from trefoil.data.shown import Shown
from trefoil.data.split import Split
from trefoil.fusion.catalogue import Catalogue
from trefoil.fusion.changing import Changing, log_of
from trefoil.fusion.live.log import place_of
from trefoil.fusion.plan.storage import has_plan, read_plan, write_plan
from trefoil.fusion.recommendation import Recommendation
from trefoil.fusion.requests.held_model import HeldModel
from trefoil.fusion.requests.state import HeldGraph, State
from trefoil.fusion.runs.catalogue import load_catalogue
from trefoil.fusion.runs.folder import (
    MODEL,
    MODELS,
    OWN_KEYS,
    TEXT,
    carry_over,
    check_manifest,
    new_run,
    write_manifest,
)
from trefoil.fusion.settings import load_settings
from trefoil.fusion.write_back import write_back
from trefoil.kg.construction.build import build
from trefoil.kg.stores.open import check_kept, write_graph

if TYPE_CHECKING:
    from trefoil.evaluation.judging import Judgement
    from trefoil.fusion.ensemble.ensemble import Ensemble
    from trefoil.fusion.network.checkpoints import Checkpoints
    from trefoil.fusion.network.tasks.base import Task
    from trefoil.fusion.network.warm_start import Source
    from trefoil.fusion.settings import Settings

log = logging.getLogger(__name__)
__all__ = ["Recommendation", "Recommender"]


class Recommender(Changing):
    """Learns from events, texts and a graph; answers with titles and reasons.

    ``Recommender(settings).fit(dataset)`` trains, ``recommend("user-17")`` answers. What it
    knows is one ``State``, replaced as a whole: threads never meet half a change.
    """

    def fit(
        self,
        dataset: Dataset,
        *,
        final: bool = False,
        split: Split | None = None,
        progress: Progress | bool | None = None,
        checkpoints: "Checkpoints | None" = None,
        start: "Recommender | None" = None,
        tasks: "Sequence[Task]" = (),
    ) -> "Recommender":
        """Learn from the training part, choose on the validation part of ``split``.

        Without one the settings' rule, else the dataset's own, divides the events by
        ``split_seed``. ``final`` then learns once more, from all events with the numbers
        chosen: what a shop serves. ``checkpoints`` keeps what it takes to go on after a
        stop; ``progress`` hears how far it is, True writes that to stderr; ``start`` gives
        item, text and graph vectors to begin with; ``tasks`` are learned by the network
        beside its own. Raises ConfigError where these are of other data or settings,
        TrainingError where training diverges.
        """
        from trefoil.fusion.features.preparation import split_of
        from trefoil.fusion.training.final_fit import refit_model
        from trefoil.fusion.training.pipeline import fit_model

        if isinstance(progress, bool):
            progress = _told_lines() if progress else None
        split = split or split_of(dataset, self.settings)
        if checkpoints is not None:
            rule = {"by": split.rule.by, "digest": split.digest}
            checkpoints.agree(self.settings, {"data": dataset.fingerprint, "split": rule})
        for lack in split.proof.lacks:
            log.warning(lack)
        graph = build(dataset, split.train)
        check_kept(graph)
        source = start and start.source()
        parts = progress, checkpoints, source, tasks
        model = fit_model(dataset, split, graph, self.settings, *parts)
        if final:
            graph = build(dataset, np.arange(len(dataset.interactions)))
            model = refit_model(model, dataset, graph, *parts)
        self.about = {
            "dataset": split.about(dataset),
            "split": {"by": split.rule.by, "seed": split.seed},
            "seeds": {"seed": self.settings.seed, "split_seed": self.settings.split_seed},
            "purpose": "serve" if final else "judge",
            **({"origin": graph.origin.told()} if graph.origin else {}),
        }
        catalogue = Catalogue.of(dataset, split)
        held = HeldGraph(graph, low_below=catalogue.low_below)
        self._state = State(
            HeldModel(model), catalogue, held, self.about["purpose"], digest=uuid.uuid4().hex[:12]
        )
        self._log = None
        return self

    def source(self) -> "Source":
        """What another training starts from. Raises ConfigError without a network."""
        from trefoil.fusion.network.warm_start import Source

        model, items = self.model, self.catalogue.items.vocabulary
        return Source.of(model.networks, model.known, model.texts, items, self.graph)

    def evaluate(
        self,
        dataset: Dataset,
        *,
        metrics: Sequence[str] = ("ndcg", "recall"),
        k: int | Sequence[int] = 10,
        part: Literal["valid", "test"] = "test",
    ) -> "Judgement":
        """Judge it on the events that the fit held out; see ``evaluation.judging.judge``.

        Raises ConfigError where it learned from all events, DataError for other data.
        """
        from trefoil.evaluation.judging import judge
        from trefoil.fusion.features.preparation import split_of

        if self.state.purpose == "serve":
            raise ConfigError("this run learned from all events; evaluate one without final=True")
        split = split_of(dataset, self.settings)
        if split.about(dataset) != self.about["dataset"]:
            raise DataError(f"{dataset.name!r} is other data, or was split otherwise, than learned")
        return judge(self, dataset, split, metrics=metrics, k=k, part=part)

    def __repr__(self) -> str:
        if self._state is None:
            return "Recommender(nothing learned)"
        users, items = len(self.catalogue.users), len(self.catalogue.items)
        return f"Recommender({self.state.name!r}, {users:,} users, {items:,} items)"

    def _repr_html_(self) -> str:
        if self._state is None:
            return "<p>Recommender: nothing learned</p>"
        state = self.state
        rows = [
            ("users", len(state.catalogue.users)),
            ("items", len(state.catalogue.items)),
            ("base models", ", ".join(state.scorer.parts.names)),
            ("state", state.token),
        ]
        return Shown(state.name, ("what", "value"), rows).html()

    write_to = write_back  # everybody's best items, into a Neo4j database

    def recommend_all(self, path: str | Path, k: int = 10, **how: Any) -> int:
        """Write everybody's best ``k`` to a Parquet file; see ``fusion.batch.recommend_all``."""
        from trefoil.fusion.batch import recommend_all

        return recommend_all(self, path, k, **how)

    def save(self, folder: str | Path) -> None:
        """Write a run folder; an older run of that name is replaced when all is written.

        What was told is in it. A recommender that was only fitted keeps later changes in
        memory; one that is loaded from the run writes them into the run's log.
        """
        folder = Path(folder).absolute()
        with self._changing:
            with new_run(folder) as beside:
                self.write(beside)
            state, place = self.state, place_of(folder)
            base = model_digest(load_manifest(folder))
            if self._log is not None and state.number and self._log.folder != place:
                self._log.copied_to(place, base)

    def write(self, folder: Path) -> None:
        """Write all files of a run into an existing folder, manifest last."""
        from trefoil.fusion.ensemble.compiled import parts_of, uncompiled
        from trefoil.fusion.runs.checkpoint import save_model

        state = self.state
        write_file(folder / "settings.toml", self.settings.toml())
        save_model(state.model, state.catalogue, folder)
        if without := uncompiled(state.model):
            log.warning("served with torch: %s cannot be compiled", ", ".join(without))
        else:
            write_plan(parts_of(state.model), folder, (MODEL, TEXT))
        write_graph(state.held.graph, folder / "graph")
        if state.folder is not None:
            carry_over(state.folder, folder)
        about = {**self.about, "changes": state.number} if state.number else self.about
        if self._log is not None and state.number:
            about = {**about, "lineage": self._log.lineage}
        write_manifest(folder, about)

    @classmethod
    def load(cls, folder: str | Path, *, live: bool = True) -> "Recommender":
        """Read a run, and what it was told since by its log, ``FOLDER.live``.

        Without ``live`` the log is left alone: changes stay in memory. Raises DataError
        naming a file that is missing, damaged or foreign.
        """
        folder = Path(folder)
        manifest = check_manifest(folder)
        recommender = cls(load_settings(folder / "settings.toml", tell=False))
        voice, catalogue = _served(folder.absolute(), recommender.settings, manifest["files"])
        held = HeldGraph.of_run(folder, catalogue.low_below)
        recommender.about = {k: v for k, v in manifest.items() if k not in OWN_KEYS}
        purpose = manifest.get("purpose", "judge")
        number, digest = manifest.get("changes", 0), model_digest(manifest)
        place = folder.absolute()
        recommender._state = State(voice, catalogue, held, purpose, place, number, digest[:12])
        if live:
            lineage = manifest.get("lineage") or uuid.uuid4().hex
            recommender._log = log_of(place, lineage, digest, number)
            recommender._catch_up()
        return recommender


def _told_lines() -> Progress:
    """Progress as lines on stderr."""
    from trefoil.fusion.reporting.progress import Progress as Lines

    return Lines()


def _served(
    folder: Path, settings: "Settings", files: Mapping[str, str]
) -> tuple[HeldModel, Catalogue]:
    """The plan and the catalogue of a run; of one without a plan, the ensemble."""
    if not has_plan(folder):
        from trefoil.fusion.runs.checkpoint import load_model

        ensemble, catalogue = load_model(folder, settings)
        return HeldModel(ensemble), catalogue
    catalogue, parts = load_catalogue(folder), read_plan(folder)
    if parts.items != len(catalogue.items):
        raise DataError(f"{folder}: the plan is of other items than the catalogue; train again")
    return HeldModel(parts=parts, read=partial(_ensemble, folder, settings, files)), catalogue


def _ensemble(folder: Path, settings: "Settings", files: Mapping[str, str]) -> "Ensemble":
    """The ensemble of a run. Raises DataError where the run went, or another has its place."""
    from trefoil.fusion.runs.checkpoint import load_model

    try:
        now = load_manifest(folder)["files"]
    except (OSError, DataError):
        now = {}
    if any(now.get(name) != files.get(name) for name in MODELS):
        raise DataError(f"{folder}: gone or replaced after it was loaded; load it again")
    return load_model(folder, settings)[0]


def model_digest(manifest: Mapping[str, Any]) -> str:
    """The digest of what was learned, as a manifest has it."""
    return manifest["files"].get(MODEL, "")
