"""The front of the engine: fit, recommend, explain, save and load, in ids and words."""

import logging
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from trefoil.data.dataset import Dataset
from trefoil.data.errors import ConfigError, DataError
from trefoil.data.files import write_file
from trefoil.data.given import path_of
from trefoil.data.manifest import load_manifest
from trefoil.data.privacy import FORGOTTEN
from trefoil.data.progress import Progress
from trefoil.data.shown import Shown
from trefoil.data.split import Split
from trefoil.fusion.catalogue import Catalogue
from trefoil.fusion.changing import Changing, log_of
from trefoil.fusion.compression import Compressed, write_small
from trefoil.fusion.explaining.calls import Explaining
from trefoil.fusion.explaining.keeping import write_with_known
from trefoil.fusion.following import follow
from trefoil.fusion.live.drift import Drift, drift_of
from trefoil.fusion.live.log import place_of
from trefoil.fusion.live.seen_answers import Seen
from trefoil.fusion.personal import Forgotten, export, forget, half_forgotten, merge
from trefoil.fusion.plan.packing import checked
from trefoil.fusion.recommendation import Recommendation
from trefoil.fusion.requests.held_model import HeldModel
from trefoil.fusion.requests.state import HeldGraph, State
from trefoil.fusion.runs.folder import (
    MODEL,
    OWN_KEYS,
    TEXT,
    carry_over,
    check_manifest,
    new_run,
    write_manifest,
)
from trefoil.fusion.served_run import model_digest, served
from trefoil.fusion.settings import load_settings
from trefoil.fusion.updating import Updated, at_new_shop, learn_on
from trefoil.fusion.write_back import write_back
from trefoil.kg.construction.build import build
from trefoil.kg.stores.open import check_kept, write_graph

if TYPE_CHECKING:
    from trefoil.evaluation.judging import Judgement
    from trefoil.fusion.network.checkpoints import Checkpoints
    from trefoil.fusion.network.tasks.base import Task
    from trefoil.fusion.network.warm_start import Source

log = logging.getLogger(__name__)
__all__ = ["Recommendation", "Recommender"]


class Recommender(Changing, Explaining):
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
        ``split_seed``. ``final`` then learns once more, from all events with the numbers chosen:
        what a shop serves. ``checkpoints`` keeps what it takes to go on after a stop; ``progress``
        hears how far it is, True writes that to stderr; ``start`` gives item, text and graph
        vectors to begin with; ``tasks`` are learned by the network beside its own. Raises
        ConfigError where these are of other data or settings, TrainingError where training
        diverges.
        """
        from trefoil.fusion.features.preparation import learnable, split_of
        from trefoil.fusion.training.final_fit import refit_model, without_base_models
        from trefoil.fusion.training.pipeline import fit_model
        from trefoil.fusion.training.profiles import with_profiles

        progress = _told_lines() if progress is True else progress or None
        split = learnable(dataset, split or split_of(dataset, self.settings))
        if checkpoints is not None:
            rule = {"by": split.rule.by, "digest": split.digest}
            checkpoints.agree(self.settings, {"data": dataset.fingerprint, "split": rule})
        for lack in split.proof.lacks:
            log.warning(lack)
        if progress:
            progress(0, 0, "graph")
        graph = build(dataset, split.train)
        check_kept(graph)
        parts = progress, checkpoints, start and start.source(), tasks
        told = with_profiles(dataset, split, self.settings, progress)
        model = fit_model(told, split, graph, self.settings, *parts)
        if final:
            model = without_base_models(model)
            graph = build(dataset, np.arange(len(dataset.interactions)))
            model = refit_model(model, told, graph, *parts)
        self.about = {
            "dataset": split.about(dataset),
            "split": {"by": split.rule.by, "seed": split.seed},
            "seeds": {"seed": self.settings.seed, "split_seed": self.settings.split_seed},
            "purpose": "serve" if final else "judge",
            **({"origin": graph.origin.told()} if graph.origin else {}),
        }
        catalogue = Catalogue.of(dataset, split)
        held = HeldGraph(graph, low_below=catalogue.low_below)
        whole = HeldModel(model), catalogue, held, self.about["purpose"]
        self._state, self.log = State(*whole, digest=uuid.uuid4().hex[:12]), None
        return self

    def update(self, progress: Progress | None = None, *, compare: bool = False) -> Updated:
        """Learn on from the events and items that came, and answer with that from then on.

        Answers go on while it learns, and what is told meanwhile counts after. Closed forms and
        counts are fitted again with the numbers chosen before; networks go on from their weights,
        over old and new events, the longer the more came. ``compare`` trains a refit beside it and
        tells how far both agree. What was learned is in memory until ``save``. A run that holds
        events back for an exam goes on holding them back.
        """
        return learn_on(self, progress, compare=compare)

    def drift(self, seen: Seen | None = None) -> Drift:
        """Whether what came since the fit, and the answers ``seen``, look like what was learned."""
        return drift_of(self.state, seen)

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

        if self.state.purpose == "serve" or self.state.added:
            raise ConfigError("learned from all events, or took items in; evaluate it as first fit")
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
    export, merge, at_new_shop = export, merge, at_new_shop  # the last: for other items, by texts

    def forget(self, user: str | int, *, data: str | Path | None = None) -> Forgotten:
        """Leave nothing of a person: in answers at once, on the disk when this returns.

        The run is written anew without them, their lines in the log are overwritten, and a
        keyed digest of the id goes on a list, ``RUN.live/forgotten.json``: a dataset read with
        ``forgotten=LIST`` is as if the person had never been there, and so is the folder
        ``data`` by itself from now on. What others tell of the person later is left out. What a
        stop leaves undone, the next ``load`` does. Raises UnknownId.
        """
        return forget(self, self.write, user, data)

    def follow(self, other: Changing) -> int:
        """Take in what ``other`` was told, and forget whom it forgot; how many changes that were.

        This one is ``other`` after ``update``, saved and loaded; of another run nothing is taken.
        """
        return follow(self, other, self.write)

    def recommend_all(self, path: str | Path, k: int = 10, **how: Any) -> int:
        """Write everybody's best ``k`` to a Parquet file; see ``fusion.batch.recommend_all``."""
        from trefoil.fusion.batch import recommend_all

        return recommend_all(self, path, k, **how)

    def save(self, folder: str | Path, *, precision: str = "float32") -> Compressed | None:
        """Write a run folder; an older run of that name is replaced when all is written.

        What was told is in it. A recommender that was only fitted keeps later changes in
        memory; one that is loaded from the run writes them into the run's log.

        With ``precision`` "float16" or "int8" the run keeps what answers, in fewer bits, and
        drops what learns: it gives lists, ratings and reasons and takes events, and refuses
        ``text=``, other words and items, ``export``, ``merge``, ``forget`` and ``update``. What
        that costs on validation, and saves, is returned and stands in the model card.
        """
        folder, small = path_of("folder", folder).absolute(), None
        own = self.state.folder is not None and folder.resolve() == self.state.folder.resolve()
        if checked(precision) != "float32" and own:
            raise ConfigError(f"{folder}: would lose what it learned; give another folder")
        with self.changing:
            with new_run(folder) as beside:
                if precision == "float32":
                    self.write(beside)
                else:
                    small = write_small(self.state, self.settings, beside, precision, self.left_out)
                    write_manifest(beside, self._about() | {"precision": precision})
            state, place = self.state, place_of(folder)
            told = state.number or place.exists()  # what another run was told goes
            if self.log is not None and told and self.log.folder != place:
                self.log.copied_to(place, model_digest(load_manifest(folder)))
            if self.left_out.digests:
                self.left_out.write(place / FORGOTTEN)
        return small

    def write(self, folder: Path) -> None:
        """Write all files of a run into an existing folder, manifest last.

        Of people who were forgotten, reports and set-aside rows of an earlier run stay behind.
        """
        from trefoil.fusion.ensemble.compiled import parts_of, uncompiled
        from trefoil.fusion.runs.checkpoint import save_model

        state = self.state
        write_file(folder / "settings.toml", self.settings.toml())
        save_model(state.model, state.catalogue, folder)
        if left := uncompiled(state.model):
            log.warning("served with torch: %s cannot be compiled", ", ".join(left))
        else:
            known = write_with_known(state, parts_of(state.model), folder, (MODEL, TEXT))
            self.about["beforehand"] = known
        write_graph(state.held.graph, folder / "graph")
        if state.folder is not None:
            carry_over(state.folder, folder, self.left_out)
        write_manifest(folder, self._about())

    def _about(self) -> dict[str, Any]:
        """What the manifest says beside digests: how far the log is in the run."""
        about = self.about | ({"changes": self.state.number} if self.state.number else {})
        return {**about, "lineage": self.log.lineage} if self.log else about

    @classmethod
    def load(cls, folder: str | Path, *, live: bool = True) -> "Recommender":
        """Read a run, and what it was told since by its log, ``FOLDER.live``.

        Without ``live`` the log is left alone: changes stay in memory. Raises DataError
        naming a file that is missing, damaged or foreign.
        """
        folder = path_of("folder", folder)
        manifest = check_manifest(folder)
        recommender = cls(load_settings(folder / "settings.toml", tell=False))
        voice, catalogue = served(folder.absolute(), recommender.settings, manifest["files"])
        held = HeldGraph.of_run(folder, catalogue.low_below)
        recommender.about = {k: v for k, v in manifest.items() if k not in OWN_KEYS}
        purpose, number = manifest.get("purpose", "judge"), manifest.get("changes", 0)
        place, digest = folder.absolute(), model_digest(manifest)
        recommender._state = State(voice, catalogue, held, purpose, place, number, digest[:12])
        if live:
            lineage = manifest.get("lineage") or digest  # the same for whoever loads it
            recommender.log = log_of(place, lineage, digest, number)
            recommender._catch_up()
            if half := half_forgotten(place):
                with suppress(ConfigError):  # another process is writing: it goes on there
                    recommender.forget(half[0], data=half[1])
        return recommender


def _told_lines() -> Progress:
    """Progress as lines on stderr."""
    from trefoil.fusion.reporting.progress import Progress as Lines

    return Lines()
