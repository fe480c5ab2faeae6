"""ordered_map: order, bounds, failures."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter import parallel
from exporter.parallel import ordered_map, usable_cores


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers()), st.integers(1, 5))
def test_results_come_in_the_order_of_the_items(items, threads):
    assert list(ordered_map(lambda item: (item, item * 2), items, threads)) == [(item, item * 2) for item in items]


def test_a_slow_first_item_does_not_change_the_order():
    second_done = threading.Event()

    def work(item):
        if item == 0:
            assert second_done.wait(60), "the second item never ran beside the first"
        else:
            second_done.set()
        return item

    assert list(ordered_map(work, range(2), 2)) == [0, 1]


def test_items_run_at_the_same_time_up_to_the_number_of_threads():
    together = threading.Barrier(3, timeout=60)
    assert sorted(ordered_map(lambda item: together.wait(), range(6), 3)) == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_no_more_than_twice_the_threads_are_drawn_ahead(threads):
    drawn = []
    results = ordered_map(lambda item: item, (drawn.append(i) or i for i in range(50)), threads)
    assert drawn == [], "nothing is drawn before the first result is asked for"
    for position, result in enumerate(results):
        assert result == position
        assert len(drawn) <= position + 2 * threads
    assert len(drawn) == 50


def test_no_items():
    assert list(ordered_map(str, [], 3)) == []


def test_an_exception_is_raised_at_its_place():
    def work(item):
        if item == 3:
            raise KeyError("the third")
        return item

    results = ordered_map(work, range(20), 2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError, match="the third"):
        next(results)
    assert list(results) == []


def test_an_exception_of_the_iterable_is_passed_on():
    def items():
        yield 1
        raise OSError("no more pictures")

    with pytest.raises(OSError, match="no more pictures"):
        list(ordered_map(str, items(), 1))


@pytest.fixture
def held(monkeypatch):
    """An event set when the pool shuts down: until then work can be held, so that what waits behind it has not begun."""
    closing = threading.Event()

    class Pool(ThreadPoolExecutor):
        def shutdown(self, *arguments, **options):
            closing.set()
            super().shutdown(*arguments, **options)

    monkeypatch.setattr(parallel, "ThreadPoolExecutor", Pool)
    return closing


def test_after_an_exception_what_has_not_begun_is_given_up(held):
    begun = []

    def work(item):
        begun.append(item)
        if item == 0:
            raise ValueError("the first")
        assert held.wait(60)

    with pytest.raises(ValueError, match="the first"):
        list(ordered_map(work, range(100), 2))
    assert 0 in begun
    assert set(begun) <= {0, 1, 2}, "1 and 2 may have been under way, 3 waited behind them"


def test_a_reader_that_stops_gives_up_the_rest(held):
    begun = []

    def work(item):
        begun.append(item)
        assert item == 0 or held.wait(60)
        return item

    results = ordered_map(work, range(100), 2)
    assert next(results) == 0
    results.close()
    assert set(begun) <= {0, 1, 2}


def test_at_least_one_core_is_usable(monkeypatch):
    assert usable_cores() >= 1
    monkeypatch.delattr(parallel.os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(parallel.os, "cpu_count", lambda: None)
    assert usable_cores() == 1


def test_cores_denied_to_this_process_are_not_counted(monkeypatch):
    monkeypatch.setattr(parallel.os, "sched_getaffinity", lambda pid: {0, 5}, raising=False)
    assert usable_cores() == 2
