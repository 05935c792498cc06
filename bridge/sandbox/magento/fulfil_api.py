"""Ship, invoice, refund, cancel, hold and unhold over REST, as recorded; the documents cannot be read yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.sandbox.magento.ask import Ask, Endpoint
from bridge.sandbox.magento.fulfil_state import NotEnough
from bridge.sandbox.magento.inventory_state import scaled
from bridge.sandbox.magento.rest import Raw, RestError

_NO_SHIPMENT = "Could not save a shipment, see error log for details"
_NOTHING_TO_SHIP = "You can't create a shipment without products."
_NOTHING_TO_INVOICE = "The invoice can't be created without products. Add products and try again."
#: States in which no document is made.
_STOPPED = frozenset({"canceled", "holded", "closed"})


def ship(ask: Ask) -> str:
    """Ship; too large a quantity is cut without a word (``fulfilment/003`` to ``019``)."""
    order, fulfilment = _order(ask), ask.state.fulfilment
    with fulfilment.lock:
        content = ask.content()
        left = fulfilment.shippable(order)
        asked = _asked(content, left)
        quantities = {one: min(amount, left[one]) for one, amount in asked.items() if left.get(one)}
        quantities = {one: amount for one, amount in quantities.items() if amount > 0}
        errors = []
        if order["state"] in _STOPPED or (order.get("is_virtual") and order["state"] == "new"):
            errors.append(f"A shipment cannot be created when an order has a status of {order['status']}")
        elif not left:
            errors.append("The order does not allow a shipment to be created.")
        if not quantities and order["state"] != "holded":
            errors.append(_NOTHING_TO_SHIP)
            errors += _wrong_part_of_bundle(ask, order, asked)
        if errors:
            raise RestError(400, "\n".join(["Shipment Document Validation Error(s):", *errors]))
        extension = content.get("arguments", {}).get("extension_attributes", {})
        try:
            changed = fulfilment.ship(order, quantities, extension.get("source_code"))
        except NotEnough:
            raise RestError(400, _NO_SHIPMENT) from None
        _keep(ask, changed)
        return fulfilment.next_number("shipment")


def invoice(ask: Ask) -> str:
    """Invoice; unlike a shipment it refuses too large a quantity (``fulfilment/005`` to ``044``)."""
    order, fulfilment = _order(ask), ask.state.fulfilment
    with fulfilment.lock:
        left = fulfilment.invoiceable(order)
        asked = _asked(ask.content(), left)
        quantities = {one: amount for one, amount in asked.items() if one in left and amount > 0}
        for one, amount in quantities.items():
            if amount > left[one]:
                name = next(row["name"] for row in order["items"] if row["item_id"] == one)
                raise RestError(400, 'We found an invalid quantity to invoice item "%1".', [name])
        errors = []
        if not quantities and order["state"] != "holded":
            errors.append(_NOTHING_TO_INVOICE)
        if order["state"] in _STOPPED:
            errors.append(f"An invoice cannot be created when an order has a status of {order['status']}")
        elif not left:
            errors.append("The order does not allow an invoice to be created.")
        if errors:
            raise RestError(400, "\n".join(["Invoice Document Validation Error(s):", *errors]))
        _keep(ask, fulfilment.invoice(order, quantities))
        return fulfilment.next_number("invoice")


def refund(ask: Ask) -> str:
    """Refund offline; without items everything that is left (``refunds/001`` to ``048``)."""
    order, fulfilment = _order(ask), ask.state.fulfilment
    with fulfilment.lock:
        content = ask.content()
        left = fulfilment.refundable(order)
        head = "Creditmemo Document Validation Error(s):\n"
        if order["state"] == "closed":
            raise RestError(
                400, f"{head}A creditmemo can not be created when an order has a status of closed"
            )
        asked = _asked(content, left)
        known = set(left) | {row["item_id"] for row in order["items"] if not row.get("parent_item_id")}
        if not set(asked) <= known:
            raise RestError(400, f"{head}The creditmemo contains incorrect product items.")
        if not any(scaled(row.get("qty_invoiced") or 0) for row in order["items"]):
            raise RestError(400, f"{head}The most money available to refund is 0.")
        for one, amount in asked.items():
            if amount > left.get(one, 0):
                name = next(row["name"] for row in order["items"] if row["item_id"] == one)
                raise RestError(400, 'We found an invalid quantity to refund item "%1".', [name])
        arguments = content.get("arguments", {})
        returned = arguments.get("extension_attributes", {}).get("return_to_stock_items") or ()
        shipping = arguments.get("shipping_amount")
        _keep(ask, fulfilment.refund(order, asked, returned, shipping=shipping))
        return fulfilment.next_number("creditmemo")


def cancel(ask: Ask) -> bool:
    """Cancel what is open; false where nothing is (``fulfilment/099`` to ``112``)."""
    order, fulfilment = _order(ask), ask.state.fulfilment
    with fulfilment.lock:
        changed = fulfilment.cancel(order)
        if changed is None:
            return False
        _keep(ask, changed)
        return True


def hold(ask: Ask) -> bool:
    """Put an order on hold (``fulfilment/107`` to ``109``); its reservation stays."""
    order = _order(ask)
    if order["state"] in {"canceled", "complete", "closed", "holded", "payment_review"}:
        raise RestError(400, "A hold action is not available.")
    before = {"hold_before_state": order["state"], "hold_before_status": order["status"]}
    ask.state.orders.change(order["entity_id"], {"state": "holded", "status": "holded", **before})
    return True


def unhold(ask: Ask) -> bool:
    """Let an order go on (``fulfilment/113``, ``114``)."""
    order = _order(ask)
    if order["state"] != "holded":
        raise RestError(400, "You cannot remove the hold.")
    before = {
        "state": order.get("hold_before_state", "new"),
        "status": order.get("hold_before_status", "pending"),
    }
    ask.state.orders.change(order["entity_id"], before)
    return True


def _order(ask: Ask) -> Raw:
    order = ask.state.orders.get(ask.integer("id"))
    if order is None:
        raise RestError(404, "The entity that was requested doesn't exist. Verify the entity and try again.")
    return order


def _keep(ask: Ask, changed: Raw) -> None:
    parts = {name: value for name, value in changed.items() if name not in {"updated_at", "entity_id"}}
    ask.state.orders.change(changed["entity_id"], parts)


def _asked(content: Mapping[str, Any], left: Mapping[int, int]) -> dict[int, int]:
    """Return the quantities that a call names by line, everything where it names none."""
    items = content.get("items") or []
    if not items:
        return dict(left)
    asked: dict[int, int] = {}
    for item in items:
        one = int(item["order_item_id"])
        asked[one] = asked.get(one, 0) + scaled(item.get("qty") or 0)
    return asked


def _wrong_part_of_bundle(ask: Ask, order: Raw, asked: Mapping[int, int]) -> list[str]:
    """Return what Magento says where the bundle was named for its parts, or a part for it (``fulfilment/053``, ``066``)."""
    rows = {row["item_id"]: row for row in order["items"]}
    for one in asked:
        row = rows.get(one)
        bundle = rows.get(row.get("parent_item_id") or one) if row else None
        if row is None or bundle is None or bundle["product_type"] != "bundle":
            continue
        is_together = ask.state.catalog.is_together(int(bundle.get("product_id") or 0))
        kind, what = (
            ("Together", "Bundle product itself") if is_together else ("Separately", "Bundle product options")
        )
        text = f'Cannot create shipment as bundle product "{bundle["sku"]}" has shipment type "{kind}". '
        return [f"{text}{what} should be shipped instead."]
    return []


_SHIP, _INVOICE, _MEMO = "Magento_Sales::ship", "Magento_Sales::invoice", "Magento_Sales::creditmemo"

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "order/:id/ship", _SHIP, ship),
    Endpoint("POST", "order/:id/invoice", _INVOICE, invoice),
    Endpoint("POST", "order/:id/refund", _MEMO, refund),
    Endpoint("POST", "orders/:id/cancel", "Magento_Sales::cancel", cancel),
    Endpoint("POST", "orders/:id/hold", "Magento_Sales::hold", hold),
    Endpoint("POST", "orders/:id/unhold", "Magento_Sales::unhold", unhold),
)
