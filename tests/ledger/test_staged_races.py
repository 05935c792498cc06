"""Races staged step by step: one transaction has looked and not committed yet, when the other one comes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from bridge.ledger import Ledger, dispatch, finishing
from bridge.ledger.claims import guard
from bridge.retry import DONE, Decision
from tests.support.ledger import claim, make, queue_all, start, state_of

#: How long the other side may take to show that it does not wait; it only costs time where all is well.
LOOK_SECONDS = 0.25


class Other:
    """The other side of a race, started in the middle of this one."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._thread = threading.Thread(target=self._run)
        self._work = work
        self.result: Any = None

    def _run(self) -> None:
        self.result = self._work()

    def start(self) -> bool:
        """Start it and return whether it has to wait for us."""
        if self._thread.ident is None:
            self._thread.start()
        self._thread.join(LOOK_SECONDS)
        return self._thread.is_alive()

    def end(self) -> Any:
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self.result


def staged(monkeypatch: pytest.MonkeyPatch, other: Other) -> None:
    """Let ``other`` come after the end of an attempt was decided and before it is written."""
    original = finishing._reconsidered

    def decide_then_let_come(*args: Any, **kwargs: Any) -> Decision:
        decision = original(*args, **kwargs)
        other.start()
        return decision

    monkeypatch.setattr(finishing, "_reconsidered", decide_then_let_come)


@pytest.mark.parametrize("seen", [False, True])
def test_a_mapping_set_between_the_look_and_the_block_still_releases(ledger: Ledger, monkeypatch, seen):
    job = start(ledger)
    if seen:
        ledger.mappings.observe("shop", [("tax", "21", None, None)])
    other = Other(
        lambda: ledger.mappings.set(
            "shop", "tax", "21", odoo_model="account.tax", odoo_id=1, odoo_label=None, by="anna"
        )
    )
    staged(monkeypatch, other)
    assert ledger.jobs.finish(job, Decision(state="blocked", cause="mapping:tax:21")) == "blocked"
    other.end()
    assert state_of(ledger, job.id) == "pending"


def test_a_pause_that_comes_in_the_middle_of_a_choice_holds_back_what_was_chosen(ledger: Ledger, monkeypatch):
    job_id = make(ledger)
    other = Other(lambda: ledger.pauses.pause("shop", None, by="anna"))
    original = dispatch.Dispatcher._mark

    def let_come_then_mark(*args: Any) -> None:
        assert other.start(), "the pause does not wait for the choice"
        original(*args)

    monkeypatch.setattr(dispatch.Dispatcher, "_mark", let_come_then_mark)
    assert queue_all(ledger) == [job_id]
    other.end()
    # Its message is on its way, and finds nothing to claim.
    assert state_of(ledger, job_id) == "pending"
    assert claim(ledger, job_id) is None


def test_a_cause_mended_between_the_look_and_the_block_still_releases(ledger: Ledger, monkeypatch):
    job = start(ledger)
    other = Other(lambda: ledger.jobs.release("shop", "setting:odoo_db"))
    staged(monkeypatch, other)
    assert ledger.jobs.finish(job, Decision(state="blocked", cause="setting:odoo_db")) == "blocked"
    assert other.end() == 1
    assert state_of(ledger, job.id) == "pending"


@pytest.mark.parametrize("kind", ["lock", "job"])
def test_who_ends_between_the_look_and_the_wait_still_lets_go(ledger: Ledger, monkeypatch, kind):
    holder, waiter = start(ledger, "1", lock_key="order:7"), start(ledger, "2")
    other = Other(lambda: ledger.jobs.finish(holder, DONE))
    staged(monkeypatch, other)
    waits_for = "lock:order:7" if kind == "lock" else f"job:{holder.id}"
    assert ledger.jobs.finish(waiter, Decision(state="retry_waiting", waits_for=waits_for)) == "retry_waiting"
    assert other.end() == "done"
    assert state_of(ledger, waiter.id) == "pending"


def test_a_request_to_cancel_comes_wholly_before_or_wholly_after_a_write_is_begun(ledger: Ledger):
    job = start(ledger)
    other = Other(lambda: ledger.jobs.cancel(job.id))

    def begin(session):
        guard(session, job)
        return other.start()

    assert ledger.database.write(begin), "the request did not wait for the transaction that begins a write"
    assert other.end().changed
    assert ledger.database.write(lambda session: guard(session, job)), "the request is not seen"


def test_a_lease_is_not_taken_away_while_a_write_is_begun(ledger: Ledger):
    job = start(ledger)
    ledger.database.command("UPDATE jobs SET lease_until = {later:0.6} WHERE id = :id", id=job.id)
    other = Other(lambda: ledger.jobs.recover(worker_prefix="test"))

    def begin(session):
        guard(session, job)
        return other.start()

    assert ledger.database.write(begin), "the job was taken up while its worker began a write"
    assert other.end() == 1
