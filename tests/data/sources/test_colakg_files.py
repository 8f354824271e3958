"""The map of CoLaKG's files puts each id behind its own number."""

from trefoil.data.sources.colakg import read_map


def test_an_id_stands_behind_the_number_beside_it(tmp_path):
    (tmp_path / "map.txt").write_text("seventy 2\nten 0\nthree 1\n", "utf-8")
    assert read_map(tmp_path / "map.txt").tolist() == ["ten", "three", "seventy"]
