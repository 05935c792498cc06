"""Counts in Odoo from Magento's quantities: an inventory adjustment of what nobody has touched since the preview.

Two writes for a batch, each once in effect: the counts are entered, then applied. Odoo 19 would set the stock to 0 where no
count is set, and between the two a person may count as well: so a count is applied only where it stands as it was
entered, over the quantity that the preview saw, as just read (RULES 2.1).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bridge.errors import SettingsWrong
from bridge.flows import stock_source
from bridge.flows.context import FlowContext
from bridge.flows.effects import Write
from bridge.flows.kits import kits_of
from bridge.flows.order_products import PRODUCT_BINDING
from bridge.idempotency import canonical_json
from bridge.ledger import Binding
from bridge.odoo import LoadRequest, counts, stock
from bridge.odoo.counts import Count, Quant
from bridge.odoo.values import odoo_datetime
from bridge.stock_routes import Routes
from bridge.translate.money import ZERO, plain

#: SKUs that a result names for each reason.
_NAMED = 20
#: Why products are left out.
NO_ODOO = "the Odoo product is gone or archived"
NO_STOCK = "no stock is kept of it in Odoo: a service, a kit, or goods that are not tracked"
BY_LOT = "counted by lots or serial numbers in Odoo"
TWINS = "several products of Magento are bound to one of Odoo"
NO_ROW = "no row in any source of Magento"
NEGATIVE = "a quantity below 0 in Magento"
PLACES = "lies in several places of the warehouse, or by package or owner"
COUNTED = "a count of a person waits in Odoo"
TOUCHED = "changed in Odoo since the preview"
WAITS = "changed in Odoo while it was counted: the bridge's count is entered there and waits to be applied or cleared"


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A count that was previewed."""

    magento_id: str
    sku: str
    product_id: int
    location_id: int
    quantity: Decimal
    #: What Odoo had then, and since when; the latter is empty where it had no row.
    had: Decimal
    since: str

    @property
    def place(self) -> tuple[int, int]:
        """The product and where it lies."""
        return self.product_id, self.location_id

    def as_data(self) -> list[Any]:
        """Return the count as a preview's result keeps it."""
        quantities = plain(self.quantity), plain(self.had)
        return [self.magento_id, self.sku, self.product_id, self.location_id, *quantities, self.since]

    @classmethod
    def read_all(cls, result: Mapping[str, Any]) -> list[Planned]:
        """Return the counts of a preview's result."""
        return [
            cls(
                magento_id=magento_id,
                sku=sku,
                product_id=product_id,
                location_id=location_id,
                quantity=Decimal(quantity),
                had=Decimal(had),
                since=since,
            )
            for magento_id, sku, product_id, location_id, quantity, had, since in result.get("counts", ())
        ]


@dataclass(kw_only=True)
class Outcome:
    """What became of the products of a batch."""

    planned: list[Planned] = field(default_factory=list)
    counted: int = 0
    equal: int = 0
    left: dict[str, list[str]] = field(default_factory=dict)

    def leave(self, reason: str, sku: str) -> None:
        """Leave a product alone, and say why."""
        skus = self.left.setdefault(reason, [])
        if sku not in skus:
            skus.append(sku)

    def as_result(self) -> dict[str, Any]:
        """Return the outcome as a job keeps it."""
        shown: dict[str, Any] = {name: getattr(self, name) for name in ("counted", "equal")}
        if self.planned:
            shown["counts"] = [one.as_data() for one in self.planned]
        if self.left:
            shown["left"] = {
                reason: {"count": len(skus), "skus": sorted(skus)[:_NAMED]}
                for reason, skus in sorted(self.left.items())
            }
        return shown


def plan_counts(ctx: FlowContext, magento_ids: Collection[str]) -> Outcome:
    """Return what would be counted of these products, as both systems have them now.

    Raises:
        SettingsWrong: a source is filled from several warehouses, or from none that is named: where its goods lie is
            not known.
    """
    outcome = Outcome()
    routes = ctx.ledger.stock.routes(ctx.instance.name)
    places = _places(ctx, routes)
    storable = _storable(ctx, magento_ids, outcome)
    quantities = _quantities(ctx, routes, places, [sku_of(one) for one in storable])
    ids = [one.odoo_id for one in storable]
    quants = {
        location_id: counts.quants(ctx.odoo, ids, location_id, within=True)
        for location_id in dict.fromkeys(places.values())
    }
    for bound in storable:
        sku = sku_of(bound)
        if sku not in quantities:
            outcome.leave(NO_ROW, sku)
        for location_id, quantity in quantities.get(sku, {}).items():
            here = [one for one in quants[location_id] if one.product_id == bound.odoo_id]
            if problem := _problem(here, location_id, quantity):
                outcome.leave(problem, sku)
                continue
            quant = here[0] if here else None
            had = ZERO if quant is None else quant.quantity
            if had == quantity:
                outcome.equal += 1
                continue
            outcome.planned.append(
                Planned(
                    magento_id=bound.magento_id,
                    sku=sku,
                    product_id=bound.odoo_id,
                    location_id=location_id,
                    quantity=quantity,
                    had=had,
                    since="" if quant is None else odoo_datetime(quant.changed_at),
                )
            )
    return outcome


def write_counts(ctx: FlowContext, planned: Sequence[Planned], *, name: str) -> Outcome:
    """Count what Odoo still has as the preview saw it; ``name`` names these counts for good."""
    key = ctx.effect_key("stock-count", name)
    saw = {one.place: one for one in planned}
    before, outcome = _sent(ctx, key), Outcome()
    if before is not None:
        request = LoadRequest.decode(before)
    else:
        outcome = plan_counts(ctx, {one.magento_id for one in planned})
        due, outcome.planned = outcome.planned, []
        due = [one for one in due if _is_as_seen(one, saw.get(one.place), outcome)]
        if not due:
            return outcome
        module, _, _ = ctx.external_id("stock-count", "1").partition(".")
        request = counts.count_request(
            (
                Count(
                    key=_key(ctx, name, one),
                    product_id=one.product_id,
                    location_id=one.location_id,
                    quantity=one.quantity,
                )
                for one in due
            ),
            module=module,
        )
    loaded = ctx.writer.load_many(ctx.odoo, key=key, kind="count-stock", request=request)
    entered = dict(zip(loaded.ids, _quantities_of(loaded.request), strict=True))
    _apply(ctx, name, entered, saw, outcome)
    return outcome


def _apply(
    ctx: FlowContext,
    name: str,
    entered: Mapping[int, Decimal],
    saw: Mapping[tuple[int, int], Planned],
    outcome: Outcome,
) -> None:
    key = ctx.effect_key("stock-apply", name)
    stored = _sent(ctx, key)
    if stored is not None:
        due = {int(one): Decimal(quantity) for one, quantity in json.loads(stored)["counts"]}
    else:
        quants = {one.id: one for one in counts.quants_by_id(ctx.odoo, entered)}
        due = {}
        for quant_id, quantity in entered.items():
            quant = quants.get(quant_id)
            seen = None if quant is None else saw.get((quant.product_id, quant.location_id))
            if quant is not None and seen is not None and quant.counted == quantity:
                if quant.quantity == seen.had:
                    due[quant_id] = quantity
                else:
                    outcome.leave(WAITS, seen.sku)
            elif seen is not None:
                outcome.leave(TOUCHED, seen.sku)
    if not due:
        return
    body = canonical_json({"counts": [[one, plain(quantity)] for one, quantity in sorted(due.items())]})

    def send(_: bytes) -> str:
        counts.apply_counts(ctx.odoo, _standing(ctx, due))
        return str(len(due))

    ctx.writer.once(
        Write(
            key=key,
            system="odoo",
            kind="apply-stock",
            target="stock.quant",
            request=body,
            send=send,
            look=lambda: None if _standing(ctx, due) else str(len(due)),
        )
    )
    # Where Odoo asked a question instead of applying, the count still waits.
    names = {one.place: one.sku for one in saw.values()}
    waiting = {one.id: one for one in counts.quants_by_id(ctx.odoo, due) if one.counted == due[one.id]}
    for one in waiting.values():
        outcome.leave(WAITS, names[one.product_id, one.location_id])
    outcome.counted += len(due) - len(waiting)


def _standing(ctx: FlowContext, due: Mapping[int, Decimal]) -> list[int]:
    """Return the quants on which our count waits: one that a person entered meanwhile is theirs to apply."""
    return [one.id for one in counts.quants_by_id(ctx.odoo, due) if one.counted == due[one.id]]


def _sent(ctx: FlowContext, key: str) -> bytes | None:
    """Return what was sent under ``key`` before: it is not worked out anew."""
    known = ctx.ledger.effects.get(key)
    return None if known is None or known.state == "intended" else known.request


def _key(ctx: FlowContext, name: str, one: Planned) -> str:
    entity = f"{name}_{one.product_id}_{one.location_id}"
    return ctx.external_id("stock-count", entity).partition(".")[2]


def _quantities_of(request: LoadRequest) -> Iterable[Decimal]:
    at = request.fields.index("inventory_quantity")
    return [Decimal(row[at]) for row in request.rows]


def _is_as_seen(now: Planned, before: Planned | None, outcome: Outcome) -> bool:
    if before is not None and (now.had, now.since) == (before.had, before.since):
        return True
    outcome.leave(TOUCHED, now.sku)
    return False


def _problem(here: Sequence[Quant], location_id: int, quantity: Decimal) -> str | None:
    if quantity < 0:
        return NEGATIVE
    if len(here) > 1 or any(one.location_id != location_id or one.is_kept_apart for one in here):
        return PLACES
    return COUNTED if any(one.counted is not None for one in here) else None


def _places(ctx: FlowContext, routes: Routes) -> dict[str, int]:
    """Return where the goods of each source lie in Odoo: the stock of its one warehouse."""
    all_of_them = {one.id: one.stock_location_id for one in stock.warehouses(ctx.odoo)}
    found: dict[str, int] = {}
    for source in routes.sources:
        ids = routes.warehouses(source) or tuple(all_of_them)
        if len(ids) != 1 or ids[0] not in all_of_them:
            raise SettingsWrong(
                f"In which warehouse of Odoo the goods of the source {source} lie is not known: "
                + (f"it is filled from {len(ids)}." if len(ids) > 1 else "its warehouse is gone."),
                reason="import_stock_warehouse",
                source=source,
            )
        found[source] = all_of_them[ids[0]]
    return found


def _storable(ctx: FlowContext, magento_ids: Collection[str], outcome: Outcome) -> list[Binding]:
    """Return those of which Odoo keeps stock that a plain count can set."""
    bound = ctx.ledger.bindings.get_many(ctx.instance.name, PRODUCT_BINDING, magento_ids)
    if not bound:
        return []
    ids = {one.odoo_id for one in bound.values()}
    twins = ctx.ledger.stock.products_of(ctx.instance.name, ids)
    storable = ctx.odoo.names.storable
    fields = ["active", "tracking", *storable]
    rows = {int(row["id"]): row for row in ctx.odoo.read("product.product", sorted(ids), fields)}
    kits = kits_of(ctx, ids)
    found: list[Binding] = []
    for _, one in sorted(bound.items()):
        row, sku = rows.get(one.odoo_id), sku_of(one)
        if row is None or not row["active"]:
            outcome.leave(NO_ODOO, sku)
        elif one.odoo_id in kits or any(row[name] != value for name, value in storable.items()):
            outcome.leave(NO_STOCK, sku)
        elif len(twins.get(one.odoo_id, ())) > 1:
            outcome.leave(TWINS, sku)
        elif row["tracking"] not in {"none", False}:
            outcome.leave(BY_LOT, sku)
        else:
            found.append(one)
    return found


def sku_of(one: Binding) -> str:
    """Return what people call a bound product."""
    return one.magento_label or f"product {one.magento_id}"


def _quantities(
    ctx: FlowContext, routes: Routes, places: Mapping[str, int], skus: Sequence[str]
) -> dict[str, dict[int, Decimal]]:
    """Return what Magento has of each SKU by place in Odoo: several sources of one warehouse together."""
    found: dict[str, dict[int, Decimal]] = {}
    for source in routes.sources:
        for sku, row in stock_source.read_rows(ctx, source, skus).items():
            by_place = found.setdefault(sku, {})
            by_place[places[source]] = by_place.get(places[source], ZERO) + row.quantity
    return found
