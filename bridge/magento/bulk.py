"""Magento's bulk calls: a list of operations is handed to a queue, and the answer says only that it was taken.

Facts: ``recordings/magento/FACTS.md`` section 10. An operation may stay open for ever and nothing is deduplicated, so
a bulk's status is a hint: what counts is the record as it is read back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.errors import InvalidRecord, RecordMissing, ServiceRejected
from bridge.magento.client import MagentoClient
from bridge.magento.inventory import SOURCE_ITEMS, SourceItem, source_items_body
from bridge.magento.rows import read_record, read_records

#: What Magento calls an operation's state.
DONE, FAILED_FOR_NOW, FAILED, OPEN, REJECTED = 1, 2, 3, 4, 5


@dataclass(frozen=True, kw_only=True)
class BulkStatus:
    """What Magento says of a bulk: a hint, never proof."""

    done: int
    failed: int
    open: int
    #: Magento's words about operations that failed, by their number in the bulk.
    messages: Mapping[int, str]

    @property
    def is_through(self) -> bool:
        """Whether no operation is open any more."""
        return self.open == 0


def send_source_items(magento: MagentoClient, batches: Sequence[Sequence[SourceItem]]) -> str:
    """Hand batches of source items to Magento's queue, each an operation of its own; return the bulk's id.

    Raises:
        ServiceRejected: a type is wrong or Magento did not take an operation; then none may be believed to be done.
    """
    answer = read_record(
        magento.post_bulk(SOURCE_ITEMS, [source_items_body(batch) for batch in batches]), "bulk"
    )
    uuid = answer.get("bulk_uuid")
    if not isinstance(uuid, str) or not uuid:
        raise InvalidRecord("Magento gave the bulk no id.", system="magento", field="bulk_uuid")
    taken = read_records(answer.get("request_items") or [])
    if answer.get("errors") or any(row.get("status") != "accepted" for row in taken):
        raise ServiceRejected(
            "Magento did not take all operations of a bulk.", system="magento", reason="bulk", bulk_uuid=uuid
        )
    return uuid


def bulk_status(magento: MagentoClient, uuid: str) -> BulkStatus | None:
    """Return what Magento says of a bulk, None where it does not know it (any more)."""
    try:
        answer = read_record(magento.get(f"/bulk/{_checked(uuid)}/status"), "bulk")
    except RecordMissing:
        return None
    rows = read_records(answer.get("operations_list") or [])
    counts = Counter(_state(row) for row in rows)
    return BulkStatus(
        done=counts[DONE],
        failed=sum(counts[state] for state in (FAILED_FOR_NOW, FAILED, REJECTED)),
        open=counts[OPEN],
        messages={
            number: str(row.get("result_message") or "")
            for number, row in enumerate(rows)
            if _state(row) not in {DONE, OPEN}
        },
    )


def _state(row: Mapping[str, Any]) -> int:
    """Return an operation's state; one that Magento does not name counts as open."""
    state = row.get("status")
    return state if isinstance(state, int) and state in {DONE, FAILED_FOR_NOW, FAILED, REJECTED} else OPEN


def _checked(uuid: str) -> str:
    if not uuid.replace("-", "").isalnum():
        raise InvalidRecord("This is no id of a bulk.", system="magento", field="bulk_uuid")
    return uuid
