"""Orders over REST: one, a list, lines, and the partial save that stores the other system's number."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping

from bridge.sandbox.magento.ask import Ask, Endpoint
from bridge.sandbox.magento.rest import INTERNAL_ERROR, Raw, RestError, wrong_type
from bridge.sandbox.magento.search import Column, Criteria, find, parse_criteria

_VIEW = "Magento_Sales::actions_view"
#: Limits that ``webapi/validation/input_limit_enabled`` brings (``errors/027``, ``errors/030``).
MAX_PAGE_SIZE = 50
DEFAULT_PAGE_SIZE = 20

#: Columns of ``sales_order`` that an order may lack over REST because it has no value there.
_OPTIONAL_COLUMNS = (
    "applied_rule_ids",
    "base_adjustment_negative",
    "base_discount_canceled",
    "base_total_canceled",
    "base_total_invoiced",
    "base_total_paid",
    "base_total_refunded",
    "coupon_code",
    "customer_dob",
    "customer_gender",
    "customer_id",
    "customer_middlename",
    "customer_note",
    "customer_prefix",
    "customer_suffix",
    "customer_taxvat",
    "discount_description",
    "edit_increment",
    "email_sent",
    "ext_customer_id",
    "ext_order_id",
    "forced_shipment_with_invoice",
    "gift_message_id",
    "hold_before_state",
    "hold_before_status",
    "original_increment_id",
    "payment_auth_expiration",
    "quote_address_id",
    "relation_child_id",
    "relation_child_real_id",
    "relation_parent_id",
    "relation_parent_real_id",
    "shipping_description",
    "shipping_invoiced",
    "shipping_refunded",
    "subtotal_invoiced",
    "subtotal_refunded",
    "tax_canceled",
    "tax_invoiced",
    "tax_refunded",
    "total_canceled",
    "total_invoiced",
    "total_offline_refunded",
    "total_online_refunded",
    "total_paid",
    "total_refunded",
    "x_forwarded_for",
)
#: Parts of an order that a save may name but that are no columns.
_PARTS = frozenset({"items", "billing_address", "payment", "status_histories", "extension_attributes"})
_INTEGERS = frozenset({"entity_id", "store_id", "customer_id", "quote_id", "billing_address_id"})
#: What the answer to a save says of fields that were not sent (``fulfilment/122-order-post-entity-ext-id``).
_BLANK = {
    "base_grand_total": None,
    "base_total_due": 0,
    "customer_email": None,
    "grand_total": None,
    "total_due": 0,
}


def get_order(ask: Ask) -> Raw:
    """Answer one order, or 404 (``orders/068-get-unknown``)."""
    raw = ask.state.orders.get(ask.integer("id"), is_stale=ask.is_stale)
    if raw is None:
        raise _unknown_entity()
    return raw


def list_orders(ask: Ask) -> Raw:
    """Answer a page of orders by ``searchCriteria``; an unknown column is a 500 (``orders/063``)."""
    criteria = limited(ask, parse_criteria(ask.query))
    orders = ask.state.orders
    rows = _indexed(ask, criteria)
    if ask.is_stale:
        rows = [orders.get(row["entity_id"], is_stale=True) or row for row in rows]
    return found(rows, criteria, _ORDER_COLUMNS, dates=("created_at", "updated_at"))


def save_order(ask: Ask) -> Raw:
    """Change the given fields of an order; what the answer does not show is kept (``fulfilment/122``, ``123``)."""
    entity = ask.document("entity")
    known = _ORDER_COLUMNS.keys() | _PARTS
    for name, value in entity.items():
        if name not in known:
            label = "".join(part.capitalize() for part in name.split("_"))
            raise RestError(
                400,
                '"%fieldName" is not supported. Correct the field name and try again.',
                {"fieldName": label},
            )
        if name in _INTEGERS and not isinstance(value, int):
            raise wrong_type(str(value), "int", name)
    if "entity_id" not in entity:
        raise RestError(400, "The sandbox places no orders over REST; entity_id is needed.")
    changed = ask.state.orders.change(entity["entity_id"], entity)
    if changed is None:
        raise _unknown_entity()
    answer: Raw = {**_BLANK, **entity}
    for name in ("billing_address_id", "created_at", "updated_at"):
        answer[name] = changed[name]
    answer["items"] = [_without(line, "extension_attributes") for line in changed["items"]]
    for name in ("billing_address", "payment", "status_histories"):
        answer[name] = changed[name]
    return answer


def get_line(ask: Ask) -> Raw:
    """Answer one line of any order (``orders/071-order-item-get``)."""
    item_id = ask.integer("id")
    for line in _lines(ask):
        if line["item_id"] == item_id:
            return line
    raise _unknown_entity()


def list_lines(ask: Ask) -> Raw:
    """Answer the lines of all orders by ``searchCriteria`` (``orders/070-order-items-list``)."""
    return found(_lines(ask), limited(ask, parse_criteria(ask.query)), _LINE_COLUMNS, dates=("created_at",))


def limited(ask: Ask, criteria: Criteria) -> Criteria:
    """Apply the input limits, where the shop has them on."""
    if not ask.state.switches.input_limits:
        return criteria
    if criteria.page_size > MAX_PAGE_SIZE:
        raise RestError(400, "Maximum SearchCriteria pageSize is %max", {"max": MAX_PAGE_SIZE})
    if criteria.page_size:
        return criteria
    return Criteria(
        groups=criteria.groups,
        sorts=criteria.sorts,
        page_size=DEFAULT_PAGE_SIZE,
        page=criteria.page,
        echo=criteria.echo,
    )


def found(
    rows: Iterable[Raw], criteria: Criteria, columns: Mapping[str, Column], *, dates: tuple[str, ...]
) -> Raw:
    """Return a list's answer, or raise Magento's 500 for an unknown column."""
    try:
        page, total = find(rows, criteria, columns, dates=dates)
    except KeyError:
        raise RestError(500, INTERNAL_ERROR) from None
    return {"items": page, "search_criteria": criteria.echo, "total_count": total}


def _indexed(ask: Ask, criteria: Criteria) -> list[Raw]:
    """Return the orders that can fit: by the index where one number is asked for, else all."""
    orders = ask.state.orders
    for group in criteria.groups:
        if len(group) == 1 and group[0].condition == "eq" and group[0].field == "increment_id":
            row = orders.by_increment(group[0].value)
            return [row] if row is not None else []
    return orders.all()


def _lines(ask: Ask) -> list[Raw]:
    return [_as_line(line) for order in ask.state.orders.all() for line in order["items"]]


def _as_line(line: Raw) -> Raw:
    """Return a line as its own endpoint shows it: without taxes, with the empty list of fixed product taxes."""
    shown = {**_without(line, "extension_attributes"), "weee_tax_applied": []}
    if "parent_item" in shown:
        shown["parent_item"] = _as_line(shown["parent_item"])
    return shown


def _named(names: Iterable[str]) -> dict[str, Column]:
    return {name: lambda row, name=name: row.get(name) for name in names}  # type: ignore[misc]


def _without(raw: Raw, name: str) -> Raw:
    return {key: copy.copy(value) for key, value in raw.items() if key != name}


def _unknown_entity() -> RestError:
    return RestError(404, "The entity that was requested doesn't exist. Verify the entity and try again.")


#: Columns that every recorded order shows, and those it may lack.
_ORDER_COLUMNS = _named(
    (
        *_OPTIONAL_COLUMNS,
        *(
            prefix + name
            for prefix in ("", "base_")
            for name in (
                "discount_amount",
                "discount_tax_compensation_amount",
                "grand_total",
                "shipping_amount",
                "shipping_discount_amount",
                "shipping_incl_tax",
                "shipping_tax_amount",
                "subtotal",
                "subtotal_incl_tax",
                "tax_amount",
                "total_due",
            )
        ),
        "base_currency_code",
        "base_shipping_discount_tax_compensation_amnt",
        "base_to_global_rate",
        "base_to_order_rate",
        "billing_address_id",
        "created_at",
        "customer_email",
        "customer_firstname",
        "customer_group_id",
        "customer_is_guest",
        "customer_lastname",
        "customer_note_notify",
        "entity_id",
        "global_currency_code",
        "increment_id",
        "is_virtual",
        "order_currency_code",
        "protect_code",
        "quote_id",
        "remote_ip",
        "shipping_discount_tax_compensation_amount",
        "state",
        "status",
        "store_currency_code",
        "store_id",
        "store_name",
        "store_to_base_rate",
        "store_to_order_rate",
        "total_item_count",
        "total_qty_ordered",
        "updated_at",
        "weight",
    )
)

_LINE_COLUMNS = _named(
    (
        "created_at",
        "item_id",
        "name",
        "order_id",
        "parent_item_id",
        "price",
        "product_id",
        "product_type",
        "qty_canceled",
        "qty_invoiced",
        "qty_ordered",
        "qty_refunded",
        "qty_shipped",
        "quote_item_id",
        "sku",
        "store_id",
        "updated_at",
    )
)

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "orders", _VIEW, list_orders),
    Endpoint("POST", "orders", "Magento_Sales::create", save_order),
    Endpoint("GET", "orders/items", _VIEW, list_lines),
    Endpoint("GET", "orders/items/:id", _VIEW, get_line),
    Endpoint("GET", "orders/:id", _VIEW, get_order),
)
