"""Jobs, events, mappings, logs, pauses: what the commands read and do on an embedded ledger."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.bootstrap import open_ledger
from bridge.flows.wants import want
from bridge.ledger import DeadEvent, JobError
from bridge.retry import Decision
from bridge.settings import Settings
from bridge.topology import TASK_QUEUES
from tests.support.cli import Cli, assert_plain

JOB_FIELDS = {
    *("id", "kind", "instance", "entity", "external_key", "state", "retry_count", "next_attempt_at", "error"),
    *("help", "created_at", "finished_at"),
}


def blocked_job(kind: str = "import-order", entity: str = "42") -> int:
    """Put a job into the ledger that waits for a tax mapping."""
    ledger = open_ledger(Settings())
    try:
        job_id = ledger.jobs.want([want(kind, instance="shop", entity=entity)])[0].job_id
        ledger.jobs.dispatch(dict.fromkeys(TASK_QUEUES, 10), limit=10)
        job = ledger.jobs.claim(job_id, worker="test", max_runtime_seconds=60)
        assert job is not None
        ledger.jobs.finish(
            job,
            Decision(state="blocked", cause="mapping:tax:DE|19"),
            error=JobError(
                code="mapping_missing", message="No tax\x1b[31m.\u202e", help="Map it.", trace="secret trace"
            ),
        )
        return int(job_id)
    finally:
        ledger.close()


def test_a_job_is_listed_and_shown_with_what_to_do(shop: Cli) -> None:
    job_id = blocked_job()
    (job,) = shop("jobs", "list", "--json").json
    assert set(job) >= JOB_FIELDS
    assert (job["id"], job["state"], job["error_code"], job["help"]) == (
        job_id,
        "blocked",
        "mapping_missing",
        "Map it.",
    )
    shown = shop("jobs", "show", str(job_id))
    assert "Map it." in shown.out
    assert "secret trace" not in shown.out
    assert "secret trace" in shop("jobs", "show", str(job_id), "--trace").out
    assert len(shop("jobs", "show", str(job_id), "--json").json["attempts"]) == 1


def test_filters_choose_jobs(shop: Cli) -> None:
    blocked_job()
    assert shop("run", "noop").code == 0
    assert [one["kind"] for one in shop("jobs", "list", "--json").json] == ["noop", "import-order"]
    assert len(shop("jobs", "list", "--state", "blocked", "--json").json) == 1
    assert len(shop("jobs", "list", "--kind", "noop", "--instance", "shop", "--json").json) == 1
    assert shop("jobs", "list", "--entity", "nope").out == "No jobs fit.\n"
    assert len(shop("jobs", "list", "--before", "2", "--json").json) == 1


def test_names_from_outside_cannot_steer_the_terminal(shop: Cli) -> None:
    blocked_job()
    for command in (("jobs", "list"), ("jobs", "show", "1")):
        shown = shop(*command)
        assert "\x1b[31m" not in shown.out
        assert "\u202e" not in shown.out
    assert shop("jobs", "list", "--json").json[0]["error"] == "No tax\x1b[31m.\u202e"


def test_tables_are_readable_at_80_columns(shop: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked_job(entity="000000042")
    monkeypatch.setenv("COLUMNS", "80")
    for command in (
        ("jobs", "list"),
        ("doctor",),
        ("instance", "list"),
        ("jobs", "show", "1"),
        ("schedules", "list"),
    ):
        lines = shop(*command).out.splitlines()
        tables = [line for line in lines if not line.startswith(("help", "external_key"))]
        assert max(map(len, tables)) <= 80, command
    assert "import-order   000000042   blocked" in shop("jobs", "list").out


def test_a_job_is_retried_and_cancelled(shop: Cli) -> None:
    blocked_job()
    assert shop("jobs", "retry", "1").code == 0
    again = shop("jobs", "retry", "1")
    assert (again.code, "about to run" in again.err) == (1, True)
    assert shop("jobs", "cancel", "1").code == 0
    assert shop("jobs", "list", "--json").json[0]["state"] == "cancelled"


def test_all_jobs_of_a_state_are_retried_at_once(shop: Cli) -> None:
    for number in range(3):
        blocked_job(entity=str(number))
    blocked_job("import-orders", "all")
    assert shop("jobs", "retry", "--state", "failed").out == "No job is failed.\n"
    ended = shop("jobs", "retry", "--state", "blocked", "--kind", "import-order", "--instance", "shop")
    assert (ended.code, ended.out) == (0, "3 blocked jobs will run again.\n")
    states = {job["entity"]: job["state"] for job in shop("jobs", "list", "--json").json}
    assert states == {"0": "pending", "1": "pending", "2": "pending", "all": "blocked"}


def test_a_job_is_found_by_what_people_call_it(shop: Cli) -> None:
    ledger = open_ledger(Settings())
    try:
        ledger.jobs.want([want("import-order", instance="shop", entity="60", label="000000047")])
        ledger.jobs.want([want("import-order", instance="shop", entity="61")])
    finally:
        ledger.close()
    (job,) = shop("jobs", "list", "--label", "000000047", "--json").json
    assert (job["entity"], job["label"]) == ("60", "000000047")
    assert "000000047" in shop("jobs", "list").out


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("jobs", "show", "7"), 2, "There is no job 7"),
        (("jobs", "show", "x"), 2, "not a valid integer"),
        (("jobs", "retry", "7"), 1, "There is no job 7"),
        (("jobs", "retry", str(2**70)), 1, "too large"),
        (("jobs", "retry"), 2, "Name the jobs, or give --state"),
        (("jobs", "retry", "7", "--state", "blocked"), 2, "Name the jobs, or give --state"),
        (("jobs", "retry", "--state", "done"), 2, "'failed'"),
        (("jobs", "list", "--state", "nope"), 2, "'retry_waiting'"),
        (("jobs", "list", "--limit", "0"), 2, "1<=x<=1000"),
        (("jobs", "list", "--instance", "nope"), 2, "There are: shop"),
        (("logs", "show", "x"), 2, "not a valid UUID"),
        (("logs", "show", "00000000-0000-7000-8000-000000000000"), 2, "There is no call"),
        (("events", "show", "7"), 2, "no dead event"),
        (("events", "replay", "7"), 2, "no dead event"),
        (("mappings", "ignore", "tax", "DE|19"), 2, "money depends on it"),
        (("mappings", "set", "tax", "DE|19", "0"), 2, "explicitly no tax"),
        (("mappings", "set", "tax", "DE|19", "-1"), 2, "No such option"),
        (("mappings", "set", "nope", "DE|19", "1"), 2, "zero_tax"),
        (("mappings", "set", "tax", "DE|19", "1"), 2, "--unchecked maps without asking"),
        (("pause", "nope"), 2, "import-order"),
        (("resume",), 1, "There is no pause of all flows of all instances to end. Nothing is paused."),
        (("run", "nope"), 2, "No such command"),
        (("run", "import-order", " "), 2, "the order's number as Magento shows it"),
        (("run", "import-order", "x" * 51), 2, "the order's number as Magento shows it"),
        (("run", "import-order", "1", "--store-id", "-1"), 2, "x>=0"),
        (("run", "import-orders", "--from", "yesterday"), 2, "no day such as 2026-11-01"),
        (("publish", "nope", "--id", "1"), 2, "magento.order.saved"),
        (("publish", "magento.order.saved"), 2, "Missing option '--id'"),
        (("publish", "magento.order.saved", "--id", "0"), 2, "x>=1"),
        (("publish", "magento.order.saved", "--id", str(2**70)), 2, "data.id"),
        (("publish", "magento.order.saved", "--id", "1", "--version", "now"), 2, "looks like 2026-11-01"),
    ],
)
def test_wrong_input_is_told_plainly(shop: Cli, args: tuple[str, ...], code: int, words: str) -> None:
    ended = shop(*args)
    assert ended.code == code, ended.err
    assert words in ended.err
    assert ended.out == ""
    assert_plain(ended)


def test_a_mapping_releases_the_jobs_that_waited_for_it(shop: Cli) -> None:
    blocked_job()
    ended = shop("mappings", "set", "tax", "DE|19", "5", "--unchecked")
    assert ended.out == "tax DE|19 is account.tax 5. Jobs that waited for it and go on: 1.\n"
    assert shop("jobs", "list", "--json").json[0]["state"] == "pending"
    (row,) = shop("mappings", "list", "--json").json
    assert (row["odoo_model"], row["odoo_id"], row["state"]) == ("account.tax", 5, "mapped")
    assert shop("mappings", "set", "zero_tax", "CH|novat|0", "0").out.startswith(
        "zero_tax CH|novat|0 is no tax."
    )


def test_pause_keeps_jobs_back_and_resume_lets_them_go(shop: Cli) -> None:
    assert shop("pause", "noop", "--instance", "shop").code == 0
    assert "paused" in {one["name"] for one in shop("doctor", "--json").json}
    refused = shop("resume")
    assert (refused.code, "noop of shop" in refused.err) == (1, True)
    assert shop("resume", "noop", "--instance", "shop").code == 0
    assert shop("run", "noop", "--wait").code == 0


def test_noop_runs_in_this_process_where_nothing_else_runs_jobs(shop: Cli) -> None:
    ended = shop("run", "noop", "--wait", "--json")
    assert ended.code == 0
    assert [(job["kind"], job["state"]) for job in ended.json["jobs"]] == [("noop", "done")]
    assert "start `bridge serve --embedded`" in shop("run", "noop").err


def test_a_test_event_is_taken_into_the_embedded_ledger(shop: Cli) -> None:
    ended = shop("publish", "magento.order.saved", "--id", "42", "--version", "2026-11-01 10:20:30", "--json")
    assert (ended.code, ended.json["event"]["type"]) == (0, "magento.order.saved")
    (job,) = shop("jobs", "list", "--json").json
    assert (job["kind"], job["entity"]) == ("import-order", "42")
    assert shop("events", "list", "--json").json["events"][0]["subject"] == "42"


def test_an_event_that_no_flow_handles_becomes_a_dead_one(shop: Cli) -> None:
    ended = shop("publish", "odoo.picking.done", "--id", "1")
    assert (ended.code, "no_flow" in ended.err) == (1, True)
    assert "no_flow" in shop("events", "list", "--dead").out
    assert shop("events", "replay", "1").code == 1


def test_a_dead_event_is_replayed_once_its_instance_is_there(cli: Cli) -> None:
    assert cli("migrate").code == 0
    body = {
        "specversion": "1.0",
        "id": "1",
        "source": "/instances/shop/magento",
        "type": "magento.order.saved",
        "subject": "42",
        "datacontenttype": "application/json",
        "data": {"id": 42},
    }
    ledger = open_ledger(Settings())
    dead = DeadEvent(
        reason="unknown_instance",
        body=json.dumps(body).encode(),
        headers={},
        routing_key="magento.order.saved",
    )
    ledger.events.bury(dead)
    ledger.close()
    assert cli("events", "replay", "1").code == 1
    assert cli.add().code == 0
    assert cli("events", "show", "1", "--json").json["reason"] == "unknown_instance"
    assert cli("events", "replay", "1").out == "Replayed: job 1.\n"
    assert cli("events", "list", "--json").json["dead"][0]["replayed_at"]


@pytest.mark.parametrize(
    "args",
    [
        *(
            ("instance", "list"),
            ("instance", "show"),
            ("jobs", "list"),
            ("jobs", "show", "1"),
            ("logs", "list"),
        ),
        *(("events", "list"), ("mappings", "list"), ("bindings", "list"), ("schedules", "list"), ("doctor",)),
    ],
)
def test_json_is_one_document_on_stdout_and_nothing_else(shop: Cli, args: tuple[str, ...]) -> None:
    blocked_job()
    ended = shop("--verbose", *args, "--json")
    json.loads(ended.out)


def test_logs_are_on_stderr_only(shop: Cli) -> None:
    ended = shop.process("-v", "run", "noop", "--wait", "--json", BRIDGE_LOG_FORMAT="json")
    assert ended.json["jobs"][0]["state"] == "done"
    assert "job_ended" in [json.loads(line)["event"] for line in ended.err.splitlines()]


def test_doctor_says_what_to_do(shop: Cli) -> None:
    Path(".bridge/secret.key").chmod(0o644)
    blocked_job()
    ended = shop("doctor")
    assert ended.code == 1
    for words in (
        "chmod 600",
        "bridge jobs list --state blocked",
        "host name of Magento's",
        "bridge serve --embedded",
    ):
        assert words in ended.out
    assert_plain(ended)


def test_doctor_speaks_also_without_a_ledger(cli: Cli) -> None:
    ended = cli.process(
        *("--verbose", "doctor"),
        BRIDGE_DATABASE_URL="postgresql://u:pa55@127.0.0.1:1/d",
        BRIDGE_BROKER_URL="amqp://u:pa55@127.0.0.1:1/",
    )
    assert ended.code == 1
    for words in ("The ledger could not be reached", "Start RabbitMQ", "BRIDGE_SECRET_KEY is not set"):
        assert words in ended.out
    assert "pa55" not in ended.out + ended.err
    assert_plain(ended)


def test_every_command_explains_itself(cli: Cli) -> None:
    from click import Group

    from bridge.cli.main import bridge as root

    def walk(group: Group, path: tuple[str, ...]) -> list[tuple[str, ...]]:
        found = []
        for name, command in group.commands.items():
            found.append((*path, name))
            if isinstance(command, Group):
                found += walk(command, (*path, name))
        return found

    for path in walk(root, ()):
        ended = cli(*path, "--help")
        assert (ended.code, "Usage: bridge" in ended.out) == (0, True), path
    assert cli("--version").out.startswith("bridge, version ")
    assert cli().code in {0, 2}
