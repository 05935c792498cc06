"""Effects: committed before they are sent, never lost, never sent twice by chance."""

from __future__ import annotations

import pytest

from bridge.errors import JobCancelled, LeaseLost, RecordMissing
from bridge.ledger import Job, Ledger
from bridge.retry import DONE, Decision
from tests.support.ledger import again, claim, exchange, expire, in_threads, queue_all, start, wait_until

KEY = "2f1c:order:42"


def begin(ledger: Ledger, job: Job, request: bytes = b'{"id": 42}'):
    return ledger.effects.begin(
        job, key=KEY, system="odoo", kind="create", target="sale.order", request=request
    )


def taken_up(ledger: Ledger, job: Job) -> Job:
    expire(ledger, job.id)
    ledger.jobs.recover_expired()
    return again(ledger, job.id)


def test_an_effect_is_sent_before_it_is_confirmed(ledger: Ledger):
    job = start(ledger)
    effect = begin(ledger, job)
    assert (effect.state, effect.may_send, effect.request) == ("sent", True, b'{"id": 42}')
    assert effect.age_seconds < 5
    confirmed = ledger.effects.confirm(job, KEY, "7", exchanges=[exchange()])
    assert (confirmed.state, confirmed.remote_id) == ("confirmed", "7")
    assert len(ledger.exchanges.list(job_id=job.id)) == 1


def test_a_confirmed_effect_is_never_sent_again(ledger: Ledger):
    job = start(ledger)
    begin(ledger, job)
    ledger.effects.confirm(job, KEY, "7")
    ledger.jobs.finish(job, DONE)
    effect = begin(ledger, start(ledger), b"another request")
    assert (effect.state, effect.may_send, effect.remote_id) == ("confirmed", False, "7")
    assert ledger.effects.resend(start(ledger, "x"), KEY).may_send is False


def test_who_takes_a_job_up_finds_what_was_sent_byte_for_byte(ledger: Ledger):
    job = start(ledger)
    begin(ledger, job, b"\x00\xff exactly this")
    second = taken_up(ledger, job)
    ledger.database.command("UPDATE effects SET sent_at = {later:-100.0}")
    effect = begin(ledger, second, b"not this")
    assert (effect.state, effect.may_send, effect.request) == ("sent", False, b"\x00\xff exactly this")
    assert 99 < effect.age_seconds < 130
    again_sent = ledger.effects.resend(second, KEY)
    assert (again_sent.may_send, again_sent.request) == (True, b"\x00\xff exactly this")
    assert again_sent.age_seconds < 5


def test_a_doubt_is_kept_until_it_is_settled(ledger: Ledger):
    job = start(ledger)
    begin(ledger, job)
    ledger.effects.doubt(job, KEY)
    effect = begin(ledger, job)
    assert (effect.state, effect.may_send) == ("doubtful", False)
    assert [one.key for one in ledger.effects.open_for_target("shop", "sale.order")] == [KEY]
    ledger.effects.confirm(job, KEY, "7")
    assert ledger.effects.get(KEY).state == "confirmed"
    assert ledger.effects.open_for_target("shop", "sale.order") == []


def test_what_a_server_took_into_its_queue_is_in_doubt_under_its_id(ledger: Ledger):
    job = start(ledger)
    begin(ledger, job)
    ledger.effects.hand(KEY, "bulk-7")
    (effect,) = ledger.effects.open_for_target("shop", "sale.order")
    assert (effect.state, effect.remote_id, effect.request) == ("doubtful", "bulk-7", b'{"id": 42}')
    # The id stays, whatever the look finds; what is confirmed is handed over to nobody any more.
    ledger.effects.confirm(job, KEY, "7")
    ledger.effects.hand(KEY, "bulk-8")
    effect = ledger.effects.get(KEY)
    assert (effect.state, effect.remote_id) == ("confirmed", "bulk-7")


def test_a_refused_effect_may_be_sent_with_another_request(ledger: Ledger):
    job = start(ledger)
    begin(ledger, job, b"wrong")
    ledger.effects.refuse(job, KEY)
    assert ledger.effects.get(KEY).state == "intended"
    effect = begin(ledger, job, b"right")
    assert (effect.state, effect.may_send, effect.request) == ("sent", True, b"right")


def test_a_late_refusal_of_an_older_attempt_says_nothing_about_the_newer_one(ledger: Ledger):
    old = start(ledger)
    begin(ledger, old)
    new = taken_up(ledger, old)
    ledger.effects.resend(new, KEY)
    ledger.effects.refuse(old, KEY)
    ledger.effects.doubt(old, KEY)
    assert ledger.effects.get(KEY).state == "sent"


def test_a_confirmation_stands_even_after_the_lease_was_lost(ledger: Ledger):
    old = start(ledger)
    begin(ledger, old)
    new = taken_up(ledger, old)
    ledger.effects.confirm(old, KEY, "7")
    effect = begin(ledger, new)
    assert (effect.state, effect.remote_id) == ("confirmed", "7")
    ledger.effects.refuse(new, KEY)
    assert ledger.effects.confirm(new, KEY, "8").remote_id == "7"


def test_nothing_is_sent_with_a_lease_that_is_over(ledger: Ledger):
    job = start(ledger)
    expire(ledger, job.id)
    with pytest.raises(LeaseLost):
        begin(ledger, job)
    with pytest.raises(LeaseLost):
        ledger.effects.resend(job, KEY)
    assert ledger.effects.get(KEY) is None


def test_nothing_is_sent_after_a_request_to_cancel_but_what_was_sent_is_confirmed(ledger: Ledger):
    job = start(ledger)
    begin(ledger, job)
    ledger.jobs.cancel(job.id)
    with pytest.raises(JobCancelled):
        ledger.effects.begin(job, key="other", system="odoo", kind="note", target="mail.message", request=b"")
    assert ledger.effects.confirm(job, KEY, "7").state == "confirmed"
    assert ledger.jobs.finish(job, Decision(state="cancelled")) == "cancelled"


def test_a_request_to_cancel_lets_a_doubt_be_settled_first(ledger: Ledger):
    job = start(ledger)
    begin(ledger, job)
    ledger.effects.doubt(job, KEY)
    ledger.jobs.cancel(job.id)
    assert begin(ledger, job).state == "doubtful"
    assert ledger.effects.resend(job, KEY).may_send
    assert ledger.jobs.finish(job, Decision(state="blocked")) == "blocked"


def test_a_wait_for_a_doubt_ends_when_a_late_worker_tells_what_became_of_it(ledger: Ledger):
    old = start(ledger)
    begin(ledger, old)
    new = taken_up(ledger, old)
    doubt = Decision(state="retry_waiting", delay_seconds=180, waits_for=f"doubt:{KEY}")
    assert ledger.jobs.finish(new, doubt) == "retry_waiting"
    ledger.effects.confirm(old, KEY, "7")
    third = again(ledger, new.id)
    assert begin(ledger, third).remote_id == "7"
    assert ledger.jobs.finish(third, doubt) == "pending"


def test_a_loss_of_the_lease_and_a_begin_at_once_never_hide_an_effect(ledger: Ledger):
    for number in range(10):
        job = start(ledger, str(number))
        key = f"race:{number}"

        def send(job=job, key=key):
            try:
                return ledger.effects.begin(
                    job, key=key, system="odoo", kind="create", target="sale.order", request=b"{}"
                )
            except LeaseLost:
                return None

        def lose(job=job):
            expire(ledger, job.id)
            # A row that is just being looked at is passed over, and found the next time.
            wait_until(ledger.jobs.recover_expired)
            return wait_until(lambda: queue_all(ledger) and claim(ledger, job.id))

        begun, new = in_threads(send, lose)
        seen = ledger.effects.begin(
            new, key=key, system="odoo", kind="create", target="sale.order", request=b"{}"
        )
        assert seen.may_send == (begun is None)
        ledger.jobs.finish(new, DONE)


def test_of_two_that_begin_the_same_effect_one_may_send(ledger: Ledger):
    for number in range(10):
        jobs = [start(ledger, f"{number}-{part}") for part in "ab"]
        key = f"both:{number}"
        works = [
            lambda job=job: ledger.effects.begin(
                job, key=key, system="odoo", kind="create", target="res.partner", request=b"{}"
            )
            for job in jobs
        ]
        assert sorted(effect.may_send for effect in in_threads(*works)) == [False, True]


def test_requests_are_encrypted_and_erased_when_they_are_old(ledger: Ledger):
    job = start(ledger)
    begin(ledger, job, b"Jane Doe, 1 Main Street")
    with ledger.database.read() as session:
        stored = bytes(session.value("SELECT request FROM effects"))
    assert b"Jane" not in stored
    ledger.effects.confirm(job, KEY, "7")
    assert ledger.effects.upkeep() == 0
    ledger.database.command("UPDATE effects SET confirmed_at = {later:-86400.0 * 15}")
    assert ledger.effects.upkeep() == 1
    effect = ledger.effects.get(KEY)
    assert effect.request is None
    assert effect.request_hash
    assert [one.key for one in ledger.effects.for_job(job.id)] == [KEY]
    assert [one.key for one in ledger.effects.for_entity("shop", "import-order", "42")] == [KEY]
    assert ledger.effects.for_entity("shop", "import-order", "43") == []


def test_an_effect_in_doubt_keeps_its_request_however_old(ledger: Ledger):
    job = start(ledger)
    begin(ledger, job)
    ledger.database.command("UPDATE effects SET sent_at = {later:-86400.0 * 300}")
    ledger.effects.upkeep()
    assert ledger.effects.get(KEY).request == b'{"id": 42}'


def test_an_unknown_effect_cannot_be_confirmed(ledger: Ledger):
    with pytest.raises(RecordMissing):
        ledger.effects.confirm(start(ledger), "nothing", "7")
