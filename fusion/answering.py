"""What a recommender is asked: scores, lists, what is similar, and why."""

import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from trefoil.data.errors import ConfigError, UnknownId
from trefoil.data.histories import Cases
from trefoil.evaluation.exam import Scorer
from trefoil.fusion.catalogue import Catalogue
from trefoil.fusion.recommendation import Answer, answer_of, best_table, explained
from trefoil.fusion.requests import arguments
from trefoil.fusion.requests.request import Options, Wish, answered, request_of
from trefoil.fusion.requests.state import State
from trefoil.fusion.settings import Settings
from trefoil.kg.graph import KnowledgeGraph
from trefoil.kg.paths.explain import PathIndex, Reason

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from trefoil.fusion.ensemble.ensemble import Ensemble

TEXT_WEIGHT = 1.0  # of a text query beside the z-scores of the gate


class Answering:
    """The questions of a ``Recommender``: each reads one ``State`` and changes nothing.

    What is known is one ``State``, replaced as a whole: threads never meet half a change.
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
    def model(self) -> "Ensemble":
        """All that was learned; of a run, read when first asked for."""
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

    def score(self, cases: Cases) -> "Tensor":
        """Scores [cases, items] for evaluation: rows in, rows out."""
        import torch

        found = self.state.scorer.score(cases)
        return torch.from_numpy(found if found.flags.writeable else found.copy())

    def click_scores(self, cases: Cases) -> "Tensor":
        """Scores [cases, items] for judging pairs, as ``Ensemble.click_scores``."""
        return self.model.click_scores(cases)

    def stars(self, cases: Cases) -> "Tensor":
        """Expected ratings [cases, items]. Raises ConfigError where none were learned."""
        import torch

        stars = self.state.scorer.stars(cases)
        if stars is None:
            raise ConfigError("no ratings were learned; the dataset has none, or tasks.rating is 0")
        return torch.from_numpy(stars)

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

        What is unknown never raises: the rest is served, and ``based_on`` of the answer
        says so. Raises ConfigError for an argument that has no meaning.
        """
        state, k = self.state, arguments.whole("k", k, 0)
        reasons, wish = arguments.whole("reasons", reasons, 0), arguments.words("text", text)
        told = arguments.ids("history", history)
        context = arguments.scenario_of(scenario)
        codes = state.catalogue.scenario_codes(context, 1)
        names = [] if user is None else [arguments.one_id("user", user)]
        row = state.catalogue.users.rows(names)
        rows = row if len(row) else np.array([-1])
        options = Options(seen, only, without, at, before)
        request, unknown = request_of(state, rows, codes, told, options)
        scorer: Scorer = state.scorer
        if wish:
            from trefoil.fusion.features.texts import text_scores

            wished = text_scores(state.model.texts, wish, len(state.catalogue.items))
            scorer = Wish(scorer, TEXT_WEIGHT * wished.numpy())
        cases, ranks = answered(scorer, state.catalogue, request, k)
        unknown += state.catalogue.unknown_contexts(context)
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

        ``users`` are ids, or a table with a column user; its other columns are values of
        scenarios, one for each row, and stand in the answer. ``scenario`` holds for all
        rows. Unknown users get what suits anyone.
        """
        state, k = self.state, arguments.whole("k", k, 0)
        batch = arguments.whole("batch", batch, 1)
        names, contexts = arguments.users_in(users)
        told = {**arguments.scenario_of(scenario), **contexts}
        codes = state.catalogue.scenario_codes(told, len(names))
        rows = state.catalogue.users.rows(names)
        options = Options(seen, only, without, at, before)
        request, _ = request_of(state, rows, codes, [], options)
        _, ranks = answered(state.scorer, state.catalogue, request, k, batch)
        return best_table(names, contexts, state.catalogue.items, ranks)

    def similar(self, item: str | int, k: int = 10) -> Answer:
        """What goes with one item: the answer to a history of that item alone.

        Raises UnknownId.
        """
        one = arguments.one_id("item", item)
        self.catalogue.items.vocabulary.row(one)
        return self.recommend(history=[one], k=k, without=[one])

    def explain(self, user: str | int, item: str | int, k: int = 3) -> list[Reason]:
        """The best graph paths from a user to an item. Raises UnknownId for either."""
        state, k = self.state, arguments.whole("k", k, 1)
        who, what = arguments.one_id("user", user), arguments.one_id("item", item)
        if who not in state.catalogue.users:
            raise UnknownId(f"unknown user {who!r}")
        user, item = state.catalogue.users.row(who), state.catalogue.items.vocabulary.row(what)
        return explained(state, user, item, k)
