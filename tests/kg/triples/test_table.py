"""Tables of head, relation, tail: benchmark files as they are, odd rows named."""

import gzip
import os
from pathlib import Path

import polars as pl
import pytest
import zstandard

from trefoil.data import GraphDataError
from trefoil.kg.triples.tables import read_table, triples_of

DATA = Path(os.environ.get("TREFOIL_DATA", Path(__file__).parents[3] / "../shared/datasets"))
ROWS = [("1", "film.actor", "2"), ("1", "film.genre", "007"), ("2", "film.actor", "7")]


def content(triples):
    e, r = triples.entities, triples.relations
    return [
        (e[h], r[k], e[t])
        for h, k, t in zip(triples.head, triples.relation, triples.tail, strict=True)
    ]


def text(mark, header=True):
    rows = [("head", "relation", "tail"), *ROWS] if header else ROWS
    return "".join(mark.join(row) + "\n" for row in rows).encode()


@pytest.mark.parametrize("pack", ["", ".gz", ".zst"])
@pytest.mark.parametrize(
    ("name", "mark", "header"),
    [
        ("kg.tsv", "\t", True),
        ("kg.csv", ",", True),
        ("kg.tsv", "\t", False),
        ("kg.txt", "\t", False),
        ("kg.txt", " ", False),
        ("kg.csv", ",", False),
    ],
)
def test_text_tables_are_read_with_and_without_header(tmp_path, name, mark, header, pack):
    packers = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}
    path = tmp_path / (name + pack)
    path.write_bytes(packers[pack](text(mark, header)))
    assert sorted(content(read_table(path))) == sorted(ROWS)


def test_columns_may_stand_in_any_order_beside_others(tmp_path):
    frame = pl.DataFrame(ROWS, schema=["head", "relation", "tail"], orient="row")
    frame = frame.select("tail", pl.lit(1).alias("weight"), "head", "relation")
    frame.write_parquet(tmp_path / "kg.parquet")
    frame.write_csv(tmp_path / "kg.csv")
    for name in ("kg.parquet", "kg.csv"):
        assert sorted(content(read_table(tmp_path / name))) == sorted(ROWS)


def test_headers_of_recbole_are_known(tmp_path):
    path = tmp_path / "lastfm.kg"
    path.write_bytes(b"head_id:token\trelation_id:token\ttail_id:token\n" + text("\t", False))
    assert sorted(content(read_table(path))) == sorted(ROWS)


def test_numbers_of_a_frame_become_their_text():
    triples = triples_of(pl.DataFrame({"head": [10, 9], "relation": [0, 0], "tail": [9, 10]}))
    assert content(triples) == [("10", "0", "9"), ("9", "0", "10")]


def test_rows_are_sorted_and_made_distinct():
    rows = [ROWS[2], ROWS[0], ROWS[2], ROWS[1]]
    frame = pl.DataFrame(rows, schema=["head", "relation", "tail"], orient="row")
    one, two = triples_of(frame), triples_of(frame.reverse())
    assert content(one) == content(two)
    assert one.entities.ids == ("007", "1", "2", "7")
    assert one.counts == {"statements": 4, "duplicates": 1}


def test_names_and_types_come_from_files(tmp_path):
    (tmp_path / "kg.txt").write_bytes(text("\t", header=False))
    (tmp_path / "names.tsv").write_text("entity\tname\n1\tVertigo\n2\tKim Novak\n99\tNobody\n")
    (tmp_path / "types.txt").write_text("2\tPerson\n7\tPerson\n")
    triples = read_table(
        tmp_path / "kg.txt", names=tmp_path / "names.tsv", types=tmp_path / "types.txt"
    )
    assert triples.names == {"1": "Vertigo", "2": "Kim Novak"}
    assert [(triples.entities[e], triples.classes[c]) for e, c in triples.member] == [
        ("2", "Person"),
        ("7", "Person"),
    ]


@pytest.mark.parametrize("name", ["film.actor", "FILM_ACTOR"])
def test_relations_are_allowed_and_denied(tmp_path, name):
    (tmp_path / "kg.txt").write_bytes(text("\t", header=False))
    assert len(read_table(tmp_path / "kg.txt", allow=(name,))) == 2
    left = read_table(tmp_path / "kg.txt", deny=(name,))
    assert left.relations.ids == ("film.genre",)
    assert left.entities.ids == ("007", "1")


def test_a_broken_row_is_set_aside_with_its_line(tmp_path):
    rows = [f"{row}\tr\t{row + 1}" for row in range(300)]
    rows[41] = "only\ttwo"
    rows[42] = "\tr\tx"
    path = tmp_path / "kg.txt"
    path.write_text("\n".join(rows))
    triples = read_table(path)
    assert len(triples) == 298
    assert [(one.line, one.reason) for one in triples.quarantined] == [
        (42, "2 cells, not 3"),
        (43, "an empty cell"),
    ]


def test_too_many_broken_rows_stop_the_reading(tmp_path):
    path = tmp_path / "kg.txt"
    path.write_text("a\tr\tb\nwords\n")
    with pytest.raises(GraphDataError, match=r"kg\.txt: 1 of 2 rows.*line 2"):
        read_table(path)


def test_a_missing_column_or_file_is_named(tmp_path):
    pl.DataFrame({"head": ["a"], "tail": ["b"]}).write_parquet(tmp_path / "kg.parquet")
    with pytest.raises(GraphDataError, match="no column 'relation' among head, tail"):
        read_table(tmp_path / "kg.parquet")
    with pytest.raises(GraphDataError, match="no such file"):
        read_table(tmp_path / "none.tsv")
    with pytest.raises(GraphDataError, match="head, relation, tail"):
        triples_of(pl.DataFrame({"head": ["a"]}))
    with pytest.raises(GraphDataError, match="row 1: an empty cell"):
        triples_of(pl.DataFrame({"head": [""], "relation": ["r"], "tail": ["b"]}))


@pytest.mark.real
@pytest.mark.parametrize(
    ("path", "statements", "entities", "relations"),
    [
        ("lastfm-hetrec-kg/kgcn/kg.txt", 15_518, 9_366, 60),
        ("lastfm-hetrec-kg/recbole_freebase/lastfm.kg", 15_518, 9_366, 60),
        ("book-crossing-kg/mkr/kg.txt", None, None, None),
        ("ml-1m-text-kg/dikgrs_split/kg_final.txt", None, None, None),
    ],
)
def test_benchmark_files_load_as_they_are(path, statements, entities, relations):
    if not (DATA / path).exists():
        pytest.skip(f"no {DATA / path}; set TREFOIL_DATA to the folder of data sets")
    triples = read_table(DATA / path)
    lines = (DATA / path).read_text().splitlines()
    rows = {tuple(line.split()) for line in lines if not line.startswith("head_id")}
    assert len(triples) == len(rows) == (statements or len(rows))
    assert len(triples.entities) == (entities or len(triples.entities))
    assert len(triples.relations) == (relations or len({row[1] for row in rows}))
