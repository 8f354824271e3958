"""The networks of a model: how each is begun, trained, and gone on with after a stop."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from functools import partial

import torch

from trefoil.data.dataset import Dataset
from trefoil.data.errors import TrainingError
from trefoil.data.progress import Progress
from trefoil.fusion.features.texts import Texts
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.features.validation import ManyCases, Validation
from trefoil.fusion.network.checkpoints import Checkpoints, CheckpointStore
from trefoil.fusion.network.inputs import TrainingInputs, network_inputs_of
from trefoil.fusion.network.module import JointNetwork, NetworkConfig
from trefoil.fusion.network.training import Journal, fit_network
from trefoil.fusion.network.warm_start import Source, inherited
from trefoil.fusion.record import Record
from trefoil.fusion.settings import Settings
from trefoil.fusion.training.runtime import device_of, give_back_memory, set_threads
from trefoil.kg.graph import KnowledgeGraph

log = logging.getLogger(__name__)

Begin = Callable[[JointNetwork], Set[str] | None]  # starts a network; what it inherited, by name
SMALL_STEP = 600_000  # scores per step below which threads cost more than they give


def one_network(
    known: TrainingData,
    settings: Settings,
    config: NetworkConfig,
    inputs: TrainingInputs,
    validation: Validation | ManyCases | None,
    progress: Progress | None,
    begin: Begin | None = None,
) -> Callable[..., tuple[JointNetwork, Journal]]:
    """What trains one network, but for its seed, its checkpoints and how far."""
    return partial(
        fit_network,
        network_inputs_of(known, inputs, settings),
        config,
        inputs,
        validation,
        settings,
        device=device_of(settings),
        progress=progress,
        begin=begin,
    )


def train_networks(
    train_one: Callable[..., tuple[JointNetwork, Journal]],
    until: Sequence[Mapping[str, int]],
    seed: int,
    checkpoints: Checkpoints | None,
    say: Callable[[str], None],
    first: int = 0,
    begins: Sequence[Begin] = (),
) -> tuple[list[JointNetwork], list[Journal]]:
    """A network for each entry of ``until``, from a seed of its own.

    An entry says how far each part is trained; empty, validation says it. Checkpoints
    are numbered from ``first`` on. ``begins`` start each, where they differ.
    """
    networks, journals = [], []
    for number, ends in enumerate(until):
        say(f"network {number + 1} of {len(until)}")
        memory = CheckpointStore(checkpoints, first + number) if checkpoints else None
        with _last_good(number, checkpoints):
            own = {"begin": begins[number]} if begins else {}
            network, journal = train_one(
                seed=seed + 1000 * number, memory=memory, until=ends or None, **own
            )
        networks.append(network)
        journals.append(journal)
        give_back_memory()
    return networks, journals


@contextmanager
def few_threads(dataset: Dataset, settings: Settings) -> Iterator[None]:
    """One thread where steps are so small that more cost more than they give."""
    if settings.network.batch_size * len(dataset.items) < SMALL_STEP:
        torch.set_num_threads(1)
    yield
    set_threads(settings)


def beginning(
    source: Source | None,
    dataset: Dataset,
    known: TrainingData,
    graph: KnowledgeGraph | None,
    texts: Texts | None,
    record: Record,
) -> Callable[[JointNetwork], Set[str] | None]:
    """What starts a network from another run, if there is one, and names what came from there."""

    def begin(network: JointNetwork) -> Set[str]:
        if source is None:
            return frozenset()
        ids = dataset.items.vocabulary.ids
        record.transfer = source.begin(network, ids, known.facts, graph, texts)
        return inherited(record.transfer)

    return begin


def sayer(progress: Progress | None) -> Callable[[str], None]:
    """Says what is being done, to whoever follows, else to the log."""
    return (lambda what: progress(0, 0, what)) if progress else (lambda what: log.info(what))


@contextmanager
def _last_good(number: int, checkpoints: Checkpoints | None) -> Iterator[None]:
    """Where training diverges, say of which network, and what is left of it."""
    try:
        yield
    except TrainingError as error:
        left = f"; {checkpoints.last_good()}" if checkpoints else ""
        raise TrainingError(f"network {number + 1}: {error}{left}") from None
