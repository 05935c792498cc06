"""Change events: CloudEvents 1.0 (JSON format) envelopes with typed payloads.

An event says *look at this record*: it carries the record's identity and version, never its state. Each type
is one frozen model; a payload that breaks the meaning of an older one gets a new number in
``dataschema``. Source of the envelope's rules: the CloudEvents 1.0.2 specification, sections 3 and JSON format.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, Union, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

#: Largest body of an event message. Events carry identity only, so this is generous.
MAX_EVENT_BYTES = 1_000_000
#: The one content type of event messages.
EVENT_CONTENT_TYPE = "application/cloudevents+json"
#: Number of the payload's shape that this code reads; an event without ``dataschema`` has this one.
DATA_VERSION = 1

#: Name of an instance, as it stands in ``source``, in addresses and in file names.
INSTANCE_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_SOURCE = rf"^/instances/{INSTANCE_NAME}/(magento|odoo)$"
_PLAIN = r"^[^\x00-\x1f\x7f]+$"
_VERSION = r"^[0-9]{4}-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-6][0-9](\.[0-9]{1,6})?$"
_TRACEPARENT = r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"

System = Literal["magento", "odoo"]
Identifier = Annotated[str, StringConstraints(pattern=_PLAIN, max_length=256)]
#: ``updated_at`` or ``write_date`` as text in UTC: it sorts by time.
Version = Annotated[str, StringConstraints(pattern=_VERSION)]


class RecordVersion(BaseModel):
    """Which record changed, and which version of it the publisher saw."""

    # Members that are not known are left out, not refused: a newer publisher may say more.
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)

    id: int = Field(ge=1, le=2**63 - 1, description="Id of the record in its own system.")
    version: Version | None = Field(
        default=None,
        description="The record's updated_at or write_date in UTC; left out where there is none.",
        examples=["2026-11-01 10:20:30"],
    )


class Envelope(BaseModel):
    """A CloudEvents 1.0 envelope as the bridge takes it. Extension attributes are allowed and left out."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)

    #: One line for people.
    title: ClassVar[str] = ""

    specversion: Literal["1.0"] = Field(description="Version of CloudEvents.")
    id: Identifier = Field(description="Unique within the source; a repeated id is the same event again.")
    source: Annotated[str, StringConstraints(pattern=_SOURCE)] = Field(
        description="/instances/NAME/magento or /instances/NAME/odoo.", examples=["/instances/shop/magento"]
    )
    type: str = Field(description="Kind of change; also the routing key.")
    subject: Identifier | None = Field(default=None, description="The record: data.id as text.")
    time: AwareDatetime | None = Field(default=None, description="When it happened, RFC 3339.")
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str | None = Field(
        default=None,
        description="urn:commercebridge:TYPE:NUMBER; left out, it is the number that the type began with.",
    )
    traceparent: Annotated[str, StringConstraints(pattern=_TRACEPARENT)] | None = Field(
        default=None, description="W3C trace context, an extension of CloudEvents."
    )
    data: RecordVersion

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Envelope:
        if self.system != self.type.partition(".")[0]:
            raise ValueError("source and type name different systems")
        if self.subject is not None and self.subject != str(self.data.id):
            raise ValueError("subject and data.id name different records")
        if self.dataschema not in {None, data_schema(self.type)}:
            raise ValueError("dataschema is not a known one")
        return self

    @property
    def instance(self) -> str:
        """Name of the instance that the event belongs to."""
        return self.source.split("/")[2]

    @property
    def system(self) -> System:
        """The system that the change happened in."""
        return "magento" if self.source.endswith("/magento") else "odoo"

    def to_bytes(self) -> bytes:
        """Return the event as the body of a message."""
        return self.model_dump_json(exclude_none=True).encode()


class MagentoOrderSaved(Envelope):
    """An order was placed or changed in Magento; id is its entity_id."""

    title: ClassVar[str] = "An order was placed or changed in Magento"
    type: Literal["magento.order.saved"] = "magento.order.saved"


class MagentoCustomerSaved(Envelope):
    """An account was made or changed in Magento; id is the customer's."""

    title: ClassVar[str] = "An account was made or changed in Magento"
    type: Literal["magento.customer.saved"] = "magento.customer.saved"


class MagentoProductSaved(Envelope):
    """A product was made or changed in Magento; id is its entity_id."""

    title: ClassVar[str] = "A product was made or changed in Magento"
    type: Literal["magento.product.saved"] = "magento.product.saved"


class MagentoCreditmemoCreated(Envelope):
    """A credit memo was made in Magento; id is its entity_id."""

    title: ClassVar[str] = "A credit memo was made in Magento"
    type: Literal["magento.creditmemo.created"] = "magento.creditmemo.created"


class MagentoConnectionTested(Envelope):
    """Somebody tried Magento's publisher: proves the way from there to the ledger, and changes nothing."""

    title: ClassVar[str] = "Somebody tried the publisher in Magento; nothing changes"
    type: Literal["magento.connection.tested"] = "magento.connection.tested"


class OdooStockChanged(Envelope):
    """The stock of a product changed in Odoo; id is the product.product's."""

    title: ClassVar[str] = "The stock of a product changed in Odoo"
    type: Literal["odoo.stock.changed"] = "odoo.stock.changed"


class OdooPickingDone(Envelope):
    """A delivery was done in Odoo; id is the stock.picking's."""

    title: ClassVar[str] = "A delivery was done in Odoo"
    type: Literal["odoo.picking.done"] = "odoo.picking.done"


class OdooProductChanged(Envelope):
    """A product was made or changed in Odoo; id is the product.product's."""

    title: ClassVar[str] = "A product was made or changed in Odoo"
    type: Literal["odoo.product.changed"] = "odoo.product.changed"


class OdooPricelistChanged(Envelope):
    """A pricelist, or one of its rules, was made, changed or deleted in Odoo; id is the product.pricelist's."""

    title: ClassVar[str] = "A pricelist or one of its rules changed in Odoo"
    type: Literal["odoo.pricelist.changed"] = "odoo.pricelist.changed"


class OdooConnectionTested(Envelope):
    """Somebody tried Odoo's publisher: proves the way from there to the ledger, and changes nothing."""

    title: ClassVar[str] = "Somebody tried the publisher in Odoo; nothing changes"
    type: Literal["odoo.connection.tested"] = "odoo.connection.tested"


Event = Annotated[
    Union[  # noqa: UP007 - the members are read below
        MagentoOrderSaved,
        MagentoCustomerSaved,
        MagentoProductSaved,
        MagentoCreditmemoCreated,
        MagentoConnectionTested,
        OdooStockChanged,
        OdooPickingDone,
        OdooProductChanged,
        OdooPricelistChanged,
        OdooConnectionTested,
    ],
    Field(discriminator="type"),
]
#: Every event type and its model.
EVENT_TYPES: Mapping[str, type[Envelope]] = {
    str(model.model_fields["type"].default): model for model in get_args(get_args(Event)[0])
}


def data_schema(event_type: str, number: int = DATA_VERSION) -> str:
    """Return the ``dataschema`` of an event type."""
    return f"urn:commercebridge:{event_type}:{number}"


def new_event(
    event_type: str,
    instance: str,
    *,
    record_id: int,
    version: str | None = None,
    event_id: str | None = None,
    time: datetime | None = None,
    traceparent: str | None = None,
) -> Envelope:
    """Return a new event of ``event_type`` about record ``record_id`` of ``instance``.

    Raises:
        KeyError: there is no such event type.
        pydantic.ValidationError: a value is not allowed in an event.
    """
    values: dict[str, Any] = {
        "specversion": "1.0",
        "id": event_id or str(uuid.uuid4()),
        "source": f"/instances/{instance}/{event_type.partition('.')[0]}",
        "subject": str(record_id),
        "time": time or datetime.now(UTC),
        "traceparent": traceparent,
        "data": {"id": record_id, "version": version},
    }
    return EVENT_TYPES[event_type].model_validate(values)
