"""What a recommender is asked: scores, lists, what is similar, and why."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from trefoil.data.errors import ConfigError, UnknownId
from trefoil.data.given import given
from trefoil.data.histories import Cases
from trefoil.fusion.catalogue import Catalogue
from trefoil.fusion.list_table import list_table, own_columns
from trefoil.fusion.plan.one_thread import one_thread
from trefoil.fusion.recommendation import Answer, answer_of, explained
from trefoil.fusion.requests import arguments
from trefoil.fusion.requests.listing import listed
from trefoil.fusion.requests.question import question_of, tell_unknown
from trefoil.fusion.requests.request import Request, Seen
from trefoil.fusion.requests.state import State
from trefoil.fusion.requests.wishes import scorer_of
from trefoil.fusion.settings import Settings
from trefoil.kg.graph import KnowledgeGraph
from trefoil.kg.paths.explain import PathIndex, Reason

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from trefoil.fusion.ensemble.ensemble import Ensemble


class Answering:
    """The questions of a ``Recommender``: each reads one ``State`` and changes nothing.

    What is known is one ``State``, replaced as a whole: threads never meet half a change.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        remedy = "give Settings, as load_settings(file) makes them"
        self.settings = (
            Settings() if settings is None else given("settings", settings, Settings, remedy)
        )
        self.about: dict[str, Any] = {}
        self._state: State | None = None
        self.changing = threading.Lock()  # whoever replaces the state holds it

    @property
    def state(self) -> State:
        """Model, catalogue and graph. Raises ConfigError before anything was learned."""
        if self._state is None:
            raise ConfigError("this recommender has learned nothing yet; call fit() or load()")
        return self._state

    def become(self, state: State) -> None:
        """From now on this is what is known; call it within ``changing``."""
        self._state = state

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
        history: Iterable[Any] | str | None = None,
        text: str | None = None,
        likes: Iterable[str | int] | None = None,
        dislikes: Iterable[str | int] | None = None,
        about: Mapping[str, Any] | None = None,
        scenario: Mapping[str, str] | None = None,
        at: object = None,
        before: Literal["test"] | None = None,
        where: Mapping[str, Any] | None = None,
        only: Iterable[str | int] | None = None,
        without: Iterable[str | int] | None = None,
        seen: Seen = "auto",
        boost: Iterable[Mapping[str, Any]] | None = None,
        pin: Mapping[int | str, str | int] | None = None,
        per: Mapping[str, int] | None = None,
        least: Iterable[Mapping[str, Any]] | None = None,
        diversity: float = 0.0,
        offset: int = 0,
        reasons: int = 1,
        shares: bool = False,
    ) -> Answer:
        """The best ``k`` items for a user by id, or for someone never seen.

        Who asks: ``history`` are items met since the last event that is known, the oldest
        first, as ids or (id, rating, time); ``likes`` and ``dislikes`` are said now, ``text``
        in words; ``about`` are attributes such as an occupation, ``scenario`` is where. ``at``
        (a datetime, Unix seconds or ISO 8601) cuts all that is known to what was before;
        ``before="test"`` to what the exam knew.

        What may be recommended: ``where`` the items fit (see ``fusion.requests.filters``),
        ``only`` these and ``without`` those. ``seen`` says whether items met before are
        candidates: "auto" as the data has it, "hide" or "show".

        How the list is dealt: ``boost`` adds ``by`` standard deviations of the scores to items
        ``where`` it says; ``pin`` gives items places from 1 on; ``per`` is how many of one
        director, or year, there may be; ``least`` gives items ``where`` it says, or of a part
        of ``popularity``, a ``share`` of the places; ``diversity`` goes from 0 to 1;
        ``offset`` passes the first items over. ``reasons`` per item are told, and
        ``shares`` of the base models.

        What is unknown never raises: ``based_on`` and ``dropped`` of the answer tell it.
        Raises ConfigError for an argument that has no meaning.
        """
        return self.answer(Request(
            user=user, k=k, history=history, text=text, likes=likes, dislikes=dislikes,
            about=about, scenario=scenario, at=at, before=before, where=where, only=only,
            without=without, seen=seen, boost=boost, pin=pin, per=per, least=least,
            diversity=diversity, offset=offset, reasons=reasons, shares=shares,
        ))  # fmt: skip

    def answer(self, request: Request) -> Answer:
        """The answer to a request, as ``recommend`` with the same words."""
        given("request", request, Request, "give a Request; Request.of makes one of a mapping")
        state, k = self.state, arguments.whole("k", request.k, 0)
        offset = arguments.whole("offset", request.offset, 0)
        reasons = arguments.whole("reasons", request.reasons, 0)
        context = arguments.scenario_of(request.scenario)
        names = [] if request.user is None else [arguments.one_id("user", request.user)]
        row = state.catalogue.users.rows(names)
        rows = row if len(row) else np.array([-1])
        shares = arguments.whether("shares", request.shares)
        question = question_of(state, request, rows, context)
        with one_thread:
            found = listed(state, scorer_of(state, request, question), question, k, offset)
            return answer_of(state, found, question, k, reasons, shares=shares)

    def score_together(self, asked: Sequence[Mapping[str, Any]]) -> None:
        """Score for several calls of ``recommend``, by their keywords, before each is made.

        Of a large catalogue that costs little more than one of them. Calls that tell a history
        or a context are left out; lists do not change.
        """
        state = self.state
        names = [one["user"] for one in asked if one.get("user") is not None]
        users = state.catalogue.users.rows(arguments.ids("users", names))
        codes = state.catalogue.scenario_codes(None, 1)
        rows = [users[at : at + 1] for at in np.flatnonzero(users >= 0)]
        state.scorer.score_together([state.catalogue.cases(one, codes) for one in rows])

    def recommend_many(
        self,
        users: "Iterable[str | int] | pl.DataFrame | pd.DataFrame",
        k: int = 10,
        *,
        history: Iterable[Any] | str | None = None,
        text: str | None = None,
        likes: Iterable[str | int] | None = None,
        dislikes: Iterable[str | int] | None = None,
        about: Mapping[str, Any] | None = None,
        scenario: Mapping[str, str] | None = None,
        at: object = None,
        before: Literal["test"] | None = None,
        where: Mapping[str, Any] | None = None,
        only: Iterable[str | int] | None = None,
        without: Iterable[str | int] | None = None,
        seen: Seen = "auto",
        boost: Iterable[Mapping[str, Any]] | None = None,
        pin: Mapping[int | str, str | int] | None = None,
        per: Mapping[str, int] | None = None,
        least: Iterable[Mapping[str, Any]] | None = None,
        diversity: float = 0.0,
        offset: int = 0,
        reasons: int = 0,
        shares: bool = False,
        batch: int = 512,
    ) -> Any:
        """A table user, rank, item, title, score: ``recommend`` for each row.

        ``users`` are ids, or a table with a column user; its other columns are values of
        scenarios, one for each row, and stand in the answer. The options are those of
        ``recommend`` and hold for all rows. Unknown users get what suits anyone; what else nothing
        has is told in the log. The answer is a polars table, a pandas one where ``users`` is.

        With ``reasons`` there is a column ``why``, the best in words, and where more than one is
        asked for, ``reasons``, a list of them. They are looked for user by user, which takes far
        longer than the lists. With ``shares`` there is a column ``share NAME`` for each base
        model and for "other", which add up to the score; users are scored once more for them.
        Raises DataError for a table without user, with a column that is no scenario, or with
        one that the answer has itself, such as rank.
        """
        request = Request(
            k=k, history=history, text=text, likes=likes, dislikes=dislikes, about=about,
            scenario=scenario, at=at, before=before, where=where, only=only, without=without,
            seen=seen, boost=boost, pin=pin, per=per, least=least, diversity=diversity,
            offset=offset, reasons=reasons, shares=shares,
        )  # fmt: skip
        state, k = self.state, arguments.whole("k", k, 0)
        batch, offset = arguments.whole("batch", batch, 1), arguments.whole("offset", offset, 0)
        most, shares = arguments.whole("reasons", reasons, 0), arguments.whether("shares", shares)
        names, contexts = arguments.users_in(users)
        arguments.free_of(contexts, own_columns(state, most, shares=shares), "users")
        arguments.of_scenarios(contexts, state.catalogue.scenarios)
        told = {**arguments.scenario_of(scenario), **contexts}
        question = question_of(state, request, state.catalogue.users.rows(names), told)
        tell_unknown("recommend_many", question)
        found = listed(state, scorer_of(state, request, question), question, k, offset, batch)
        dated = question.at is not None
        table = list_table(state, names, contexts, found, offset, most, shares=shares, dated=dated)
        return table.to_pandas() if arguments.is_pandas_table(users) else table

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
            raise UnknownId(f"unknown user {who!r}; give one with an event")
        user, item = state.catalogue.users.row(who), state.catalogue.items.vocabulary.row(what)
        return explained(state, user, item, k)
