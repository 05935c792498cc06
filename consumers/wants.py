"""What work each event asks for: the one table from event types to kinds of jobs."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.flows.wants import wake_stock, want
from bridge.ledger import StockChange, Want
from schemas.events import Envelope

#: Event type to the kind of the job that looks at the record.
JOB_KINDS: Mapping[str, str] = {
    "magento.order.saved": "import-order",
    "magento.customer.saved": "import-customer",
    "magento.connection.tested": "noop",
    "odoo.connection.tested": "noop",
}
#: Events of stock: they mark figures, and one export takes up whatever is marked.
STOCK_TYPES = frozenset({"odoo.stock.changed"})


def wants_of(event: Envelope) -> tuple[Want, ...] | None:
    """Return the work that ``event`` asks for; None where no flow handles its type yet."""
    kind = JOB_KINDS.get(event.type)
    if event.type in STOCK_TYPES:
        return ()
    if kind is None:
        return None
    return (want(kind, instance=event.instance, entity=str(event.data.id), version=event.data.version),)


def stock_of(event: Envelope) -> StockChange | None:
    """Return the stock that changed in Odoo by ``event``, None for other events."""
    if event.type not in STOCK_TYPES:
        return None
    return StockChange(odoo_id=event.data.id, wake=wake_stock(event.instance))
