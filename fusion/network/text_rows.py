"""Texts read while the network learns: some of each step anew, others as read last."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from trefoil.encoders.text.encoder import Whitening
from trefoil.encoders.text.reader import Reader
from trefoil.encoders.view import View
from trefoil.fusion.network.module import JointNetwork


class TextRows:
    """The text vectors of a network, of which each step reads ``count`` with gradients.

    They are those of items that the step is about. The language model learns at its own
    ``rate``, for it knows more than the network does (discriminative rates, Howard & Ruder
    2018, arXiv:1801.06146).
    """

    def __init__(
        self, reader: Reader, whitening: Whitening, known: Tensor, count: int, rate: float
    ) -> None:
        self.reader, self.whitening, self.known = reader, whitening, known
        self.count, self.rate = count, rate
        self.steps = 0

    def group(self) -> dict[str, object]:
        """What learns in the language model, and how fast, for an optimiser."""
        return {"params": self.reader.tuner.parameters(), "lr": self.rate}

    def read(self, network: JointNetwork, items: Tensor, rng: np.random.Generator) -> None:
        """Put vectors with gradients into the network's table, for some of these items."""
        rows = np.unique(items.cpu().numpy())
        rows = rows[self.known[torch.from_numpy(rows)].numpy()]
        rows = np.sort(rng.permutation(rows)[: self.count])
        before = network.text_vectors.detach()
        if not len(rows):
            network.text_vectors = before
            return
        raw = self.reader.read(rows)
        told = View(raw, torch.ones(len(rows), dtype=torch.bool))
        fresh = self.whitening(told).vectors.to(before.device)
        place = torch.from_numpy(rows).to(before.device)
        network.text_vectors = before.index_copy(0, place, fresh)

    def keep(self, networks: Iterable[JointNetwork]) -> None:
        """After a step: what was read stands as it is, in the network and its running mean."""
        first, *others = networks
        vectors = first.text_vectors.detach()
        for one in (first, *others):
            one.text_vectors = vectors
        self.steps += 1
        self.reader.tuner.stepped(self.steps)
