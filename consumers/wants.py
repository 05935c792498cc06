"""What work each event asks for: the one table from event types to kinds of jobs."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.flows.wants import want
from bridge.ledger import Want
from schemas.events import Envelope

#: Event type to the kind of the job that looks at the record.
JOB_KINDS: Mapping[str, str] = {
    "magento.order.saved": "import-order",
    "magento.customer.saved": "import-customer",
    "magento.connection.tested": "noop",
    "odoo.connection.tested": "noop",
}


def wants_of(event: Envelope) -> tuple[Want, ...] | None:
    """Return the work that ``event`` asks for; None where no flow handles its type yet."""
    kind = JOB_KINDS.get(event.type)
    if kind is None:
        return None
    return (want(kind, instance=event.instance, entity=str(event.data.id), version=event.data.version),)
