"""The front of the engine: fit, recommend, explain, save and load, in ids and words."""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch
from torch import Tensor

from data.dataset import Dataset
from data.errors import ConfigError, DataError, UnknownId
from data.frames import items_of, triples_in
from data.histories import Cases
from data.items import Entities, Items
from data.split import Split
from fusion.answers import Recommendation, best_table, text_scores, users_in
from fusion.catalogue import Catalogue
from fusion.checkpoint import load_model, save_model
from fusion.fit import Progress
from fusion.growth import grow
from fusion.learn import fit_model
from fusion.model import Model
from fusion.run_folder import check_manifest, new_run, write_file, write_manifest
from fusion.settings import Settings, load_settings
from fusion.shares import split_of
from fusion.transfer import Source
from fusion.unfinished import Unfinished
from kg.build import build
from kg.embedded_store import write_embedded
from kg.graph import KnowledgeGraph
from kg.new_items import facts_of_new, with_items
from kg.paths import Path as GraphPath
from kg.paths import PathIndex
from kg.store import open_store

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

TEXT_WEIGHT = 1.0  # of a text query beside the z-scores of the gate


class Recommender:
    """Learns from events, texts and a graph; answers with titles and reasons.

    >>> recommender = Recommender(Settings()).fit(dataset)
    >>> recommender.recommend("user-17", k=10, scenario={"device": "phone"})
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self._model: Model | None = None
        self._catalogue: Catalogue | None = None
        self._graph: KnowledgeGraph | None = None
        self._paths: PathIndex | None = None
        self._store: Path | None = None
        self.about: dict[str, Any] = {}

    @property
    def model(self) -> Model:
        if self._model is None:
            raise ConfigError("this recommender has learned nothing yet; call fit() or load()")
        return self._model

    @property
    def catalogue(self) -> Catalogue:
        if self._catalogue is None:
            raise ConfigError("this recommender has learned nothing yet; call fit() or load()")
        return self._catalogue

    @property
    def graph(self) -> KnowledgeGraph:
        """The graph with training events; read from the run's store when first needed."""
        if self._graph is None:
            if self._store is None:
                raise ConfigError("this recommender has no graph; call fit() or load()")
            with open_store(self._store) as store:
                self._graph = store.read()
        return self._graph

    @property
    def paths(self) -> PathIndex:
        if self._paths is None:
            self._paths = PathIndex(self.graph)
        return self._paths

    def fit(
        self,
        dataset: Dataset,
        *,
        split: Split | None = None,
        progress: Progress | None = None,
        checkpoints: Unfinished | None = None,
        start: "Recommender | None" = None,
    ) -> "Recommender":
        """Learn from the training part, choose on the validation part of ``split``.

        Without one the settings' rule, else the dataset's own, divides the events by
        ``split_seed``.
        ``checkpoints`` keeps what it takes to go on after a stop; ``start`` gives
        its text and graph parts to begin with. Raises ConfigError where these are
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
        self._model = fit_model(dataset, split, graph, self.settings, progress, checkpoints, source)
        self._catalogue = Catalogue.of(dataset, split)
        self._graph, self._paths, self._store = graph, None, None
        self.about = {
            "dataset": split.about(dataset),
            "split": {"by": split.rule.by, "seed": split.seed},
            "seeds": {"seed": self.settings.seed, "split_seed": self.settings.split_seed},
        }
        return self

    def source(self) -> Source:
        """What another training may start from. Raises ConfigError without a network."""
        model, items = self.model, self.catalogue.items.vocabulary
        return Source.of(model.networks, model.known, model.texts, items, self.graph)

    def score(self, cases: Cases) -> Tensor:
        """Scores [cases, items] for evaluation: rows in, rows out."""
        return self.model.score(cases)

    def click_scores(self, cases: Cases) -> Tensor:
        """Scores [cases, items] for judging pairs one by one, as ``Model.click_scores``."""
        return self.model.click_scores(cases)

    def stars(self, cases: Cases) -> Tensor:
        """Expected ratings [cases, items]. Raises ConfigError where none were learned."""
        stars = self.model.stars(cases)
        if stars is None:
            raise ConfigError("no ratings were learned; the dataset has none, or tasks.stars is 0")
        return stars

    def recommend(
        self,
        user: str | None = None,
        k: int = 10,
        *,
        history: Sequence[str] = (),
        text: str | None = None,
        scenario: Mapping[str, str] | None = None,
        reasons: int = 1,
    ) -> list[Recommendation]:
        """The best ``k`` items not met before.

        For a user by id, or for someone never seen. ``history`` are the items met
        since training, for someone never seen all of them, the oldest first;
        ``text`` says what is wanted. Unknown users and items never raise: the rest
        is served and ``known`` says so.
        """
        catalogue = self.catalogue
        row = -1 if user is None or user not in catalogue.users else catalogue.users.row(user)
        past = catalogue.items.vocabulary.rows(history)
        past = past[past >= 0]
        codes = catalogue.scenario_codes(scenario, 1)
        cases, met = catalogue.cases(np.array([row]), codes, past), past
        if row >= 0:
            start, stop = catalogue.met.start[row : row + 2]
            met = np.concatenate([past, catalogue.met.item[start:stop]])
        scores = self.score(cases)
        if text:
            scores = scores + TEXT_WEIGHT * text_scores(
                self.model.texts, text, len(catalogue.items)
            )
        scores[0, torch.from_numpy(met)] = -torch.inf
        top = self._top(scores[0], k)
        return self._answer(top, scores[0], cases, past, reasons)

    def recommend_many(
        self,
        users: "Sequence[str] | pl.Series | pl.DataFrame | pd.DataFrame",
        k: int = 10,
        *,
        batch: int = 512,
    ) -> pl.DataFrame:
        """A table user, rank, item, title, score; unknown users get what suits anyone.

        ``users`` are ids, or a table with a column user. Raises DataError without one.
        """
        return best_table(users_in(users), self.catalogue, self.score, k, batch)

    def similar(self, item: str, k: int = 10) -> list[Recommendation]:
        """What goes with one item: the answer to a history of that item alone.

        Raises UnknownId.
        """
        row = self.catalogue.items.vocabulary.row(item)
        past = np.array([row])
        codes = self.catalogue.scenario_codes(None, 1)
        cases = self.catalogue.cases(np.array([-1]), codes, past)
        scores = self.score(cases)
        scores[0, row] = -torch.inf
        return self._answer(self._top(scores[0], k), scores[0], cases, past, 1)

    def explain(self, user: str, item: str, k: int = 3) -> list[GraphPath]:
        """The best graph paths from a user to an item through training events.

        Raises UnknownId for either.
        """
        if user not in self.catalogue.users:
            raise UnknownId(f"unknown user {user!r}")
        pair = [self.catalogue.users.row(user)], [self.catalogue.items.vocabulary.row(item)]
        return self.paths.explain(*pair, k=k)[0]

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
        model, before = self.model, self.catalogue.items
        numbers = model.known.numbers
        fresh = items if isinstance(items, Entities) else items_of(items, numbers=numbers)
        for one in fresh.vocabulary.ids:
            if one in before.vocabulary:
                raise DataError(f"item {one!r} is in the catalogue already; leave it out")
        grown = with_items(self.graph, fresh, triples_in(triples))
        facts = model.known.facts
        told = None if facts is None else facts_of_new(facts, grown.graph, len(before))
        model = grow(model, fresh.texts, told, fresh.score)
        self._model, self._catalogue = model, self.catalogue.with_items(fresh)
        self._graph, self._paths, self._store = grown.graph, None, None
        self.about["added"] = model.known.added
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
        rows = [
            {"network": number, **row}
            for number, journal in enumerate(self.model.notes.get("history", []))  # type: ignore[arg-type]
            for row in journal
        ]
        write_file(folder / "history.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        write_manifest(folder, self.about)

    @classmethod
    def load(cls, folder: str | Path) -> "Recommender":
        """Read a run. Raises DataError naming a file that is missing, damaged or foreign."""
        folder = Path(folder)
        manifest = check_manifest(folder)
        recommender = cls(load_settings(folder / "settings.toml"))
        recommender._model, recommender._catalogue = load_model(folder, recommender.settings)
        recommender._store = folder
        recommender.about = {k: v for k, v in manifest.items() if k not in ("files", "versions")}
        return recommender

    def _top(self, scores: Tensor, k: int) -> np.ndarray:
        top = scores.topk(min(k, len(scores)))
        return top.indices[torch.isfinite(top.values)].numpy()

    def _answer(
        self, top: np.ndarray, scores: Tensor, cases: Cases, past: np.ndarray, reasons: int
    ) -> list[Recommendation]:
        items, user = self.catalogue.items, int(cases.user[0])
        paths: list[list[GraphPath]] = [[] for _ in top]
        if reasons and len(top):
            found = [self.paths.explain(np.full(len(top), user), top, k=reasons)]
            if len(past):  # told, so not in the graph: these begin at an item
                found.append(self.paths.explain_history(past, top, k=reasons))
            paths = [
                sorted(chain(*own), key=lambda path: -path.weight)[:reasons]
                for own in zip(*found, strict=True)
            ]
        stars = self.model.stars(cases) if user >= 0 else None
        return [
            Recommendation(
                items.vocabulary[row],
                items.title(row),
                float(scores[row]),
                None if stars is None else float(stars[0, row]),
                tuple(paths[place]),
                user >= 0,
            )
            for place, row in enumerate(top)
        ]
