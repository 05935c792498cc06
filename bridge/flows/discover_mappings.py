"""``bridge run discover-mappings``: which values of Magento's configuration can be mapped, with their names.

One page of one table is one attempt. A table that the integration may not read, or that the shop does not have, is
said in the result, and the others go on. Payment and shipping methods and order statuses have no list in Magento's
admin API: those come from the orders that show them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bridge.errors import (
    AccessMissing,
    BridgeError,
    InvalidRecord,
    PermanentError,
    RecordMissing,
    ServiceRejected,
)
from bridge.flows.context import FlowContext
from bridge.flows.import_stores import Named, StoresUnclear, read_values
from bridge.magento import Filter, read_list
from bridge.translate.magento_records import tax_key

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of Magento's configuration."""

    #: What it is, for people.
    title: str
    path: str
    #: Returns the values that a row names.
    read: Callable[[Row], Iterable[Named]]
    #: The unique column that pages are sorted by.
    key: str
    #: What to ask for of each row.
    fields: Sequence[str] = ()
    filters: Sequence[Filter] = ()


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Note the values of one page; the job runs again until all tables are read.

    Raises:
        CredentialsRefused: the integration may read nothing at all.
    """
    discovery = ctx.ledger.runs.of_planner(ctx.job)
    if discovery is None:
        raise PermanentError(
            "This run is gone from the ledger. Start a new one: bridge run discover-mappings."
        )
    cursor = dict(discovery.cursor or {"table": 0, "after": None, "found": {}, "new": 0, "not_read": []})
    number, found = int(cursor["table"]), Counter(cursor["found"])
    after: str | int | None = None
    named: Sequence[Named] = ()
    try:
        if number < len(TABLES):
            named, after = _page(ctx, TABLES[number], cursor["after"])
        else:
            named = read_values(ctx)
    except (AccessMissing, RecordMissing, ServiceRejected, InvalidRecord, StoresUnclear) as error:
        title = TABLES[number].title if number < len(TABLES) else _STORES
        cursor["not_read"] = [*cursor["not_read"], _not_read(title, error)]
    new = ctx.ledger.mappings.note(ctx.instance.name, named)
    found.update(kind for kind, _, _ in named)
    onward = {
        "table": number if after is not None else number + 1,
        "after": after,
        "found": dict(found),
        "new": int(cursor["new"]) + new,
        "not_read": cursor["not_read"],
    }
    is_complete = onward["table"] > len(TABLES)
    ctx.ledger.runs.page(
        ctx.job, discovery.id, cursor=None if is_complete else onward, wants=[], seen=len(named)
    )
    return {
        "found": dict(sorted(found.items())),
        "new": onward["new"],
        "not_read": onward["not_read"],
        "is_complete": is_complete,
    }


def _page(
    ctx: FlowContext, table: Table, after: str | int | None
) -> tuple[Sequence[Named], str | int | None]:
    page = read_list(
        ctx.magento, table.path, key=table.key, fields=table.fields, after=after, filters=table.filters
    )
    return list(dict.fromkeys(one for row in page.rows for one in table.read(row) if one[1])), page.after


def _not_read(title: str, error: BridgeError) -> dict[str, Any]:
    """Return why a table was not read, in words for its reader, and the resource that is missing."""
    resources = error.details.get("resources") or [None]
    if isinstance(error, RecordMissing):
        return {"table": title, "resource": None, "why": "this Magento does not have it"}
    if isinstance(error, AccessMissing):
        why = f"the integration may not use {resources[0]}" if resources[0] else error.message
        return {"table": title, "resource": resources[0], "why": why}
    return {"table": title, "resource": None, "why": error.message}


def _text(value: object) -> str:
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _tax_rate(row: Row) -> Iterator[Named]:
    code, rate = _text(row.get("code")), row.get("rate")
    if not code or not isinstance(rate, int | Decimal):
        return
    postcode = _text(row.get("tax_postcode"))
    places = (row.get("tax_country_id"), row.get("region_name"), "" if postcode == "*" else postcode)
    where = ", ".join(text for place in places if (text := _text(place)))
    yield "tax", tax_key(code, Decimal(rate)), f"tax rate of {where}" if where else "tax rate"


def _group(row: Row) -> Iterator[Named]:
    # Orders name a group by its id, 0 being guests.
    for kind in ("customer_group", "customer_group_pricelist"):
        yield kind, _text(row.get("id")), _text(row.get("code")) or None


def _source(row: Row) -> Iterator[Named]:
    yield "source", _text(row.get("source_code")), _text(row.get("name")) or None
    for link in row.get("carrier_links") or ():
        if isinstance(link, Mapping):
            yield "carrier", _text(link.get("carrier_code")), None


def _tax_class(row: Row) -> Iterator[Named]:
    yield "tax_class", _text(row.get("class_id")), _text(row.get("class_name")) or None


def _attribute(row: Row) -> Iterator[Named]:
    label = _text(row.get("default_frontend_label"))
    yield "attribute", _text(row.get("attribute_code")), label or None


#: What is read last, as ``import-stores`` does: stores, and what their settings name.
_STORES = "websites and store views"
TABLES: Sequence[Table] = (
    Table(
        title="tax rates",
        path="/taxRates/search",
        key="code",
        fields=("rate", "tax_country_id", "region_name", "tax_postcode"),
        read=_tax_rate,
    ),
    Table(
        title="tax classes of products",
        path="/taxClasses/search",
        key="class_id",
        fields=("class_name",),
        filters=(Filter("class_type", "PRODUCT"),),
        read=_tax_class,
    ),
    Table(title="customer groups", path="/customerGroups/search", key="id", fields=("code",), read=_group),
    Table(
        title="inventory sources",
        path="/inventory/sources",
        key="source_code",
        fields=("name", "carrier_links"),
        read=_source,
    ),
    Table(
        title="product attributes",
        path="/products/attributes",
        key="attribute_code",
        fields=("default_frontend_label",),
        filters=(Filter("is_user_defined", 1), Filter("frontend_input", "select,multiselect", "in")),
        read=_attribute,
    ),
)
