"""Learning: every leaf from training events, every choice on validation events."""

import logging
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from data.dataset import Dataset
from data.errors import ConfigError, TrainingError
from data.split import Split, rehearsal
from evaluation.protocol import carved
from evaluation.rows import RowExam, ctr_exam, stars_exam
from fusion.clicks import fit_clicks
from fusion.fit import Journal, Progress, fit_network, shape_of
from fusion.gate import Gate
from fusion.gate_fit import fit_gate
from fusion.known import Known
from fusion.leaves import Fitted, fit_cheap_leaves
from fusion.material import (
    evidence_of,
    known_of,
    lessons_of,
    read_texts,
    returning,
    validation_exam,
)
from fusion.memory_plan import plan_memory
from fusion.model import Model, network_leaves
from fusion.network import JointNetwork
from fusion.network_leaf import NetworkLeaf
from fusion.newcomers import newcomers_gate
from fusion.ratings import RatingProcess, fit_ratings
from fusion.reranker import Reranker, log_events_of
from fusion.reranker_fit import FEWEST_CASES, fit_reranker, marks_of_other
from fusion.settings import Settings
from fusion.stars import Stars, fit_stars
from fusion.texts import Texts
from fusion.transfer import Source
from fusion.unfinished import Memory, Unfinished
from fusion.validation import MOST_CELLS, Validation
from kg.graph import KnowledgeGraph

log = logging.getLogger(__name__)

SMALL_STEP = 600_000  # scores per step below which threads cost more than they give
SMALL_PASS = 10_000_000  # users x items up to which a network is cheap enough to train three
REHEARSED = 0.1  # share of training that the blend is learned on, where validation is thin
SMALLEST_VALIDATION = 20  # cases; with fewer the gate keeps equal weights


def fit_model(
    dataset: Dataset,
    split: Split,
    graph: KnowledgeGraph | None,
    settings: Settings,
    progress: Progress | None = None,
    checkpoints: Unfinished | None = None,
    source: Source | None = None,
) -> Model:
    """Learn from training events, choose on validation events; the test part stays closed.

    ``checkpoints`` keeps the state of each network after every look, and gives
    it back where training was stopped; ``source`` is a run to start from. Raises
    TrainingError where training diverges.
    """
    rehearsed = _rehearse(dataset, split, graph, settings, progress, source)
    seed_everything(settings)
    say = _sayer(progress)
    device = device_of(settings)
    train = dataset.interactions.take(split.train)
    notes: dict[str, object] = {}
    texts = read_texts(dataset, settings, device, progress, notes, source)
    known = known_of(dataset, train, graph, texts, settings, returning=returning(dataset, split))
    seen = torch.from_numpy(np.diff(known.matrix.tocsc().indptr) > 0)
    plan = plan_memory(known, settings)
    sized, notes["plan"] = plan.applied(settings), plan.record()
    validation = Validation.of(validation_exam(dataset, split), seen, plan.cells)
    fitted = fit_cheap_leaves(known, validation, sized, say)
    given, exam = _fit_ratings(dataset, split, known, settings, fitted, say)
    behaviour = settings.behaviour.on and known.timed and _order_pays(fitted, settings)
    networks, journals = list[JointNetwork](), list[Journal]()
    if settings.network.on:
        lessons = lessons_of(dataset, train, known, settings, behaviour=behaviour)
        train_one = partial(
            fit_network,
            evidence_of(dataset, known, settings),
            shape_of(settings, lessons, behaviour=behaviour),
            lessons,
            validation,
            sized,
            device=device,
            progress=progress,
            begin=partial(_begin, source, dataset, known, graph, texts, notes),
        )
        if settings.network.batch * len(dataset.items) < SMALL_STEP:
            torch.set_num_threads(1)
        cheap = not behaviour and known.matrix.shape[0] * known.matrix.shape[1] <= SMALL_PASS
        count = settings.network.seeds or (3 if cheap else 1)
        networks, journals = _train_networks(train_one, count, settings.seed, checkpoints, say)
        fitted.leaves = network_leaves(networks) | fitted.leaves
        set_threads(settings)
    say("gate")
    gate, reranker, marks = _fit_gate(fitted, known, validation, settings, rehearsed)
    notes |= {"chosen": fitted.chosen, "seconds": fitted.seconds, "gate": marks}
    notes |= {"history": [journal.rows for journal in journals], "order_pays": behaviour}
    newcomers, notes["newcomers"] = _fit_newcomers(fitted, gate, validation)
    clicks, rates = _fit_clicks(dataset, split, fitted, seen), _fit_rates(fitted, given, exam)
    parts = settings, known, fitted.leaves, gate, networks, texts, seen, notes, clicks
    return Model(*parts, rates=rates, newcomers=newcomers, reranker=reranker)


def _rehearse(
    dataset: Dataset,
    split: Split,
    graph: KnowledgeGraph | None,
    settings: Settings,
    progress: Progress | None,
    source: Source | None,
) -> Model | None:
    """A model without a tenth of training, asked for it: how to blend leaves is learned there.

    None unless validation was carved from given training events. Then it is thin, so
    that leaves lose little: enough to choose by, but not to teach a reranker.
    """
    people = len(np.unique(dataset.interactions.user[split.valid]))
    lists = min(people, MOST_CELLS // len(dataset.items))
    if not (settings.rerank and carved(dataset, split) and lists >= FEWEST_CASES):
        return None
    _sayer(progress)("rehearsal without a tenth of training")
    part = rehearsal(dataset, split, REHEARSED)
    return fit_model(dataset, part, graph, settings, progress, source=source)


def _train_networks(
    train_one: Callable[..., tuple[JointNetwork, Journal]],
    count: int,
    seed: int,
    checkpoints: Unfinished | None,
    say: Callable[[str], None],
) -> tuple[list[JointNetwork], list[Journal]]:
    """So many networks, each from a seed of its own."""
    networks, journals = [], []
    for number in range(count):
        say(f"network {number + 1} of {count}")
        memory = Memory(checkpoints, number) if checkpoints else None
        with _last_good(number, checkpoints):
            network, journal = train_one(seed=seed + 1000 * number, memory=memory)
        networks.append(network)
        journals.append(journal)
    return networks, journals


def seed_everything(settings: Settings) -> None:
    """One seed for all generators, and kernels that give the same sums every time."""
    random.seed(settings.seed)
    np.random.seed(settings.seed)  # noqa: NPY002 - libraries below may still use it
    torch.manual_seed(settings.seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Memory that is written before it is read need not be filled first: that costs 6 %.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    set_threads(settings)


def set_threads(settings: Settings) -> None:
    """As many threads as asked for, or as there are processors, up to eight."""
    torch.set_num_threads(settings.threads or min(8, os.cpu_count() or 1))


def device_of(settings: Settings) -> torch.device:
    """The device asked for; "auto" takes a GPU where there is one.

    Raises ConfigError where a GPU is asked for and there is none.
    """
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device = 'cuda': torch finds no GPU here; use 'auto' or 'cpu'")
    if settings.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(settings.device)


@contextmanager
def _last_good(number: int, checkpoints: Unfinished | None) -> Iterator[None]:
    """Where training diverges, say of which network, and what is left of it."""
    try:
        yield
    except TrainingError as error:
        left = f"; {checkpoints.last_good()}" if checkpoints else ""
        raise TrainingError(f"network {number + 1}: {error}{left}") from None


def _begin(
    source: Source | None,
    dataset: Dataset,
    known: Known,
    graph: KnowledgeGraph | None,
    texts: Texts | None,
    notes: dict[str, object],
    network: JointNetwork,
) -> None:
    """Start a network from another run, if there is one."""
    if source is not None:
        ids = dataset.items.vocabulary.ids
        notes["transfer"] = source.begin(network, ids, known.facts, graph, texts)


def _sayer(progress: Progress | None) -> Callable[[str], None]:
    return (lambda what: progress(0, 0, what)) if progress else (lambda what: log.info(what))


def _order_pays(fitted: Fitted, settings: Settings) -> bool:
    """Whether a history weighted towards the present served validation better."""
    if not settings.behaviour.only_where_order_pays or "linear-recent" not in fitted.chosen:
        return True
    return fitted.chosen["linear-recent"]["ndcg"] > fitted.chosen["linear"]["ndcg"]


def _fit_gate(
    fitted: Fitted,
    known: Known,
    validation: Validation,
    settings: Settings,
    rehearsed: Model | None,
) -> tuple[Gate, Reranker | None, dict[str, float]]:
    names = tuple(fitted.leaves)
    if len(validation) < SMALLEST_VALIDATION:
        equal = (1.0,) * len(names)
        return Gate(names, equal, equal, -3.0), None, {}
    scores = {name: leaf.score(validation.cases) for name, leaf in fitted.leaves.items()}
    own = {f"only {name}": validation.ndcg(part) for name, part in scores.items()}
    gate, marks = fit_gate(scores, validation)
    marks = own | marks
    if not settings.rerank:
        return gate, None, marks
    events = log_events_of(known)
    if rehearsed is not None and rehearsed.reranker is not None:
        reranker = replace(rehearsed.reranker, log_events=events)
        other = marks_of_other(scores, gate, validation, rehearsed.gate, reranker)
        if other is not None:
            return rehearsed.gate, reranker, marks | other
    returning, seed = known.returning, settings.seed
    reranker, more = fit_reranker(scores, gate, validation, events, returning=returning, seed=seed)
    return gate, reranker, marks | more


def _fit_newcomers(
    fitted: Fitted, gate: Gate, validation: Validation
) -> tuple[Gate | None, dict[str, float]]:
    if len(validation) < SMALLEST_VALIDATION:
        return None, {}
    return newcomers_gate(fitted.leaves, gate, validation)


def _fit_clicks(dataset: Dataset, split: Split, fitted: Fitted, seen: Tensor) -> Gate | None:
    positive = dataset.interactions.positive[split.valid]
    if positive.all() or not positive.any():
        return None
    return fit_clicks(fitted.leaves, seen, ctr_exam(dataset, split, "valid"))


def _fit_ratings(
    dataset: Dataset,
    split: Split,
    known: Known,
    settings: Settings,
    fitted: Fitted,
    say: Callable[[str], None],
) -> tuple[np.ndarray, RowExam | None]:
    """The leaf of ratings, where there are any; those of training, and those held out."""
    stars = dataset.interactions.stars
    if stars is None or not settings.tasks.stars:
        return np.empty(0, np.float32), None
    given = stars[split.train]
    given = given[~np.isnan(given)]
    exam = None if np.isnan(stars[split.valid]).all() else stars_exam(dataset, split, "valid")
    if settings.ratings and len(given):
        say("ratings")
        began = time.perf_counter()
        fitted.add("ratings", fit_ratings(known, exam), began)
    return given, exam


def _fit_rates(fitted: Fitted, given: np.ndarray, exam: RowExam | None) -> Stars | None:
    """How expected ratings are put together, where networks were taught any."""
    network, process = fitted.leaves.get("network"), fitted.leaves.get("ratings")
    if not len(given) or not isinstance(network, NetworkLeaf):
        return None
    assert process is None or isinstance(process, RatingProcess)
    return fit_stars(network, process, given, exam)
