from __future__ import annotations

import threading
import time

import pytest

from bridge.ledger import LedgerUnavailable
from consumers.dispatcher import Dispatcher, SendFailed, _is_full


class Jobs:
    """A backlog of jobs in one queue."""

    def __init__(self, backlog, *, in_queue=0):
        self.backlog = list(backlog)
        self.in_queue = in_queue
        self.rooms = []
        self.fails = 0

    def queued(self):
        if self.fails:
            self.fails -= 1
            raise LedgerUnavailable
        return {"orders": self.in_queue}

    def dispatch(self, room, *, limit):
        self.rooms.append(dict(room))
        picked = [(job, "orders") for job in self.backlog[: min(room["orders"], limit)]]
        del self.backlog[: len(picked)]
        self.in_queue += len(picked)
        return picked


class FakeLedger:
    def __init__(self, jobs):
        self.jobs = jobs


class Sender:
    def __init__(self):
        self.sent = []
        self.is_down = False
        self.is_closed = False

    def ready(self):
        if self.is_down:
            raise SendFailed
        return True

    def send(self, picked):
        self.sent += [job for job, _ in picked]

    def close(self):
        self.is_closed = True


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def make():
    made = []

    def _make(jobs, sender=None, **options):
        options = {"interval_seconds": 30.0, "window": 10, **options}
        dispatcher = Dispatcher(FakeLedger(jobs), sender or Sender(), **options)
        made.append(dispatcher)
        return dispatcher

    yield _make
    for dispatcher in made:
        dispatcher.stop()


def test_a_queue_never_gets_more_messages_than_its_window(make):
    jobs, sender = Jobs(range(100), in_queue=7), Sender()
    assert make(jobs, sender).round() is True
    assert sender.sent == [0, 1, 2]
    assert jobs.rooms[0]["orders"] == 3
    assert jobs.rooms[0]["catalog"] == 10


def test_a_full_queue_gets_none_and_is_looked_at_soon(make):
    jobs, sender = Jobs(range(100), in_queue=12), Sender()
    assert make(jobs, sender).round() is True
    assert sender.sent == []


def test_an_empty_backlog_lets_the_dispatcher_rest(make):
    assert make(Jobs([])).round() is False


@pytest.mark.parametrize(
    ("room", "picked", "full"),
    [
        ({"a": 2, "b": 2}, [(1, "a")], False),
        ({"a": 2, "b": 2}, [(1, "a"), (2, "a")], True),
        ({"a": 0, "b": 2}, [], True),
        ({"a": 2, "b": 2}, [], False),
    ],
)
def test_only_a_used_up_room_makes_another_look_worth_it(room, picked, full):
    assert _is_full(room, picked) is full


def test_the_backlog_follows_as_the_queue_empties_without_a_poke(make):
    jobs, sender = Jobs(range(25)), Sender()
    make(jobs, sender).start()
    wait_for(lambda: len(sender.sent) == 10)
    jobs.in_queue = 0
    wait_for(lambda: len(sender.sent) == 20)
    jobs.in_queue = 0
    wait_for(lambda: len(sender.sent) == 25)


def test_a_poke_wakes_it_long_before_the_interval(make):
    jobs, sender = Jobs([]), Sender()
    dispatcher = make(jobs, sender)
    dispatcher.start()
    wait_for(lambda: jobs.rooms)
    jobs.backlog.append(1)
    dispatcher.poke()
    wait_for(lambda: sender.sent == [1])


def test_after_a_poke_it_looks_a_second_time(make):
    jobs = Jobs([])
    dispatcher = make(jobs)
    dispatcher.poke()
    dispatcher.start()
    wait_for(lambda: len(jobs.rooms) >= 2)


def test_while_the_broker_is_down_no_job_is_marked_as_sent(make):
    jobs, sender = Jobs([1]), Sender()
    sender.is_down = True
    dispatcher = make(jobs, sender)
    dispatcher.start()
    for _ in range(3):
        dispatcher.poke()
        time.sleep(0.02)
    assert jobs.rooms == []
    sender.is_down = False
    wait_for(lambda: sender.sent == [1])


def test_it_comes_back_when_the_ledger_does(make):
    jobs, sender = Jobs([1]), Sender()
    jobs.fails = 2
    make(jobs, sender).start()
    wait_for(lambda: sender.sent == [1])


def test_it_says_that_the_process_is_alive(make):
    beaten = threading.Event()
    make(Jobs([]), beat=beaten.set).start()
    assert beaten.wait(5)


def test_its_end_closes_the_sender(make):
    sender = Sender()
    dispatcher = make(Jobs([]), sender)
    dispatcher.start()
    dispatcher.stop()
    assert sender.is_closed
