"""Conflicts: an edit stands, is taken back, is overwritten and kept, or is decided by a person."""

from __future__ import annotations

from typing import Any

from bridge.ledger import Ledger, SeenEdit
from tests.support.ledger import in_threads


def edit(field: str = "name", *, odoo: str = "Edited", magento: str = "Mug", **more: Any) -> SeenEdit:
    values: dict[str, Any] = {"magento_id": "1", "master": "magento", "label": "MUG"} | more
    return SeenEdit(field=field, odoo_value=odoo, magento_value=magento, **values)


def rows(ledger: Ledger, *states: str) -> list[tuple[str, str, str, bool]]:
    found = ledger.conflicts.list("shop", states=states or ("open", "gone", "resolved"))  # type: ignore[arg-type]  # texts that are states
    return [(one.field, one.odoo_value, one.state, one.overwritten_at is not None) for one in found]


def test_an_edit_is_one_conflict_however_often_it_is_seen(ledger: Ledger) -> None:
    for value in ("Edited", "Edited", "Edited again"):
        ledger.conflicts.note("shop", "product", [edit(odoo=value)], looked_at=["1"])
    assert rows(ledger) == [("name", "Edited again", "open", False)]
    (one,) = ledger.conflicts.list("shop")
    assert (one.magento_value, one.label, one.master, one.edited) == ("Mug", "MUG", "magento", "odoo")
    assert ledger.conflicts.list("other") == []


def test_an_edit_that_is_taken_back_is_gone_and_others_stay(ledger: Ledger) -> None:
    ledger.conflicts.note("shop", "product", [edit(), edit("weight"), edit(magento_id="2")])
    ledger.conflicts.note("shop", "product", [edit("weight")], looked_at=["1"])
    assert rows(ledger, "gone") == [("name", "Edited", "gone", False)]
    assert [(one.magento_id, one.field) for one in ledger.conflicts.list("shop")] == [("1", "weight"), ("2", "name")]  # fmt: skip
    # Made again it is a new one.
    ledger.conflicts.note("shop", "product", [edit(), edit("weight")], looked_at=["1"])
    assert len(rows(ledger)) == 4


def test_only_fields_of_the_masters_that_were_compared_are_judged(ledger: Ledger) -> None:
    ledger.conflicts.note("shop", "product", [edit(), edit("weight", master="odoo")])
    ledger.conflicts.note("shop", "product", [], looked_at=["1"], masters=("odoo",))
    assert rows(ledger, "open") == [("name", "Edited", "open", False)]


def test_an_overwritten_edit_is_kept_and_a_later_one_stands_beside_it(ledger: Ledger) -> None:
    ledger.conflicts.note("shop", "product", [edit()])
    # The write that takes its place is tried twice.
    for _ in range(2):
        ledger.conflicts.note("shop", "product", [edit(magento="Cup", is_overwritten=True)])
    ledger.conflicts.note("shop", "product", [], looked_at=["1"])
    assert rows(ledger) == [("name", "Edited", "open", True)]
    (kept,) = ledger.conflicts.list("shop")
    assert (kept.magento_value, kept.odoo_value) == ("Cup", "Edited")
    ledger.conflicts.note("shop", "product", [edit(odoo="Once more", magento="Cup")], looked_at=["1"])
    ledger.conflicts.note("shop", "product", [edit(odoo="Once more", magento="Bowl", is_overwritten=True)])
    assert rows(ledger) == [("name", "Edited", "open", True), ("name", "Once more", "open", True)]


def test_a_conflict_is_decided_once(ledger: Ledger) -> None:
    ledger.conflicts.note("shop", "product", [edit()])
    (one,) = ledger.conflicts.list("shop")
    decided = ledger.conflicts.resolve(one.id, "odoo")
    assert decided is not None
    assert (decided.state, decided.used, decided.ended_at is not None) == ("resolved", "odoo", True)
    assert ledger.conflicts.resolve(one.id, "magento") is None
    assert ledger.conflicts.get(one.id) == decided
    assert ledger.conflicts.get(one.id + 1) is None


def test_pages_go_on_behind_the_last_id(ledger: Ledger) -> None:
    ledger.conflicts.note("shop", "product", [edit(magento_id=str(number)) for number in range(5)])
    first = ledger.conflicts.list("shop", limit=3)
    second = ledger.conflicts.list("shop", after=first[-1].id, limit=3)
    assert (len(first), len(second)) == (3, 2)


def test_two_that_see_the_same_edit_at_once_make_one_conflict(ledger: Ledger) -> None:
    def note() -> None:
        ledger.conflicts.note("shop", "product", [edit()], looked_at=["1"])

    in_threads(note, note, note, note)
    assert rows(ledger) == [("name", "Edited", "open", False)]


def test_bindings_are_found_by_their_odoo_ids_in_one_statement(ledger: Ledger) -> None:
    for magento_id, odoo_id in ((1, 10), (2, 20), (3, 20)):
        ledger.bindings.bind(
            "shop", "product", magento_id=magento_id, odoo_model="product.product", odoo_id=odoo_id
        )
    found = ledger.bindings.by_odoo_many("shop", "product", [20, 30])
    assert [(one.magento_id, one.odoo_id) for one in found] == [("2", 20), ("3", 20)]
    assert ledger.bindings.by_odoo_many("shop", "product", []) == []
