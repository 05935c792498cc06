"""What work each event asks for: the one table from event types to kinds of jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bridge.flows.wants import ALL_PRICES, wake_stock, want, want_prices
from bridge.ledger import StockChange, Want
from schemas.events import Envelope

#: Event type to the kind of the job that looks at the record.
JOB_KINDS: Mapping[str, str] = {
    "magento.order.saved": "import-order",
    "magento.customer.saved": "import-customer",
    "magento.product.saved": "import-product",
    "odoo.product.changed": "export-product",
    "magento.connection.tested": "noop",
    "odoo.connection.tested": "noop",
}
#: Events that Odoo's own webhooks stand for: without a version they may come before what they tell of is stored.
UNVERSIONED = frozenset({"odoo.product.changed"})
UNVERSIONED_SECONDS = 3.0
#: Events of prices: one export for however many there are.
PRICE_TYPES = frozenset({"odoo.pricelist.changed"})
#: Events of stock: they mark figures, and one export takes up whatever is marked.
STOCK_TYPES = frozenset({"odoo.stock.changed"})


def wants_of(event: Envelope) -> tuple[Want, ...] | None:
    """Return the work that ``event`` asks for; None where no flow handles its type yet."""
    kind = JOB_KINDS.get(event.type)
    if event.type in STOCK_TYPES:
        return ()
    if event.type in PRICE_TYPES:
        data = {"unversioned": True} if event.data.version is None else None
        return (want_prices(event.instance, ALL_PRICES, data=data),)
    if kind is None:
        return None
    wanted = want(kind, instance=event.instance, entity=str(event.data.id), version=event.data.version)
    if event.type == "magento.product.saved":
        wanted = replace(wanted, data={"by_event": True})
    if event.type in UNVERSIONED and event.data.version is None:
        # Odoo 18's own webhooks come before the commit (RULES 5.3).
        wanted = replace(wanted, not_before_seconds=UNVERSIONED_SECONDS, data={"unversioned": True})
    return (wanted,)


def stock_of(event: Envelope) -> StockChange | None:
    """Return the stock that changed in Odoo by ``event``, None for other events."""
    if event.type not in STOCK_TYPES:
        return None
    return StockChange(odoo_id=event.data.id, wake=wake_stock(event.instance))
