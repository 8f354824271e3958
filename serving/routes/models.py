"""Which model answers: look, swap, try on a share of users, roll back; and jobs that make one."""

import re
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field
from starlette.responses import Response

from trefoil.data.errors import ConfigError
from trefoil.serving.hosting.host import Host, Model
from trefoil.serving.jobs.runner import Runner, refit, update
from trefoil.serving.jobs.store import Job, JobStore
from trefoil.serving.problems import Problem
from trefoil.serving.routes.documented import answers
from trefoil.serving.routes.guarded import Asked, Call, router
from trefoil.serving.wire import replies
from trefoil.serving.wire.bodies import Body, Swap
from trefoil.serving.wire.shapes import JobReply, ModelsReply, Shape

models = router()
NAME = re.compile(r"[\w][\w.-]{0,99}")


class NewJob(Body):
    """Work to begin: what, and the folder that it writes beside the run."""

    kind: Literal["refit", "update"] = Field(
        description="refit: train again from the run's data; update: learn on from what was told."
    )
    out: Annotated[str, Field(max_length=100)] = Field(description="A folder beside the run.")


class Jobs(Shape):
    """Jobs of a run, the newest first."""

    jobs: list[JobReply]


class Card(Shape):
    """The model card, in Markdown."""

    model: str
    card: str | None


@models.get("/models/current", responses=answers(ModelsReply))
async def current(call: Asked) -> Response:
    """The models of a run, and what share of the users each answers."""
    return replies.reply(models_json(call.host))


@models.post("/models/current", responses=answers(ModelsReply))
async def change(call: Asked, body: Swap) -> Response:
    """Swap, begin or end a canary, or roll back. Requests in flight keep the model they began with.

    A new model is read, checked and warmed up beside the one that answers; only then it
    takes over, by one assignment.
    """
    host = call.host
    if body.action in ("swap", "canary"):
        folder = host.folder_of(body.run or "")
        model = await call.service.slow.run(lambda: Model.load(folder))
        swap, trial = (lambda: host.swap(model)), (lambda: host.trial(model, body.share))
        step = swap if body.action == "swap" else trial
    else:
        step = host.end_trial if body.action == "end_canary" else host.roll_back
    await call.service.changes.run(step)  # it may wait for a change, and replay many
    hosts = call.service.hosts.values()
    call.service.stores.keep({model.name for host in hosts for model in host.line.models})
    return replies.reply(models_json(host))


@models.get("/card", responses=answers(Card))
async def card(call: Asked) -> Response:
    """The model card of the model that answers."""
    model = call.model()
    file = model.folder / "MODEL_CARD.md"
    text = file.read_text("utf-8") if file.is_file() else None
    return replies.reply({"model": model.name, "card": text, "about": model.recommender.about})


@models.get("/jobs", responses=answers(Jobs))
async def jobs(call: Asked) -> Response:
    """Jobs of this run, the newest first."""
    store, _ = _work_of(call)
    return replies.reply({"jobs": [asdict(job) for job in store.of(call.host.name)]})


@models.post("/jobs", status_code=202, responses=answers(JobReply, 202))
async def begin(call: Asked, body: NewJob) -> Response:
    """Begin work in a process of its own; ask /jobs/{id} how it stands."""
    store, runner = _work_of(call)
    if not NAME.fullmatch(body.out):
        raise ConfigError(f"out = {body.out!r}: give letters, digits, '.', '_' and '-'")
    out = call.host.folder_of(body.out)
    if out.exists():
        raise Problem(409, f"there is already a run {body.out!r}", "name another folder")
    command = {"refit": refit, "update": update}[body.kind](call.host.current.folder, out)
    job = store.add(call.host.name, body.kind, body.out)
    if job is None:
        raise Problem(409, f"another job is to write {body.out!r}", "name another folder")
    runner.start(job, command)
    return replies.reply(asdict(job), 202)


@models.get("/jobs/{id}", responses=answers(JobReply))
async def job(call: Asked, id: Annotated[str, Path(max_length=64)]) -> Response:
    """How a job stands, with the last line that it said."""
    return replies.reply(asdict(_job_of(call, id)))


@models.delete("/jobs/{id}", responses=answers(JobReply))
async def stop(call: Asked, id: Annotated[str, Path(max_length=64)]) -> Response:
    """Stop a job that runs or waits."""
    store, runner = _work_of(call)
    found = _job_of(call, id)
    if found.state in ("waiting", "running"):
        if not store.owns(id):
            raise Problem(409, f"{id} is a job of another service", "stop it there")
        runner.stop(id)
    return replies.reply(asdict(store.find(id) or found))


def models_json(host: Host) -> dict[str, object]:
    """The line of models of a run."""
    line = host.line
    return {
        "run": host.name,
        "model": line.current.name,
        "purpose": line.current.recommender.state.purpose,
        "canary": line.canary and line.canary.name,
        "share": line.share,
        "before": line.before and line.before.name,
        "swaps": host.swaps,
    }


def _work_of(call: Call) -> tuple[JobStore, Runner]:
    """The table of jobs and who does them. Raises Problem 501 where the service has none."""
    if call.service.jobs is None or call.service.runner is None:
        raise Problem(501, "this service does no jobs", "start it with --state DIR")
    return call.service.jobs, call.service.runner


def _job_of(call: Call, id: str) -> Job:
    """A job of the run that is asked. Raises Problem 404."""
    found = _work_of(call)[0].find(id)
    if found is None or found.run != call.host.name:
        raise Problem(404, f"no job {id!r} of this run")
    return found
