"""What a job costs the ledger does not grow with the jobs that have ended."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from bridge.flows.wants import wake_stock
from bridge.ledger import Ledger, Pair
from bridge.ledger.database import Session
from bridge.retry import DONE
from tests.support.ledger import exchange, make, start

_ENDED = """
INSERT INTO jobs (instance, kind, entity, external_key, queue, lane, priority, systems, data, state, wanted, claimed,
    attempt, next_attempt_at, not_before, created_at, finished_at)
SELECT 'shop', 'noop', 'old' || n, 'old' || n, 'upkeep', 'shop|upkeep|noop|', 50, '', '{}', 'done', 1, 1, 1,
    now(), now(), now(), now() FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) n
"""
_CONFIRMED = """
INSERT INTO effects (key, instance, job_id, fence, system, kind, target, state, request_hash, sent_at, confirmed_at)
SELECT 'old' || n, 'shop', n, 'f', 'odoo', 'create', 'sale.order', 'confirmed', 'h', now(), now()
FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) n
"""


@pytest.fixture
def postgres_ledger(postgres_url: str):
    with Ledger.open(postgres_url, secret_key="a-key-for-tests-only-0123456789") as ledger:
        yield ledger


@contextmanager
def explained(monkeypatch: pytest.MonkeyPatch):
    """Explain every statement before it runs; gives the rows read and the statements counted, by name."""
    seen: Counter[str] = Counter()
    statements: list[str] = []
    original = Session._execute

    def spy(self: Session, sql: str, params: dict[str, Any]) -> None:
        word = sql.split(maxsplit=1)[0]
        statements.append(" ".join(sql.split()[:3]))
        if word in {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}:
            _explain(self, sql, params, seen)
        original(self, sql, params)

    with monkeypatch.context() as patch:
        patch.setattr(Session, "_execute", spy)
        yield seen, statements


def _explain(session: Session, sql: str, params: dict[str, Any], seen: Counter[str]) -> None:
    connection = session._cursor.connection
    text = "EXPLAIN (ANALYZE, FORMAT JSON) " + session._database.dialect.render(sql)
    with connection.transaction(force_rollback=True), psycopg.ClientCursor(connection) as cursor:
        cursor.execute(text, session._database.dialect.clean(params))
        (plan,) = cursor.fetchone()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    seen["compiled"] += "JIT" in plan[0]
    seen["rows"] += _rows(plan[0]["Plan"])


def _rows(node: dict[str, Any]) -> int:
    """Return the rows that a plan's scans of tables read, those thrown away included."""
    rows = 0
    if "Relation Name" in node and "Scan" in node["Node Type"]:
        read = sum(
            node.get(key, 0)
            for key in ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
        )
        rows = int(read * node["Actual Loops"])
    return rows + sum(_rows(child) for child in node.get("Plans", ()))


def _cycle(ledger: Ledger, entity: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, list[str]]]:
    """Return the rows read and the statements of each step of one job's life."""
    costs: dict[str, tuple[int, list[str]]] = {}

    def step(name: str, work: Any) -> Any:
        with explained(monkeypatch) as (seen, statements):
            answer = work()
        costs[name] = (seen["rows"], statements)
        return answer

    job_id = step(
        "want", lambda: make(ledger, entity, kind="noop", queue="upkeep", lock_key=f"order:{entity}")
    )
    step("dispatch", lambda: ledger.jobs.dispatch({"upkeep": 10}, limit=10))
    job = step("claim", lambda: ledger.jobs.claim(job_id, worker="w", max_runtime_seconds=60))
    step("renew", lambda: ledger.jobs.renew(job))
    step(
        "begin",
        lambda: ledger.effects.begin(job, key=entity, system="odoo", kind="k", target="t", request=b"{}"),
    )
    step("confirm", lambda: ledger.effects.confirm(job, entity, "1"))
    step("finish", lambda: ledger.jobs.finish(job, DONE, exchanges=[exchange()]))
    step("counts", lambda: ledger.jobs.counts(ended=False))
    return costs


@pytest.mark.postgres
@pytest.mark.timeout(300)
def test_rows_read_per_job_are_equal_at_a_thousand_and_a_hundred_thousand_jobs(postgres_ledger, monkeypatch):
    ledger = postgres_ledger
    for seed in (_ENDED, _CONFIRMED):
        ledger.database.command(seed, first=1, last=1_000)
    ledger.database.command("ANALYZE")
    few = _cycle(ledger, "few", monkeypatch)
    for seed in (_ENDED, _CONFIRMED):
        ledger.database.command(seed, first=1_001, last=100_000)
    ledger.database.command("ANALYZE")
    many = _cycle(ledger, "many", monkeypatch)
    assert {name: rows for name, (rows, _) in many.items()} == {name: rows for name, (rows, _) in few.items()}
    assert sum(rows for rows, _ in many.values()) < 40


@pytest.mark.postgres
def test_a_choice_reads_what_it_chooses_even_before_the_statistics_know_the_backlog(
    postgres_ledger, monkeypatch
):
    ledger = postgres_ledger
    ledger.database.command(_ENDED.replace("'done', 1, 1, 1", "'pending', 1, 0, 0"), first=1, last=20_000)
    with explained(monkeypatch) as (seen, _statements):
        assert len(ledger.jobs.dispatch({"upkeep": 50}, limit=50)) == 50
    assert seen["rows"] < 250


@pytest.mark.postgres
def test_a_running_job_reads_its_own_row_by_statistics_from_a_quiet_hour(postgres_ledger, monkeypatch):
    ledger = postgres_ledger
    for seed in (_ENDED, _CONFIRMED):
        ledger.database.command(seed, first=1, last=1_000)
    ledger.database.command("ANALYZE")
    # The planner now takes the indexes of the jobs under way to be empty; they are as long as a window of messages.
    queued = _ENDED.replace(
        "'done', 1, 1, 1,\n    now()", "'queued', 1, 0, 0,\n    now() + interval '1 hour'"
    )
    ledger.database.command(queued.replace("old", "new"), first=1, last=200)
    costs = _cycle(ledger, "one", monkeypatch)
    assert {name: costs[name][0] for name in ("claim", "renew", "begin")} == {
        "claim": 1,
        "renew": 1,
        "begin": 1,
    }


@pytest.mark.postgres
def test_a_job_costs_few_statements(postgres_ledger, monkeypatch):
    costs = _cycle(postgres_ledger, "one", monkeypatch)
    counts = {name: len(statements) for name, (_rows_read, statements) in costs.items()}
    assert counts["claim"] == 1
    assert counts["renew"] == 1
    # BEGIN, the job, its attempt with the look at who waits, COMMIT; exchanges are sent as one batch beside them.
    assert counts["finish"] == 4
    assert counts["want"] == 3
    # The guard and the effect in one.
    assert counts["begin"] == 1


@pytest.mark.postgres
def test_no_plan_is_compiled(postgres_ledger, monkeypatch):
    """A table without an index to use counts as very dear, and compiling the read of it takes 31 ms each time."""
    make(postgres_ledger, "one", kind="noop", queue="upkeep")
    with explained(monkeypatch) as (seen, statements):
        assert len(postgres_ledger.jobs.dispatch({"upkeep": 10}, limit=10)) == 1
    assert "SELECT name, max_parallel_odoo," in statements
    assert seen["compiled"] == 0


@pytest.mark.postgres
def test_a_long_backlog_that_is_held_back_costs_one_look(postgres_ledger, monkeypatch):
    ledger = postgres_ledger
    held = _ENDED.replace("'done', 1, 1, 1", "'pending', 1, 0, 0").replace("noop", "held")
    ledger.database.command(held, first=1, last=20_000)
    ledger.database.command("ANALYZE")
    ledger.pauses.pause(None, "held", by="anna")
    job = start(ledger, "7")
    ledger.jobs.finish(job, DONE)
    make(ledger, "8")
    with explained(monkeypatch) as (seen, _statements):
        assert len(ledger.jobs.dispatch({"orders": 10, "upkeep": 10}, limit=10)) == 1
    assert seen["rows"] < 40


@pytest.mark.postgres
def test_an_export_of_stock_reads_what_it_takes_even_right_after_all_products_were_bound(
    postgres_ledger, monkeypatch
):
    """By no statistics PostgreSQL would read all bindings for each figure: 2,000 times 2,000 rows."""
    ledger = postgres_ledger
    given = {"base_url": "https://shop.example", "odoo_url": "https://odoo.example", "odoo_db": "odoo"}
    ledger.instances.add("shop", {**given, "odoo_user": "bridge"}, secrets={})
    pairs = [
        Pair(magento_id=str(one), odoo_model="product.product", odoo_id=one, magento_label=f"SKU-{one:04}")
        for one in range(1, 2_001)
    ]
    ledger.bindings.bind_many("shop", "product", pairs)
    assert ledger.stock.mark_all("shop", wake=wake_stock("shop"), by_hand=True) == 2_000
    with explained(monkeypatch) as (seen, _statements):
        assert len(ledger.stock.dirty("shop", "default", limit=500)) == 500
    assert seen["rows"] < 5_000
