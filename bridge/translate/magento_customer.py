"""A Magento customer's account, parsed (``customers/*`` of the recordings)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.errors import InvalidRecord
from bridge.translate.magento_order import read_address
from bridge.translate.magento_records import OrderAddress, OrderCustomer
from bridge.translate.raw_fields import Fields


@dataclass(frozen=True, kw_only=True)
class CustomerAddress:
    """An address in the customer's address book."""

    address: OrderAddress
    is_default_billing: bool
    is_default_shipping: bool


@dataclass(frozen=True, kw_only=True)
class MagentoCustomer:
    """One account. Buys as an order does: for the company of its default billing address."""

    customer: OrderCustomer
    addresses: tuple[CustomerAddress, ...]
    store_id: int
    website_id: int
    #: UTC; the version of the record.
    updated_at: str

    @property
    def billing(self) -> OrderAddress:
        """The default billing address, else the first one, else an empty one."""
        chosen = [one.address for one in self.addresses if one.is_default_billing]
        return next(iter([*chosen, *(one.address for one in self.addresses)]), OrderAddress())

    @property
    def nameless(self) -> str:
        """What the customer is called where the account has no name at all."""
        return f"Magento customer {self.customer.id}"


def parse_customer(raw: Any) -> MagentoCustomer:
    """Return ``raw`` as a MagentoCustomer.

    Raises:
        InvalidRecord: it is none, or a field is missing or of a wrong type; ``details["field"]`` names it.
    """
    if not isinstance(raw, Mapping):
        raise InvalidRecord("Magento's answer is not a customer.", system="magento", field="")
    row = Fields(raw, of="customer")
    return MagentoCustomer(
        customer=OrderCustomer(
            id=row.required_integer("id"),
            is_guest=False,
            email=row.required_text("email"),
            firstname=row.text("firstname"),
            middlename=row.text("middlename"),
            lastname=row.text("lastname"),
            prefix=row.text("prefix"),
            suffix=row.text("suffix"),
            taxvat=row.text("taxvat"),
            group_id=row.integer("group_id"),
        ),
        addresses=tuple(
            CustomerAddress(
                address=read_address(one),
                is_default_billing=one.flag("default_billing"),
                is_default_shipping=one.flag("default_shipping"),
            )
            for one in row.children("addresses")
        ),
        store_id=row.integer("store_id") or 0,
        website_id=row.integer("website_id") or 0,
        updated_at=row.text("updated_at"),
    )
