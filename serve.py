"""Serve runs over HTTP: recommendations with reasons, and a page to look at them."""

import argparse
import gc
import math
import os
import socket
import subprocess
import sys
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from trefoil.data.command import run
from trefoil.data.errors import ConfigError
from trefoil.serving.access.keys import SCOPES, KeyFile, checked_scopes

DEMO = Path("runs") / "demo"
KEYS = "trefoil-keys.toml"
BOUNDS = (  # the least and the most of what is given as a number
    ("port", 0, 65_535),
    ("threads", 1, math.inf),
    ("waiting", 0, math.inf),
    ("rate", 0, math.inf),
)


def parser() -> argparse.ArgumentParser:
    """The command line that serves."""
    p = argparse.ArgumentParser(
        prog="serve.py",
        description="Serve runs over HTTP. The first answers under /v1/, each under /v1/NAME/.",
        epilog="Keys: serve.py keys add|list|remove. Tools for language models: serve.py mcp RUN. "
        "Exit status: 0 done, 2 wrong use or bad "
        "input, 1 a fault of Trefoil. See docs/service.md.",
    )
    p.add_argument("runs", nargs="*", type=Path, metavar="RUN", help="run folders")
    p.add_argument("--host", default="127.0.0.1", help="address to bind (default: 127.0.0.1)")
    p.add_argument("--port", type=int, default=8000, help="to listen on (default: 8000)")
    p.add_argument(
        "--demo", action="store_true", help="serve the demo, trained first where it is not there"
    )
    p.add_argument("--keys", type=Path, metavar="FILE", help=f"the file of keys ({KEYS}, if there)")
    p.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME", help="a host name clients use"
    )
    p.add_argument("--state", type=Path, metavar="DIR", help="where jobs are written down")
    p.add_argument("--rate", type=float, default=0.0, help="requests per second and key (0: any)")
    p.add_argument(
        "--processes", type=int, default=1, help="that answer; all but one only read (default: 1)"
    )
    p.add_argument(
        "--threads", type=int, default=2, help="threads that score, of each process (default: 2)"
    )
    p.add_argument("--waiting", type=int, default=64, help="requests that may wait (default: 64)")
    return p


def keys_parser() -> argparse.ArgumentParser:
    """The command line that makes and removes keys."""
    p = argparse.ArgumentParser(
        prog="serve.py keys", description="Keys of the service: only hashes of them are kept."
    )
    p.add_argument("action", choices=("add", "list", "remove"))
    p.add_argument("id", nargs="?", help="of the key to remove")
    p.add_argument("--scope", default="read", metavar="A,B", help=f"some of {', '.join(SCOPES)}")
    p.add_argument("--name", default="key", help="what the key is for")
    p.add_argument("--rate", type=float, default=0.0, help="requests per second (0: the service's)")
    p.add_argument("--run", action="append", default=[], help="only for this run; may be repeated")
    p.add_argument("--keys", type=Path, default=Path(KEYS), metavar="FILE")
    return p


def keys(argv: Sequence[str]) -> int:
    """Add, list or remove keys."""
    args = keys_parser().parse_args(argv)
    console = Console(soft_wrap=True, markup=False, emoji=False, highlight=False)
    file = KeyFile.load(args.keys)
    if args.action == "add":
        scopes = checked_scopes(args.scope)
        key, token = file.add(args.name, scopes, rate=args.rate, runs=args.run)
        console.print(token)
        told = f"{args.keys}: key {key.id} ({', '.join(scopes)}). It is shown this once."
        Console(stderr=True, soft_wrap=True, markup=False).print(told)
    elif args.action == "remove":
        gone = file.remove(args.id or "")
        console.print(f"{args.keys}: key {gone.id} ({gone.name}) is gone")
    else:
        for one in file.keys.values():
            runs = f" · runs {', '.join(one.runs)}" if one.runs else ""
            console.print(f"{one.id}  {one.name}  {', '.join(one.scopes)}  {one.made}{runs}")
    return 0


def mcp(argv: Sequence[str]) -> int:
    """Answer a language model's client over standard input and output."""
    p = argparse.ArgumentParser(
        prog="serve.py mcp", description="Tools of the Model Context Protocol, over stdio."
    )
    p.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    args = p.parse_args(argv)
    try:
        from trefoil.serving.mcp_server import server_of
    except ModuleNotFoundError as missing:
        raise ConfigError(f"{missing.name} is not installed; pip install 'trefoil[mcp]'") from None
    server_of(args.run).run("stdio")
    return 0


def demo(console: Console) -> Path:
    """The run of the demo; trained, with its progress, where there is none."""
    if not (DEMO / "manifest.json").exists():
        console.print(f"{DEMO} is not there yet: training the demo takes some minutes")
        command = [sys.executable, "-m", "trefoil.train", "--data", "demo", "--out", str(DEMO)]
        root = str(Path(__file__).resolve().parent)
        known = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(known)}
        status = subprocess.run(command, env=environment, check=False).returncode
        if status:
            raise ConfigError(f"training the demo ended with {status}; see above")
    return DEMO


def bound(host: str, port: int) -> socket.socket:
    """The address, held before runs are loaded; nobody is let in yet. Raises ConfigError."""
    place = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind((host, port))
    except OSError as fault:
        place.close()
        raise ConfigError(
            f"--host {host} --port {port}: {fault.strerror}; give another --port"
        ) from None
    return place


def serve(argv: Sequence[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else list(argv)
    if argv[:1] == ["keys"]:
        return keys(argv[1:])
    if argv[:1] == ["mcp"]:
        return mcp(argv[1:])
    args = parser().parse_args(argv)
    for name, least, most in BOUNDS:
        if not least <= (value := getattr(args, name)) <= most:
            end = f"to {most:,}" if most < math.inf else "or more"
            raise ConfigError(f"--{name} {value}: give {least} {end}")
    if args.processes < 1 or (args.processes > 1 and os.name == "nt"):
        raise ConfigError("--processes: give 1 or more; on Windows 1")
    console = Console(stderr=True, soft_wrap=True, markup=False, emoji=False)
    runs = [*args.runs, *([demo(console)] if args.demo else [])]
    if not runs:
        raise ConfigError("no run to serve; give a run folder, or --demo")
    try:
        import uvicorn

        from trefoil.serving.app import LISTENING, create_app
    except ModuleNotFoundError as missing:
        raise ConfigError(
            f"{missing.name} is not installed; pip install 'trefoil[serve]'"
        ) from None
    from trefoil.serving.service import Limits, service_of

    file = args.keys or (Path(KEYS) if Path(KEYS).exists() else None)
    place = bound(args.host, args.port)
    limits = Limits(rate=args.rate, threads=args.threads, waiting=args.waiting)
    service = service_of(
        runs,
        host=args.host,
        keys=file,
        names=args.allow_host,
        limits=limits,
        jobs=(args.state or runs[0].absolute().parent / ".service") / "jobs.sqlite",
    )
    gc.freeze()  # what was loaded stays: to look through it again and again holds requests up
    name = f"[{args.host}]" if ":" in args.host else args.host
    where = f"http://{name}:{place.getsockname()[1]}/"
    console.print(f"{', '.join(service.hosts)}: ready at {where}")
    if args.demo and sys.stdout.isatty():
        webbrowser.open(where)
    app = create_app(service)
    with suppress(KeyboardInterrupt):
        if args.processes > 1:
            from trefoil.serving.processes.first import run as run_several

            told = {"host": args.host, "names": args.allow_host, "limits": asdict(limits)}
            told["keys"] = None if file is None else str(file.absolute())
            run_several(app, service, place, args.processes - 1, told)
        else:
            uvicorn.Server(uvicorn.Config(app, **LISTENING)).run(sockets=[place])
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return run(serve, argv)


if __name__ == "__main__":
    raise SystemExit(main())
