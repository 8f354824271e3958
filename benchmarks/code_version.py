"""Which code gave a figure: a digest of the sources, and the commit they were made from."""

from __future__ import annotations

import hashlib
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("data", "kg", "encoders", "evaluation", "fusion")
OWN = ("quality.py", "rivals.py", "sets.py")  # of the benchmark, what decides a figure


@cache
def code_digest(root: Path = ROOT) -> str:
    """SHA-256, shortened, of every source file that a figure may hang on, with its name."""
    files = [path for package in PACKAGES for path in (root / package).rglob("*.py")]
    files += [root / "benchmarks" / name for name in OWN]
    digest = hashlib.sha256()
    for path in sorted(files):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


@cache
def commit(root: Path = ROOT) -> str:
    """The commit that is checked out, "and changes" where tracked files differ from it.

    "no commit" outside a repository.
    """
    name = _git(root, "rev-parse", "--short", "HEAD")
    if not name:
        return "no commit"
    return f"{name} and changes" if _git(root, "status", "--porcelain", "-uno") else name


def _git(root: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True)
    except OSError:  # no git on this machine
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
