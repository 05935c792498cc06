"""The ledger as a whole: migrations, clock, small tables, errors."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.errors import ConfigurationError
from bridge.ledger import Ledger, LedgerError, LedgerUnavailable
from tests.support.ledger import TEST_KEY, in_threads, start
from tests.support.processes import free_port


def test_migrating_again_changes_nothing(ledger: Ledger):
    assert ledger.is_current()
    job = start(ledger)
    ledger.migrate()
    assert ledger.jobs.get(job.id) == job
    assert ledger.is_current()


def test_a_new_ledger_is_not_current_until_it_is_migrated(tmp_path: Path):
    with Ledger.open(f"sqlite:///{tmp_path}/new/ledger.db", secret_key=TEST_KEY) as ledger:
        assert not ledger.is_current()
        with pytest.raises(ConfigurationError, match="bridge migrate"):
            ledger.jobs.counts()
        ledger.migrate()
        assert ledger.is_current()
        assert ledger.jobs.counts() == {}


def test_two_processes_may_migrate_at_once(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/ledger.db"

    def migrate():
        with Ledger.open(url) as ledger:
            ledger.migrate()

    in_threads(migrate, migrate, migrate)
    with Ledger.open(url) as ledger:
        assert ledger.is_current()


def test_a_number_that_no_database_can_hold_is_told_as_such(ledger: Ledger):
    with contextlib.suppress(LedgerError):
        assert ledger.jobs.get(10**30) is None
    assert ledger.jobs.counts() == {}


def test_the_clock_is_the_databases(ledger: Ledger):
    now = ledger.now()
    assert now.tzinfo == UTC
    assert abs((now - datetime.now(UTC)).total_seconds()) < 60


@pytest.mark.parametrize("url", ["mysql://x/y", "not an address", "sqlite://", "sqlite:///:memory:"])
def test_an_address_that_cannot_be_used_is_refused(url: str):
    with pytest.raises(ConfigurationError, match=r"SQLite|BRIDGE_DATABASE_URL"):
        Ledger.open(url)


def test_a_database_that_does_not_answer_is_told_as_such():
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    ledger = Ledger.open(url)
    with pytest.raises(LedgerUnavailable):
        ledger.jobs.counts()
    with pytest.raises(LedgerUnavailable):
        Ledger.open(url, secret_key=TEST_KEY)


def test_connections_that_the_server_cut_are_replaced(ledger: Ledger):
    if not ledger.database.is_postgres:
        return
    start(ledger)
    with ledger.database.read() as session:
        session.rows("SELECT 1")
    # The pool hands out connections that the server has closed meanwhile.
    import psycopg

    with psycopg.connect(
        ledger.database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    ) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with pytest.raises(LedgerUnavailable):
        ledger.jobs.counts()
    assert ledger.jobs.counts() == {"running": 1}


def test_processes_are_alive_while_they_beat(ledger: Ledger):
    ledger.processes.beat("host:1", "tasks")
    ledger.processes.beat("host:2", "intake")
    ledger.processes.beat("host:1", "tasks")
    assert [one.name for one in ledger.processes.alive("tasks")] == ["host:1"]
    assert len(ledger.processes.alive()) == 2
    ledger.database.command("UPDATE processes SET beat_at = {later:-60.0} WHERE name = 'host:1'")
    assert ledger.processes.alive("tasks") == []
    assert len(ledger.processes.list()) == 2
    ledger.processes.gone("host:2")
    ledger.database.command("UPDATE processes SET beat_at = {later:-86400.0 * 8}")
    assert ledger.processes.list() == []


def test_explanations_keep_amounts_to_the_cent(ledger: Ledger):
    ledger.explanations.put(
        "shop", "order", 42, {"total": Decimal("258.850"), "lines": [{"tax": Decimal("0.10")}]}
    )
    ledger.explanations.put("shop", "order", "43", {})
    found = ledger.explanations.get("shop", "order", "42")
    assert found.content == {"total": "258.850", "lines": [{"tax": "0.10"}]}
    ledger.explanations.put("shop", "order", 42, {"total": Decimal("1.00")})
    assert ledger.explanations.get("shop", "order", 42).content == {"total": "1.00"}
    assert ledger.explanations.get("other", "order", 42) is None


def test_upkeep_of_a_young_ledger_takes_nothing_away(ledger: Ledger):
    start(ledger)
    upkeep = ledger.upkeep()
    assert (upkeep.exchanges, upkeep.requests, upkeep.events) == (0, 0, 0)


def test_an_order_of_threads_at_work_keeps_every_job(ledger: Ledger):
    from bridge.retry import DONE
    from tests.support.ledger import claim, make, queue_all

    ids = [make(ledger, str(number)) for number in range(48)]
    queue_all(ledger)

    def work(part):
        for job_id in part:
            assert ledger.jobs.finish(claim(ledger, job_id), DONE) == "done"

    in_threads(*[lambda part=ids[n::8]: work(part) for n in range(8)])
    assert ledger.jobs.counts() == {"done": 48}
