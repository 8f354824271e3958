"""A person's own: what is known of them, forgetting them, and who was nobody becoming somebody."""

from typing import Annotated, Any

from fastapi import Path
from starlette.responses import Response

from trefoil.fusion.recommender import Recommender
from trefoil.serving.routes.changes import changed
from trefoil.serving.routes.documented import answers
from trefoil.serving.routes.guarded import Asked, router
from trefoil.serving.wire import replies
from trefoil.serving.wire.bodies import Merge
from trefoil.serving.wire.shapes import ChangeReply, Shape

people = router()
User = Annotated[str, Path(max_length=1000)]


class Known(Shape):
    """All that is known of a person."""

    user: str


class ForgottenReply(ChangeReply):
    """A receipt that names nobody: what was deleted and written anew, what is beyond reach."""

    receipt: str
    answers: int


@people.get("/users/{id:path}", responses=answers(Known))
async def export(call: Asked, id: User) -> Response:
    """All that the run knows of a person: events, attributes, what was learned."""
    still = await call.standing(call.model(id))
    found = await call.service.statements.run(lambda: still.export(id))
    return replies.reply({**found, "user": id})


@people.delete("/users/{id:path}", responses=answers(ForgottenReply))
async def forget(call: Asked, id: User) -> Response:
    """Leave nothing of a person: in answers at once, on the disk when the reply comes.

    Answers that are kept for them go too. Each loaded model that knows them forgets;
    `without` names those that could not, which then must not be swapped in again.
    """

    def change(one: Recommender) -> dict[str, Any]:
        told = one.forget(id).told()
        del told["lists"]  # addresses of files
        return told

    told = await changed(call, change, lambda one: one.knows(id))
    call.service.stores.keep(())  # the files of the run are others now
    told["answers"] = call.service.kept.forget(call.host.name, id)
    return replies.reply(told)


@people.post("/users/{id:path}/merge", responses=answers(ChangeReply))
async def merge(call: Asked, id: User, body: Merge) -> Response:
    """Who was known by one id is known by another from now on; the events of both are theirs."""

    def change(one: Recommender) -> dict[str, Any]:
        one.merge(id, body.into)
        return {}

    told = await changed(call, change, lambda one: one.knows(id))
    call.service.kept.forget(call.host.name, id)
    return replies.reply(told)
