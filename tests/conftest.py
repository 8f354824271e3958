"""What holds for all tests: one thread, no network, no writing into the home folder."""

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import torch
from neo4j_place import mark, neo4j  # noqa: F401  fixtures

ROOT = Path(__file__).parents[1]
LOCAL = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "", None}

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["NUMBA_DISABLE_JIT"] = "1"  # of ranx, before anything imports numba
os.environ.setdefault("TREFOIL_CACHE", str(ROOT / ".cache"))
torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def _no_network():
    """Only this machine, and the server named by NEO4J_URI, can be found by name or number."""
    allowed = LOCAL | {urlsplit(os.environ.get("NEO4J_URI", "")).hostname}
    find = socket.getaddrinfo

    def guarded(host, *rest, **options):
        name = host.decode() if isinstance(host, bytes) else host
        if name not in allowed:
            raise OSError(f"tests must not reach {name!r}: the network is off")
        return find(host, *rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", guarded)
        yield


@pytest.fixture
def real():
    """Path of a real data folder, or a skip that says what is missing."""
    datasets = Path(os.environ.get("TREFOIL_DATA", ROOT / "../shared/datasets")).resolve()

    def find(name):
        if not (datasets / name).is_dir():
            pytest.skip(f"no {name} in {datasets}; set TREFOIL_DATA")
        return datasets / name

    return find
