"""Finds or makes the partners of an order: by binding, else by email without regard to case, else made (RULES 1.11).

A partner is made under an external id of its own natural key, so that two orders at the same moment do not make one
guest twice. Addresses are child contacts, reused when equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bridge.errors import BoundRecordGone
from bridge.flows.context import FlowContext
from bridge.flows.order_writing import Partners
from bridge.idempotency import fingerprint
from bridge.ledger import Binding
from bridge.odoo import LoadRequest, literally
from bridge.translate.partners import normalise_vat
from bridge.translate.plan_records import AddressPlan, CustomerPlan, PartnersPlan

#: Kinds of the bindings of customers: registered ones by Magento's id; guests, and whoever else buys under that
#: account, by their natural key.
CUSTOMER_BINDING, BUYER_BINDING = "customer", "buyer"
_COMPARED = ("name", "street", "street2", "zip", "city", "country_id", "state_id", "phone")
_READ = (
    *_COMPARED,
    "email",
    "vat",
    "is_company",
    "parent_id",
    "type",
    "active",
    "company_id",
    "lang",
    "category_id",
)
_ALL = {"active_test": False}

Row = Mapping[str, Any]
#: A commercial partner and its contacts, as Odoo has them.
Family = tuple[Row, list[Row]]


def find_or_make(ctx: FlowContext, plan: PartnersPlan) -> Partners:
    """Return the partners of an order; makes what is not there.

    Raises:
        BoundRecordGone: the bound customer was deleted in Odoo, and nobody else has the email.
    """
    family = find(ctx, plan.customer)
    if family is None:
        family = make(ctx, plan.customer, _different((plan.invoice, plan.delivery)))
    customer, children = family
    customer_id = int(customer["id"])
    known = [customer, *(row for row in children if row["active"])]
    invoice_id = find_or_make_address(ctx, customer_id, plan.invoice, known)
    delivery = plan.delivery
    if delivery is None or delivery.key == plan.invoice.key:
        return Partners(customer_id=customer_id, invoice_id=invoice_id, delivery_id=invoice_id)
    return Partners(
        customer_id=customer_id,
        invoice_id=invoice_id,
        delivery_id=find_or_make_address(ctx, customer_id, delivery, known),
    )


def find(ctx: FlowContext, customer: CustomerPlan) -> Family | None:
    """Return the customer's partner and its contacts, None where Odoo has none; writes nothing in Odoo."""
    binding = _binding(ctx, customer)
    if binding is not None:
        found = _read(ctx, binding.odoo_id)
        if found is not None:
            return found
    if binding is None and ctx.writer.is_open(_partner_key(ctx, customer)):
        # What the email finds may be the partner that we sent and know nothing of yet: its write comes first.
        return None
    partner_id = None if binding is None else _by_external_id(ctx, customer)
    partner_id = partner_id or _by_email(ctx, customer)
    if partner_id is None:
        if binding is not None:
            raise BoundRecordGone(
                f"The Odoo partner (id {binding.odoo_id}) of this customer was deleted, and no other has the email.",
                system="odoo",
                model="res.partner",
                id=binding.odoo_id,
            )
        return None
    found = _read(ctx, partner_id)
    if found is not None:
        _bind(ctx, customer, partner_id)
    return found


def _binding(ctx: FlowContext, customer: CustomerPlan) -> Binding | None:
    """Return the binding of this buyer.

    One account may buy for several companies: a binding holds for the VAT id and company that it was made for, and
    not for those that a person has written to the partner in Odoo since (RULES 1.11).
    """
    for kind, key in _binding_keys(customer.magento_customer_id, customer.key):
        found = ctx.ledger.bindings.get(ctx.instance.name, kind, key)
        if found is not None and found.fingerprint in {None, _party(customer.vat, customer.company)}:
            return found
    return None


def _binding_keys(magento_customer_id: int | None, key: str) -> list[tuple[str, str]]:
    own = (BUYER_BINDING, key)
    return [own] if magento_customer_id is None else [(CUSTOMER_BINDING, str(magento_customer_id)), own]


def _party(vat: str, company: str) -> str:
    return fingerprint([vat, _plain(company)])


def _by_external_id(ctx: FlowContext, customer: CustomerPlan) -> int | None:
    """Return the partner that ours was merged into: Odoo's merge carries external ids over (source)."""
    module, _, name = ctx.external_id("partner", customer.key).partition(".")
    found = ctx.odoo.check_reference(module, name)
    return None if found is None else found[1]


def _read(ctx: FlowContext, partner_id: int) -> Family | None:
    rows = ctx.odoo.search_read(
        "res.partner",
        ["|", ["id", "=", partner_id], ["parent_id", "=", partner_id]],
        list(_READ),
        order="id",
        context=_ALL,
    )
    own = [row for row in rows if int(row["id"]) == partner_id]
    if not own:
        return None
    return own[0], [row for row in rows if int(row["id"]) != partner_id]


def _by_email(ctx: FlowContext, customer: CustomerPlan) -> int | None:
    if not customer.email:
        return None
    pattern = literally(customer.email)
    rows = ctx.odoo.search_read(
        "res.partner",
        [["email", "=ilike", pattern], ["parent_id", "=", False]],
        ["email", "name", "vat", "is_company", "company_id"],
        order="id",
    )
    for row in rows:
        if str(row["email"]).strip().casefold() == customer.email and _is_same_party(ctx, customer, row):
            return int(row["id"])
    return None


def _is_same_party(ctx: FlowContext, customer: CustomerPlan, row: Row) -> bool:
    """Return whether the partner is this buyer: the same email with another VAT id or company is another one."""
    company_id = ctx.settings.company_id
    if company_id is not None and row["company_id"] and int(row["company_id"][0]) != company_id:
        return False
    if normalise_vat(str(row["vat"] or "")) != customer.vat:
        return False
    if not customer.is_company:
        return not row["is_company"]
    return _plain(row["name"]) == _plain(customer.company)


def make(ctx: FlowContext, customer: CustomerPlan, addresses: Iterable[AddressPlan]) -> Family:
    """Make the customer's partner with its addresses, and return what Odoo has then.

    Raises:
        BoundRecordGone: it was made before, and deleted in Odoo.
    """
    others = [address for address in addresses if address.key != customer.address_key]
    request = _family_request(ctx, customer, others)
    partner_id = ctx.writer.load(
        ctx.odoo, key=_partner_key(ctx, customer), kind="create-partner", request=request
    )
    _bind(ctx, customer, partner_id)
    found = _read(ctx, partner_id)
    if found is None:
        raise BoundRecordGone(
            f"The partner (id {partner_id}) that the bridge made was deleted in Odoo.",
            system="odoo",
            model="res.partner",
            id=partner_id,
        )
    return found


def _partner_key(ctx: FlowContext, customer: CustomerPlan) -> str:
    return ctx.effect_key("partner", customer.key)


def _family_request(
    ctx: FlowContext, customer: CustomerPlan, addresses: Sequence[AddressPlan]
) -> LoadRequest:
    head = {"id": ctx.external_id("partner", customer.key), **_cells(customer.values)}
    children = [
        {
            "id": ctx.external_id("partner_address", fingerprint([customer.key, address.key])[:40]),
            "type": address.type,
            **_cells(address.values),
        }
        for address in addresses
    ]
    columns = list(dict.fromkeys(name for child in children for name in child))
    rows = []
    for number in range(max(1, len(children))):
        first = list(head.values()) if number == 0 else [""] * len(head)
        child = children[number] if children else {}
        rows.append((*first, *(child.get(name, "") for name in columns)))
    fields = (*head, *(f"child_ids/{name}" for name in columns))
    return LoadRequest(model="res.partner", fields=fields, rows=tuple(rows))


def find_or_make_address(
    ctx: FlowContext, customer_id: int, address: AddressPlan, known: Iterable[Row]
) -> int:
    """Return the contact with this address: one of ``known`` if it is equal, else made.

    Raises:
        BoundRecordGone: it was made before, and deleted in Odoo.
    """
    entity = f"{customer_id}_{address.key}"
    key = ctx.effect_key("address", entity)
    for row in known:
        if _is_equal(address.values, row) and not ctx.writer.is_open(key):
            return int(row["id"])
    cells = {
        "id": ctx.external_id("address", entity),
        "parent_id/.id": str(customer_id),
        "type": address.type,
        **_cells(address.values),
    }
    request = LoadRequest(model="res.partner", fields=tuple(cells), rows=(tuple(cells.values()),))
    was_done = ctx.writer.is_done(key)
    address_id = ctx.writer.load(ctx.odoo, key=key, kind="create-address", request=request)
    if was_done and not ctx.odoo.search("res.partner", [["id", "=", address_id]], context=_ALL):
        raise BoundRecordGone(
            f"The address (id {address_id}) that the bridge made for this customer was deleted in Odoo.",
            system="odoo",
            model="res.partner",
            id=address_id,
        )
    return address_id


def _is_equal(values: Mapping[str, Any], row: Row) -> bool:
    for name in _COMPARED:
        wanted, there = values.get(name), row.get(name)
        if isinstance(there, list | tuple):
            there = there[0]
        if _plain(wanted) != _plain(there):
            return False
    return True


def _plain(value: Any) -> str:
    return " ".join(str(value or "").split()).casefold()


def _cells(values: Mapping[str, str | int | bool]) -> dict[str, str]:
    cells = {}
    for name, value in values.items():
        column = f"{name}/.id" if name.endswith("_id") else name
        cells[column] = ("1" if value else "0") if isinstance(value, bool) else str(value)
    return cells


def _different(addresses: Iterable[AddressPlan | None]) -> list[AddressPlan]:
    by_key = {address.key: address for address in addresses if address is not None}
    return list(by_key.values())


def _bind(ctx: FlowContext, customer: CustomerPlan, partner_id: int) -> None:
    bind_buyer(
        ctx,
        partner_id,
        magento_customer_id=customer.magento_customer_id,
        key=customer.key,
        vat=customer.vat,
        company=customer.company,
    )


def bind_buyer(
    ctx: FlowContext,
    partner_id: int,
    *,
    magento_customer_id: int | None,
    key: str,
    vat: str,
    company: str,
    only_new: bool = False,
) -> None:
    """Bind a buyer to a partner: by Magento's customer id, unless that account is bound as another company's."""
    party = _party(vat, company)
    for kind, magento_id in _binding_keys(magento_customer_id, key):
        is_needed = only_new or kind == CUSTOMER_BINDING
        known = ctx.ledger.bindings.get(ctx.instance.name, kind, magento_id) if is_needed else None
        if known is None or known.fingerprint in {None, party}:
            if known is None or not only_new:
                ctx.bind(kind, magento_id, "res.partner", partner_id, fingerprint=party)
            return
