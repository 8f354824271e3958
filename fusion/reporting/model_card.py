"""What a run says of itself: report, model card and learning curves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trefoil.data.dataset import Dataset
from trefoil.fusion.recommender import Recommender


def training_report(recommender: Recommender, dataset: Dataset) -> dict[str, Any]:
    """The data report and what training chose, as JSON values."""
    record = recommender.model.record
    gate = recommender.model.gate
    return {
        "dataset": recommender.about["dataset"],
        "split": recommender.about["split"],
        "purpose": purpose(recommender),
        "data": {
            "counts": dict(dataset.report.counts),
            "quarantined": dataset.report.reasons,
            "warnings": [*dataset.report.warnings, *record.text_warnings],
        },
        "graph": {
            "nodes": {name: len(nodes) for name, nodes in recommender.graph.nodes.items()},
            "edges": {
                "-".join(ends): len(edges) for ends, edges in recommender.graph.edges.items()
            },
        },
        "base_models": record.chosen,
        "model_seconds": record.seconds,
        "gate": {
            "warm": dict(zip(gate.base_models, gate.warm, strict=True)),
            "cold": dict(zip(gate.base_models, gate.cold, strict=True)),
            "cold_offset": gate.offset,
            "within": {
                name: dict(zip(gate.base_models, warm, strict=True))
                for name, warm in zip(recommender.catalogue.domains, gate.within, strict=False)
            },
        },
        "validation": record.gate,
        "transfer": record.transfer,
        "seconds": recommender.about.get("seconds"),
    }


def purpose(recommender: Recommender) -> str:
    """``judge``: test events are kept from it; ``serve``: it learned from all events."""
    return recommender.about.get("purpose", "judge")


FOR = {
    "judge": "This run is for judging: no test event was seen. To serve people, train once "
    "more with `--final`, which learns from all events.",
    "serve": "This run is for serving: what it is was chosen on the validation events, then it "
    "learned from all events, the test part among them. Its test figures would mean nothing; "
    "judge the same settings without `--final`.",
}


def model_card(recommender: Recommender, dataset: Dataset) -> str:
    """A short model card in Markdown (Mitchell et al. 2019, arXiv:1810.03993)."""
    about, gate = recommender.about["dataset"], recommender.model.gate
    marks = recommender.model.record.gate
    rows = [
        f"| {name} | {marks.get(f'only {name}', float('nan')):.4f} | {warm:+.3f} | {cold:+.3f} |"
        for name, warm, cold in zip(gate.base_models, gate.warm, gate.cold, strict=True)
    ]
    licence = dataset.licence or "not stated by the dataset"
    return "\n".join(
        [
            f"# Model card: {about['name']}",
            "",
            f"A Trefoil model of {about['users']} users and {about['items']} items, learned from "
            f"{about['train']} training events and chosen on {about['valid']} validation events "
            f"(split by {recommender.about['split']['by']}).",
            "",
            FOR[purpose(recommender)],
            "",
            "## What each base model gives",
            "",
            "| base model | validation NDCG@10 alone | weight | weight for items without events |",
            "|---|---|---|---|",
            *rows,
            "",
            _together(marks),
            "",
            "## Use",
            "",
            "Ranks items of this catalogue for its users, for new users with a history or a wish "
            "in words, and for items without events by their text and graph. Scores order; they "
            "are no probabilities. Evaluate with `evaluate.py` before you rely on it.",
            *_beforehand(recommender.about.get("beforehand", {})),
            "",
            "## Limits",
            "",
            "It repeats the tastes and the gaps of its data: what was shown before is likelier to "
            "be shown again. It has not been checked for fairness across groups of people.",
            "",
            f"Licence of the data: {licence}. Fingerprint: `{about['fingerprint']}`.",
            "",
        ]
    )


def _beforehand(told: Mapping[str, int | float]) -> list[str]:
    """What the run holds of people so that lists cost less; empty where it holds nothing."""
    if "people" not in told:
        return []
    words = (
        f"Of {told['people']} people the run holds what depends on their history alone: queries of "
        f"the base models ({told['queries_mb']} MB)"
    )
    if "reasons_of" in told:
        words += f" and the reasons of the first 20 items of each list ({told['reasons_mb']} MB)"
    return ["", f"{words}. Lists are scored when they are asked for."]


def _together(marks: Mapping[str, float]) -> str:
    """The whole ensemble on validation, as it answers: with its reranker, where one was taken."""
    mark = marks.get("reranked", marks.get("chosen"))
    if mark is None:
        return "Together on validation: not judged, for there were too few cases."
    return f"Together on validation: NDCG@10 {mark:.4f}."


def write_curves(recommender: Recommender, folder: Path) -> None:
    """Learning curves as TensorBoard events under ``tensorboard/``."""
    from torch.utils.tensorboard import SummaryWriter

    for number, rows in enumerate(recommender.model.record.history):
        with SummaryWriter(folder / "tensorboard" / f"network-{number}") as writer:
            for row in rows:
                for name, value in row.items():
                    if name not in ("epoch", "seconds"):
                        writer.add_scalar(name, value, int(row["epoch"]))
