"""The front of the engine: fit, recommend, explain, save and load, in ids and words."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import Tensor

from data.dataset import Dataset
from data.errors import ConfigError, UnknownId
from data.histories import Cases
from data.split import Split, split_events
from fusion.catalogue import Catalogue
from fusion.checkpoint import load_model, save_model
from fusion.fit import Progress
from fusion.model import Model, fit_model
from fusion.run_folder import check_manifest, new_run, write_file, write_manifest
from fusion.settings import Settings, load_settings
from fusion.unfinished import Unfinished
from kg.build import build
from kg.embedded_store import write_embedded
from kg.graph import KnowledgeGraph
from kg.paths import Path as GraphPath
from kg.paths import PathIndex
from kg.store import open_store

log = logging.getLogger(__name__)

TEXT_WEIGHT = 1.0  # of a text query beside the z-scores of the gate


@dataclass(frozen=True)
class Recommendation:
    """One item for someone: ``score`` orders, ``stars`` is a rating expected, in data units.

    ``known`` says whether the user was known; reasons are graph paths, best first.
    """

    item: str
    title: str
    score: float
    stars: float | None
    reasons: tuple[GraphPath, ...]
    known: bool


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
    ) -> "Recommender":
        """Learn from the training part, choose on the validation part of ``split``.

        Without one the dataset's own rule divides the events by ``split_seed``.
        ``checkpoints`` keeps what it takes to go on after a stop. Raises
        ConfigError where they are of other data or settings, TrainingError where
        training diverges.
        """
        split = split or split_events(dataset, self.settings.split_seed)
        if checkpoints is not None:
            rule = {"by": split.rule.by, "events": [len(split.train), len(split.valid)]}
            checkpoints.agree(self.settings, {"data": dataset.fingerprint, "split": rule})
        graph = build(dataset, split.train)
        self._model = fit_model(dataset, split, graph, self.settings, progress, checkpoints)
        self._catalogue = Catalogue.of(dataset, split)
        self._graph, self._paths, self._store = graph, None, None
        self.about = {
            "dataset": {
                "name": dataset.name,
                "fingerprint": dataset.fingerprint,
                "users": len(dataset.users),
                "items": len(dataset.items),
                "train": len(split.train),
                "valid": len(split.valid),
            },
            "split": {"by": split.rule.by, "seed": split.seed},
        }
        return self

    def score(self, cases: Cases) -> Tensor:
        """Scores [cases, items] for evaluation: rows in, rows out."""
        return self.model.score(cases)

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

        For a user by id; or for someone never seen, by the items of ``history``
        (oldest first) and a ``text`` of what is wanted. Unknown users and items
        never raise: the rest is served and ``known`` says so.
        """
        catalogue = self.catalogue
        row = -1 if user is None or user not in catalogue.users else catalogue.users.row(user)
        past = catalogue.items.vocabulary.rows(history)
        past = past[past >= 0]
        codes = catalogue.scenario_codes(scenario, 1)
        if row >= 0 and not len(past):
            cases = catalogue.cases(np.array([row]), codes)
        else:
            cases = catalogue.visitor(past, codes)
        met = past
        if row >= 0:
            start, stop = catalogue.met.start[row : row + 2]
            met = np.concatenate([past, catalogue.met.item[start:stop]])
        scores = self.score(cases)
        if text:
            scores = scores + TEXT_WEIGHT * self._text_scores(text)
        scores[0, torch.from_numpy(met)] = -torch.inf
        top = self._top(scores[0], k)
        return self._answer(top, scores[0], cases, past, reasons)

    def recommend_many(
        self, users: Sequence[str] | pl.DataFrame, k: int = 10, *, batch: int = 512
    ) -> pl.DataFrame:
        """A table user, rank, item, title, score; unknown users get what suits anyone."""
        if not isinstance(users, Sequence):
            users = pl.DataFrame(users)["user"].cast(pl.String).to_list()
        rows = self.catalogue.users.rows(users)
        items = self.catalogue.items
        tables = []
        for start in range(0, len(rows), batch):
            part = rows[start : start + batch]
            cases = self.catalogue.cases(part, self.catalogue.scenario_codes(None, len(part)))
            scores = self.score(cases)
            met = self.catalogue.met.take(np.maximum(part, 0))
            at = np.repeat(np.arange(len(part)), np.diff(met.start))
            kept = part[at] >= 0
            scores[torch.from_numpy(at[kept]), torch.from_numpy(met.item[kept])] = -torch.inf
            values, picked = scores.topk(min(k, scores.shape[1]), dim=1)
            width = picked.shape[1]
            flat = picked.flatten().tolist()
            tables.append(
                pl.DataFrame(
                    {
                        "user": np.repeat(np.array(users[start : start + batch], object), width),
                        "rank": np.tile(np.arange(1, width + 1), len(part)),
                        "item": [items.vocabulary[row] for row in flat],
                        "title": [items.title(row) for row in flat],
                        "score": values.flatten().numpy(),
                    },
                    schema_overrides={"user": pl.String},
                ).filter(pl.col("score").is_finite())
            )
        return pl.concat(tables)

    def similar(self, item: str, k: int = 10) -> list[Recommendation]:
        """What goes with one item: the answer to a history of that item alone.

        Raises UnknownId.
        """
        row = self.catalogue.items.vocabulary.row(item)
        past = np.array([row])
        cases = self.catalogue.visitor(past, self.catalogue.scenario_codes(None, 1))
        scores = self.score(cases)
        scores[0, row] = -torch.inf
        return self._answer(self._top(scores[0], k), scores[0], cases, past, 1)

    def explain(self, user: str, item: str, k: int = 3) -> list[GraphPath]:
        """The best graph paths from a user to an item through training events.

        Raises UnknownId for either.
        """
        if user not in self.catalogue.users:
            raise UnknownId(f"unknown user {user!r}")
        users = np.array([self.catalogue.users.row(user)])
        items = np.array([self.catalogue.items.vocabulary.row(item)])
        return self.paths.explain(users, items, k=k)[0]

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
        seeds = {"seed": self.settings.seed, "split_seed": self.settings.split_seed}
        write_manifest(folder, self.about | {"seeds": seeds})

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

    def _text_scores(self, text: str) -> Tensor:
        """z-scores [1, items] of the cosine between a text and the items' texts."""
        texts = self.model.texts
        if texts is None:
            log.warning("no item texts were learned, so the text query is left out")
            return torch.zeros(1, len(self.catalogue.items))
        view, _ = texts.encoder.encode([text])
        cosine = texts.whitening(view).vectors @ texts.items.vectors.T
        known = texts.items.known
        spread = cosine[:, known].std().clamp(min=1e-6)
        z = (cosine - cosine[:, known].mean()) / spread
        return z.masked_fill(~known, 0.0)

    def _top(self, scores: Tensor, k: int) -> np.ndarray:
        top = scores.topk(min(k, len(scores)))
        return top.indices[torch.isfinite(top.values)].numpy()

    def _answer(
        self, top: np.ndarray, scores: Tensor, cases: Cases, past: np.ndarray, reasons: int
    ) -> list[Recommendation]:
        items, user = self.catalogue.items, int(cases.user[0])
        paths: list[list[GraphPath]] = [[] for _ in top]
        if reasons and len(top):
            if user >= 0:
                paths = self.paths.explain(np.full(len(top), user), top, k=reasons)
            elif len(past):
                paths = self.paths.explain_history(past, top, k=reasons)
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
