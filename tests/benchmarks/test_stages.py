"""Seconds are counted for the stage in which they were spent."""

from benchmarks.stages import Stages, told


def test_announcements_begin_stages_and_what_comes_within_is_told_apart():
    times = iter([0.0, 1.0, 4.0, 5.0, 15.0, 35.0, 36.0])
    stages = Stages(lambda: next(times))
    stages.tell(8, 8, "texts")  # 1 s of reading, before any stage
    stages.tell(0, 0, "plan: about 3 min")
    stages.tell(0, 0, "network 1 of 2")
    stages.tell(5, 300, "network: validation NDCG@10 ranking 0.1")
    stages.tell(0, 0, "gate")
    found = stages.end()
    assert found == {"texts": 1, "data": 3, "plan": 1, "network 1 of 2": 30, "gate": 1}
    assert told(found, 2) == "network 1 of 2 30, data 3"
