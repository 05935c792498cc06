"""The mapping center on an embedded ledger, without a server: decide, see the history, export and import."""

from __future__ import annotations

import pytest

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


def mapped(shop: Cli) -> dict[tuple[str, str], tuple[str, int | None, int]]:
    return {
        (one["kind"], one["value"]): (one["state"], one["odoo_id"], one["version"])
        for one in shop("mappings", "list", "--json").json
    }


def test_what_is_exported_can_be_imported_elsewhere_and_again(shop: Cli) -> None:
    for value in ("007", "no", "a: 'b'", "Grün 🛒"):
        shop("mappings", "set", "service", value, "5", "--unchecked")
    shop("mappings", "set", "zero_tax", "CH|novat|0", "0")
    shop("mappings", "ignore", "shipping_method", "pick up")
    block("mapping:tax:DE|19")
    before = mapped(shop)
    assert shop("mappings", "export", "maps.yaml").out == "6 mappings of shop are in maps.yaml.\n"
    assert shop("mappings", "export").out == (shop.folder / "maps.yaml").read_text("utf-8")
    again = shop("mappings", "import", "maps.yaml", "--json").json
    assert (again["changed"], again["unchanged"]) == ([], 6)
    assert mapped(shop) == before
    shop.add("other")
    ended = shop("mappings", "import", "maps.yaml", "--instance", "other", "--by", "Zoe")
    assert "Mind that the file is of the instance shop" in ended.err
    assert "Mappings: 6 changed, 0 in force already." in ended.out
    taken = {
        (one["kind"], one["value"]): (one["state"], one["odoo_id"], one["version"], one["updated_by"])
        for one in shop("mappings", "list", "--instance", "other", "--json").json
    }
    assert taken == {key: (*told, "Zoe") for key, told in before.items() if key != ("tax", "DE|19")}
    everything = shop("mappings", "export", "--all", "--instance", "shop").out
    assert '- kind: tax\n    value: "DE|19"\n    state: unmapped\n' in everything


def test_an_import_releases_the_jobs_that_waited(shop: Cli) -> None:
    block("mapping:tax:DE|19")
    (shop.folder / "maps.yaml").write_text(
        "format: 1\nmappings:\n  - {kind: tax, value: DE|19, odoo_id: 5, odoo_label: '19 %'}\n"
    )
    dry = shop("mappings", "import", "maps.yaml", "--dry-run")
    assert dry.out.endswith(
        "Mappings: 1 would be changed, 0 in force already. Jobs that wait for them and go on: 1.\n"
    )
    assert "account.tax 5 (19 %)" in dry.out
    assert mapped(shop)["tax", "DE|19"] == ("unmapped", None, 0)
    assert job_states(shop) == {"blocked"}
    ended = shop("mappings", "import", "maps.yaml")
    assert "Jobs that waited for them and go on: 1." in ended.out
    assert mapped(shop)["tax", "DE|19"] == ("mapped", 5, 1)
    assert job_states(shop) == {"pending"}
    assert "1 in force already" in shop("mappings", "import", "maps.yaml").out
    assert mapped(shop)["tax", "DE|19"] == ("mapped", 5, 1)


def test_a_file_with_one_wrong_entry_changes_nothing(shop: Cli) -> None:
    (shop.folder / "maps.yaml").write_text(
        "format: 1\nmappings:\n  - {kind: tax, value: DE|19, odoo_id: 5}\n  - {kind: tax, value: x, odoo_id: y}\n"
    )
    ended = shop("mappings", "import", "maps.yaml")
    assert (ended.code, ended.out) == (2, "")
    assert "entry 2 (tax 'x'): odoo_id 'y' is no id" in ended.err
    assert mapped(shop) == {}


def test_files_that_cannot_be_read_or_written_are_said(shop: Cli) -> None:
    assert "missing.yaml cannot be read" in shop("mappings", "import", "missing.yaml").err
    assert "cannot be written" in shop("mappings", "export", "no/such/folder.yaml").err
    (shop.folder / "latin").write_bytes(b"\xff\xfe")
    assert "not text in UTF-8" in shop("mappings", "import", "latin").err


def test_a_file_can_come_through_pipes(shop: Cli) -> None:
    shop("mappings", "set", "service", "Grün", "5", "--unchecked")
    for environment in ({}, {"PYTHONIOENCODING": "ascii"}):
        written = shop.process("mappings", "export", **environment)
        taken = shop.process("mappings", "import", "-", "--json", stdin=written.out)
        assert (taken.json["changed"], taken.json["unchanged"]) == ([], 1)


def test_the_impact_on_an_empty_ledger_is_none(shop: Cli) -> None:
    ended = shop("mappings", "impact", "tax", "DE|19", "5", "--days", "7")
    assert ended.out.startswith("0 of 0 imported orders of the last 7 days would be others.")
    assert (
        "do not depend on mappings of the kind source" in shop("mappings", "impact", "source", "a", "1").out
    )
    assert shop("mappings", "impact", "tax", "DE|19", "0").code == 2


def test_a_long_list_is_cut_and_says_so(shop: Cli) -> None:
    for value in ("1", "2", "3"):
        shop("mappings", "ignore", "store", value)
    cut = shop("mappings", "list", "--limit", "2", "--json")
    assert ([one["value"] for one in cut.json], "more than 2 values" in cut.err) == (["1", "2"], True)
    assert shop("mappings", "list", "--limit", "3").err == ""


@pytest.mark.parametrize("value", ["", "  ", "x" * 1001])
def test_a_value_that_no_file_could_hold_is_not_decided_about(shop: Cli, value: str) -> None:
    for args in (("set", "tax_class", value, "5", "--unchecked"), ("ignore", "tax_class", value)):
        ended = shop("mappings", *args)
        assert (ended.code, "VALUE is a text of 1 to 1000 characters" in ended.err) == (2, True)
    assert shop("mappings", "list", "--json").json == []


def test_a_value_that_nothing_has_had_is_mapped_with_a_word_of_doubt(shop: Cli) -> None:
    first = shop("mappings", "set", "tax_class", "7", "5", "--unchecked")
    assert (first.code, "no tax_class 7 was seen yet" in first.err) == (0, True)
    again = shop("mappings", "ignore", "tax_class", "7")
    assert (again.code, again.err) == (0, "")


def test_a_wrong_kind_or_id_is_told_in_short_words(shop: Cli) -> None:
    kind = shop("mappings", "set", "taxx", "7", "5")
    assert (kind.code, "Usage: bridge mappings set [OPTIONS] KIND VALUE ODOO_ID" in kind.err) == (2, True)
    assert "'tax_class'" in kind.err
    number = shop("mappings", "set", "tax_class", "7", "five")
    assert (number.code, "'five' is not a valid whole number" in number.err) == (2, True)
