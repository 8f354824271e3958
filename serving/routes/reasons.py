"""Why an item, why not, and what the list would be with another history."""

from dataclasses import asdict
from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from trefoil.serving.routes.documented import answers
from trefoil.serving.routes.guarded import Asked, router
from trefoil.serving.wire import queries, replies
from trefoil.serving.wire.bodies import Explain, WhatIf, WhyNot
from trefoil.serving.wire.shapes import ReasonsReply, WhatIfReply, WhyNotReply

reasons = router()


@reasons.post("/explain", responses=answers(ReasonsReply))
async def explain(call: Asked, body: Explain) -> Response:
    """The best reasons why an item suits a user: paths through the graph."""
    model = call.model(body.user)
    still = await call.standing(model, body.state)
    found = await call.score(lambda: still.explain(body.user, body.item, body.k))
    told = {"model": model.name, "state": still.state.token}
    told |= {"user": str(body.user), "item": str(body.item)}
    return replies.reply({**told, "reasons": [replies.reason_json(one) for one in found]})


@reasons.get("/explain", responses=answers(ReasonsReply))
async def explain_by_address(
    call: Asked, query: Annotated[queries.ExplainQuery, Query()]
) -> Response:
    """The same by an address."""
    return await explain(call, Explain(**query.model_dump(exclude_unset=True)))


@reasons.post("/why-not", responses=answers(WhyNotReply))
async def why_not(call: Asked, body: WhyNot) -> Response:
    """Why an item is not in a list: what keeps it out, where it stands, what the last one has."""
    model = call.model(body.user)
    still = await call.standing(model, body.state)
    found = await call.score(lambda: still.why_not(body.user, body.item, body.k))
    told = {"model": model.name, "state": still.state.token, "text": str(found)}
    told |= {"user": None if body.user is None else str(body.user)}
    shown = [replies.reason_json(one) for one in found.reasons]
    gaps = {name: [asdict(one) for one in getattr(found, name)] for name in ("models", "events")}
    plain = {name: value for name, value in vars(found).items() if name not in gaps}
    return replies.reply({**told, **plain, **gaps, "reasons": shown})


@reasons.post("/what-if", responses=answers(WhatIfReply))
async def what_if(call: Asked, body: WhatIf) -> Response:
    """The list as it is, and as it would be: other items met, or facts that did not hold."""
    model = call.model(body.user)
    still = await call.standing(model, body.state)
    given = {"without": body.without, "with_": body.with_, "without_facts": body.without_facts}
    found = await call.score(lambda: still.what_if(body.user, **given, k=body.k))
    told = {"model": model.name, "state": still.state.token, "text": str(found)}
    told |= {"user": None if body.user is None else str(body.user)}
    return replies.reply({**told, **asdict(found)})
