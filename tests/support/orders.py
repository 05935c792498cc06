"""Orders for tests of the order flow: new ones of guests nobody has seen, their changes, and what Odoo made of them."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from bridge.ledger import Job
from tests.support.shop import Shop

Raw = dict[str, Any]


def new_order(shop: Shop, kind: str = "simple", *, is_mapped: bool = True, **changes: Any) -> Raw:
    """Return an order, also in the shop, of a guest of its own; all it needs in Odoo is there unless not mapped."""
    raw = copy.deepcopy(shop.box.magento.generate_orders(1, kinds=(kind,))[0])
    for name in ("customer_id", "customer_taxvat"):
        raw.pop(name, None)
    raw |= {"customer_is_guest": 1, "customer_email": f"guest.{raw['entity_id']}@example.com", **changes}
    billing = copy.deepcopy(raw["billing_address"])
    for address in addresses(raw):
        kept = {name: address[name] for name in ("entity_id", "address_type") if name in address}
        # Billed and sent to one address: tests that want another one say so.
        address.clear()
        address |= {**copy.deepcopy(billing), "email": raw["customer_email"], **kept}
        for name in ("company", "vat_id"):
            address.pop(name, None)
    shop.box.magento.orders.add(raw)
    if is_mapped:
        shop.map_all([raw])
    return raw


def all_taxed(shop: Shop, kind: str) -> Raw:
    """Return a new order whose lines all bear tax: some articles are so cheap that theirs rounds to 0."""
    while True:
        raw = new_order(shop, kind)
        if all(item["tax_amount"] for item in raw["items"]):
            return raw


def same_buyer(shop: Shop, raw: Mapping[str, Any], **changes: Any) -> Raw:
    """Return another order with the buyer and the addresses of ``raw``."""
    other = new_order(shop, is_mapped=False)
    for name in (
        "customer_id",
        "customer_is_guest",
        "customer_email",
        "customer_firstname",
        "customer_lastname",
    ):
        if name in raw:
            other[name] = raw[name]
        else:
            other.pop(name, None)
    for address, known in zip(addresses(other), addresses(dict(raw)), strict=True):
        kept = {name: address.get(name) for name in ("entity_id", "parent_id", "address_type")}
        address.clear()
        address |= {**known, **kept}
    other |= changes
    return put(shop, other)


def put(shop: Shop, raw: Raw, *, is_mapped: bool = True) -> Raw:
    """Put a changed order into the shop, as a new version of what is there."""
    shop.box.magento.orders.add(raw)
    if is_mapped:
        shop.map_all([raw])
    return raw


def changed(shop: Shop, raw: Mapping[str, Any], **values: Any) -> Raw:
    """Change fields of an order in Magento; its ``updated_at`` moves."""
    found = shop.box.magento.orders.change(int(raw["entity_id"]), values)
    assert found is not None
    return found


def with_lines(raw: Mapping[str, Any], **values: Any) -> list[Raw]:
    """Return the lines of an order with values changed on each."""
    return [{**copy.deepcopy(item), **values} for item in raw["items"]]


def addresses(raw: Raw) -> Iterator[Raw]:
    """Yield the billing and the shipping address."""
    yield raw["billing_address"]
    for one in raw["extension_attributes"].get("shipping_assignments", ()):
        if one["shipping"].get("address"):
            yield one["shipping"]["address"]


def stored(shop: Shop, job: Job) -> Raw:
    """Return the sales order that ``job`` made, as Odoo has it."""
    assert job.result is not None, (job.state, job.error)
    return order_row(shop, int(job.result["sale_order_id"]))


def bound(shop: Shop, raw: Mapping[str, Any]) -> Raw:
    """Return the sales order that is bound to a Magento order, as Odoo has it."""
    binding = shop.ledger.bindings.get("shop", "order", raw["entity_id"])
    assert binding is not None
    return order_row(shop, binding.odoo_id)


def order_row(shop: Shop, order_id: int) -> Raw:
    return next(row for row in shop.box.odoo.records("sale.order") if row["id"] == order_id)


def partner(shop: Shop, partner_id: int) -> Raw:
    return next(row for row in shop.box.odoo.records("res.partner") if row["id"] == partner_id)


def partners_of(shop: Shop, email: str) -> list[Raw]:
    """Return the partners with an email that are no contacts of another."""
    return [
        row
        for row in shop.box.odoo.records("res.partner")
        if not row.get("parent_id") and str(row.get("email") or "").casefold() == email.casefold()
    ]


def comments(shop: Shop, order_id: int) -> list[str]:
    """Return the bodies of the notes that the bridge left at an order."""
    return [row["body"] for row in shop.notes(order_id) if row["message_type"] == "comment"]


def pickings(shop: Shop, order_id: int) -> list[Raw]:
    """Return the deliveries of a sales order."""
    return [row for row in shop.box.odoo.records("stock.picking") if row.get("sale_id") == order_id]


def warnings(shop: Shop, order_id: int) -> list[Raw]:
    """Return the activities on the deliveries of a sales order."""
    ids = {row["id"] for row in pickings(shop, order_id)}
    return [
        row
        for row in shop.box.odoo.records("mail.activity")
        if row["res_model"] == "stock.picking" and row["res_id"] in ids
    ]


def cents(amount: object) -> Decimal:
    return Decimal(str(amount)).quantize(Decimal("0.01"))


def calls(shop: Shop) -> dict[str, int]:
    """Return how often each operation of either system was asked for."""
    return {
        f"{system}: {method} {operation}" if system == "magento" else f"{system}: {operation}": count
        for (system, method, operation), count in sorted(shop.box.calls.counts().items())
    }


def is_personal(text: str, raw: Mapping[str, Any]) -> list[str]:
    """Return what of the order's buyer stands in ``text``."""
    found: list[str] = []
    for value in _personal(raw):
        if len(value) > 3 and value.casefold() in text.casefold():
            found.append(value)
    return found


def _personal(raw: Mapping[str, Any]) -> Iterable[str]:
    for name in ("customer_email", "customer_firstname", "customer_lastname", "remote_ip", "customer_note"):
        yield str(raw.get(name) or "")
    for address in addresses(dict(raw)):
        yield from (str(address.get(name) or "") for name in ("firstname", "lastname", "city", "telephone"))
        yield from map(str, address.get("street") or ())
    yield from (str(row.get("comment") or "") for row in raw.get("status_histories") or ())


def merge(shop: Shop, old: int, into: int) -> None:
    """Merge a partner into another as Odoo does: orders and external ids go over, the old one is deleted."""
    for row in shop.box.odoo.records("sale.order"):
        values = {
            name: into
            for name in ("partner_id", "partner_invoice_id", "partner_shipping_id")
            if row[name] == old
        }
        if values:
            shop.box.odoo.write("sale.order", row["id"], values)
    for row in shop.box.odoo.records("ir.model.data"):
        if (row["model"], row["res_id"]) == ("res.partner", old):
            shop.box.odoo.write("ir.model.data", row["id"], {"res_id": into})
    shop.box.odoo.delete("res.partner", old)
