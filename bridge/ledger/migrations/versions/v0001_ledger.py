"""The ledger's first schema.

States are text, not native enums, so that a new one needs no lock. JSON is kept as text: the databases
never look into it. Every index that the engine works with is partial, on the states it looks for, so that what
it reads does not grow with the jobs that have ended.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

_OPEN = "state IN ('pending', 'queued', 'running', 'retry_waiting', 'blocked')"
_UNDER_WAY = "state IN ('queued', 'running')"
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make every table."""
    _jobs()
    _job_indexes()
    _events()
    _effects()
    _exchanges()
    _pairs()
    _instances()
    _control()


def downgrade() -> None:
    """Drop every table."""
    inspector = sa.inspect(op.get_bind())
    for table in inspector.get_table_names():
        if table != "ledger_version" and not table.startswith(("exchanges_", "exchange_bodies_")):
            op.drop_table(table)


def _text(name: str, *, required: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=not required)


def _time(name: str, *, required: bool = True) -> sa.Column[object]:
    return sa.Column(name, _TIME, nullable=not required)


def _int(name: str, default: int | None = None, *, required: bool = True) -> sa.Column[int]:
    shown = None if default is None else str(default)
    return sa.Column(name, sa.BigInteger, nullable=not required, server_default=shown)


def _id() -> sa.Column[int]:
    return sa.Column("id", _ID, sa.Identity(), primary_key=True)


def _jobs() -> None:
    op.create_table(
        "jobs",
        _id(),
        _text("instance"),
        _text("kind"),
        _text("entity"),
        _text("label", required=False),
        _text("external_key"),
        _text("queue"),
        _text("lock_key", required=False),
        # Instance, queue, kind and systems in one: what the dispatcher holds back, it holds back by lane.
        _text("lane"),
        _int("priority"),
        _text("systems"),
        _text("data"),
        _text("version", required=False),
        _text("state"),
        _int("wanted", 1),
        _int("claimed", 0),
        _int("retry_count", 0),
        _int("attempt", 0),
        _int("dispatches", 0),
        _time("next_attempt_at"),
        _time("not_before"),
        _text("waits_for", required=False),
        _text("cause", required=False),
        _text("worker", required=False),
        _text("fence", required=False),
        _time("lease_until", required=False),
        _time("deadline_at", required=False),
        sa.Column("cancel_requested", sa.Boolean, nullable=False, server_default=sa.false()),
        _text("error_code", required=False),
        _text("error", required=False),
        _text("help", required=False),
        _text("trace", required=False),
        _text("result", required=False),
        _int("run_id", required=False),
        _time("created_at"),
        _time("started_at", required=False),
        _time("finished_at", required=False),
    )
    op.create_table(
        "attempts",
        sa.Column("job_id", sa.BigInteger, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True),
        _text("worker", required=False),
        _time("started_at"),
        _time("ended_at"),
        _text("outcome"),
        _text("error_code", required=False),
        _text("error", required=False),
        _text("help", required=False),
        _text("trace", required=False),
    )


def _job_indexes() -> None:
    _index("jobs_open_key", "external_key", where=_OPEN, unique=True)
    _index("jobs_running_lock", "lock_key", where="state = 'running' AND lock_key IS NOT NULL", unique=True)
    _index("jobs_lane", "lane, priority DESC, id", where="state = 'pending'")
    _index("jobs_under_way", "lane", where=_UNDER_WAY)
    _index("jobs_held_lock", "lock_key", where=f"{_UNDER_WAY} AND lock_key IS NOT NULL")
    _index("jobs_time", "state, next_attempt_at", where="state IN ('retry_waiting', 'queued')")
    _index("jobs_waits", "waits_for, priority DESC, id", where="state = 'retry_waiting' AND waits_for IS NOT NULL")
    _index("jobs_lease", "lease_until", where="state = 'running'")
    _index("jobs_cause", "cause, instance", where="state = 'blocked'")
    _index("jobs_failed", "id", where="state = 'failed'")
    _index("jobs_open", "state, instance", where=_OPEN)
    _index("jobs_run", "run_id, state", where="run_id IS NOT NULL")
    _index("jobs_key", "external_key, id")
    if _is_postgres():
        # Dead versions of open rows slow the dispatcher: clean up by their number, not by the table's size.
        op.execute(
            "ALTER TABLE jobs SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,"
            " autovacuum_analyze_scale_factor = 0.05, fillfactor = 90)"
        )


def _events() -> None:
    op.create_table(
        "events",
        _id(),
        _text("instance"),
        _text("source"),
        _text("event_id"),
        _text("type"),
        _text("subject", required=False),
        _time("time", required=False),
        _text("data"),
        _text("external_key", required=False),
        _time("received_at"),
    )
    _index("events_once", "instance, source, event_id", unique=True)
    _index("events_received", "received_at")
    op.create_table(
        "dead_events",
        _id(),
        _text("reason"),
        sa.Column("body", sa.LargeBinary, nullable=False),
        _int("size"),
        _text("headers"),
        _text("routing_key"),
        _time("received_at"),
        _time("replayed_at", required=False),
    )


def _effects() -> None:
    op.create_table(
        "effects",
        sa.Column("key", sa.Text, primary_key=True),
        _text("instance"),
        _int("job_id"),
        _text("fence"),
        _text("system"),
        _text("kind"),
        _text("target"),
        _text("state"),
        sa.Column("request", sa.LargeBinary, nullable=True),
        _text("request_hash"),
        _text("remote_id", required=False),
        _time("sent_at"),
        _time("confirmed_at", required=False),
    )
    _index("effects_job", "job_id")
    _index("effects_erasable", "confirmed_at", where="state = 'confirmed' AND request IS NOT NULL")
    _index("effects_open", "instance, target", where="state <> 'confirmed'")


def _exchanges() -> None:
    columns = (
        "id {uuid} NOT NULL, created_at {time} NOT NULL, instance text NOT NULL, job_id bigint, attempt bigint,"
        " system text NOT NULL, method text NOT NULL, url text NOT NULL, operation text, status bigint, error text,"
        " started_at {time} NOT NULL, duration_ms bigint NOT NULL, request_headers text NOT NULL,"
        " response_headers text NOT NULL, request_size bigint NOT NULL, response_size bigint NOT NULL,"
        " PRIMARY KEY (id, created_at)"
    )
    bodies = (
        "id {uuid} NOT NULL, created_at {time} NOT NULL, request_body {blob} NOT NULL,"
        " response_body {blob} NOT NULL, PRIMARY KEY (id, created_at)"
    )
    if _is_postgres():
        kinds = {"uuid": "uuid", "time": "timestamptz", "blob": "bytea"}
        suffix = " PARTITION BY RANGE (created_at)"
    else:
        kinds = {"uuid": "text", "time": "datetime", "blob": "blob"}
        suffix = ""
    op.execute(f"CREATE TABLE exchanges ({columns.format(**kinds)}){suffix}")
    op.execute(f"CREATE TABLE exchange_bodies ({bodies.format(**kinds)}){suffix}")
    _index("exchanges_job", "job_id, created_at", where="job_id IS NOT NULL")
    _index("exchanges_time", "created_at")
    _index("exchange_bodies_time", "created_at")


def _pairs() -> None:
    op.create_table(
        "bindings",
        _id(),
        _text("instance"),
        _text("kind"),
        _text("magento_id"),
        _text("magento_label", required=False),
        _text("odoo_model"),
        _int("odoo_id"),
        _text("odoo_label", required=False),
        _text("fingerprint", required=False),
        _text("order_items_json", required=False),
        _time("created_at"),
        _time("updated_at"),
    )
    _index("bindings_magento", "instance, kind, magento_id", unique=True)
    _index("bindings_odoo", "instance, kind, odoo_id")
    decision = (
        _text("state"),
        _text("odoo_model", required=False),
        _int("odoo_id", required=False),
        _text("odoo_label", required=False),
        _int("version"),
        _text("data"),
    )
    op.create_table(
        "mappings",
        sa.Column("instance", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, primary_key=True),
        _text("label", required=False),
        _text("example", required=False),
        *decision,
        _int("seen_count"),
        _time("first_seen_at"),
        _time("last_seen_at"),
        _text("updated_by", required=False),
        _time("updated_at"),
    )
    op.create_table(
        "mapping_history",
        _id(),
        _text("instance"),
        _text("kind"),
        _text("value"),
        *(column._copy() for column in decision),
        _text("by"),
        _time("at"),
    )
    _index("mapping_history_value", "instance, kind, value, version")


def _instances() -> None:
    op.create_table(
        "instances",
        sa.Column("name", sa.Text, primary_key=True),
        _text("settings"),
        _text("installation_id"),
        sa.Column("secrets", sa.LargeBinary, nullable=False),
        _int("max_parallel_odoo"),
        _int("max_parallel_magento"),
        _time("created_at"),
        _time("updated_at"),
    )
    op.create_table(
        "key_checks",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "explanations",
        sa.Column("instance", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("entity", sa.Text, primary_key=True),
        _text("content"),
        _time("updated_at"),
    )


def _control() -> None:
    op.create_table(
        "runs",
        _id(),
        _text("instance"),
        _text("kind"),
        _text("args"),
        _text("state"),
        _text("cursor", required=False),
        _int("planned", 0),
        _int("folded", 0),
        _int("seen", 0),
        _int("planner_job_id", required=False),
        _time("created_at"),
        _time("finished_at", required=False),
    )
    op.create_table(
        "breakers",
        sa.Column("instance", sa.Text, primary_key=True),
        sa.Column("system", sa.Text, primary_key=True),
        _int("failures", 0),
        _int("openings", 0),
        sa.Column("is_trying", sa.Boolean, nullable=False, server_default=sa.false()),
        _time("opened_at", required=False),
        _time("retry_at", required=False),
    )
    op.create_table(
        "pauses",
        # An empty text stands for all: a primary key takes no NULL.
        sa.Column("instance", sa.Text, primary_key=True),
        sa.Column("flow", sa.Text, primary_key=True),
        _text("by"),
        _time("since"),
    )
    op.create_table(
        "releases",
        sa.Column("instance", sa.Text, primary_key=True),
        sa.Column("cause", sa.Text, primary_key=True),
        _time("released_at", required=False),
    )
    op.create_table(
        "processes",
        sa.Column("name", sa.Text, primary_key=True),
        _text("role"),
        _time("started_at"),
        _time("beat_at"),
    )


def _index(name: str, columns: str, *, where: str | None = None, unique: bool = False) -> None:
    table = name.split("_", 1)[0]
    if name.startswith(("exchange_bodies", "mapping_history")):
        table = "_".join(name.split("_")[:2])
    kind = "UNIQUE INDEX" if unique else "INDEX"
    op.execute(f"CREATE {kind} {name} ON {table} ({columns})" + (f" WHERE {where}" if where else ""))


def _is_postgres() -> bool:
    return op.get_bind().dialect.name == "postgresql"
