"""numpy has one thread for a list, and afterwards as many as before."""

import threading

import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from trefoil.fusion.plan.one_thread import OneThread
from trefoil.fusion.requests.listing import listed


def threads_of_numpy() -> list[int]:
    return [
        one.num_threads for one in ThreadpoolController().select(user_api="blas").lib_controllers
    ]


def test_threads_that_take_turns_leave_numpy_what_it_had():
    one_thread, there, leave = OneThread(), threading.Event(), threading.Event()
    seen = []

    def other() -> None:
        with one_thread:
            seen.append(threads_of_numpy())
            there.set()
            leave.wait(20)
        seen.append(threads_of_numpy())

    with threadpool_limits(2, user_api="blas"):
        before, thread = threads_of_numpy(), threading.Thread(target=other)
        with one_thread:
            seen.append(threads_of_numpy())
            thread.start()
            assert there.wait(20)
        leave.set()
        thread.join()
        assert seen == [[1] * len(before), [1] * len(before), before]
        assert threads_of_numpy() == before


def test_a_fault_inside_gives_them_back():
    one_thread = OneThread()
    with threadpool_limits(2, user_api="blas"):
        before = threads_of_numpy()
        with pytest.raises(ValueError, match="inside"), one_thread:
            raise ValueError("inside")
        assert threads_of_numpy() == before


def test_a_list_is_made_by_one(recommender, monkeypatch):
    found = []
    state = recommender.state
    monkeypatch.setattr(
        "trefoil.fusion.answering.listed",
        lambda *told: found.append(threads_of_numpy()) or listed(*told),
    )
    with threadpool_limits(2, user_api="blas"):
        recommender.recommend(state.catalogue.users[0], 3)
    assert all(set(one) <= {1} for one in found)
    assert found
