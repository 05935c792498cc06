"""``bridge run import-order NUMBER``: find the order's entity id by its number, then ask for its import.

The number is a label, the entity id the key (recordings/magento/FACTS.md 7): everything of one order is
serialised under the id, so the number is looked up first, in a job of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.errors import RecordMissing
from bridge.flows.context import FlowContext
from bridge.flows.wants import want


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Want the import of the order whose number is the job's entity.

    Raises:
        RecordMissing: Magento has no order of this number.
        DuplicateRecord: several store views have one.
    """
    number = ctx.job.entity
    store_id = ctx.job.data.get("store_id")
    row = ctx.magento.find_order(number, store_id=store_id)
    if row is None:
        raise RecordMissing(
            f"Magento has no order with the number {number}.", system="magento", entity="order", number=number
        )
    entity_id = str(row["entity_id"])
    wanted = ctx.ledger.jobs.want(
        [want("import-order", instance=ctx.instance.name, entity=entity_id, label=number)]
    )
    return {"entity_id": int(entity_id), "job_id": wanted[0].job_id}
