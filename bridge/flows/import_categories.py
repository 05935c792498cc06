"""``bridge run import-categories``: Magento's categories become Odoo's product categories, parents first.

Fetch, plan, look for what was deleted in Odoo, then level by level: bind what people made there, load what is new, write
what changed. What people change in Odoo stays: only a change in Magento is written.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from bridge.errors import BoundRecordGone, ServiceRejected
from bridge.flows.context import FlowContext
from bridge.flows.effects import Write
from bridge.flows.magento_catalog import MagentoCatalog
from bridge.flows.product_book import CATEGORY_BINDING
from bridge.idempotency import XMLID_MODULE, canonical_json, fingerprint
from bridge.ledger import Binding
from bridge.odoo import LoadRequest
from bridge.odoo.values import decode
from bridge.translate.category_plan import Level, PlannedCategory, plan_categories

MODEL = "product.category"
#: Rows of one ``load``, one transaction in Odoo.
_ROWS_AT_ONCE = 100
_IDS_AT_ONCE = 1000
_NAMED = 5


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Bring all categories to Odoo; returns how many were made, changed, and left as they are."""
    levels = plan_categories(MagentoCatalog(ctx.magento).categories())
    work = _Work(ctx, levels)
    work.look_for_deleted()
    bound = made = changed = 0
    for level in levels:
        bound += work.take(level)
        made += work.make(level)
        changed += work.change(level)
    count = sum(map(len, levels))
    found = {"bound": bound} if bound else {}
    unchanged = count - bound - made - changed
    return {"categories": {"made": made, **found, "changed": changed, "unchanged": unchanged}}


class _Work:
    """One import: what is bound, and grows."""

    def __init__(self, ctx: FlowContext, levels: Sequence[Level]) -> None:
        self._ctx = ctx
        self._planned = {one.category_id: one for level in levels for one in level}
        found = ctx.ledger.bindings.get_many(ctx.instance.name, CATEGORY_BINDING, self._planned)
        self._bound: dict[int, Binding] = {int(number): binding for number, binding in found.items()}
        self._made: set[int] = set()

    # What was deleted in Odoo.

    def look_for_deleted(self) -> None:
        """Make sure, before anything is written, that all bound categories are still in Odoo.

        In the place of one that was deleted a person may have put another of the same name: that one is taken.

        Raises:
            BoundRecordGone: some were deleted.
        """
        gone = self._gone()
        if not gone:
            return
        for one in self._taken_instead(gone):
            gone.remove(one)
        if gone:
            raise _gone_error([self._planned[number] for number in gone], self._bound[gone[0]].odoo_id)

    def _gone(self) -> list[int]:
        """Return the categories whose Odoo records are not there, parents first."""
        ids = sorted({binding.odoo_id for binding in self._bound.values()})
        there: set[int] = set()
        for start in range(0, len(ids), _IDS_AT_ONCE):
            there |= set(self._ctx.odoo.search(MODEL, [["id", "in", ids[start : start + _IDS_AT_ONCE]]]))
        return [
            number
            for number in self._planned
            if number in self._bound and self._bound[number].odoo_id not in there
        ]

    def _taken_instead(self, gone: Sequence[int]) -> list[int]:
        rows = self._named({self._planned[number].name for number in gone})
        taken = {binding.odoo_id for number, binding in self._bound.items() if number not in gone}
        found: list[int] = []
        for number in gone:
            planned = self._planned[number]
            if not self._is_settled(planned, set(gone) - set(found)):
                continue
            there = _fitting(rows, planned.name, self._parent(planned), taken)
            if there is not None:
                self._bind(planned, there, self._wanted(planned))
                taken.add(there)
                found.append(number)
        return found

    def _named(self, names: Iterable[str]) -> list[Mapping[str, Any]]:
        """Return Odoo's categories of these names."""
        wanted, rows = sorted(set(names)), list[Mapping[str, Any]]()
        for start in range(0, len(wanted), _IDS_AT_ONCE):
            domain = [["name", "in", wanted[start : start + _IDS_AT_ONCE]]]
            rows += self._ctx.odoo.search_read(MODEL, domain, ["name", "parent_id"], order="id")
        return rows

    def _is_settled(self, planned: PlannedCategory, open_: set[int]) -> bool:
        """Return whether the parent's Odoo record is known and there."""
        return planned.parent_id is None or (
            planned.parent_id in self._bound and planned.parent_id not in open_
        )

    # What is new.

    def take(self, level: Level) -> int:
        """Bind the categories of a level that people made in Odoo, by name and parent; returns how many.

        Else there were two of one name below one parent. What the bridge made itself is for ``make`` to find again, by
        its key: Magento may have given the name to another category since.
        """
        new = [one for one in level if one.category_id not in self._bound]
        rows = self._named(one.name for one in new) if new else []
        own = self._ctx.odoo.external_ids(MODEL, [int(row["id"]) for row in rows])
        taken = {binding.odoo_id for binding in self._bound.values()} | {
            odoo_id for odoo_id, name in own.items() if name.startswith(f"{XMLID_MODULE}.")
        }
        found = 0
        for one in new:
            there = _fitting(rows, one.name, self._parent(one), taken)
            if there is not None:
                self._bind(one, there, self._wanted(one))
                taken.add(there)
                found += 1
        return found

    def make(self, level: Level) -> int:
        """Load the categories of a level that Odoo does not have; returns how many."""
        made = 0
        while new := [one for one in level if one.category_id not in self._bound]:
            batch = new[:_ROWS_AT_ONCE]
            key = self._ctx.effect_key("categories", str(batch[0].category_id))
            was_done = self._ctx.writer.is_done(key)
            ids = self._load(key, batch)
            rows = self._ctx.odoo.read(MODEL, list(ids.values()), ["name", "parent_id"])
            stored = {int(row["id"]): _digest(str(row["name"]), _id(row["parent_id"])) for row in rows}
            for one in batch:
                odoo_id = ids.get(one.category_id)
                if odoo_id is None:
                    continue
                # What is there may be older than this plan: sent by an attempt before, or by a lost ledger.
                self._bind(one, odoo_id, stored.get(odoo_id, self._wanted(one)))
                self._made.add(one.category_id)
                made += 1
            if gone := [one for one in batch if was_done and ids.get(one.category_id, 0) not in {0, *stored}]:
                # Bound all the same: so the next try takes what a person puts in their places.
                raise _gone_error(gone, ids[gone[0].category_id])
            if batch[0].category_id not in self._bound:
                raise _unexpected(f"no record for category {batch[0].category_id}")
        return made

    def _load(self, key: str, batch: Sequence[PlannedCategory]) -> dict[int, int]:
        """Create categories, those that are not there; return Odoo's ids by Magento's.

        After a doubt the rows of the first time are sent again, whatever the plan is now; the ids that come back
        name their own categories.
        """
        ctx = self._ctx
        request = LoadRequest(
            model=MODEL,
            fields=("id", "name", "parent_id/.id"),
            rows=tuple(
                (
                    ctx.external_id(CATEGORY_BINDING, str(one.category_id)),
                    one.name,
                    str(self._parent(one) or ""),
                )
                for one in batch
            ),
        )

        def send(stored: bytes) -> str:
            sent = LoadRequest.decode(stored)
            ids = ctx.odoo.send_load(sent).ids
            if len(ids) != len(sent.rows):
                raise _unexpected(f"{len(ids)} records where {len(sent.rows)} were sent")
            names = [ctx.entity_of(CATEGORY_BINDING, row[0]) for row in sent.rows]
            return " ".join(f"{name}:{odoo_id}" for name, odoo_id in zip(names, ids, strict=True))

        write = Write(
            key=key,
            system="odoo",
            kind="create-categories",
            target=MODEL,
            request=request.encode(),
            send=send,
        )
        pairs = (pair.partition(":") for pair in ctx.writer.once(write).split())
        return {int(number): int(odoo_id) for number, _, odoo_id in pairs}

    # What changed.

    def change(self, level: Level) -> int:
        """Write the names and parents that changed in Magento; returns how many categories had one."""
        changed = 0
        for one in level:
            is_changed = False
            while self._bound[one.category_id].fingerprint != self._wanted(one):
                self._write(one)
                is_changed = True
            changed += is_changed and one.category_id not in self._made
        return changed

    def _write(self, one: PlannedCategory) -> None:
        """Write name and parent; after a doubt first what was sent then, so that no older write comes after a newer."""
        ctx, binding = self._ctx, self._bound[one.category_id]
        values = {"name": one.name, "parent_id": self._parent(one) or False}

        def send(stored: bytes) -> str:
            sent = decode(stored)
            ctx.odoo.write(MODEL, [int(sent["id"])], sent["values"])
            return _digest(sent["values"]["name"], sent["values"]["parent_id"] or None)

        version = fingerprint([binding.fingerprint, binding.updated_at.isoformat()])[:24]
        write = Write(
            key=ctx.effect_key("category-change", f"{one.category_id}:{version}"),
            system="odoo",
            kind="write-category",
            target=MODEL,
            request=canonical_json({"id": binding.odoo_id, "values": values}),
            send=send,
        )
        self._bind(one, binding.odoo_id, ctx.writer.once(write))

    def _wanted(self, one: PlannedCategory) -> str:
        return _digest(one.name, self._parent(one))

    def _parent(self, one: PlannedCategory) -> int | None:
        return None if one.parent_id is None else self._bound[one.parent_id].odoo_id

    def _bind(self, one: PlannedCategory, odoo_id: int, digest: str) -> None:
        ctx = self._ctx
        self._bound[one.category_id] = ctx.ledger.bindings.bind(
            ctx.instance.name,
            CATEGORY_BINDING,
            magento_id=one.category_id,
            odoo_model=MODEL,
            odoo_id=odoo_id,
            magento_label=one.name,
            odoo_label=one.name,
            fingerprint=digest,
        )


def _digest(name: str, parent: int | None) -> str:
    return fingerprint([name, parent])


def _id(value: Any) -> int | None:
    """Return the id of a many2one as it is read."""
    return int(value[0]) if value else None


def _fitting(
    rows: Iterable[Mapping[str, Any]], name: str, parent: int | None, taken: Container[int]
) -> int | None:
    """Return the only category of a name below a parent that is free to be bound."""
    ids = [
        int(row["id"])
        for row in rows
        if (row["name"], _id(row["parent_id"])) == (name, parent) and int(row["id"]) not in taken
    ]
    return ids[0] if len(ids) == 1 else None


def _gone_error(gone: Iterable[PlannedCategory], odoo_id: int) -> BoundRecordGone:
    named = [f"{one.name} ({one.category_id})" for one in gone]
    more = len(named) - _NAMED
    said = ", ".join(named[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    return BoundRecordGone(
        f"Categories that the bridge made were deleted in Odoo: {said}.",
        system="odoo",
        model=MODEL,
        id=odoo_id,
    )


def _unexpected(what: str) -> ServiceRejected:
    return ServiceRejected(
        f"Odoo answered with {what}.", system="odoo", model=MODEL, method="load", reason="unexpected_answer"
    )
