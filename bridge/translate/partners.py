"""Customers and addresses, of an order or of an account, as Odoo partners (RULES 1.11).

One commercial partner per email, VAT id and company; the VAT id on it only. Addresses are child contacts under
a natural key, so that equal addresses are one contact, whichever order brings them.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Protocol

from bridge.errors import OrderUnclear
from bridge.translate.magento_records import MagentoOrder, OrderAddress, OrderCustomer
from bridge.translate.plan_records import AddressPlan, CustomerPlan, PartnersPlan

#: Length of a natural key in hexadecimal digits: 128 bits.
_KEY_LENGTH = 32
#: Texts that stand for "nothing" where a form demanded something.
_EMPTY_TEXTS = frozenset({"-", "--", ".", "n/a", "none", "null", "na"})


class Buyer(Protocol):
    """Who buys: an order, or a customer's account."""

    @property
    def customer(self) -> OrderCustomer:
        """The account, or the guest."""

    @property
    def billing(self) -> OrderAddress:
        """The address that says for which company they buy."""

    @property
    def nameless(self) -> str:
        """What stands for a name where there is none."""


class Places(Protocol):
    """What Odoo calls countries, states and languages."""

    @property
    def countries(self) -> Mapping[str, int]:
        """Ids by ISO code."""

    @property
    def states(self) -> Mapping[tuple[str, str], int]:
        """Ids by country code and Magento's region code, upper case."""

    @property
    def lang(self) -> str | None:
        """The language of the store view."""


def partners_plan(order: MagentoOrder, book: Places) -> PartnersPlan:
    """Return who the order is for and where it goes.

    Raises:
        OrderUnclear: a country is not known to Odoo; the field is named.
    """
    customer = customer_plan(order, book)
    shipped = order.delivery
    same = shipped is None or address_key(order, shipped) == address_key(order, order.billing)
    invoice = address_plan(order, order.billing, book, kind="other" if same else "invoice")
    delivery = None
    if shipped is not None:
        delivery = invoice if same else address_plan(order, shipped, book, kind="delivery")
    return PartnersPlan(customer=customer, invoice=invoice, delivery=delivery)


def normalise(text: str) -> str:
    """Return ``text`` for comparison: one form of Unicode, no case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def normalise_vat(text: str) -> str:
    """Return a VAT id without spaces, dots and dashes, upper case; empty for a place holder."""
    if normalise(text) in _EMPTY_TEXTS:
        return ""
    return "".join(sign for sign in unicodedata.normalize("NFKC", text).upper() if sign.isalnum())


def digest(parts: Iterable[str]) -> str:
    """Return the natural key of what ``parts`` say."""
    joined = "\x1f".join(normalise(part) for part in parts)
    return hashlib.sha256(joined.encode()).hexdigest()[:_KEY_LENGTH]


def address_key(buyer: Buyer, address: OrderAddress) -> str:
    """Return the natural key of an address: name, company, street, city, region, country, telephone."""
    return digest(
        (
            person_name(buyer, address),
            address.company,
            *address.street,
            address.postcode,
            address.city,
            address.region_code or address.region,
            address.country,
            address.telephone,
        )
    )


def customer_key(buyer: Buyer) -> str:
    """Return the natural key of the commercial partner: email, VAT id and company.

    The same email with another VAT id or company is another commercial partner. Without an email a customer is
    known by Magento's id, a guest by the order's own address.
    """
    vat, company = _vat(buyer), _company(buyer)
    email = _email(buyer)
    if email:
        return digest((email, vat, company))
    if buyer.customer.id is not None:
        return digest((f"customer {buyer.customer.id}", vat, company))
    return digest(("guest", address_key(buyer, buyer.billing), vat, company))


def customer_party(buyer: Buyer) -> tuple[str, str]:
    """Return VAT id and company of who orders; another one with the same email is another commercial partner."""
    return _vat(buyer), _company(buyer)


def person_name(buyer: Buyer, address: OrderAddress) -> str:
    """Return the person of an address: its own name, else the company, the customer's name, email."""
    customer = buyer.customer
    own = _joined(address.prefix, address.firstname, address.middlename, address.lastname, address.suffix)
    theirs = _joined(
        customer.prefix, customer.firstname, customer.middlename, customer.lastname, customer.suffix
    )
    return own or address.company or theirs or _email(buyer) or buyer.nameless


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part and normalise(part) not in _EMPTY_TEXTS)


def _email(buyer: Buyer) -> str:
    return (buyer.customer.email or buyer.billing.email).strip().lower()


def _vat(buyer: Buyer) -> str:
    return normalise_vat(buyer.billing.vat_id) or normalise_vat(buyer.customer.taxvat)


def _company(buyer: Buyer) -> str:
    company = buyer.billing.company
    return "" if normalise(company) in _EMPTY_TEXTS else company


def customer_plan(buyer: Buyer, book: Places) -> CustomerPlan:
    """Return the commercial partner.

    Raises:
        OrderUnclear: the country is not known to Odoo.
    """
    company, vat = _company(buyer), _vat(buyer)
    is_company = bool(company)
    name = company or person_name(buyer, buyer.billing)
    fields, _ = _place(buyer.billing, book, "billing_address.country_id")
    values: dict[str, str | int | bool] = {"name": name, "is_company": is_company, **fields}
    if email := _email(buyer):
        values["email"] = email
    if vat:
        values["vat"] = vat
    if book.lang:
        values["lang"] = book.lang
    return CustomerPlan(
        key=customer_key(buyer),
        magento_customer_id=buyer.customer.id,
        email=_email(buyer),
        vat=vat,
        company=company,
        is_company=is_company,
        values=values,
        # A company's own address names no person, so the buyer's address is a child of it.
        address_key=None if is_company else address_key(buyer, buyer.billing),
    )


def address_plan(
    buyer: Buyer, address: OrderAddress, book: Places, *, kind: str, field: str | None = None
) -> AddressPlan:
    """Return an address as a child contact.

    Raises:
        OrderUnclear: the country is not known to Odoo; ``field`` says where it stands.
    """
    is_billing = address is buyer.billing
    field = field or ("billing_address.country_id" if is_billing else "shipping_address.country_id")
    fields, unknown = _place(address, book, field)
    name = person_name(buyer, address)
    # No VAT id here: a child gets its parent's, and on 19 a later write would change the parent (RULES 1.11).
    values: dict[str, str | int | bool] = {"name": name, **fields}
    if (
        address.company
        and address.company != name
        and not (is_billing and _company(buyer) == address.company)
    ):
        values["name"] = f"{address.company}, {name}"
    if email := (address.email or _email(buyer)).strip().lower():
        values["email"] = email
    return AddressPlan(
        key=address_key(buyer, address),
        type="invoice" if kind == "invoice" else "delivery" if kind == "delivery" else "other",
        values=values,
        unknown_region=unknown,
    )


def _place(address: OrderAddress, book: Places, field: str) -> tuple[dict[str, str | int | bool], str]:
    """Return the fields of where an address is, and its region if Odoo does not know it."""
    values: dict[str, str | int | bool] = {}
    street = list(address.street)
    if street:
        values["street"] = street[0]
    if len(street) > 1:
        values["street2"] = ", ".join(street[1:])
    texts = {"city": address.city, "zip": address.postcode, "phone": address.telephone}
    values |= {name: text for name, text in texts.items() if text}
    unknown = ""
    if address.country:
        country = book.countries.get(address.country)
        if country is None:
            raise OrderUnclear(
                f"The country {address.country!r} in {field} is not known to Odoo.",
                system="odoo",
                field=field,
                country=address.country,
            )
        values["country_id"] = country
        state = book.states.get((address.country, address.region_code.upper()))
        if state is not None:
            values["state_id"] = state
        else:
            unknown = address.region or address.region_code
    return values, unknown
