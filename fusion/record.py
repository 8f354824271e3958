"""What a training tells of itself: choices, marks, times; nothing that a prediction needs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

Marks = Mapping[str, float]
Rows = Sequence[dict[str, Any]]


@dataclass
class Record:
    """For reports and cards.

    ``chosen`` holds the numbers of each base model with its validation NDCG@10
    (``ndcg``), ``seconds`` what each took, ``gate`` and ``cold_users`` validation NDCG@10
    on the way to the blend, ``fine_tuning`` what the text encoder learned from and its marks,
    ``history`` one row per look and network, ``plan`` what fitted into memory.
    """

    chosen: Mapping[str, Marks] = field(default_factory=dict)
    seconds: Marks = field(default_factory=dict)
    gate: Marks = field(default_factory=dict)
    cold_users: Marks = field(default_factory=dict)
    order_pays: bool = False
    history: Sequence[Rows] = ()
    text_warnings: Sequence[str] = ()
    added_warnings: Sequence[str] = ()
    transfer: Mapping[str, int] | None = None
    fine_tuning: Mapping[str, Any] = field(default_factory=dict)
    plan: Mapping[str, Any] = field(default_factory=dict)


RECORD, HISTORY = "record.json", "history.jsonl"


def save_record(record: Record, folder: Path) -> None:
    """Write record.json, and history.jsonl with a line per look and network."""
    told = {name: value for name, value in asdict(record).items() if name != "history"}
    text = json.dumps(told, ensure_ascii=False, indent=1, default=float)
    (folder / RECORD).write_text(text + "\n", "utf-8")
    rows = [{"network": number, **row} for number, own in enumerate(record.history) for row in own]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / HISTORY).write_text(lines, "utf-8")


def load_record(folder: Path) -> Record:
    """What ``save_record`` wrote, without what only other versions tell."""
    told = json.loads((folder / RECORD).read_text("utf-8"))
    names = {one.name for one in fields(Record)}
    kept = {name: value for name, value in told.items() if name in names}
    return Record(**kept, history=load_history(folder))


def load_history(folder: Path) -> list[list[dict[str, Any]]]:
    """The looks of each network, in order."""
    found: list[list[dict[str, Any]]] = []
    for line in (folder / HISTORY).read_text("utf-8").splitlines():
        row = json.loads(line)
        number = row.pop("network")
        while len(found) <= number:
            found.append([])
        found[number].append(row)
    return found
