"""Whether the service lives and is ready, and what it does."""

import resource
import time
from typing import Any

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from trefoil.serving.problems import Problem
from trefoil.serving.routes.documented import answers
from trefoil.serving.routes.guarded import Asked, router
from trefoil.serving.routes.models import models_json
from trefoil.serving.service import Service
from trefoil.serving.wire import replies
from trefoil.serving.wire.shapes import Shape

health = router()


class Health(Shape):
    """What a run does now."""

    models: dict[str, Any]
    recent: dict[str, Any]
    sentences: list[str]
    drift: dict[str, Any]


def service_routes() -> APIRouter:
    """Routes of the process, not of a run."""
    own = router()

    @own.get("/live", responses=answers(Shape))
    async def live() -> Response:
        """The process answers."""
        return replies.reply({"live": True})

    @own.get("/ready", responses=answers(Shape))
    async def ready(request: Request) -> Response:
        """All runs are loaded, checked and warmed up, and the queue has room."""
        service: Service = request.app.state.service
        if not service.ready or service.workers.busy >= service.workers.most:
            why = "stopping" if not service.ready else "as many requests wait as may"
            raise Problem(503, f"not ready: {why}", headers={"Retry-After": "1"})
        return replies.reply({"ready": True})

    @own.get("/metrics", responses={200: {"content": {"text/plain": {}}, "description": "Done"}})
    async def metrics(request: Request) -> Response:
        """Numbers for Prometheus."""
        service: Service = request.app.state.service
        await service.statements.run(lambda: tell_drift(service))
        tell_models(service)
        return Response(service.metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return own


@health.get("/health", responses=answers(Health))
async def look(call: Asked) -> Response:
    """The last five minutes in numbers and sentences."""
    metrics, host = call.service.metrics, call.host
    recent = metrics.recent()
    drift = await call.service.statements.run(lambda: host.drift.of(host.current.recommender))
    told = {
        "models": models_json(host),
        "recent": recent,
        "sentences": sentences(recent),
        "drift": drift.told(),
        "up_s": round(time.monotonic() - metrics.began, 1),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "waiting": call.service.workers.busy,
        "shed": call.service.workers.shed,
        "items": len(host.current.recommender.catalogue.items),
        "users": len(host.current.recommender.catalogue.users),
        "kept_answers": len(call.service.kept),
    }
    return replies.reply(told)


@health.get("/runs", responses=answers(Shape))
async def runs(call: Asked) -> Response:
    """The runs that this key opens, the `first` of this process, and what the key may do."""
    key = call.key
    hosts = list(call.service.hosts)
    names = [name for name in hosts if not key.runs or name in key.runs]
    told = {"runs": names, "first": hosts[0], "scopes": key.scopes, "key": key.name}
    return replies.reply(told)


def tell_models(service: Service) -> None:
    """Bring the gauges of models up to date."""
    metrics = service.metrics
    metrics.model.clear()
    metrics.waiting.set(service.workers.busy)
    for name, host in service.hosts.items():
        line = host.line
        for role in ("current", "canary", "before"):
            if (model := getattr(line, role)) is not None:
                metrics.model.labels(name, model.name, role).set(1)
        metrics.canary.labels(name).set(line.share)
        metrics.swaps.labels(name).set(host.swaps)


def tell_drift(service: Service) -> None:
    """Bring the gauges of drift up to date."""
    for name, host in service.hosts.items():
        for kind, value in host.drift.of(host.current.recommender).numbers().items():
            service.metrics.drift.labels(name, kind).set(value)


def sentences(recent: dict[str, Any]) -> list[str]:
    """What stands out in the last minutes, in words; the first one when nothing does."""
    found = []
    if recent["faults"]:
        found.append(f"{recent['faults']} requests failed by a fault of the service; see its log.")
    if (recent["cold_share"] or 0) > 0.5:
        found.append(
            f"{recent['cold_share']:.0%} of the lists were for users without a known event: "
            "check that ids of users are those of the training data, or fit again."
        )
    if (recent["unknown_share"] or 0) > 0.1:
        found.append(
            f"{recent['unknown_share']:.0%} of the calls named ids or contexts never seen: "
            "add the new items, or check how ids are written."
        )
    if (recent["short_share"] or 0) > 0.1:
        found.append(
            f"{recent['short_share']:.0%} of the lists were shorter than asked for: "
            "filters leave too few candidates."
        )
    if not found:
        quiet = "Nothing has been asked yet." if not recent["answers"] else "All is well."
        found.append(quiet)
    return found
