"""The graph of a run: statements that read it, and what it holds."""

from typing import Any

from starlette.responses import Response

from trefoil.data.errors import StoreError
from trefoil.kg.shell.hints import hints
from trefoil.kg.shell.show import plain
from trefoil.kg.stores.base import Schema
from trefoil.serving.routes.documented import answers, problems
from trefoil.serving.routes.guarded import Asked, router
from trefoil.serving.wire import replies
from trefoil.serving.wire.bodies import Cypher
from trefoil.serving.wire.shapes import Shape, TableReply

graph = router()


class SchemaReply(Shape):
    """Labels and relationship types, each with its properties."""

    labels: dict[str, dict[str, str]]
    relationships: list[dict[str, Any]]


@graph.post("/cypher", responses=answers(TableReply) | problems(504))
async def cypher(call: Asked, body: Cypher) -> Response:
    """Rows of one statement that reads; another is refused before an engine sees it."""
    model = call.model()

    def work() -> dict[str, Any]:
        with call.service.stores.of(model) as store:
            try:
                found = store.ask(
                    body.cypher, body.parameters, limit=body.limit, timeout_s=body.timeout_s
                )
            except RecursionError:
                raise StoreError(
                    "the statement is nested too deeply; ask in smaller steps"
                ) from None
            told = hints(body.cypher, store.schema())
        return {
            "columns": found.table.columns,
            "rows": [[plain(value) for value in row] for row in found.table.iter_rows()],
            "cut": found.cut,
            "seconds": round(found.seconds, 4),
            "hints": told,
        }

    return replies.reply(await call.service.statements.run(work))


@graph.get("/schema", responses=answers(SchemaReply))
async def schema(call: Asked) -> Response:
    """What the graph holds: labels, relationship types, properties."""
    model = call.model()

    def work() -> Schema:
        with call.service.stores.of(model) as store:
            return store.schema()

    found = await call.service.statements.run(work)
    return replies.reply(
        {
            "labels": {label: dict(own) for label, own in found.labels.items()},
            "relationships": [
                {"from": source, "type": relation, "to": target, "properties": dict(own)}
                for (source, relation, target), own in found.relationships.items()
            ],
        }
    )
