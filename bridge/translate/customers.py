"""A Magento account as Odoo partners, and which of its fields may be written when it changed.

What a person wrote in Odoo is not overwritten: a field is written only where Odoo still has what Magento had before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.translate.magento_customer import MagentoCustomer
from bridge.translate.partners import (
    Places,
    address_plan,
    customer_plan,
    normalise,
    normalise_vat,
)
from bridge.translate.plan_records import AddressPlan, CustomerPlan

#: Fields of the partner that Magento's account is the source of.
KEPT_FIELDS = (
    "name", "email", "vat", "street", "street2", "zip", "city", "country_id", "state_id", "phone", "lang",
)  # fmt: skip
_DIGEST_LENGTH = 32


@dataclass(frozen=True, kw_only=True)
class CustomerFamily:
    """The commercial partner of an account, and its address book."""

    customer: CustomerPlan
    #: The address that the partner itself has when it is made for this account; None for a company.
    own: AddressPlan | None
    #: The others.
    addresses: tuple[AddressPlan, ...]
    #: Version of the account.
    version: str

    @property
    def marks(self) -> dict[str, str]:
        """Digests of the partner's fields as Magento has them: what the ledger keeps, and nothing personal."""
        return {name: mark(name, self.customer.values.get(name)) for name in KEPT_FIELDS}


@dataclass(frozen=True, kw_only=True)
class CustomerChange:
    """What a changed account changes in Odoo."""

    values: Mapping[str, str | int | bool]
    #: Fields that a person changed in Odoo as well: they stay as they are there.
    conflicts: tuple[str, ...]


def customer_family(account: MagentoCustomer, places: Places) -> CustomerFamily:
    """Return the partners of ``account``.

    Raises:
        OrderUnclear: a country is not known to Odoo; the field is named.
    """
    customer = customer_plan(account, places)
    plans: dict[str, AddressPlan] = {}
    for index, one in enumerate(account.addresses):
        kind = "invoice" if one.is_default_billing else "delivery" if one.is_default_shipping else "other"
        plan = address_plan(account, one.address, places, kind=kind, field=f"addresses[{index}].country_id")
        plans.setdefault(plan.key, plan)
    own = plans.pop(customer.address_key, None) if customer.address_key is not None else None
    return CustomerFamily(
        customer=customer, own=own, addresses=tuple(plans.values()), version=account.updated_at
    )


def changed_fields(
    family: CustomerFamily,
    *,
    before: Mapping[str, str],
    sent: Mapping[str, str],
    in_odoo: Mapping[str, Any],
) -> CustomerChange:
    """Return what of the account's change may be written to the partner ``in_odoo``.

    ``before`` are the marks of the account as it was read last, ``sent`` those of a reading whose write may or may not have
    come about.
    """
    values: dict[str, str | int | bool] = {}
    conflicts = []
    for name, now in family.marks.items():
        if before.get(name, now) == now and sent.get(name, now) == now:
            continue
        there = mark(name, in_odoo.get(name))
        if there == now:
            continue
        if there in {before.get(name), sent.get(name)}:
            values[name] = family.customer.values.get(name, False)
        else:
            conflicts.append(name)
    return CustomerChange(values=values, conflicts=tuple(conflicts))


def mark(name: str, value: Any) -> str:
    """Return the digest of the field ``name``, in Magento's form or as Odoo answers it; empty for none."""
    if isinstance(value, list | tuple):
        value = value[0] if value else None
    if value is None or value is False or value == "":
        return ""
    text = normalise_vat(str(value)) if name == "vat" else normalise(str(value))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_LENGTH]
