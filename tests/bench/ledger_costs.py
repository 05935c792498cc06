"""(d) What one job costs the ledger: statements, and the rows they read, beside 1,000 and 1,000,000 others."""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from bridge.flows.wants import want
from bridge.ledger import Arrival, Event, Job, Ledger
from bridge.ledger.database import Session
from bridge.retry import DONE
from tests.bench.world import database

FEW = 1_000
#: Jobs under way beside: a full window of messages, and busy workers.
QUEUED, RUNNING = 200, 40
#: Of two indexes over the open jobs the planner may take the one that shows it a row or two more.
SLACK_ROWS = 2
_JOBS = """
INSERT INTO jobs (instance, kind, entity, external_key, queue, lock_key, lane, priority, systems, data, state, wanted,
    claimed, attempt, next_attempt_at, not_before, created_at, finished_at)
SELECT 'shop', 'import-order', 'old' || n, 'old' || n, 'orders', 'shop:order:old' || n,
    'shop|orders|import-order|magento,odoo', 50, 'magento,odoo', '{}', 'done', 1, 1, 1, now(), now(), now(), now()
FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) n
"""
#: Of another instance and queue, so that none of them is in the measured job's way.
_NEIGHBOURS = """
INSERT INTO jobs (instance, kind, entity, external_key, queue, lock_key, lane, priority, systems, data, state, wanted,
    claimed, attempt, next_attempt_at, not_before, created_at, fence, lease_until, deadline_at)
SELECT 'other', 'import-order', 'new' || n, 'new' || n, 'catalog', 'other:order:new' || n,
    'other|catalog|import-order|magento,odoo', 50, 'magento,odoo', '{}',
    CASE WHEN n > :running THEN 'queued' ELSE 'running' END, 1, 1, 1, now() + interval '1 hour', now(), now(),
    'f', now() + interval '1 hour', now() + interval '1 hour'
FROM generate_series(1, CAST(:last AS bigint)) n
"""
_EVENTS = """
INSERT INTO events (instance, source, event_id, type, subject, data, external_key, received_at)
SELECT 'shop', '/s', 'old' || n, 'magento.order.saved', 'old' || n, '{}', 'old' || n, now()
FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) n
"""
_EFFECTS = """
INSERT INTO effects (key, instance, job_id, fence, system, kind, target, state, request_hash, sent_at, confirmed_at)
SELECT 'old' || n, 'shop', n, 'f', 'odoo', 'create', 'sale.order', 'confirmed', 'h', now(), now()
FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) n
"""


@dataclass(frozen=True)
class Cost:
    """Statements of one step, and the rows that their scans read."""

    statements: int
    rows: int


def measure(*, many: int) -> bool:
    """Print the costs of each step at both sizes; return whether they are equal."""
    print(
        f"\n(d) Statements of one job, and rows they read (EXPLAIN ANALYZE), beside {FEW:,} and {many:,} ended jobs,"
    )
    print(
        f"  as many events and effects, and {QUEUED} queued and {RUNNING} running ones; one dispatch serves up to a window of jobs"
    )
    with database("bridge_bench") as url, Ledger.open(url, secret_key=secrets.token_urlsafe(32)) as ledger:
        _fill(ledger, 1, FEW)
        few = _life(ledger, "few")
        started = time.monotonic()
        _fill(ledger, FEW + 1, many)
        filled = time.monotonic() - started
        more = _life(ledger, "many")
    print(f"  {'step':12} {'statements':>10} {f'rows at {FEW:,}':>18} {f'rows at {many:,}':>18}")
    for name, cost in few.items():
        print(f"  {name:12} {cost.statements:10} {cost.rows:18} {more[name].rows:18}")
    sums = [sum(cost.rows for cost in costs.values()) for costs in (few, more)]
    print(f"  {'together':12} {sum(cost.statements for cost in few.values()):10} {sums[0]:18} {sums[1]:18}")
    is_equal = all(_is_equal(cost, more[name]) for name, cost in few.items())
    print(f"  equal, but for {SLACK_ROWS} rows: {'MET' if is_equal else 'MISSED'}; filled in {filled:.0f} s")
    return is_equal


def _is_equal(few: Cost, more: Cost) -> bool:
    return few.statements == more.statements and more.rows <= few.rows + SLACK_ROWS


def _fill(ledger: Ledger, first: int, last: int) -> None:
    ledger.database.command("DELETE FROM jobs WHERE state IN ('queued', 'running')")
    for sql in (_JOBS, _EVENTS, _EFFECTS):
        ledger.database.command(sql, first=first, last=last)
    # Deferred work of the fill (pending lists, visibility) would otherwise be counted as the job's.
    ledger.database.command("VACUUM ANALYZE")
    ledger.database.command(_NEIGHBOURS, last=QUEUED + RUNNING, running=RUNNING)
    ledger.database.command("ANALYZE jobs")


def _life(ledger: Ledger, entity: str) -> dict[str, Cost]:
    """Return the costs of each step of the life of one order's job."""
    costs: dict[str, Cost] = {}

    def step(name: str, work: Callable[[], Any]) -> Any:
        with _explained() as seen:
            answer = work()
        costs[name] = Cost(seen["statements"], seen["rows"])
        return answer

    event = Event(
        instance="shop", source="/s", event_id=entity, type="magento.order.saved", subject=entity, time=None,
        data={},
    )  # fmt: skip
    arrival = Arrival(event=event, wants=(want("import-order", instance="shop", entity=entity),))
    job_id = step("take + want", lambda: ledger.events.take([arrival])).wanted[0].job_id
    step("dispatch", lambda: (ledger.jobs.queued(), ledger.jobs.dispatch({"orders": 200}, limit=200)))
    job: Job = step("claim", lambda: ledger.jobs.claim(job_id, worker="bench", max_runtime_seconds=60))
    step("renew", lambda: ledger.jobs.renew(job))
    step(
        "effect begin",
        lambda: ledger.effects.begin(
            job, key=entity, system="odoo", kind="create-order", target="sale.order", request=b"{}"
        ),
    )
    step("confirm", lambda: ledger.effects.confirm(job, entity, "1"))
    assert step("finish", lambda: ledger.jobs.finish(job, DONE)) == "done"
    return costs


@contextmanager
def _explained() -> Iterator[Counter[str]]:
    """Explain every statement before it runs; gives the number of them and of the rows read."""
    seen: Counter[str] = Counter()
    original = Session._execute

    def spy(self: Session, sql: str, params: Mapping[str, Any]) -> None:
        seen["statements"] += 1
        if sql.split(maxsplit=1)[0] in {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}:
            seen["rows"] += _rows(_plan(self, sql, params))
        original(self, sql, params)

    Session._execute = spy  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        Session._execute = original  # type: ignore[method-assign]


def _plan(session: Session, sql: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    connection = session._cursor.connection
    dialect = session._database.dialect
    with connection.transaction(force_rollback=True), psycopg.ClientCursor(connection) as cursor:
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + dialect.render(sql), dialect.clean(params))
        (plan,) = cursor.fetchone()
    plans = json.loads(plan) if isinstance(plan, str) else plan
    return plans[0]["Plan"]


def _rows(node: Mapping[str, Any]) -> int:
    """Return the rows that a plan's scans of tables read, those thrown away included."""
    rows = 0
    if "Relation Name" in node and "Scan" in node["Node Type"]:
        names = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
        rows = int(sum(node.get(name, 0) for name in names) * node["Actual Loops"])
    return rows + sum(_rows(part) for part in node.get("Plans", ()))
