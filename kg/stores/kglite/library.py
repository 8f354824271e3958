"""The engine's library, loaded when it is first needed, and a process of its own to build in.

It wants 1.5 KB of static thread storage, of which a process sets little aside: beside torch and
scikit-learn there may be no room for it, and where it comes first there is none for them.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from trefoil.data.errors import StoreError

ROOM = "GLIBC_TUNABLES=glibc.rtld.optional_static_tls=8192"  # what makes room for all of them
BUILD = """
import sys
from importlib.util import module_from_spec, spec_from_file_location
folder, home = sys.argv[1:]  # this very package, whatever else has its name
spec = spec_from_file_location("trefoil", f"{home}/__init__.py", submodule_search_locations=[home])
sys.modules["trefoil"] = module_from_spec(spec)
spec.loader.exec_module(sys.modules["trefoil"])
from trefoil.kg.stores.kglite.store import build
build(folder)
"""


def library() -> ModuleType:
    """The module. Raises StoreError, from an ImportError, where a process has no room for it."""
    if "torch" in sys.modules:
        with suppress(ImportError):
            import sklearn  # noqa: F401  models of texts load it later, and need their room
    try:
        import kglite
    except ImportError as fault:
        raise StoreError(
            f"the graph engine finds no room in this process ({fault}); start Python with "
            f"{ROOM}, or ask in a process of its own: python explore.py RUN"
        ) from fault
    kglite.set_query_warning_policy("silent")  # unknown names are told by the prompt
    return kglite


def build_elsewhere(folder: Path) -> None:
    """Have another process make the engine's file of a folder from its columns and card.

    Raises StoreError with what that process said.
    """
    home = str(Path(__file__).absolute().parents[3])
    done = subprocess.run(
        [sys.executable, "-P", "-c", BUILD, str(folder.absolute()), home],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise StoreError(f"{folder}: the graph engine could not keep it: {last}")
