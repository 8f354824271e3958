"""The front of the engine: fit, recommend, explain, save and load, in ids and words."""

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl
from torch import Tensor

from trefoil.data.dataset import Dataset
from trefoil.data.errors import ConfigError, UnknownId
from trefoil.data.files import write_file
from trefoil.data.histories import Cases
from trefoil.data.items import Items
from trefoil.data.progress import Progress
from trefoil.data.split import Split
from trefoil.evaluation.exam import Scorer
from trefoil.fusion.catalogue import Catalogue
from trefoil.fusion.ensemble.ensemble import Ensemble
from trefoil.fusion.features.preparation import split_of
from trefoil.fusion.features.texts import text_scores
from trefoil.fusion.network.checkpoints import Checkpoints
from trefoil.fusion.network.warm_start import Source
from trefoil.fusion.recommendation import Answer, Recommendation, answer_of, best_table
from trefoil.fusion.requests import arguments
from trefoil.fusion.requests.request import Options, Wish, answered, request_of
from trefoil.fusion.requests.state import HeldGraph, State
from trefoil.fusion.runs.checkpoint import load_model, save_model
from trefoil.fusion.runs.folder import OWN_KEYS, carry_over, check_manifest, new_run, write_manifest
from trefoil.fusion.settings import Settings, load_settings
from trefoil.fusion.training.add_items import with_new_items
from trefoil.fusion.training.final_fit import refit_model
from trefoil.fusion.training.pipeline import fit_model
from trefoil.kg.construction.build import build
from trefoil.kg.graph import KnowledgeGraph
from trefoil.kg.paths.explain import PathIndex, Reason
from trefoil.kg.stores.embedded.bulk_load import write_embedded
from trefoil.kg.stores.embedded.run_graph import graph_files

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

__all__ = ["Recommendation", "Recommender"]

TEXT_WEIGHT = 1.0  # of a text query beside the z-scores of the gate


class Recommender:
    """Learns from events, texts and a graph; answers with titles and reasons.

    What it knows is one ``State``, replaced as a whole: calls from several threads
    never meet half a change.

    ``Recommender(settings).fit(dataset)`` trains, and then
    ``recommend("user-17", k=10, scenario={"device": "phone"})`` answers.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.about: dict[str, Any] = {}
        self._state: State | None = None
        self._changing = threading.Lock()

    @property
    def state(self) -> State:
        """Model, catalogue and graph. Raises ConfigError before anything was learned."""
        if self._state is None:
            raise ConfigError("this recommender has learned nothing yet; call fit() or load()")
        return self._state

    @property
    def model(self) -> Ensemble:
        return self.state.model

    @property
    def catalogue(self) -> Catalogue:
        return self.state.catalogue

    @property
    def graph(self) -> KnowledgeGraph:
        """The graph with the events learned from; read from the run's store when first needed."""
        return self.state.held.graph

    @property
    def paths(self) -> PathIndex:
        """Paths for holders of the graph; they name other people by id."""
        return self.state.held.paths

    def fit(
        self,
        dataset: Dataset,
        *,
        final: bool = False,
        split: Split | None = None,
        progress: Progress | None = None,
        checkpoints: Checkpoints | None = None,
        start: "Recommender | None" = None,
    ) -> "Recommender":
        """Learn from the training part, choose on the validation part of ``split``.

        Without one the settings' rule, else the dataset's own, divides the events by
        ``split_seed``. ``final`` then learns once more, from all events with the numbers
        chosen: what a shop serves, and no exam can judge.
        ``checkpoints`` keeps what it takes to go on after a stop; ``start`` gives
        its item, text and graph vectors to begin with. Raises ConfigError where these are
        of other data or settings, TrainingError where training diverges.
        """
        split = split or split_of(dataset, self.settings)
        if checkpoints is not None:
            rule = {"by": split.rule.by, "digest": split.digest}
            checkpoints.agree(self.settings, {"data": dataset.fingerprint, "split": rule})
        for lack in split.proof.lacks:
            log.warning(lack)
        graph = build(dataset, split.train)
        source = start and start.source()
        model = fit_model(dataset, split, graph, self.settings, progress, checkpoints, source)
        if final:
            graph = build(dataset, np.arange(len(dataset.interactions)))
            model = refit_model(model, dataset, graph, progress, checkpoints, source)
        self.about = {
            "dataset": split.about(dataset),
            "split": {"by": split.rule.by, "seed": split.seed},
            "seeds": {"seed": self.settings.seed, "split_seed": self.settings.split_seed},
            "purpose": "serve" if final else "judge",
        }
        catalogue = Catalogue.of(dataset, split)
        held = HeldGraph(graph, low_below=catalogue.low_below)
        self._state = State(model, catalogue, held, self.about["purpose"])
        return self

    def source(self) -> Source:
        """What another training may start from. Raises ConfigError without a network."""
        model, items = self.model, self.catalogue.items.vocabulary
        return Source.of(model.networks, model.known, model.texts, items, self.graph)

    def score(self, cases: Cases) -> Tensor:
        """Scores [cases, items] for evaluation: rows in, rows out."""
        return self.model.score(cases)

    def click_scores(self, cases: Cases) -> Tensor:
        """Scores [cases, items] for judging pairs one by one, as ``Ensemble.click_scores``."""
        return self.model.click_scores(cases)

    def stars(self, cases: Cases) -> Tensor:
        """Expected ratings [cases, items]. Raises ConfigError where none were learned."""
        stars = self.model.stars(cases)
        if stars is None:
            raise ConfigError("no ratings were learned; the dataset has none, or tasks.rating is 0")
        return stars

    def recommend(
        self,
        user: str | int | None = None,
        k: int = 10,
        *,
        history: Iterable[str | int] | str | None = None,
        text: str | None = None,
        scenario: Mapping[str, str] | None = None,
        seen: Literal["auto", "hide", "show"] = "auto",
        only: Iterable[str | int] | None = None,
        without: Iterable[str | int] | None = None,
        at: object = None,
        before: Literal["test"] | None = None,
        reasons: int = 1,
    ) -> Answer:
        """The best ``k`` items for a user by id, or for someone never seen.

        ``history`` are the items met since the last event that is known, for someone never
        seen all of them, the oldest first; ``text`` says what is wanted. ``seen`` says
        whether items met before are candidates: "auto" as the data has it, where people
        return or do not, "hide" or "show". ``only`` and ``without`` are items to choose from
        and to leave out. ``at`` (a datetime, Unix seconds or ISO 8601) cuts the history, what
        is hidden and what reasons cite to what was before; what was learned stays.
        ``before="test"`` answers as the exam of ``evaluate.py`` was asked, without the
        events of the test part.

        Unknown users and items never raise: the rest is served, and ``based_on`` of the
        answer says so. Raises ConfigError for an argument that has no meaning.
        """
        state, k = self.state, arguments.whole("k", k, 0)
        reasons, wish = arguments.whole("reasons", reasons, 0), arguments.words("text", text)
        name = None if user is None else arguments.one_id("user", user)
        told = arguments.ids("history", history)
        codes = state.catalogue.scenario_codes(arguments.scenario_of(scenario), 1)
        row = state.catalogue.users.rows([] if name is None else [name])
        rows = row if len(row) else np.array([-1])
        options = Options(seen, only, without, at, before)
        request, unknown = request_of(state, rows, codes, told, options)
        scorer: Scorer = state.model
        if wish:
            wished = text_scores(state.model.texts, wish, len(state.catalogue.items))
            scorer = Wish(scorer, TEXT_WEIGHT * wished)
        cases, ranks = answered(scorer, state.catalogue, request, k)
        return answer_of(state, cases, ranks, request, unknown, reasons)

    def recommend_many(
        self,
        users: "Iterable[str | int] | pl.DataFrame | pd.DataFrame",
        k: int = 10,
        *,
        scenario: Mapping[str, str] | None = None,
        seen: Literal["auto", "hide", "show"] = "auto",
        only: Iterable[str | int] | None = None,
        without: Iterable[str | int] | None = None,
        at: object = None,
        before: Literal["test"] | None = None,
        batch: int = 512,
    ) -> pl.DataFrame:
        """A table user, rank, item, title, score: ``recommend`` for each row.

        ``users`` are ids, or a table with a column user; its other columns are values
        of scenarios, one for each row, and stand in the answer beside the user.
        ``scenario`` holds for all rows. Unknown users get what suits anyone.
        """
        state, k = self.state, arguments.whole("k", k, 0)
        batch = arguments.whole("batch", batch, 1)
        names, contexts = arguments.users_in(users)
        told = {**arguments.scenario_of(scenario), **contexts}
        codes = state.catalogue.scenario_codes(told, len(names))
        rows = state.catalogue.users.rows(names)
        options = Options(seen, only, without, at, before)
        request, _ = request_of(state, rows, codes, [], options)
        _, ranks = answered(state.model, state.catalogue, request, k, batch)
        return best_table(names, contexts, state.catalogue.items, ranks)

    def similar(self, item: str | int, k: int = 10) -> Answer:
        """What goes with one item: the answer to a history of that item alone.

        Raises UnknownId.
        """
        one = arguments.one_id("item", item)
        self.catalogue.items.vocabulary.row(one)
        return self.recommend(history=[one], k=k, without=[one])

    def explain(self, user: str | int, item: str | int, k: int = 3) -> list[Reason]:
        """The best graph paths from a user to an item through the events learned from.

        Raises UnknownId for either.
        """
        state, k = self.state, arguments.whole("k", k, 1)
        who, what = arguments.one_id("user", user), arguments.one_id("item", item)
        if who not in state.catalogue.users:
            raise UnknownId(f"unknown user {who!r}")
        pair = [state.catalogue.users.row(who)], [state.catalogue.items.vocabulary.row(what)]
        return [path.shown() for path in state.held.paths.explain(*pair, k=k)[0]]

    def add_items(
        self,
        items: "Items | pl.DataFrame | pd.DataFrame",
        triples: "pl.DataFrame | pd.DataFrame | Iterable[Sequence[str]]" = (),
    ) -> "Recommender":
        """Take new items in by their texts and facts; nothing is trained again.

        ``items`` has columns id, title, text and the numbers that items had in
        training, such as a year (or is ``Items``); only id is a must. ``triples`` are
        head, relation, tail: a new item's id, a relationship type or the IRI
        behind one, and the id, IRI or name of a node. Facts new to the training
        stay in the graph, for paths and questions. Scores of the other items stay
        (up to rounding). Raises DataError for an id that is taken or empty and for
        a triple that cannot be placed; then nothing has changed.
        """
        with self._changing:
            self._state = with_new_items(self.state, items, triples)
            self.about = {**self.about, "added": self.model.known.added}
        return self

    def save(self, folder: str | Path) -> None:
        """Write a run folder; an older run of that name is replaced when all is written."""
        with new_run(Path(folder)) as beside:
            self.write(beside)

    def write(self, folder: Path) -> None:
        """Write all files of a run into an existing folder, manifest last."""
        write_file(folder / "settings.toml", self.settings.toml())
        save_model(self.model, self.catalogue, folder)
        write_embedded(self.graph, folder / "graph")
        if self.state.folder is not None:
            carry_over(self.state.folder, folder)
        write_manifest(folder, self.about)

    @classmethod
    def load(cls, folder: str | Path) -> "Recommender":
        """Read a run. Raises DataError naming a file that is missing, damaged or foreign."""
        folder = Path(folder)
        manifest = check_manifest(folder)
        recommender = cls(load_settings(folder / "settings.toml", tell=False))
        model, catalogue = load_model(folder, recommender.settings)
        held = HeldGraph(None, folder, catalogue.low_below, graph_files(folder))
        recommender.about = {k: v for k, v in manifest.items() if k not in OWN_KEYS}
        purpose = manifest.get("purpose", "judge")
        recommender._state = State(model, catalogue, held, purpose, folder)
        return recommender
