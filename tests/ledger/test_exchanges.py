"""The sync log: cut, compressed, masked; partitions and retention."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from bridge.ledger import Ledger
from bridge.ledger.partitions import partitions
from bridge.retry import DONE
from tests.support.ledger import exchange, start


def test_exchanges_are_written_with_the_end_of_the_attempt(ledger: Ledger):
    job = start(ledger)
    one = exchange(request_body=b'{"a": 1}')
    ledger.jobs.finish(job, DONE, exchanges=[one, exchange(status=None, error="No answer.")])
    stored = {found.id: found for found in ledger.exchanges.list(job_id=job.id)}
    assert len(stored) == 2
    found = stored[one.id]
    assert (found.instance, found.attempt, found.method, found.status) == ("shop", 1, "GET", 200)
    assert found.started_at == one.started_at
    assert found.request_headers == {"accept": "application/json"}
    bodies = ledger.exchanges.bodies(one.id)
    assert (bodies.request, bodies.response) == (b'{"a": 1}', b'{"entity_id": 42}')
    assert ledger.exchanges.get(one.id) == found


def test_bodies_are_cut_and_compressed(ledger: Ledger):
    long = exchange(response_body=b"x" * 200_000)
    ledger.exchanges.add("shop", [long])
    assert ledger.exchanges.get(long.id).response_size == 200_000
    assert len(ledger.exchanges.bodies(long.id).response) == 64 * 1024
    with ledger.database.read() as session:
        assert len(bytes(session.value("SELECT response_body FROM exchange_bodies"))) < 2_000


def test_incompressible_and_binary_bodies_come_back_as_they_were(ledger: Ledger):
    body = os.urandom(5000) + b"\0\xff"
    one = exchange(request_body=body)
    ledger.exchanges.add("shop", [one])
    assert ledger.exchanges.bodies(one.id).request == body


def test_a_secret_that_slipped_through_is_masked_in_headers_and_address(ledger: Ledger):
    one = exchange(
        url="https://shop.example/rest?access_token=s3cret",
        request_headers={"authorization": "Bearer s3cret"},
        response_headers={"set-cookie": "session_id=s3cret"},
    )
    ledger.exchanges.add("shop", [one])
    assert "s3cret" not in str(ledger.exchanges.get(one.id))


def test_the_list_can_be_narrowed_and_paged(ledger: Ledger):
    for number in range(5):
        ledger.exchanges.add("shop", [exchange(status=500 if number == 2 else 200)])
    ledger.exchanges.add("other", [exchange(system="odoo")])
    assert len(ledger.exchanges.list(instance="shop")) == 5
    assert len(ledger.exchanges.list(system="odoo")) == 1
    assert len(ledger.exchanges.list(only_errors=True)) == 1
    first = ledger.exchanges.list(limit=4)
    second = ledger.exchanges.list(limit=4, before=first[-1])
    assert len({one.id for one in (*first, *second)}) == 6


def _age(ledger: Ledger, days: int) -> None:
    for table in ("exchanges", "exchange_bodies"):
        ledger.database.command(f"UPDATE {table} SET created_at = {{later:-86400.0 * :days}}", days=days)


def test_retention_drops_bodies_first_and_metadata_later(ledger: Ledger):
    if ledger.database.is_postgres:
        _old_partitions(ledger)
    one = exchange()
    ledger.exchanges.add("shop", [one])
    _age(ledger, 30)
    fresh = exchange()
    ledger.exchanges.add("shop", [fresh])
    assert ledger.exchanges.upkeep() > 0
    assert ledger.exchanges.bodies(one.id) is None
    assert ledger.exchanges.get(one.id) is not None
    assert ledger.exchanges.bodies(fresh.id) is not None
    ledger.database.command("DELETE FROM exchanges WHERE id = :id", id=fresh.id)
    if ledger.database.is_postgres:
        _old_partitions(ledger)
    _age(ledger, 200)
    ledger.exchanges.upkeep()
    assert ledger.exchanges.get(one.id) is None


def _old_partitions(ledger: Ledger) -> None:
    """Make the partitions that a ledger in use would have from the months before."""
    monday = _monday(ledger.now())
    for week in range(2, 40):
        start_day = monday - timedelta(weeks=week)
        for table in ("exchanges", "exchange_bodies"):
            ledger.database.command(
                f"CREATE TABLE IF NOT EXISTS {table}_{start_day:%Y%m%d} PARTITION OF {table}"
                f" FOR VALUES FROM ('{start_day.isoformat()}') TO ('{(start_day + timedelta(weeks=1)).isoformat()}')"
            )


def _monday(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=now.weekday())


def test_sqlite_deletes_in_batches(ledger: Ledger):
    if ledger.database.is_postgres:
        return
    ledger.exchanges.add("shop", [exchange() for _ in range(1201)])
    _age(ledger, 400)
    assert ledger.exchanges.upkeep() == 2402
    assert ledger.exchanges.list() == []


def test_postgres_has_a_partition_for_each_week_ahead(ledger: Ledger):
    if not ledger.database.is_postgres:
        assert partitions(ledger.database, "exchanges") == []
        return
    monday = _monday(ledger.now())
    expected = {f"exchanges_{monday + timedelta(weeks=week):%Y%m%d}" for week in range(9)}
    assert expected <= set(partitions(ledger.database, "exchanges"))


def test_a_week_without_a_partition_gets_one_when_it_is_needed(ledger: Ledger):
    if not ledger.database.is_postgres:
        return
    for table in ("exchanges", "exchange_bodies"):
        for name in partitions(ledger.database, table):
            ledger.database.command(f"DROP TABLE {name}")
    job = start(ledger)
    one = exchange()
    assert ledger.jobs.finish(job, DONE, exchanges=[one]) == "done"
    assert ledger.exchanges.bodies(one.id) is not None


def test_whole_partitions_are_dropped_when_they_are_old(ledger: Ledger):
    if not ledger.database.is_postgres:
        return
    _old_partitions(ledger)
    ledger.exchanges.upkeep()
    now = ledger.now()
    oldest_body = min(partitions(ledger.database, "exchange_bodies"))
    oldest = min(partitions(ledger.database, "exchanges"))
    assert oldest_body >= f"exchange_bodies_{_monday(now - timedelta(days=14)):%Y%m%d}"
    assert oldest >= f"exchanges_{_monday(now - timedelta(days=180)):%Y%m%d}"
    assert oldest <= f"exchanges_{now - timedelta(days=150):%Y%m%d}"
