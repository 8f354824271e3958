"""Other questions: rank given items, score pairs, whom an item suits, nodes of the graph."""

from dataclasses import asdict
from typing import Any

from starlette.responses import Response

from trefoil.fusion.recommendation import Answer
from trefoil.serving.hosting.host import Model
from trefoil.serving.routes.documented import answers
from trefoil.serving.routes.guarded import Asked, router
from trefoil.serving.wire import replies
from trefoil.serving.wire.bodies import Nodes, Pairs, RankGiven, UsersFor
from trefoil.serving.wire.shapes import AnswerReply, NodesReply, PairsReply, UsersReply

asks = router()


@asks.post("/rank", responses=answers(AnswerReply))
async def rank(call: Asked, body: RankGiven) -> Response:
    """Given items in the order that suits a user; items that nobody knows are told."""
    model = call.model(body.user)
    still = await call.standing(model, body.state)

    def work() -> dict[str, Any]:
        found: Answer = still.rank(body.user, body.items, reasons=body.reasons)
        told = map(replies.item_json, found)
        return replies.answer_json(found, model, still.state.token, told)

    return replies.reply(await call.score(work))


@asks.post("/score", responses=answers(PairsReply))
async def score(call: Asked, body: Pairs) -> Response:
    """A score for each pair, and the stars expected where ratings were learned."""
    model = call.model()
    still = await call.standing(model, body.state)
    pairs = [(str(user), str(item)) for user, item in body.pairs]
    found = await call.score(lambda: still.score(pairs).to_dicts())
    return replies.reply({**_by(model, still.state.token), "pairs": found})


@asks.post("/users-for", responses=answers(UsersReply))
async def users_for(call: Asked, body: UsersFor) -> Response:
    """Whom an item suits best: everybody is scored, so it is for administrators."""
    model = call.model()
    still = await call.standing(model, body.state)
    found = await call.service.statements.run(
        lambda: still.users_for(body.item, body.k, among=body.among, seen=body.seen).to_dicts()
    )
    return replies.reply({**_by(model, still.state.token), "item": body.item, "users": found})


@asks.post("/nodes", responses=answers(NodesReply))
async def nodes(call: Asked, body: Nodes) -> Response:
    """Nodes of a label, such as directors, whose items suit a user."""
    model = call.model(body.user)
    still = await call.standing(model, body.state)
    found = await call.score(lambda: still.recommend_nodes(body.user, body.label, body.k))
    told = [asdict(one) for one in found]
    return replies.reply({**_by(model, still.state.token), "nodes": told})


def _by(model: Model, state: str) -> dict[str, Any]:
    return {"model": model.name, "state": state}
