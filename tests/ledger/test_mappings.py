"""Mappings and bindings: decisions, their history, and the jobs that wait for them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from bridge.ledger import Ledger, LedgerError, MappingDecision, Pair
from bridge.retry import Decision
from tests.support.ledger import again, in_threads, start, state_of

VALUE = "VAT 21% / 21.0000"
CAUSE = f"mapping:tax:{VALUE}"
#: Of a job that has a mapping, and needs another one.
WRONG = f"remapping:tax:{VALUE}"


def decide(ledger: Ledger, value: str = VALUE, odoo_id: int = 8, instance: str = "shop"):
    return ledger.mappings.set(
        instance, "tax", value, odoo_model="account.tax", odoo_id=odoo_id, odoo_label="21% S", by="anna"
    )


def test_a_mapping_is_found_only_once_it_is_decided(ledger: Ledger):
    keys = [("tax", VALUE), ("payment", "checkmo")]
    ledger.mappings.observe("shop", [("tax", VALUE, "VAT", "order 000000042")])
    assert ledger.mappings.resolve("shop", keys) == {}
    decide(ledger)
    found = ledger.mappings.resolve("shop", keys)
    assert list(found) == [("tax", VALUE)]
    mapping = found["tax", VALUE]
    assert (mapping.state, mapping.odoo_model, mapping.odoo_id, mapping.version) == (
        "mapped",
        "account.tax",
        8,
        1,
    )
    assert ledger.mappings.resolve("other", keys) == {}
    assert ledger.mappings.resolve("shop", []) == {}


def test_what_magento_shows_is_counted_and_kept_with_an_example(ledger: Ledger):
    ledger.mappings.observe("shop", [("tax", VALUE, "VAT", "order 1"), ("tax", VALUE, "VAT", "order 2")])
    ledger.mappings.observe("shop", [("tax", VALUE, None, "order 3"), ("payment", "checkmo", None, None)])
    ledger.mappings.observe("shop", [])
    row = ledger.mappings.get("shop", "tax", VALUE)
    assert (row.state, row.seen_count, row.label, row.example) == ("unmapped", 3, "VAT", "order 3")
    assert [found.kind for found in ledger.mappings.list("shop")] == ["payment", "tax"]
    decide(ledger)
    assert [found.kind for found in ledger.mappings.list("shop", state="unmapped")] == ["payment"]
    ledger.mappings.observe("shop", [("tax", VALUE, "VAT", "order 4")])
    assert ledger.mappings.get("shop", "tax", VALUE).state == "mapped"


def test_every_decision_is_kept(ledger: Ledger):
    decide(ledger, odoo_id=8)
    decide(ledger, odoo_id=9)
    ledger.mappings.ignore("shop", "tax", VALUE, by="ben")
    history = ledger.mappings.history("shop", "tax", VALUE)
    assert [(one.version, one.state, one.odoo_id, one.by) for one in history] == [
        (1, "mapped", 8, "anna"),
        (2, "mapped", 9, "anna"),
        (3, "ignored", None, "ben"),
    ]
    assert ledger.mappings.get("shop", "tax", VALUE).version == 3
    assert ledger.mappings.resolve("shop", [("tax", VALUE)]) == {}


@pytest.mark.parametrize("own", [CAUSE, WRONG])
@pytest.mark.parametrize("by", ["set", "ignore"])
def test_a_decision_lets_the_blocked_jobs_go_on_and_no_others(ledger: Ledger, by: str, own: str):
    mine, other_value, other_instance = (
        start(ledger, "1"),
        start(ledger, "2"),
        start(ledger, "3", instance="other"),
    )
    for job, cause in ((mine, own), (other_value, f"{own}9"), (other_instance, own)):
        assert ledger.jobs.finish(job, Decision(state="blocked", cause=cause)) == "blocked"
    assert ledger.mappings.impact("shop", "tax", VALUE) == 1
    if by == "set":
        decide(ledger)
    else:
        ledger.mappings.ignore("shop", "tax", VALUE, by="anna")
    assert [state_of(ledger, job.id) for job in (mine, other_value, other_instance)] == [
        "pending",
        "blocked",
        "blocked",
    ]


@pytest.mark.parametrize("cause", [CAUSE, WRONG])
def test_a_mapping_set_while_the_job_ran_does_not_block_it(ledger: Ledger, cause: str):
    job = start(ledger)
    decide(ledger)
    assert ledger.jobs.finish(job, Decision(state="blocked", cause=cause)) == "pending"
    assert again(ledger, job.id).attempt == 2


def test_a_mapping_that_was_wrong_when_the_job_began_blocks_it_until_there_is_another(ledger: Ledger):
    decide(ledger, odoo_id=8)
    job = start(ledger)
    assert ledger.jobs.finish(job, Decision(state="blocked", cause=WRONG)) == "blocked"
    decide(ledger, odoo_id=9)
    assert state_of(ledger, job.id) == "pending"


def test_a_job_blocked_for_a_value_that_nobody_observed_makes_it_known(ledger: Ledger):
    job = start(ledger)
    assert ledger.jobs.finish(job, Decision(state="blocked", cause=CAUSE)) == "blocked"
    assert ledger.mappings.get("shop", "tax", VALUE).state == "unmapped"


@pytest.mark.parametrize("kind", ["mapping", "remapping"])
def test_nobody_stays_blocked_when_the_mapping_is_set_at_that_moment(ledger: Ledger, kind: str):
    for number in range(25):
        value = f"rate {number}"
        job = start(ledger, str(number))
        blocked = Decision(state="blocked", cause=f"{kind}:tax:{value}")
        in_threads(
            lambda job=job, blocked=blocked: ledger.jobs.finish(job, blocked),
            lambda value=value: decide(ledger, value),
        )
        assert state_of(ledger, job.id) == "pending"


def mapped(value: str, odoo_id: int, kind: str = "tax") -> MappingDecision:
    return MappingDecision(
        kind=kind, value=value, state="mapped", odoo_model="account.tax", odoo_id=odoo_id, odoo_label=value
    )


def test_many_decisions_are_one_act_and_the_same_again_are_none(ledger: Ledger):
    decide(ledger, "kept", odoo_id=1)
    decide(ledger, "other", odoo_id=2)
    decisions = [
        mapped("other", 3),
        mapped("kept", 1),
        mapped("new", 4),
        MappingDecision(kind="store", value="1", state="ignored"),
    ]
    made = ledger.mappings.decide("shop", decisions, by="ben")
    assert [(one.decision.value, one.before and one.before.odoo_id) for one in made] == [
        ("1", None),
        ("new", None),
        ("other", 2),
    ]
    rows = {(one.kind, one.value): one for one in ledger.mappings.list("shop")}
    assert {key: (one.state, one.odoo_id, one.version, one.updated_by) for key, one in rows.items()} == {
        ("store", "1"): ("ignored", None, 1, "ben"),
        ("tax", "kept"): ("mapped", 1, 1, "anna"),
        ("tax", "new"): ("mapped", 4, 1, "ben"),
        ("tax", "other"): ("mapped", 3, 2, "ben"),
    }
    assert ledger.mappings.decide("shop", decisions, by="cleo") == []
    assert [one.by for one in ledger.mappings.history("shop", "tax", "other")] == ["anna", "ben"]


def test_many_decisions_are_made_all_or_none(ledger: Ledger):
    with pytest.raises(LedgerError):
        ledger.mappings.decide("shop", [mapped("a", 1), mapped("b", 2**70)], by="ben")
    assert ledger.mappings.list("shop") == []
    assert ledger.mappings.history("shop", "tax", "a") == []


@pytest.mark.parametrize("cause", [CAUSE, WRONG])
@pytest.mark.parametrize("state", ["mapped", "ignored"])
def test_many_decisions_let_blocked_jobs_go_on_too(ledger: Ledger, cause: str, state: str):
    job, about_to_block = start(ledger, "1"), start(ledger, "2")
    assert ledger.jobs.finish(job, Decision(state="blocked", cause=cause)) == "blocked"
    decision = mapped(VALUE, 5)
    if state == "ignored":
        decision = MappingDecision(kind="tax", value=VALUE, state="ignored")
    (made,) = ledger.mappings.decide("shop", [decision], by="anna")
    assert made.released == 1
    assert state_of(ledger, job.id) == "pending"
    assert ledger.jobs.finish(about_to_block, Decision(state="blocked", cause=cause)) == "pending"


@pytest.mark.parametrize("kind", ["mapping", "remapping"])
@pytest.mark.parametrize("way", ["decide", "ignore"])
def test_nobody_stays_blocked_when_many_are_decided_at_that_moment(ledger: Ledger, kind: str, way: str):
    for number in range(10):
        value = f"rate {number}"
        job = start(ledger, str(number))
        blocked = Decision(state="blocked", cause=f"{kind}:tax:{value}")
        decisions = [mapped(value, 8), mapped("another", number)]
        in_threads(
            lambda job=job, blocked=blocked: ledger.jobs.finish(job, blocked),
            lambda value=value, decisions=decisions: (
                ledger.mappings.decide("shop", decisions, by="anna")
                if way == "decide"
                else ledger.mappings.ignore("shop", "tax", value, by="anna")
            ),
        )
        assert state_of(ledger, job.id) == "pending"


def test_the_same_decisions_at_once_are_made_once(ledger: Ledger):
    values = [mapped(f"rate {number}", number) for number in range(20)]
    made = in_threads(
        lambda: ledger.mappings.decide("shop", values, by="anna"),
        lambda: ledger.mappings.decide("shop", values[::-1], by="ben"),
    )
    assert sum(map(len, made)) == 20
    assert {one.version for one in ledger.mappings.list("shop")} == {1}


def test_what_the_configuration_names_is_noted_without_a_count(ledger: Ledger):
    ledger.mappings.observe(
        "shop", [("store", "1", "Web, English", "order 1"), ("tax", "a", None, "order 1")]
    )
    decide(ledger, "b")
    named = [
        ("store", "1", "English"),
        ("tax", "a", "rate of DE"),
        ("tax", "b", "of FR"),
        ("source", "x", None),
    ]
    assert ledger.mappings.note("shop", named) == 1
    assert ledger.mappings.note("shop", named) == 0
    rows = {(one.kind, one.value): one for one in ledger.mappings.list("shop")}
    assert {key: (one.state, one.label, one.example, one.seen_count) for key, one in rows.items()} == {
        ("source", "x"): ("unmapped", None, None, 0),
        ("store", "1"): ("unmapped", "Web, English", "order 1", 1),
        ("tax", "a"): ("unmapped", "rate of DE", "order 1", 1),
        ("tax", "b"): ("mapped", "of FR", None, 0),
    }
    ledger.mappings.note("shop", [("tax", "b", "of Belgium")])
    assert ledger.mappings.get("shop", "tax", "b").label == "of Belgium"
    assert ledger.mappings.note("shop", []) == 0
    assert ledger.mappings.list("other") == []


def test_each_of_many_records_counts_once(ledger: Ledger):
    seen = {
        "1": [("tax_class", "2", None, "product A"), ("unit", "kgs", None, "product A")],
        "2": [("tax_class", "2", "Goods", "product B")],
        "3": [],
    }
    ledger.mappings.observe_each("shop", "product", seen)
    ledger.mappings.observe_each("shop", "product", {**seen, "4": [("unit", "kgs", None, "product D")]})
    ledger.mappings.observe_each("shop", "product", {})
    rows = {(one.kind, one.value): one for one in ledger.mappings.list("shop")}
    assert {key: (one.seen_count, one.label) for key, one in rows.items()} == {
        ("tax_class", "2"): (2, "Goods"),
        ("unit", "kgs"): (2, None),
    }
    assert rows["unit", "kgs"].example == "product D"
    # The same entity of another kind, or of another instance, is another record.
    ledger.mappings.observe_each("shop", "configurable", {"1": [("tax_class", "2", None, "product A")]})
    ledger.mappings.observe_each("other", "product", {"1": [("tax_class", "2", None, "product A")]})
    assert ledger.mappings.get("shop", "tax_class", "2").seen_count == 3
    assert ledger.mappings.get("other", "tax_class", "2").seen_count == 1


def test_two_decisions_at_once_get_two_versions(ledger: Ledger):
    in_threads(lambda: decide(ledger, odoo_id=8), lambda: decide(ledger, odoo_id=9))
    assert [one.version for one in ledger.mappings.history("shop", "tax", VALUE)] == [1, 2]


def test_a_binding_pairs_a_magento_record_with_an_odoo_record(ledger: Ledger):
    assert ledger.bindings.get("shop", "order", 42) is None
    binding = ledger.bindings.bind(
        "shop",
        "order",
        magento_id=42,
        magento_label="000000042",
        odoo_model="sale.order",
        odoo_id=7,
        odoo_label="S00007",
        fingerprint="f1",
        items={"101": {"line": 9, "quantity": "2"}},
    )
    assert ledger.bindings.get("shop", "order", "42") == binding
    assert ledger.bindings.get("other", "order", 42) is None
    assert binding.order_items_json == {"101": {"line": 9, "quantity": "2"}}
    assert ledger.bindings.by_odoo("shop", "order", 7) == [binding]
    assert ledger.bindings.by_odoo_many("shop", "order", [5, 7]) == [binding]
    assert ledger.bindings.by_odoo_many("shop", "product", [7]) == []


def test_binding_again_keeps_what_is_not_given(ledger: Ledger):
    first = ledger.bindings.bind(
        "shop", "order", magento_id=42, odoo_model="sale.order", odoo_id=7, fingerprint="f1", items={"1": 2}
    )
    second = ledger.bindings.bind("shop", "order", magento_id=42, odoo_model="sale.order", odoo_id=8)
    assert (second.odoo_id, second.fingerprint, second.order_items_json) == (8, "f1", {"1": 2})
    assert second.created_at == first.created_at


def test_many_bindings_are_read_in_one_go_and_listed_page_by_page(ledger: Ledger):
    for number in range(12):
        ledger.bindings.bind(
            "shop", "product", magento_id=f"SKU-{number:02}", odoo_model="product.product", odoo_id=number
        )
    found = ledger.bindings.get_many("shop", "product", ["SKU-03", "SKU-05", "none"])
    assert {sku: one.odoo_id for sku, one in found.items()} == {"SKU-03": 3, "SKU-05": 5}
    page = ledger.bindings.list("shop", kind="product", limit=5)
    rest = ledger.bindings.list("shop", kind="product", after=page[-1].magento_id, limit=50)
    assert [one.odoo_id for one in (*page, *rest)] == list(range(12))


def test_a_dropped_binding_is_gone(ledger: Ledger):
    ledger.bindings.bind("shop", "order", magento_id=42, odoo_model="sale.order", odoo_id=7)
    assert ledger.bindings.drop("shop", "order", 42)
    assert not ledger.bindings.drop("shop", "order", 42)
    assert ledger.bindings.get("shop", "order", 42) is None


def test_what_one_record_shows_is_counted_once_however_often_it_is_looked_at(ledger: Ledger):
    for times in range(3):
        seen = [("tax", VALUE, "VAT", f"order 1, {times}"), ("store", "1", None, "order 1")]
        ledger.mappings.observe("shop", seen, once_for=("order", "1"))
    ledger.mappings.observe("shop", [("tax", VALUE, None, "order 2")], once_for=("order", "2"))
    ledger.mappings.observe("other", [("tax", VALUE, None, "order 1")], once_for=("order", "1"))
    row = ledger.mappings.get("shop", "tax", VALUE)
    assert (row.state, row.seen_count, row.label, row.example) == ("unmapped", 2, "VAT", "order 2")
    assert ledger.mappings.get("shop", "store", "1").seen_count == 1
    assert ledger.mappings.get("other", "tax", VALUE).seen_count == 1
    # Once there is an explanation the record was counted: by an older version, or before.
    ledger.explanations.put("shop", "order", "3", {"parts": []})
    ledger.mappings.observe("shop", [("tax", VALUE, None, "order 3")], once_for=("order", "3"))
    assert ledger.mappings.get("shop", "tax", VALUE).seen_count == 2
    assert ledger.explanations.get("shop", "order", "3").content == {"parts": []}


def test_many_orders_at_once_count_each_value_once_an_order(ledger: Ledger):
    values = [(kind, str(number), None, None) for kind in ("tax", "store") for number in range(4)]

    def order(number: int) -> None:
        for _ in range(2):
            mixed = values[number % 8 :] + values[: number % 8]
            ledger.mappings.observe("shop", mixed, once_for=("order", str(number)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(order, range(24)))
    assert {one.seen_count for one in ledger.mappings.list("shop")} == {24}


def test_what_was_bound_lately_is_read_by_pages_with_what_is_kept_of_it(ledger: Ledger):
    before = ledger.now()
    for entity in ("1", "10", "2"):
        ledger.bindings.bind(
            "shop",
            "order",
            magento_id=entity,
            odoo_model="sale.order",
            odoo_id=int(entity),
            magento_label="n",
        )
    for kind, instance in (("product", "shop"), ("order", "other")):
        ledger.bindings.bind(instance, kind, magento_id="3", odoo_model="sale.order", odoo_id=3)
    ledger.explanations.put("shop", "order", "10", {"mappings": []})
    ledger.explanations.put("shop", "history", "2", {"placed_on": "x"})

    def page(since: datetime, **more: Any) -> list[tuple[str, Any]]:
        found = ledger.explanations.of_bound("shop", "order", since=since, **more)
        return [(one.magento_id, one.content) for one in found]

    first = page(before, limit=2)
    assert first == [("1", None), ("10", {"mappings": []})]
    assert page(before, after="10", limit=2) == [("2", None)]
    assert page(before, after="2", limit=2) == []
    assert page(ledger.now() + timedelta(seconds=1)) == []


def test_many_are_bound_in_one_statement_each_as_one_would_be(ledger):
    ledger.bindings.bind(
        "shop",
        "product",
        magento_id=1,
        odoo_model="product.product",
        odoo_id=7,
        odoo_label="A",
        fingerprint="x",
    )
    pairs = [
        Pair(magento_id="1", odoo_model="product.product", odoo_id=8, magento_label="SKU-1"),
        Pair(magento_id="2", odoo_model="product.product", odoo_id=9, fingerprint="y"),
        Pair(magento_id="2", odoo_model="product.product", odoo_id=10, fingerprint="z"),
    ]
    ledger.bindings.bind_many("shop", "product", pairs)
    ledger.bindings.bind_many("shop", "product", [])
    found = ledger.bindings.get_many("shop", "product", ["1", "2"])
    assert {
        key: (one.odoo_id, one.magento_label, one.odoo_label, one.fingerprint) for key, one in found.items()
    } == {"1": (8, "SKU-1", "A", "x"), "2": (10, None, None, "z")}
    assert ledger.bindings.get_many("other", "product", ["1"]) == {}


def test_bindings_are_read_by_a_range_of_magentos_ids_as_numbers(ledger: Ledger):
    ids = [1, 9, 10, 99, 100, 1000, 123456]
    pairs = [Pair(magento_id=str(one), odoo_model="product.product", odoo_id=one) for one in ids]
    ledger.bindings.bind_many("shop", "product", pairs)

    def between(after: int, up_to: int | None) -> list[int]:
        found = list(ledger.bindings.between("shop", "product", after=after, up_to=up_to))
        return [int(one.magento_id) for one in found]

    assert between(0, None) == ids
    assert between(9, 100) == [10, 99, 100]
    assert between(100, None) == [1000, 123456]
    assert between(10, 98) == []
    assert list(ledger.bindings.between("shop", "other", after=0, up_to=None)) == []
