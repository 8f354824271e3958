"""Files read block by block: the same rows, faults and dataset as files read whole."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from trefoil.data import Dataset, compression, read_dataset
from trefoil.data.errors import DataError
from trefoil.data.readers import dataset_toml
from trefoil.data.readers.blocks import Blocks, read_blocks
from trefoil.data.readers.tables import FileForm, Table, read_table

LINES = [
    "user,item,rating,time,kind,where",
    *(f"u{k % 37},i{k % 53},{k % 5 + 1},{1_600_000_000 + 7 * k},view,home" for k in range(400)),
    '"u 1","i, 5",5,1600000000,buy,"a ""quoted"" place"',
    "",
    "u2,i3,4,1600000001,buy,",
    "u2,i3,5,1600000001,buy,",  # the same with another rating
    "u2,i3,5,1600000001,buy,",  # and again
    '"u3","i4',
    'of two lines",3,1600000002,view,home',
    "too,few",
    "u4,i4,no number,1600000003,view,home",
    ",i4,3,1600000003,view,home",
    "None,i4,3,1600000003,view,-",
    'u5,a stray " quote,3,1600000004,view,home',
    *(f"u{k % 11},i{k % 7},2,{1_500_000_000 + k},cart,away" for k in range(300)),
    '"u6",i6,3,1600000009,view,"open to the end',
    "u7,i7,3,1600000010,view,home",
]
OBJECTS = [
    *(f'{{"user": "u{k % 37}", "item": {k % 53}, "rating": {k % 5 + 1}.0}}' for k in range(200)),
    "",
    '{"user": "u1", "item": 7, "at": 1600000000, "rating": null}',  # a new column
    '{"user": "u\u00e91", "item": 7, "at": 1600000001, "rating": true, "tags": "one"}',
    "[1, 2]",
    '{"user": "u2", "item"',
    '{"tags": ["one", "two", null], "user": "u2"}',  # lists where texts were
    '{"user": "u3", "tags": {"deep": [1.50]}, "item": "\\ud800"}',
    *(f'{{"item": {k % 7}, "user": "u{k % 11}", "more": ["x"]}}' for k in range(150)),
    '{"user": "u3", "item": 1, "last": 1e400}',
]
TOML = """[interactions]
file = "{file}"
user = "user"
item = "item"
rating = "rating"
time = "time"
behaviour = "kind"
target = ["buy"]
scenario = ["where"]
"""


def joined(blocks: Blocks) -> Table:
    parts = list(blocks)
    return Table(
        blocks.source,
        pl.concat([one.frame for one in parts]),
        np.concatenate([one.line for one in parts]),
        tuple(row for one in parts for row in one.bad),
    )


def same(one: Table, other: Table) -> None:
    assert_frame_equal(one.frame, other.frame)
    assert one.line.tolist() == other.line.tolist()
    assert sorted(map(str, one.bad)) == sorted(map(str, other.bad))


@pytest.mark.parametrize("size", [1, 40, 300, 5_000, 1 << 20])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_blocks_of_lines_hold_the_rows_of_the_file(tmp_path: Path, size: int, end: str) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes(("\ufeff" + end.join(LINES) + end).encode())
    same(joined(read_blocks(path, size=size)), read_table(path))


def test_a_line_that_is_no_utf8_costs_itself_alone_in_any_block(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    text = "\n".join(LINES).encode()
    path.write_bytes(text.replace(b"u9,", b"\xff,", 1))
    same(joined(read_blocks(path, size=200)), read_table(path))


def test_packed_lines_of_another_encoding_are_streamed(tmp_path: Path) -> None:
    path = tmp_path / "events.csv.gz"
    path.write_bytes(gzip.compress("\n".join(LINES).replace("home", "höm").encode("utf-16")))
    form = FileForm(encoding="utf-16")
    same(joined(read_blocks(path, form, size=333)), read_table(path, form))


def test_lines_without_names_and_a_quote_that_never_ends(tmp_path: Path) -> None:
    path = tmp_path / "events.txt"
    lines = ['a,"b', *(f"c{k},d" for k in range(1500)), 'e,f"', "g,h"]
    path.write_text("\n".join(["", "", *lines]))
    form = FileForm(delimiter=",", header=False)
    same(joined(read_blocks(path, form, size=100)), read_table(path, form))


@pytest.mark.parametrize("size", [1, 40, 300, 5_000, 1 << 20])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_blocks_of_json_hold_the_rows_of_the_file(tmp_path: Path, size: int, end: str) -> None:
    path = tmp_path / "events.jsonl"
    content = ("\ufeff" + end.join(OBJECTS) + end).encode().replace(b'"u9"', b'"\xff"', 1)
    path.write_bytes(content)
    same(joined(read_blocks(path, size=size)), read_table(path))
    packed = tmp_path / "events.jsonl.gz"
    packed.write_bytes(gzip.compress(content))
    same(joined(read_blocks(packed, size=size)), read_table(packed))


def test_a_json_file_that_says_nothing_is_named_whatever_the_blocks(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("\n" * 30)
    for size in (3, 1000):
        with pytest.raises(DataError, match=r"events\.jsonl: empty; each line must be one JSON"):
            list(read_blocks(path, size=size))
    path.write_text("no object\n" * 30)
    same(joined(read_blocks(path, size=20)), read_table(path))


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_blocks_of_parquet(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "events.parquet"
    frame = pl.DataFrame({"user": [f"u{k % 5}" for k in range(30)], "at": range(30)})
    frame.write_parquet(path, row_group_size=11)
    blocks = read_blocks(path, rows=rows)
    assert max(map(len, blocks)) <= rows
    same(joined(blocks), read_table(path))  # read for the second time
    frame.clear().write_parquet(path)
    same(joined(read_blocks(path)), read_table(path))


@pytest.mark.parametrize("in_memory", [10, 1 << 20])
def test_blocks_of_packed_parquet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_memory: int
) -> None:
    monkeypatch.setattr(compression, "IN_MEMORY", in_memory)
    path = tmp_path / "events.parquet.gz"
    frame = pl.DataFrame({"user": [f"u{k % 5}" for k in range(3_000)], "at": range(3_000)})
    written = io.BytesIO()
    frame.write_parquet(written, row_group_size=3_000)
    path.write_bytes(gzip.compress(written.getvalue()))
    blocks = read_blocks(path, rows=700)
    assert max(map(len, blocks)) <= 700
    same(joined(blocks), read_table(path))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"events\.parquet\.gz: damaged or cut short"):
        list(read_blocks(path))


def test_packed_parquet_that_would_fill_the_disk_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet.gz"
    path.write_bytes(gzip.compress(bytes(1 << 20)))
    with (
        pytest.raises(DataError, match="unpacks to more than"),
        compression.open_seekable(path, small=1000),
    ):
        pass


def test_a_damaged_parquet_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    path.write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match="no readable parquet"):
        list(read_blocks(path))
    with pytest.raises(DataError, match="no such file"):
        list(read_blocks(tmp_path / "other.parquet"))


def folder(place: Path, lines: list[str]) -> Path:
    place.mkdir(exist_ok=True)
    (place / "events.csv").write_text("\n".join(lines))
    (place / "dataset.toml").write_text(TOML.format(file="events.csv"))
    return place


def read_in_blocks(
    place: Path, monkeypatch: pytest.MonkeyPatch, size: int, share: float = 0.1
) -> Dataset:
    def small(path: Path, form: FileForm) -> Blocks:
        return read_blocks(path, form, size=size)

    with monkeypatch.context() as patch:
        patch.setattr(dataset_toml, "read_blocks", small)
        return read_dataset(place, max_bad_share=share)


@pytest.mark.parametrize("size", [60, 1000, 8000])
def test_a_dataset_read_in_blocks_is_the_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    place = folder(tmp_path / "shop", LINES)
    whole = read_dataset(place, max_bad_share=0.1)
    blocks = read_in_blocks(place, monkeypatch, size)
    assert blocks.fingerprint == whole.fingerprint
    assert blocks.report == whole.report
    assert blocks.report.counts["duplicates"] == 1
    assert blocks.report.counts["conflicting"] == 1


@pytest.mark.parametrize("size", [60, 1000, 8000])
def test_a_dataset_of_json_lines_read_in_blocks_is_the_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    rows = csv.DictReader(line for line in LINES if '"' not in line)
    said = [{name: one for name, one in row.items() if name and one} for row in rows]
    place = tmp_path / "shop"
    place.mkdir()
    (place / "events.jsonl").write_text("\n".join(map(json.dumps, said)) + "\nno object\n")
    (place / "dataset.toml").write_text(TOML.format(file="events.jsonl"))
    whole = read_dataset(place, max_bad_share=0.1)
    blocks = read_in_blocks(place, monkeypatch, size)
    assert blocks.fingerprint == whole.fingerprint
    assert blocks.report == whole.report
    assert {one.reason for one in blocks.report.quarantined} > {"rating is no finite number"}


def test_too_many_bad_rows_and_an_unknown_target_say_the_same_of_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = [line.replace(",view,", ",view,extra,") if "u1," in line else line for line in LINES]
    unknown = [line.replace("buy", "view") for line in LINES]
    for lines, share in ((bad, 0.01), (unknown, 0.1)):
        place = folder(tmp_path / str(share), lines)
        with pytest.raises(DataError) as whole:
            read_dataset(place, max_bad_share=share)
        with pytest.raises(DataError) as blocks:
            read_in_blocks(place, monkeypatch, 500, share)
        assert str(blocks.value) == str(whole.value)


def test_days_written_as_numbers_are_told_by_the_first_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [f"u{k % 9},i{k % 8},3,202611{k % 28 + 1:02d},buy,home" for k in range(200)]
    days += ["u1,i1,3,1600000000,buy,home"]
    place = folder(tmp_path / "shop", [LINES[0], *days])
    assert read_in_blocks(place, monkeypatch, 400).report == read_dataset(place).report
