"""Ask the graph of a run, or of a Neo4j server, in Cypher."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from trefoil.data.command import check_output_file, run
from trefoil.data.errors import ConfigError
from trefoil.fusion.runs.leftovers import restore
from trefoil.kg.shell.hints import hints
from trefoil.kg.shell.picture import write_picture
from trefoil.kg.shell.prompt import arguments_of, converse
from trefoil.kg.shell.questions import QUESTIONS, ask_named
from trefoil.kg.shell.show import FORMATS, show
from trefoil.kg.stores.base import Answer, GraphStore
from trefoil.kg.stores.open import open_store

SAMPLE = "MATCH p = (a)-[r]->(b) RETURN p LIMIT 120"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(
        prog="explore.py",
        description="Ask a graph in Cypher; without a statement or question, line by line.",
        epilog="Reads only, unless --write. For a server, NEO4J_USERNAME, NEO4J_PASSWORD and"
        " NEO4J_DATABASE apply. Exit status: 0 done, 2 wrong use or bad input, 1 a fault of"
        " Trefoil. See docs/cypher.md.",
    )
    p.add_argument("target", metavar="RUN|URI", help="a run folder, a store folder, or neo4j://...")
    p.add_argument(
        "cypher", nargs="?", metavar="CYPHER", help="one statement; - reads it from stdin"
    )
    p.add_argument("--question", metavar="NAME", help=f"ask by name: {', '.join(QUESTIONS)}")
    p.add_argument(
        "--arg",
        action="append",
        default=[],
        metavar="k=v",
        help="an argument of the question, or a text parameter of the statement",
    )
    p.add_argument("--picture", metavar="FILE.html", help="draw the answer into one HTML file")
    p.add_argument("--write", action="store_true", help="let statements change nodes and edges")
    p.add_argument("--limit", type=int, default=1000, metavar="N", help="at most so many rows")
    p.add_argument(
        "--timeout", type=float, default=30.0, metavar="S", help="seconds for a statement"
    )
    p.add_argument("--format", choices=FORMATS, default="table")
    return p


def explore(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    if args.question and args.cypher:
        raise ConfigError("give a statement or --question, not both")
    if args.limit < 1 or args.timeout <= 0:
        raise ConfigError(f"--limit {args.limit} and --timeout {args.timeout} must be above 0")
    if args.picture:
        check_output_file(Path(args.picture), "--picture")
    console = Console(markup=False, emoji=False)  # what is printed comes from the graph
    if "://" not in args.target:
        restore(Path(args.target).absolute())
    with open_store(args.target, read_only=not args.write) as store:
        if args.cypher == "-" or not (args.cypher or args.question or args.picture):
            if sys.stdin.isatty():
                converse(store, console, limit=args.limit, write=args.write, format=args.format)
                return 0
            args.cypher = sys.stdin.read()
        answer = answered(store, args)
        if args.picture:
            title = args.question or args.cypher or "A part of the graph"
            drawing = write_picture(answer.table, args.picture, title=title)
            console.print(
                f"{args.picture}: {len(drawing.nodes)} nodes, {len(drawing.edges)} relationships"
            )
        else:
            show(answer, args.format, console)
        for hint in hints(args.cypher or "", store.schema()):
            Console(stderr=True, markup=False, emoji=False).print(hint)
    return 0


def answered(store: GraphStore, args: argparse.Namespace) -> Answer:
    """The answer to the question, the statement, or what a picture shows without either."""
    given = arguments_of(args.arg)
    if args.question:
        return ask_named(
            store,
            args.question,
            given,
            drawing=bool(args.picture),
            limit=args.limit,
            timeout_s=args.timeout,
        )
    return store.ask(
        args.cypher or SAMPLE, given, limit=args.limit, timeout_s=args.timeout, write=args.write
    )


def main(argv: Sequence[str] | None = None) -> int:
    return run(explore, argv)


if __name__ == "__main__":
    raise SystemExit(main())
