"""Magento's bulk calls: a list of operations is handed to a queue, and the answer says only that it was taken.

Facts: ``recordings/magento/FACTS.md`` section 10. An operation may stay open for ever and nothing is deduplicated, so
a bulk's status is a hint: what counts is the record as it is read back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.errors import InvalidRecord, RecordMissing
from bridge.magento.client import MagentoClient
from bridge.magento.faults import parse_json
from bridge.magento.inventory import (
    SOURCE_ITEMS,
    SourceItem,
    decode_source_items,
    insist_on_right,
    source_items_body,
)
from bridge.magento.lists import read_list
from bridge.magento.rows import read_record, read_records
from bridge.magento.search import Filter
from bridge.wire import NoAnswer

#: Magento's name for the queue of calls that save source items.
SOURCE_ITEMS_TOPIC = "async.magento.inventoryapi.api.sourceitemssaveinterface.execute.post"
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

    Operations that Magento did not take are rejected ones of the bulk: the others may be done all the same.

    Raises:
        ServiceRejected: a type is wrong, or a row cannot be right (``reason="source_item"``): nothing was taken.
    """
    insist_on_right(item for batch in batches for item in batch)
    answer = read_record(
        magento.post_bulk(SOURCE_ITEMS, [source_items_body(batch) for batch in batches]), "bulk"
    )
    uuid = answer.get("bulk_uuid")
    if not isinstance(uuid, str) or not uuid:
        # It may have taken it all the same.
        raise NoAnswer("Magento gave the bulk no id.", sent=True, system="magento", reason="bulk_uuid")
    return uuid


def find_open_bulk(magento: MagentoClient, batches: Sequence[Sequence[SourceItem]]) -> str | None:
    """Return the id of the bulk that has one of these batches as an operation that is still open, None where none has.

    For an answer that was lost. Of an operation that is done Magento does not show any more what it was.
    """
    wanted = [list(batch) for batch in batches]
    after: str | int | None = None
    while True:
        page = read_list(
            magento,
            "/bulk",
            key="bulk_uuid",
            fields=("serialized_data",),
            after=after,
            filters=(Filter("topic_name", SOURCE_ITEMS_TOPIC), Filter("status", OPEN)),
        )
        for row in page.rows:
            if _items_of(row.get("serialized_data")) in wanted:
                return str(row["bulk_uuid"])
        after = page.after
        if after is None:
            return None


def _items_of(serialized: object) -> list[SourceItem] | None:
    """Return the source items of an operation as Magento keeps it: JSON inside JSON; None for what is none."""
    try:
        whole = parse_json(str(serialized).encode())
        return decode_source_items(str(whole["meta_information"]).encode())
    except (ValueError, KeyError, TypeError, InvalidRecord):
        return None


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
