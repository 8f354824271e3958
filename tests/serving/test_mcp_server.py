"""A client of the official SDK starts the server as a process and asks each tool."""

import os
import sys
from pathlib import Path

import anyio
import pytest

pytest.importorskip("mcp")
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from trefoil.fusion.recommender import Recommender

ROOT = Path(__file__).parents[2]


def test_each_tool_answers_a_real_client(served_run):
    found = anyio.run(conversation, served_run)
    own = Recommender.load(served_run, live=False)
    tools = {tool.name: tool for tool in found["tools"]}
    assert {"recommend", "similar", "search", "explain", "cypher", "schema"} <= set(tools)
    assert all(tool.annotations.read_only_hint for tool in tools.values())
    listed = [one["item"] for one in found["recommend"]["items"]]
    assert listed == [one.item for one in own.recommend("u3", k=4)]
    assert [one["item"] for one in found["similar"]["items"]] == [
        one.item for one in own.similar("i0-1", k=3)
    ]
    assert found["explain"]["reasons"][0]["text"] == own.explain("u3", listed[0])[0].text
    assert found["cypher"]["rows"] == [["i0-1"]]
    assert "Item" in found["schema"]["labels"]
    assert found["search"]["items"][0]["item"] == "i0-1"
    assert "no-item" in found["unknown"]
    assert "DELETE" in found["write"]


async def conversation(run):
    """All that the tools answer, by name."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    arguments = ["-m", "trefoil.serve", "mcp", str(run)]
    server = StdioServerParameters(command=sys.executable, args=arguments, env=environment)
    ask = "MATCH (i:Item {id: $id}) RETURN i.id AS id"
    found = {}
    async with stdio_client(server) as streams, ClientSession(*streams) as client:
        await client.initialize()
        found["tools"] = (await client.list_tools()).tools
        calls = {
            "recommend": {"user": "u3", "k": 4},
            "similar": {"item": "i0-1", "k": 3},
            "search": {"text": "i0-1"},
            "cypher": {"statement": ask, "parameters": {"id": "i0-1"}},
            "schema": {},
        }
        for name, said in calls.items():
            told = await client.call_tool(name, said)
            assert not told.is_error, told.content
            found[name] = told.structured_content
        item = found["recommend"]["items"][0]["item"]
        told = await client.call_tool("explain", {"user": "u3", "item": item})
        found["explain"] = told.structured_content
        wrong = {"unknown": ("similar", {"item": "no-item"})}
        wrong["write"] = ("cypher", {"statement": "MATCH (n) DELETE n"})
        for name, (tool, said) in wrong.items():
            told = await client.call_tool(tool, said)
            assert told.is_error
            found[name] = str(told.content[0])
    return found
