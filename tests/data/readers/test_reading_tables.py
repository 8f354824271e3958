"""Text tables keep every field as written; damage costs a line, never a crash."""

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile

import polars as pl
import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from trefoil.data import ConfigError, DataError, read_dataset
from trefoil.data.readers.delimited import parse_delimited
from trefoil.data.readers.jsonlines import parse_json_lines
from trefoil.data.readers.tables import read_table

fields = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=8)
tables = st.lists(st.tuples(fields, fields, fields), min_size=1, max_size=8)


def zipped(content, name="inside"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


PACKS = {
    ".gz": gzip.compress,
    ".zst": zstandard.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zip": zipped,
}


def written(rows, delimiter=",", quoting=csv.QUOTE_MINIMAL):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator="\n")
    writer.writerow(["a", "b", "c"])
    writer.writerows(rows)
    return out.getvalue().encode()


@settings(deadline=None)
@example(rows=[('7" disc', "", "x\n\n\ny"), ('"', '""', "\n")], delimiter=",", every=False)
@given(rows=tables, delimiter=st.sampled_from(",\t"), every=st.booleans())
def test_what_a_csv_writer_wrote_comes_back(rows, delimiter, every):
    quoting = csv.QUOTE_ALL if every else csv.QUOTE_MINIMAL
    frame, line, bad = parse_delimited(written(rows, delimiter, quoting), "t", delimiter)
    assert frame.rows() == rows
    assert bad == ()
    assert line[0] == 2
    assert list(line) == sorted(set(line))


@settings(deadline=None)
@given(rows=tables)
def test_what_a_json_writer_wrote_comes_back(rows):
    for ascii_only in (True, False):
        text = "".join(
            json.dumps(dict(zip("abc", row, strict=True)), ensure_ascii=ascii_only) + "\n"
            for row in rows
        )
        frame, line, bad = parse_json_lines(text.encode(), "t")
        assert frame.rows() == rows
        assert list(line) == list(range(1, len(rows) + 1))
        assert bad == ()


def test_lines_are_those_of_the_file():
    text = b'a,b\r\n1,2\r\n\r\n"x\n\ny",3\r\n7,12" disc\r\n8,10" disc\r\n4\r\n"u,5\r\n9,9'
    frame, line, bad = parse_delimited(text, "t", ",")
    assert frame.rows() == [
        ("1", "2"), ("x\n\ny", "3"), ("7", '12" disc'), ("8", '10" disc'), ("9", "9"),
    ]  # fmt: skip
    assert line.tolist() == [2, 4, 7, 8, 11]
    assert [(one.line, one.row) for one in bad] == [(9, "4"), (10, '"u,5')]


@pytest.mark.parametrize("title", ["Alien", '"Alien, 1979"'])
def test_a_column_without_a_name_is_read_like_any_other(title):
    """As in a data frame written with its index: nothing stands above the numbers."""
    frame, _, bad = parse_delimited(f",item,title\n0,i1,{title}\n1,i2,Heat\n".encode(), "t", ",")
    assert frame.columns == ["", "item", "title"]
    assert frame.rows() == [("0", "i1", title.strip('"')), ("1", "i2", "Heat")]
    assert bad == ()


def test_a_quote_never_closed_does_not_swallow_the_file():
    rows = "".join(f"{i},x\n" for i in range(5000))
    frame, _, bad = parse_delimited(("a,b\n" + '"open,x\n' + rows).encode(), "t", ",")
    assert len(frame) == 5000
    assert [(one.line, one.reason) for one in bad] == [(2, "broken quotes")]


@pytest.mark.parametrize(
    "suffix",
    [
        "csv",
        "tsv",
        "csv.gz",
        "tsv.zst",
        "csv.bz2",
        "tsv.xz",
        "csv.zip",
        "jsonl",
        "jsonl.gz",
        "parquet",
        "parquet.zst",
    ],
)
def test_every_format_gives_the_same_table(tmp_path, suffix):
    rows = [("007", "é,\t|", ""), ("7", "x", "1.50")]
    path = tmp_path / f"t.{suffix}"
    kind = suffix.split(".")[0]
    if kind == "parquet":
        out = io.BytesIO()
        pl.DataFrame(rows, schema=["a", "b", "c"], orient="row").write_parquet(out)
        content = out.getvalue()
    elif kind == "jsonl":
        lines = (json.dumps(dict(zip("abc", row, strict=True))) for row in rows)
        content = "\n".join(lines).encode()
    else:
        content = written(rows, "," if kind == "csv" else "\t")
    packed = PACKS.get(path.suffix, bytes)(content)
    if suffix.endswith(".zst"):
        packed = zstandard.compress(content[:5]) + zstandard.compress(content[5:])
    path.write_bytes(packed)
    assert read_table(path).frame.rows() == rows


@pytest.mark.parametrize("cut", range(1, 30, 3))
@pytest.mark.parametrize("suffix", list(PACKS))
def test_a_packed_file_cut_anywhere_is_noticed(tmp_path, suffix, cut):
    path = tmp_path / ("t.csv" + suffix)
    path.write_bytes(PACKS[suffix](written([("a", "b", "c")] * 50))[:-cut])
    with pytest.raises(DataError, match="damaged"):
        read_table(path)


def test_a_zip_of_several_files_asks_which(tmp_path):
    path = tmp_path / "t.csv.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("one.csv", "a,b\n1,2\n")
        archive.writestr("deep/two.csv", "a,b\n3,4\n")
    with pytest.raises(DataError, match=r"t\.csv\.zip: name one of the 2 files .*deep/two\.csv"):
        read_table(path)
    assert read_table(path / "deep" / "two.csv").frame.rows() == [("3", "4")]
    with pytest.raises(DataError, match=r"name one of the 2 files"):
        read_table(path / "three.csv")


def test_json_lists_stay_lists():
    frame, _, _ = parse_json_lines(b'{"g": ["a|b", 1, null, true]}\n{"g": "c"}\n{}\n', "t")
    assert frame["g"].to_list() == [["a|b", "1", "true"], ["c"], None]


EVENTS = b"user_id,item_id,stars,at\n" + b"".join(
    f'u{i},"i{i}",{i % 5},{i * 1000}\n'.encode() for i in range(20)
)
JSON = b"".join(
    json.dumps({"user_id": f"u{i}", "item_id": i, "stars": i % 5, "at": i}).encode() + b"\n"
    for i in range(20)
)
TOML = b"""[interactions]
file = "events.csv"
user = "user_id"
item = "item_id"
rating = "stars"
time = "at"
"""


def parquet():
    out = io.BytesIO()
    pl.DataFrame(
        {
            "user_id": [f"u{i}" for i in range(20)],
            "item_id": list(range(20)),
            "stars": [1.5] * 20,
            "at": [1] * 20,
        }
    ).write_parquet(out)
    return out.getvalue()


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kind=st.sampled_from(["csv", "tsv", "jsonl", "parquet", "csv.gz", "toml"]),
    changes=st.lists(
        st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6
    ),
    cut=st.one_of(st.none(), st.integers(0, 10_000)),
)
def test_changed_bytes_end_in_a_dataset_or_in_a_message(tmp_path, kind, changes, cut):
    content = {
        "csv": EVENTS, "tsv": EVENTS.replace(b",", b"\t"), "jsonl": JSON, "parquet": parquet(),
        "csv.gz": gzip.compress(EVENTS, mtime=0), "toml": TOML,
    }[kind]  # fmt: skip
    spoilt = bytearray(content)
    for place, byte in changes:
        spoilt[place % len(spoilt)] = byte
    if cut is not None:
        del spoilt[cut % len(spoilt) :]
    (tmp_path / "events.csv").write_bytes(EVENTS)
    toml = TOML
    if kind == "toml":
        toml = bytes(spoilt)
    else:
        (tmp_path / f"events.{kind}").write_bytes(spoilt)
        toml = TOML.replace(b"events.csv", b"events." + kind.encode())
    (tmp_path / "dataset.toml").write_bytes(toml)
    try:
        found = len(read_dataset(tmp_path, max_bad_share=1.0).interactions)
    except (ConfigError, DataError) as fault:
        found = str(fault).count(str(tmp_path))  # the message names a file of this folder
    assert found > 0
