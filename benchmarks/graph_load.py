"""How fast graphs are read and paths are found, beside the plain ways, in one run.

    python benchmarks/graph_load.py [--statements 1000000] [--repeat 3] [--full] [--json FILE]
        [--data FOLDER]

Every measurement is a process of its own; memory is the growth of its peak over
what it held once everything was imported. rdflib reads a tenth of the statements
unless ``--full`` is given, and its time is scaled. Path explanations need the
folders of MovieLens and Last.FM below ``--data`` (or TREFOIL_DATA).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

ENTITIES, RELATIONS, CLASSES, LITERAL_SHARE = 150_000, 18, 12, 0.1
SPACE = "http://example.org/"
XSD_INTEGER = "http://www.w3.org/2001/XMLSchema#integer"
SETS = {"movielens-small": "ml-latest-small-kg", "lastfm": "lastfm-hetrec-kg"}
PAIRS = 10_000


def generate(folder: Path, statements: int, seed: int = 0) -> dict[str, Path]:
    """One graph as N-Triples and Turtle: by subject, a tenth literals, types included."""
    rng = np.random.default_rng(seed)
    entities = max(ENTITIES * statements // 1_000_000, 10)
    head = np.sort(rng.integers(0, entities, statements))
    tail = (entities * rng.random(statements) ** 2).astype(np.int64)
    relation = rng.integers(0, RELATIONS, statements)
    chance = rng.random(statements)
    paths = {kind: folder / f"{statements}.{kind}" for kind in ("nt", "ttl")}
    with paths["nt"].open("w") as lines, paths["ttl"].open("w") as turtle:
        turtle.write(f"@prefix r: <{SPACE}resource/> .\n@prefix o: <{SPACE}ontology/> .\n")
        turtle.write("@prefix l: <http://www.w3.org/2000/01/rdf-schema#> .\n")
        last = -1
        for at in range(statements):
            one = int(head[at])
            if chance[at] < LITERAL_SHARE / 2:
                p, o = ("l:label", f'"Entity number {one} {at}"@en')
            elif chance[at] < LITERAL_SHARE:
                p, o = ("o:year", f'"{1900 + at % 120}"^^<{XSD_INTEGER}>')
            elif one != last:
                p, o = ("a", f"o:Class{one % CLASSES}")
            else:
                p, o = (f"o:relation{relation[at]}", f"r:Entity_{tail[at]}")
            join = f" ;\n    {p} {o}" if one == last else f" .\nr:Entity_{one} {p} {o}"
            turtle.write(join[2:] if last < 0 else join)
            lines.write(f"<{SPACE}resource/Entity_{one}> {_whole(p)} {_whole(o)} .\n")
            last = one
        turtle.write(" .\n")
    return paths


def _whole(term: str) -> str:
    """A term of the Turtle above as N-Triples has it."""
    if term == "a":
        return "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
    space = {
        "r": f"{SPACE}resource/",
        "o": f"{SPACE}ontology/",
        "l": "http://www.w3.org/2000/01/rdf-schema#",
    }
    head, _, rest = term.partition(":")
    return f"<{space[head]}{rest}>" if head in space else term


def trefoil(path: Path) -> Callable[[], int]:
    from trefoil.kg.triples.rdf import read_triples

    return lambda: len(read_triples(path))


def plain_loop(path: Path) -> Callable[[], int]:
    """pyoxigraph and a dictionary of ids, for statements between IRIs alone."""
    import pyoxigraph as ox

    form = ox.RdfFormat.from_extension(path.suffix[1:])

    def run() -> int:
        rows: dict[str, int] = {}
        relations: dict[str, int] = {}
        s, p, o, skipped = array("q"), array("i"), array("q"), 0
        with path.open("rb") as stream:
            for one in ox.parse(stream, format=form):
                if not type(one.subject) is type(one.object) is ox.NamedNode:
                    skipped += 1
                    continue
                s.append(rows.setdefault(one.subject.value, len(rows)))
                p.append(relations.setdefault(one.predicate.value, len(relations)))
                o.append(rows.setdefault(one.object.value, len(rows)))
        return len(s) + skipped

    return run


def rdflib_graph(path: Path) -> Callable[[], int]:
    import rdflib

    form = {".nt": "nt", ".ttl": "turtle"}[path.suffix]
    return lambda: len(rdflib.Graph().parse(path, format=form))


def paths(folder: Path) -> Callable[[], int]:
    """10,000 pairs of a user and an item that the user has not met in training."""
    from trefoil.data import read_dataset
    from trefoil.kg.construction.build import build
    from trefoil.kg.paths.explain import PathIndex

    name = next(name for name, inside in SETS.items() if inside == folder.name)
    dataset = read_dataset(name, root=folder)
    train = np.arange(len(dataset.interactions) * 8 // 10)
    graph = build(dataset, train)
    rng = np.random.default_rng(0)
    users = dataset.interactions.user[train]
    users = users[rng.integers(0, len(users), PAIRS)]
    items = dataset.interactions.item[rng.integers(0, len(dataset.interactions), PAIRS)]

    def run() -> int:
        found = PathIndex(graph).explain(users, items, k=3)
        print(f"{sum(map(bool, found))} pairs with a path", file=sys.stderr)
        return len(found)

    return run


ROUTES = {
    "trefoil": trefoil,
    "plain pyoxigraph loop": plain_loop,
    "rdflib": rdflib_graph,
    "paths": paths,
}


def measure_here(route: str, path: Path) -> dict[str, float]:
    """Seconds, processor seconds, rows and growth in MB of one route, in this process."""
    run = ROUTES[route](path)
    before = resource.getrusage(resource.RUSAGE_SELF)
    start, held = time.perf_counter(), _resident()
    rows = run()
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = max(after.ru_maxrss / 1024, held)
    return {"rows": rows, "seconds": seconds, "cpu_s": cpu, "growth_mb": peak - held}


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def measure(route: str, path: Path, repeat: int, statements: int = 0) -> dict[str, float | str]:
    """The median of some runs, each in a fresh process; scaled to ``statements``."""
    runs = []
    for _ in range(repeat):
        command = [sys.executable, "-m", "benchmarks.graph_load", "--one", route, str(path)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        runs.append(json.loads(done.stdout))
    middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    factor = statements / middle["rows"] if statements else 1.0
    return {
        "what": route if route != "paths" else f"10k path explanations, {path.name}",
        "input": path.suffix[1:],
        "rows": middle["rows"],
        "seconds": middle["seconds"] * factor,
        "cpu_s": middle["cpu_s"] * factor,
        "rows_per_s": middle["rows"] / middle["seconds"],
        "growth_mb": middle["growth_mb"],
        "scaled": round(factor, 3),
    }


def table(rows: Sequence[dict]) -> str:
    lines = ["| what | input | rows | seconds | cpu s | rows/s | MB above start |"]
    lines.append("|---|---|---|---|---|---|---|")
    for row in rows:
        scaled = f" (x{row['scaled']:g})" if row["scaled"] not in (1.0, "") else ""
        lines.append(
            f"| {row['what']}{scaled} | {row['input']} | {row['rows']:,.0f} | "
            f"{row['seconds']:.2f} | {row['cpu_s']:.2f} | {row['rows_per_s']:,.0f} | "
            f"{row['growth_mb']:.0f} |"
        )
    return "\n".join(lines)


def ratios(rows: Sequence[dict]) -> dict[str, float]:
    """How many times as long the others take, by wall clock and by processor time."""
    out = {}
    by = {(row["what"], row["input"]): row for row in rows}
    for (what, kind), row in by.items():
        ours = by.get(("trefoil", kind))
        if ours is not None and what != "trefoil":
            out[f"{what} / trefoil, {kind}"] = row["seconds"] / ours["seconds"]
            out[f"{what} / trefoil, {kind}, cpu"] = row["cpu_s"] / ours["cpu_s"]
    return out


def parser() -> argparse.ArgumentParser:
    out = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    out.add_argument("--statements", type=int, default=1_000_000)
    out.add_argument("--repeat", type=int, default=3)
    out.add_argument("--full", action="store_true", help="rdflib reads everything")
    out.add_argument("--json", type=Path)
    out.add_argument("--data", type=Path, default=os.environ.get("TREFOIL_DATA"))
    out.add_argument("--one", nargs=2, metavar=("ROUTE", "FILE"), help=argparse.SUPPRESS)
    return out


def main(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    if args.one:
        print(json.dumps(measure_here(args.one[0], Path(args.one[1]))))
        return 0
    rows: list[dict] = []
    with tempfile.TemporaryDirectory() as folder:
        whole = generate(Path(folder), args.statements)
        part = whole if args.full else generate(Path(folder), args.statements // 10)
        for kind, path in whole.items():
            ours, plain = "trefoil", "plain pyoxigraph loop"
            rows += [measure(route, path, args.repeat) for route in (ours, plain)]
            rows.append(measure("rdflib", part[kind], 1, args.statements))
    folders = [Path(args.data) / inside for inside in SETS.values()] if args.data else []
    rows += [measure("paths", folder, args.repeat) for folder in folders if folder.exists()]
    print(table(rows))
    print()
    for name, value in ratios(rows).items():
        print(f"{name}: {value:.2f}")
    if args.json:
        args.json.write_text(json.dumps({"rows": rows, "ratios": ratios(rows)}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
