"""The mapping center on an embedded ledger, without a server: decide, see the history, export and import."""

from __future__ import annotations

from bridge.bootstrap import open_ledger
from bridge.cli.app import person
from bridge.flows.wants import want
from bridge.ledger import JobError
from bridge.retry import Decision
from bridge.settings import Settings
from bridge.topology import TASK_QUEUES
from tests.support.cli import Cli


def block(cause: str, entity: str = "42") -> None:
    """Put a job into the ledger that waits for a mapping."""
    ledger = open_ledger(Settings())
    try:
        job_id = ledger.jobs.want([want("import-order", instance="shop", entity=entity)])[0].job_id
        ledger.jobs.dispatch(dict.fromkeys(TASK_QUEUES, 10), limit=10)
        job = ledger.jobs.claim(job_id, worker="test", max_runtime_seconds=60)
        assert job is not None
        error = JobError(code="mapping_missing", message="Nothing is mapped.", help="Map it.")
        ledger.jobs.finish(job, Decision(state="blocked", cause=cause), error=error)
    finally:
        ledger.close()


def job_states(shop: Cli) -> set[str]:
    return {one["state"] for one in shop("jobs", "list", "--json").json}


def test_the_history_of_a_mapping_says_who_when_from_what_to_what(shop: Cli) -> None:
    assert "Nothing was decided" in shop("mappings", "history", "store", "1").out
    shop("mappings", "set", "store", "1", "5", "--unchecked", "--by", "Zoe")
    shop("mappings", "set", "store", "1", "6", "--unchecked")
    assert shop("mappings", "ignore", "store", "1", "--by", "Zoe").out == "store 1 is ignored.\n"
    told = shop("mappings", "history", "store", "1", "--json").json
    assert [
        (one["version"], one["by"], one["from"]["state"], one["from"]["odoo_id"], one["to"]["odoo_id"])
        for one in told
    ] == [(1, "Zoe", "unmapped", None, 5), (2, person(), "mapped", 5, 6), (3, "Zoe", "mapped", 6, None)]
    assert all(one["at"].endswith("Z") for one in told)
    shown = shop("mappings", "history", "store", "1").out
    for words in ("crm.team 5", "crm.team 6", "unmapped", "ignored", "Zoe"):
        assert words in shown


def test_who_decides_must_have_a_name(shop: Cli) -> None:
    for name in ("", " ", "a\nb", "x" * 101):
        ended = shop("mappings", "ignore", "store", "1", "--by", name)
        assert (ended.code, "--by is a name" in ended.err) == (2, True)


def test_ignoring_releases_the_jobs_that_waited(shop: Cli) -> None:
    block("mapping:shipping_method:pick up")
    ended = shop("mappings", "ignore", "shipping_method", "pick up")
    assert ended.out == "shipping_method pick up is ignored. Jobs that waited for it and go on: 1.\n"
    assert job_states(shop) == {"pending"}
