"""Trefoil for language models: tools of the Model Context Protocol, over stdio."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from trefoil.data.errors import ConfigError, DataError, StoreError, TrainingError, UnknownId
from trefoil.fusion.recommendation import Answer
from trefoil.fusion.recommender import Recommender
from trefoil.kg.shell.show import plain
from trefoil.kg.stores.open import open_store
from trefoil.serving.wire.replies import item_json, reason_json

ABOUT = """\
Recommendations of one trained run, with reasons that are paths of its knowledge graph. All
tools only read. Ids are those of the run: find items with `search`, or with `cypher`.
"""
MOST_K, MOST_ROWS, SECONDS = 100, 200, 5.0
EXPECTED = (ConfigError, DataError, StoreError, TrainingError, UnknownId)
READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False)

User = Annotated[str, Field(max_length=1000, description="Id of a user.")]
Item = Annotated[str, Field(max_length=1000, description="Id of an item.")]
Items = Annotated[list[Item], Field(max_length=1000)]
Count = Annotated[int, Field(ge=1, le=MOST_K)]


def server_of(run: Path) -> MCPServer:
    """A server for one run; ``run("stdio")`` answers until its input ends."""
    recommender = Recommender.load(run)
    server = MCPServer("trefoil", title="Trefoil", instructions=ABOUT, log_level="WARNING")
    for tool in (*lists(recommender), *why(recommender), *graph(run)):
        server.add_tool(tool, annotations=READS, structured_output=True)
    return server


def lists(recommender: Recommender) -> list[Callable[..., dict[str, Any]]]:
    """Tools that answer with items."""

    def recommend(
        user: User | None = None,
        history: Items | None = None,
        text: Annotated[str, Field(max_length=10_000)] | None = None,
        without: Items | None = None,
        k: Count = 10,
    ) -> dict[str, Any]:
        """The best items for a user, or for somebody new: by items met (oldest first), by words."""
        said = {"user": user, "history": history, "text": text, "without": without}
        given = {name: value for name, value in said.items() if value is not None}
        return listed(asked(lambda: recommender.recommend(**given, k=k)))

    def similar(item: Item, k: Count = 10) -> dict[str, Any]:
        """Items that go with one item."""
        return listed(asked(lambda: recommender.similar(item, k)))

    def search(text: Annotated[str, Field(max_length=200)], k: Count = 10) -> dict[str, Any]:
        """Items whose title or id holds a text."""
        items, wanted = recommender.catalogue.items, text.strip().lower()
        pairs = zip(items.vocabulary.ids, items.titles, strict=True)
        found = (
            {"item": id, "title": title or id}
            for id, title in pairs
            if wanted in (title or "").lower() or wanted in id.lower()
        )
        return {"items": [one for one, _ in zip(found, range(k), strict=False)]}

    return [recommend, similar, search]


def why(recommender: Recommender) -> list[Callable[..., dict[str, Any]]]:
    """Tools that answer with reasons."""

    def explain(user: User, item: Item) -> dict[str, Any]:
        """The best reasons why an item suits a user: paths through the graph, in words."""
        found = asked(lambda: recommender.explain(user, item))
        return {"user": user, "item": item, "reasons": [reason_json(one) for one in found]}

    return [explain]


def graph(run: Path) -> list[Callable[..., dict[str, Any]]]:
    """Tools that read the graph."""

    def cypher(
        statement: Annotated[str, Field(max_length=20_000)],
        parameters: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Rows of one Cypher statement that reads; values of the user belong into parameters."""

        def work() -> dict[str, Any]:
            with open_store(run) as store:
                found = store.ask(statement, parameters, limit=MOST_ROWS, timeout_s=SECONDS)
            rows = [[plain(value) for value in row] for row in found.table.iter_rows()]
            return {"columns": found.table.columns, "rows": rows, "cut": found.cut}

        return asked(work)

    def schema() -> dict[str, Any]:
        """What the graph holds: labels and relationship types, each with its properties."""

        def work() -> dict[str, Any]:
            with open_store(run) as store:
                told = store.schema()
            return {
                "labels": {label: dict(own) for label, own in told.labels.items()},
                "relationships": [
                    {"from": source, "type": kind, "to": target, "properties": dict(own)}
                    for (source, kind, target), own in told.relationships.items()
                ],
            }

        return asked(work)

    return [cypher, schema]


def listed(answer: Answer) -> dict[str, Any]:
    """A list, and what it rests on."""
    return {"based_on": asdict(answer.based_on), "items": [item_json(one) for one in answer]}


def asked(work: Callable[[], Any]) -> Any:
    """What ``work`` returns. Raises ToolError where the caller can mend what went wrong."""
    try:
        return work()
    except EXPECTED as fault:
        told = fault.args[0] if isinstance(fault, UnknownId) and fault.args else str(fault)
        raise ToolError(str(told)) from None
    except RecursionError:
        raise ToolError("the statement is nested too deeply; ask in smaller steps") from None
