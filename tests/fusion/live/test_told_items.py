"""Rows whose values make no table are refused with a reason, whatever they hold."""

import pytest

from trefoil.data.errors import DataError
from trefoil.fusion.live.told_items import changed_rows


@pytest.mark.parametrize(
    "titles",
    [
        [1, [None]],
        [{}, "a"],
        [[None], {}],
        [{"1": {}}, "a"],
    ],
)
def test_rows_that_make_no_table_are_refused(titles):
    rows = [{"id": str(at), "title": one} for at, one in enumerate(titles)]
    with pytest.raises(DataError, match="items: no table can be made"):
        changed_rows(rows)


def test_rows_of_one_kind_are_taken():
    rows = [{"id": 1, "title": "a"}, {"id": 2, "title": None}]
    assert changed_rows(rows) == [{"id": "1", "title": "a"}, {"id": "2", "title": None}]
