"""Early stopping: the best weights of a part of the network, and when to stop training it."""

from torch import Tensor

from trefoil.fusion.network.module import JointNetwork


def sequence_part(network: JointNetwork) -> list[str]:
    """Names of the weights that read events in order."""
    return [n for n in network.state_dict() if n.startswith(("behaviour.", "sequence_"))]


def ranking_part(network: JointNetwork) -> list[str]:
    """Names of all other weights."""
    return [n for n in network.state_dict() if not n.startswith(("behaviour.", "sequence_"))]


LEAST_GAIN = 0.003  # of the mark, relative: less does not renew the patience


class EarlyStopping:
    """The best weights of one part so far, and whether to go on.

    Any better mark is kept, but only a gain of ``LEAST_GAIN`` since patience was
    last renewed renews it: a long creep is not worth its time. With ``until``, an epoch,
    nothing is judged: the weights of that epoch are kept, and training goes no further.
    """

    def __init__(
        self, network: JointNetwork, names: list[str], patience: int, until: int | None = None
    ) -> None:
        self.network, self.names, self.patience, self.until = network, names, patience, until
        self.best, self.since, self.open = -1.0, 0, True
        self.renewed_at = -1.0
        self.kept: dict[str, Tensor] = {}

    def look(self, mark: float) -> None:
        """Take note of a validation mark; the weights are kept if it is the best so far."""
        if mark > self.best:
            self._keep()
            self.best = mark
        if mark > self.renewed_at * (1 + LEAST_GAIN) or self.renewed_at < 0:
            self.renewed_at, self.since = mark, 0
        else:
            self.since += 1
            self.open = self.since < self.patience

    def reach(self, epoch: int) -> None:
        """Take note of an epoch of a training whose length was chosen before."""
        if self.until is not None and epoch >= self.until:
            self._keep()
            self.open = False

    def _keep(self) -> None:
        state = self.network.state_dict()
        self.kept = {name: state[name].clone() for name in self.names}

    def restore(self) -> None:
        """Put the kept weights back."""
        self.network.load_state_dict(self.kept, strict=False)
