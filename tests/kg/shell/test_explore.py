"""The command: exit status, formats, questions, pictures, and the prompt behind it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from graph_strategies import films
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console

from trefoil import explore
from trefoil.data.manifest import (
    FORMAT,
    begin_rewriting,
    check_files,
    end_rewriting,
    load_manifest,
    save_manifest,
)
from trefoil.kg.shell.prompt import Conversation, CypherCompleter, converse
from trefoil.kg.stores.open import open_store, write_graph

DIRECTORS = (
    "MATCH (p:Person)<-[:DIRECTOR]-(i:Item)"
    " RETURN p.name AS name, count(i) AS films ORDER BY films DESC LIMIT 5"
)


@pytest.fixture
def run(tmp_path):
    write_graph(films(), tmp_path / "run/graph")
    return str(tmp_path / "run")


def test_one_statement_one_table(run, capsys):
    assert explore.main([run, DIRECTORS]) == 0
    out = capsys.readouterr().out
    assert out.split()[:2] == ["name", "films"]
    assert "Andrei Tarkovsky" in out
    assert "2 rows in" in out


def test_json_and_csv_are_what_programs_read(run, capsys):
    whole = (
        "MATCH (i:Item {id: 'q1'})-[:GENRE]->(g:Genre {id: 'sf'})"
        " RETURN i.name AS name, i.tags AS tags, g"
    )
    assert explore.main([run, whole, "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["name"] == "Solaris"
    assert row["g"]["properties"] == {"name": "Science fiction"}
    assert explore.main([run, whole, "--format", "csv"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert json.loads(row["tags"]) == ["slow", "sf"]


def test_rows_are_cut_and_said_to_be(run, capsys):
    assert explore.main([run, "MATCH (i:Item) RETURN i.id", "--limit", "2"]) == 0
    assert "cut here" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["MATCH (n) DELETE n"], "needs --write"),
        (["MATCH (n RETURN n"], "is not closed"),
        (["--question", "nope"], "no question 'nope'"),
        (["--question", "neighbours"], "needs id"),
        (["--question", "neighbours", "--arg", "id"], "key=value"),
        (["RETURN 1", "--question", "path"], "not both"),
        (["RETURN 1", "--limit", "0"], "above 0"),
        (["RETURN 1 AS x", "--picture", "x.html"], "nothing to draw"),
    ],
)
def test_wrong_use_ends_with_2_and_a_message(run, capsys, arguments, why):
    assert explore.main([run, *arguments]) == 2
    captured = capsys.readouterr()
    assert why in captured.err
    assert "Traceback" not in captured.err


def test_a_folder_without_a_graph_ends_with_2(tmp_path, capsys):
    assert explore.main([str(tmp_path), "RETURN 1"]) == 2
    assert "no graph store here" in capsys.readouterr().err


def test_a_damaged_store_ends_with_2(run, capsys, tmp_path):
    (tmp_path / "run/graph/graph.kgl").write_bytes(b"nonsense" * 999)
    assert explore.main([run, "RETURN 1"]) == 2
    assert "graph.kgl: damaged" in capsys.readouterr().err
    (tmp_path / "run/graph/graph.json").write_text("{")
    assert explore.main([run, "RETURN 1"]) == 2
    assert "graph.json: damaged" in capsys.readouterr().err


def test_parameters_questions_and_pictures(run, capsys, tmp_path):
    text = "MATCH (i:Item {id: $id}) RETURN i.name AS name"
    assert explore.main([run, text, "--arg", "id=Robert'); DROP TABLE Item;--"]) == 0
    assert "Quiet <b>Night</b>" in capsys.readouterr().out
    assert explore.main([run, "--question", "genre-profile", "--arg", "user=u1"]) == 0
    assert "Science fiction" in capsys.readouterr().out
    connected = ["--question", "most-connected", "--arg", "label=Item", "--limit", "2"]
    assert explore.main([run, *connected]) == 0
    assert "2 rows" in capsys.readouterr().out
    file = tmp_path / "x.html"
    picture = ["--question", "path", "--arg", "user=u2", "--arg", "item=q5", "--picture", str(file)]
    assert explore.main([run, *picture]) == 0
    assert file.read_text("utf-8").startswith("<!doctype html>")
    assert explore.main([run, "--picture", str(file)]) == 0
    assert "nodes" in capsys.readouterr().out


def test_writing_needs_the_flag_and_then_works(run, capsys):
    text = "MATCH (i:Item {id: 'q1'}) SET i.name = 'Solyaris'"
    assert explore.main([run, text]) == 2
    assert explore.main([run, text, "--write"]) == 0
    capsys.readouterr()
    assert explore.main([run, "MATCH (i:Item {id: 'q1'}) RETURN i.name"]) == 0
    assert "Solyaris" in capsys.readouterr().out


def test_the_manifest_of_a_run_answers_for_its_graph_before_and_after_writing(run, capsys):
    save_manifest(folder := Path(run), {"format": FORMAT, "files": {}})
    begin_rewriting(folder, load_manifest(folder), ["graph/"])
    end_rewriting(folder)
    text = "MATCH (i:Item {id: 'q1'}) SET i.name = 'Solyaris'"
    assert explore.main([run, text, "--write"]) == 0
    check_files(folder, load_manifest(folder))
    (folder / "model").write_text("of no concern here")
    assert explore.main([run, "RETURN 1 AS x"]) == 0
    capsys.readouterr()
    file = folder / "graph/graph.kgl"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert explore.main([run, "RETURN 1 AS x"]) == 2
    assert "graph.kgl: damaged" in capsys.readouterr().err


def test_names_from_the_graph_are_printed_as_they_are(run, capsys, tmp_path):
    text = "MATCH (i:Item {id: 'q1'}) RETURN '[link=x]:smile:' AS `[bold]`"
    assert explore.main([run, text]) == 0
    out = capsys.readouterr().out
    assert "[link=x]:smile:" in out
    assert "[bold]" in out
    picture = tmp_path / "[red]/x.html"
    assert explore.main([run, "--picture", str(picture)]) == 0
    assert "[red]" in capsys.readouterr().out


def test_a_picture_that_cannot_be_written_is_refused_before_asking(run, capsys, tmp_path):
    for place, said in [(tmp_path, "is a folder"), ("/dev/null/x.html", "is a file, no folder")]:
        assert explore.main([run, "this is not Cypher", "--picture", str(place)]) == 2
        assert said in capsys.readouterr().err


def test_a_statement_may_come_from_stdin(run, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(DIRECTORS))
    assert explore.main([run, "-"]) == 0
    assert "Ridley Scott" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        ("MATCH (n:It", ["Item"]),
        ("MATCH (n:", ["User", "Item", "Person", "Genre", "Theme"]),
        ("MATCH (a)-[:GEN", ["GENRE"]),
        ("MATCH (a)-[:GENRE|DIR", ["DIRECTOR"]),
        ("MATCH (n:Item) RETURN n.na", ["name"]),
        ("MAT", ["MATCH"]),
        ("RETURN coal", ["coalesce("]),
        (":sch", [":schema"]),
        (":ask genre", [":ask genre-profile"]),
        (":ask path ", [":ask path user=", ":ask path item=", ":ask path n="]),
        (":ask path user=u1 it", [":ask path user=u1 item="]),
    ],
)
def test_completion_knows_the_schema(run, before, wanted):
    with open_store(run) as store:
        completer = CypherCompleter(store.schema(), store.dialect)
    assert [text for text, _ in completer.found(before)] == wanted


def test_the_prompt_answers_goes_on_after_faults_and_keeps_history(
    run, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("TREFOIL_CACHE", str(tmp_path / "cache"))
    lines = "MATCH (n) DELETE n\rRETURN 40 + 2 AS answer\r:ask genre-profile user=u1\r:quit\r"
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        pipe.send_text(lines)
        with open_store(run) as store:
            converse(store, Console(), limit=10, write=False, format="table")
    out = capsys.readouterr().out
    assert "needs --write" in out
    assert "42" in out
    assert "Science fiction" in out
    assert "RETURN 40 + 2 AS answer" in (tmp_path / "cache/explore-history").read_text()


def test_commands_of_the_prompt(run, tmp_path, capsys):
    with open_store(run) as store:
        talk = Conversation(store, Console(width=200), limit=10, write=False, format="table")
        for line in (
            ":schema",
            ":questions",
            ":help",
            ":picture x.html",
            ":ask",
            ":ask path oops",
            "",
        ):
            assert talk.line(line)
        out = capsys.readouterr().out
        for text in (
            "(:Item)-[:GENRE]->(:Genre)",
            "shared-attributes",
            "ask something first",
            "key=value",
        ):
            assert text in out
        talk.line("MATCH p = (:Item)-[:GENRE]->() RETURN p")
        talk.line(f":picture {tmp_path / 'x.html'}")
        assert (tmp_path / "x.html").exists()
        assert not talk.line(":quit")
