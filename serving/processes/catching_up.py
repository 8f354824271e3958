"""How a reader becomes what the first process is: by the log's new rows, or by loading anew."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from trefoil.data.manifest import load_manifest
from trefoil.fusion.following import read_on
from trefoil.fusion.served_run import model_digest
from trefoil.serving.hosting.host import Host, Line, Model
from trefoil.serving.service import Service

log = logging.getLogger(__name__)


def taken_over(service: Service, runs: Mapping[str, Any]) -> None:
    """Name models as the first process does, which may have rewritten a run since it loaded it."""
    for name, told in runs.items():
        host = service.hosts[name]
        host.line = Line(replace(host.current, digest=told["digest"]))


def caught_up(service: Service, runs: Mapping[str, Any]) -> bool:
    """Bring each run to where the first process is; whether all of them are there.

    ``runs`` is as ``First`` tells it. Raises DataError, ConfigError and OSError where a run
    cannot be read.
    """
    there = [_followed(service.hosts[name], told) for name, told in runs.items()]
    return all(there)


def _followed(host: Host, told: Mapping[str, Any]) -> bool:
    number, _, digest = told["token"].partition("-")
    model, folder = host.current, Path(told["folder"])
    same = (model.folder, model.digest) == (folder, told["digest"])
    same = same and model.recommender.state.digest == digest
    if not (same and read_on(model.recommender, int(number))):
        if model_digest(load_manifest(folder))[:12] != digest:
            _warn(folder, digest)
            return False
        host.line = Line(replace(Model.load(folder), digest=told["digest"]))
        model.recommender.close()
    return host.current.recommender.state.token == told["token"]


@cache  # once for each run, not with each change
def _warn(folder: Path, digest: str) -> None:
    log.warning("%s: another run has the place of %s; its questions are passed on", folder, digest)
