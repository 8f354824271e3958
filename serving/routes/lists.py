"""Lists: recommend, similar, and answers given before."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import Path, Query
from starlette.responses import Response

from trefoil.fusion.recommendation import Answer
from trefoil.fusion.recommender import Recommender
from trefoil.serving.hosting.host import Model
from trefoil.serving.problems import Problem
from trefoil.serving.routes.documented import answers, problems
from trefoil.serving.routes.guarded import Asked, Call, router
from trefoil.serving.wire import queries, replies
from trefoil.serving.wire.bodies import MOST_SHELVES, Recommend, Similar
from trefoil.serving.wire.shapes import AnswerReply, PageReply

lists = router()
QUICK = {"user", "k", "reasons", "history", "likes", "without", "only", "seen", "offset", "where"}
ALONE = (QUICK - {"history", "likes"}) | {"boost", "pin", "per", "diversity", "shares"}
QUICK_ITEMS = 20_000  # up to which a list takes a few milliseconds, or from candidates


@lists.post("/recommend", responses=answers(AnswerReply | PageReply))
async def recommend(call: Asked, body: Recommend | list[Recommend]) -> Response:
    """The best items for a user or for somebody new, each with reasons.

    A list of bodies is a page of shelves: one model and one state answer all of them, and
    an item stands on the first shelf that has it, on no later one.
    """
    if isinstance(body, list):
        return await _page(call, body)
    return await _recommended(call, body)


@lists.get("/recommend", responses=answers(AnswerReply))
async def recommend_by_address(
    call: Asked, query: Annotated[queries.RecommendQuery, Query()]
) -> Response:
    """The same by an address; lists are repeated, a scenario is name=value."""
    return await _recommended(call, query.body())


@lists.post("/similar", responses=answers(AnswerReply))
async def similar(call: Asked, body: Similar) -> Response:
    """What goes with one item."""
    asking = lambda one: one.similar(body.item, body.k)  # noqa: E731
    return await _list(call, None, body.k, False, asking, body.state, quick={})


@lists.get("/similar", responses=answers(AnswerReply))
async def similar_by_address(
    call: Asked, query: Annotated[queries.SimilarQuery, Query()]
) -> Response:
    """What goes with one item, by an address."""
    return await similar(call, Similar(**query.model_dump(exclude_unset=True)))


@lists.get("/answers/{id}", responses=answers(AnswerReply) | problems(404))
async def answer(call: Asked, id: Annotated[str, Path(max_length=64)]) -> Response:
    """An answer that was given: all that was said, for as long as it is kept."""
    found = call.service.kept.find(id, call.host.name)
    if found is None:
        kept = call.service.limits
        raise Problem(
            404,
            "no answer with this id is kept here",
            f"the last {kept.kept_answers} answers are kept for {kept.kept_s / 60:.0f} minutes",
        )
    return Response(found, media_type=replies.JSON)


async def _recommended(call: Call, body: Recommend) -> Response:
    if body.text is not None:
        call.service.leave()  # one process holds the text encoder
    said = body.said()
    asking = lambda one: one.recommend(**said)  # noqa: E731
    return await _list(
        *(call, body.user, body.k, body.text is not None, asking, body.state),
        quick=said if said.keys() <= QUICK else None,
        alone=said if said.keys() <= ALONE else None,
    )


async def _list(
    call: Call,
    user: object,
    k: int,
    text: bool,
    asking: Callable[[Recommender], Answer],
    state: str | None = None,
    *,
    quick: Mapping[str, Any] | None = None,
    alone: Mapping[str, Any] | None = None,
) -> Response:
    """Ask, put into JSON on the scoring thread, count and keep.

    What is said in a ``quick`` question is answered where it came in, where the catalogue is
    small or lists come from candidates, and a filter was read before. What is said of a person
    ``alone`` is scored together with others that wait, where the catalogue is large.
    """
    model = call.model(user)
    still = await call.standing(model, state)
    small = len(still.catalogue.items) <= QUICK_ITEMS or still.state.scorer.first is not None
    at_once = small and quick is not None and still.state.has_read(quick.get("where"))

    def work() -> tuple[Answer, str, bytes]:
        found = asking(still)
        told = replies.answer_json(found, model, still.state.token, map(replies.item_json, found))
        return found, told["id"], replies.packed(told)

    if small or alone is None:
        found, id, body = await call.score(work, quick=at_once)
    else:
        with call.host.together.waiting(still, alone) as score_first:
            found, id, body = await call.score(lambda: (score_first(), work())[1])
    call.service.counts.answer(call.host.name, replies.told_of(found, k, text=text))
    _keep(call, model, still, id, user, body)
    return Response(body, media_type=replies.JSON)


def _keep(call: Call, model: Model, still: Recommender, id: str, user: object, body: bytes) -> None:
    """Keep an answer, unless it is of somebody who was forgotten while it was made."""
    name = None if user is None else str(user)
    known = name is not None and name in still.catalogue.users
    if known and name not in model.recommender.catalogue.users:
        return
    call.service.keep(call.host.name, id, name, body, known)


async def _page(call: Call, bodies: list[Recommend]) -> Response:
    """A page of shelves from one model and one state; no item twice."""
    if not 1 <= len(bodies) <= MOST_SHELVES:
        raise Problem(422, f"{len(bodies)} shelves", f"send from 1 to {MOST_SHELVES} bodies")
    call.service.charge(call.key, len(bodies) - 1)
    if any(body.text is not None for body in bodies):
        call.service.leave()
    model = call.model(bodies[0].user)
    for body in bodies:
        still = await call.standing(model, body.state)

    def work() -> tuple[list[Answer], list[dict[str, Any]]]:
        shown: list[str] = []
        found, told = [], []
        for body in bodies:
            said = body.said()
            without = [*(said.pop("without", None) or []), *shown]
            one = still.recommend(**said, without=without)
            shown += [item.item for item in one]
            found.append(one)
            items = map(replies.item_json, one)
            told.append(replies.answer_json(one, model, still.state.token, items))
        return found, told

    found, told = await call.score(work)
    for body, one, reply in zip(bodies, found, told, strict=True):
        call.service.counts.answer(
            call.host.name, replies.told_of(one, body.k, text=body.text is not None)
        )
        _keep(call, model, still, reply["id"], body.user, replies.packed(reply))
    return replies.reply({"model": model.name, "state": still.state.token, "shelves": told})
