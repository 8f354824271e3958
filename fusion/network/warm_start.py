"""Starting from another run: its texts and facts, under a new vocabulary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trefoil.data.errors import ConfigError
from trefoil.data.vocabulary import Vocabulary
from trefoil.encoders.text.encoder import TextEncoder, Whitening
from trefoil.fusion.features.texts import Texts
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.network.module import JointNetwork
from trefoil.kg.graph import KnowledgeGraph
from trefoil.kg.item_facts import Facts

Entity = tuple[str, str]  # label and id


@dataclass(frozen=True)
class Source:
    """What a trained network knows that means something elsewhere, by names.

    Vectors of entities and items by id, weights of relations by name, and the
    adapter over texts together with the whitening that it reads through. Users,
    biases and sequences stay behind.
    """

    width: int
    texts: Texts | None
    adapter: Tensor | None
    items: Mapping[str, Tensor]
    entities: Mapping[Entity, Tensor]
    relations: Mapping[str, Tensor]

    @classmethod
    def of(
        cls,
        networks: Sequence[JointNetwork],
        known: TrainingData,
        texts: Texts | None,
        items: Vocabulary,
        graph: KnowledgeGraph,
    ) -> "Source":
        """From the first network of a run. Raises ConfigError where there is none."""
        if not networks:
            raise ConfigError("the run to start from has no network (network.on was false)")
        network, facts = networks[0], known.facts
        weights = {name: weight.detach().cpu() for name, weight in network.named_parameters()}
        entities: dict[Entity, Tensor] = {}
        relations: dict[str, Tensor] = {}
        if network.facts is not None and facts is not None:
            names = entity_names(facts, graph)
            entities = dict(zip(names, weights["entity_id.weight"], strict=False))
            for name, weight in zip(facts.relations, weights["facts.weight"], strict=False):
                relations.setdefault(name, weight)
        met = network.seen.tolist()
        vectors = zip(items.ids, weights["item_id.weight"], met, strict=True)
        own = {item: vector for item, vector, seen in vectors if seen}
        return cls(
            network.config.width, texts, weights.get("text.weight"), own, entities, relations
        )

    def whitening_for(self, encoder: TextEncoder) -> Whitening | None:
        """The run's whitening, if its texts were read by the same encoder."""
        if self.texts is None or self.texts.encoder.name != encoder.name:
            return None
        return self.texts.whitening

    def begin(
        self,
        network: JointNetwork,
        items: Sequence[str],
        facts: Facts | None,
        graph: KnowledgeGraph | None,
        texts: Texts | None,
    ) -> dict[str, int]:
        """Put what is known into a network that has learned nothing; says how much it was.

        Raises ConfigError where the widths differ.
        """
        if network.config.width != self.width:
            raise ConfigError(
                f"embedding_size is {network.config.width}, but {self.width} in the run to start "
                f"from; set embedding_size={self.width}"
            )
        found = {"items": _fill(network.item_id.weight, items, self.items)}
        if network.facts is not None and facts is not None and graph is not None:
            names = entity_names(facts, graph)
            found["entities"] = _fill(network.entity_id.weight, names, self.entities)
            found["relations"] = _fill(network.facts.weight, facts.relations, self.relations)
        if network.text is not None and texts is not None and self.adapter is not None:
            same = self.texts is not None and texts.whitening is self.texts.whitening
            found["text"] = int(same)
            if same:
                with torch.no_grad():
                    network.text.weight.copy_(self.adapter)
        return found


WEIGHTS = {
    "items": "item_id.weight",
    "entities": "entity_id.weight",
    "relations": "facts.weight",
    "text": "text.weight",
}


def inherited(found: Mapping[str, int]) -> frozenset[str]:
    """Names of the weights of which anything came from the other run, as ``begin`` told."""
    return frozenset(WEIGHTS[name] for name, count in found.items() if count)


def entity_names(facts: Facts, graph: KnowledgeGraph) -> list[Entity]:
    """Label and id of each entity that facts lead to."""
    return [(label, graph.nodes[label].vocabulary[row]) for label, row in facts.entities]


def _fill(table: Tensor, names: Sequence, known: Mapping) -> int:
    """Rows of a table by name, as far as they are known; how many that were."""
    count = 0
    with torch.no_grad():
        for row, name in zip(range(len(table)), names, strict=False):
            if name in known:
                table[row] = known[name]
                count += 1
    return count
