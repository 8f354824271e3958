"""A run that version 0.1.0 saved is read, and answers as it did then."""

import json
import tarfile
from pathlib import Path

import pytest

from trefoil.fusion.recommender import Recommender

EARLIER = Path(__file__).parent / "earlier"


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    folder = tmp_path_factory.mktemp("earlier")
    with tarfile.open(EARLIER / "run-0.1.0.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return Recommender.load(folder / "run")


def test_a_run_of_an_earlier_version_answers_as_it_did(earlier):
    then = json.loads((EARLIER / "answers.json").read_text("utf-8"))
    for user, answer in then.items():
        told = {"history": ["i2-1", "i2-4"]} if user == "hist" else {"user": user}
        now = earlier.recommend(**told, k=5)
        assert [one.item for one in now] == [item for item, _ in answer]
        scores = [score for _, score in answer]
        assert [one.score for one in now] == pytest.approx(scores, abs=1e-4)


def test_a_run_of_an_earlier_version_is_saved_as_one_of_this(earlier, tmp_path):
    earlier.save(tmp_path / "run")
    again = Recommender.load(tmp_path / "run")
    assert again.recommend("u1", k=5) == earlier.recommend("u1", k=5)
    assert again.model.record.history == earlier.model.record.history
    assert again.model.alone == earlier.model.alone
