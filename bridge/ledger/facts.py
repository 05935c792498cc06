"""Records of what the ledger knows: events, effects, exchanges, bindings, mappings, instances.

Frozen values; times are UTC, by the database's clock.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import SecretStr

from bridge.idempotency import fingerprint, store_key
from bridge.ledger.records import JobId, Want, Wanted
from bridge.ledger.stock_records import StockChange
from bridge.settings import InstanceSettings

EffectState = Literal["intended", "sent", "confirmed", "doubtful"]
MappingState = Literal["unmapped", "mapped", "ignored"]


@dataclass(frozen=True, kw_only=True)
class Event:
    """A change event as intake read it."""

    instance: str
    source: str
    event_id: str
    type: str
    subject: str | None
    time: datetime | None
    data: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """An event and the work that it asks for."""

    event: Event
    wants: tuple[Want, ...]
    #: Stock that changed in Odoo: it becomes a mark, and one export for each source.
    stock: StockChange | None = None


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What became of a batch of events."""

    #: Events stored now, and those that were there already.
    stored: int
    repeated: int
    #: What became of the wants of the stored ones, in their order.
    wanted: tuple[Wanted, ...]


@dataclass(frozen=True, kw_only=True)
class StoredEvent:
    """An event in the ledger."""

    id: int
    instance: str
    source: str
    event_id: str
    type: str
    subject: str | None
    time: datetime | None
    data: Mapping[str, Any]
    #: The collision key of the (first) job it asked for.
    external_key: str | None
    received_at: datetime


@dataclass(frozen=True, kw_only=True)
class DeadEvent:
    """A message that could not be read, kept so that a person can look at it and replay it."""

    reason: str
    body: bytes
    headers: Mapping[str, Any]
    routing_key: str
    id: int = 0
    #: Length of the body as it came; the kept one is cut at 1 MB.
    size: int = 0
    received_at: datetime | None = None
    replayed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One write into Odoo or Magento."""

    key: str
    instance: str
    job_id: JobId
    system: str
    kind: str
    target: str
    state: EffectState
    #: The request exactly as sent, decrypted; None once retention erased it.
    request: bytes | None
    request_hash: str
    remote_id: str | None
    sent_at: datetime
    #: Seconds since it was sent, by the database's clock.
    age_seconds: float
    #: True where this very call marked it sent: the caller sends it now.
    #: False: it is confirmed, or was sent by an earlier attempt and is in doubt.
    may_send: bool = False


@dataclass(frozen=True, kw_only=True)
class StoredExchange:
    """A request and its answer in the sync log, without bodies."""

    id: uuid.UUID
    created_at: datetime
    instance: str
    job_id: JobId | None
    attempt: int | None
    system: str
    method: str
    url: str
    #: What was called, where the address does not say it.
    operation: str | None
    status: int | None
    error: str | None
    started_at: datetime
    duration_ms: int
    request_headers: Mapping[str, str]
    response_headers: Mapping[str, str]
    #: Lengths before the cut.
    request_size: int
    response_size: int


@dataclass(frozen=True, kw_only=True)
class Bodies:
    """The bodies of an exchange, cut at 64 KB each."""

    request: bytes
    response: bytes


@dataclass(frozen=True, kw_only=True)
class Binding:
    """The permanent pair: this Magento record is that Odoo record."""

    instance: str
    kind: str
    magento_id: str
    magento_label: str | None
    odoo_model: str
    odoo_id: int
    odoo_label: str | None
    #: Digest of the fields last written, so that our own change is known when it echoes.
    fingerprint: str | None
    #: For an order: Magento item id to Odoo line and quantity.
    order_items_json: Mapping[str, Any] | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class MappingRow:
    """The operator's decision that a Magento value stands for an Odoo record, or that it is still missing."""

    instance: str
    kind: str
    value: str
    #: What Magento shows for the value, and where it was seen.
    label: str | None
    example: str | None
    state: MappingState
    odoo_model: str | None
    odoo_id: int | None
    odoo_label: str | None
    #: Grows with each decision; the history keeps every one.
    version: int
    data: Mapping[str, Any]
    seen_count: int
    first_seen_at: datetime
    last_seen_at: datetime
    updated_by: str | None
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class MappingDecision:
    """What a person says that a value stands for."""

    kind: str
    value: str
    state: Literal["mapped", "ignored"]
    odoo_model: str | None = None
    odoo_id: int | None = None
    odoo_label: str | None = None

    def is_in_force(self, row: MappingRow | None) -> bool:
        """Whether ``row`` says the same already; labels are only for people."""
        return row is not None and (self.state, self.odoo_model, self.odoo_id) == (
            row.state,
            row.odoo_model,
            row.odoo_id,
        )


@dataclass(frozen=True, kw_only=True)
class MappingDecided:
    """What became of a decision."""

    decision: MappingDecision
    #: The row before it, None where the value was not known.
    before: MappingRow | None
    #: Jobs that waited for it and go on.
    released: int = 0


@dataclass(frozen=True, kw_only=True)
class MappingChange:
    """One decision in a mapping's history."""

    instance: str
    kind: str
    value: str
    version: int
    state: MappingState
    odoo_model: str | None
    odoo_id: int | None
    odoo_label: str | None
    data: Mapping[str, Any]
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class BoundExplanation:
    """A bound record, and what the ledger keeps of it."""

    magento_id: str
    magento_label: str | None
    odoo_label: str | None
    #: When it was bound.
    created_at: datetime
    #: None where nothing is kept.
    content: Mapping[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One Magento store paired with one Odoo database."""

    name: str
    settings: InstanceSettings
    #: Stands in every external id; see ``Instances.adopt_installation_id``.
    installation_id: str
    #: The pair of store and Odoo database for which that id was found or fixed in Odoo; None before that.
    anchored_for: str | None
    secrets: Mapping[str, SecretStr]
    created_at: datetime

    @property
    def pair(self) -> str:
        """Names the store and the Odoo database that the settings speak of, as a digest."""
        odoo = str(self.settings.odoo_url).rstrip("/").casefold()
        return fingerprint([store_key(str(self.settings.base_url)), odoo, self.settings.odoo_db])[:32]

    @property
    def is_anchored(self) -> bool:
        """Whether Odoo is known to carry the installation id: only then may anything be keyed by it."""
        return self.anchored_for == self.pair


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why an order's total is what it is: amounts, codes, versions; no personal data."""

    instance: str
    kind: str
    entity: str
    content: Mapping[str, Any]
    updated_at: datetime
