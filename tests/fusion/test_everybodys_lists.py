"""Everybody's list in a file: what ``recommend_many`` says, in blocks, by any number of threads."""

import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from trefoil.data.errors import ConfigError
from trefoil.fusion import batch
from trefoil.fusion.batch import SCHEMA
from trefoil.fusion.workers import BatchScorer
from trefoil.recommend import main, users_in


@pytest.mark.parametrize("threads", [1, 3])
def test_the_file_holds_what_recommend_many_says(recommender, tmp_path, monkeypatch, threads):
    monkeypatch.setattr(batch, "BLOCK", 7)
    users = recommender.catalogue.users.ids
    said = recommender.recommend_many(users, 5)
    rows = recommender.recommend_all(tmp_path / "top.parquet", 5, threads=threads)
    found = pl.read_parquet(tmp_path / "top.parquet")
    assert rows == len(found) == len(said)
    assert found.columns == SCHEMA.names
    for name in ("user", "rank", "item"):
        assert found[name].to_list() == said[name].to_list()
    assert found["score"].to_numpy() == pytest.approx(said["score"].to_numpy(), abs=1e-4)
    assert parquet.ParquetFile(tmp_path / "top.parquet").num_row_groups == -(-len(users) // 7)


def test_some_users_and_one_never_seen(recommender, tmp_path):
    users = [recommender.catalogue.users[3], "nobody"]
    assert recommender.recommend_all(tmp_path / "top.parquet", 2, users=users) == 4
    found = pl.read_parquet(tmp_path / "top.parquet")
    assert found["user"].to_list() == [users[0], users[0], "nobody", "nobody"]
    assert recommender.recommend_all(tmp_path / "top.parquet", 2, users="u11") == 2
    assert pl.read_parquet(tmp_path / "top.parquet")["user"].to_list() == ["u11", "u11"]
    with pytest.raises(ConfigError, match="threads = -1"):
        recommender.recommend_all(tmp_path / "top.parquet", threads=-1)


def test_nothing_is_left_where_a_block_fails(recommender, tmp_path, monkeypatch):
    def broken(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr(batch, "lists_of", broken)
    with pytest.raises(RuntimeError, match="broken"):
        recommender.recommend_all(tmp_path / "top.parquet", 2)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ConfigError, match="no such folder"):
        recommender.recommend_all(tmp_path / "none" / "top.parquet")
    with pytest.raises(ConfigError, match="threads = -1: give 0"):
        recommender.recommend_all(tmp_path / "top.parquet", 2, threads=-1)


def test_a_scorer_says_the_same_for_a_table_and_a_stream(shop_run, recommender):
    scorer = BatchScorer(str(shop_run), 3, column="who")
    users = recommender.catalogue.users.ids[:9]
    table = pa.table({"who": users})
    whole = scorer(table)
    assert whole.schema == SCHEMA
    said = recommender.recommend_many(users, 3)
    assert whole["item"].to_pylist() == said["item"].to_list()
    with pytest.raises(ConfigError, match="None is a missing value"):
        scorer(pa.table({"who": [users[0], None]}))
    streamed = list(scorer.partitions(iter(table.to_batches(max_chunksize=4))))
    assert pa.Table.from_batches(streamed)["item"].to_pylist() == said["item"].to_list()


def test_the_command_writes_the_file(shop_run, tmp_path, capsys):
    pl.DataFrame({"user": ["nobody"]}).write_parquet(tmp_path / "who.parquet")
    out = tmp_path / "top.parquet"
    flags = ["--out", str(out), "-k", "4", "--users", str(tmp_path / "who.parquet")]
    assert main([str(shop_run), *flags]) == 0
    assert "4 rows" in capsys.readouterr().out
    assert pl.read_parquet(out)["rank"].to_list() == [1, 2, 3, 4]
    (tmp_path / "other.parquet").write_bytes(b"no")
    flags[-1] = str(tmp_path / "other.parquet")
    assert main([str(shop_run), *flags]) == 2
    capsys.readouterr()
    assert main([str(shop_run), "--out", str(tmp_path / "none.parquet"), "-k", "0"]) == 2
    assert "k = 0: give a whole number of at least 1" in capsys.readouterr().err
    assert not (tmp_path / "none.parquet").exists()
    assert main([str(shop_run), "--out", str(tmp_path / "top.csv")]) == 2
    assert "lists are a Parquet file; name it top.parquet" in capsys.readouterr().err


def test_ids_of_people_are_read_as_those_of_events_are(tmp_path):
    """A whole number is that number whatever its type, and nobody is called None."""
    for number, given in enumerate([[7.0, None], [7, 12], ["7", "", "x y"]]):
        path = tmp_path / f"{number}.parquet"
        pl.DataFrame({"user": given}).write_parquet(path)
        assert users_in(path) == [["7"], ["7", "12"], ["7", "x y"]][number]
