"""Import one Magento account: its commercial partner, its address book, its group's tag (RULES 1.11).

The partner is the one that its orders have: found by binding, else by email without regard to case, else made. What a
person wrote to it in Odoo stays; addresses are added and never taken away, since orders refer to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.errors import InvalidRecord, OrderUnclear, RecordMissing
from bridge.flows.context import FlowContext
from bridge.flows.customer_pricelist import pricelist_of_group
from bridge.flows.freshness import insist_on_version
from bridge.flows.order_partners import Row, find, find_or_make_address, make
from bridge.flows.order_writing import write_absolute
from bridge.flows.places import states_of
from bridge.idempotency import fingerprint
from bridge.translate.customers import CustomerFamily, changed_fields, customer_family
from bridge.translate.magento_customer import MagentoCustomer, parse_customer

#: Mapping kind of a customer's group.
CUSTOMER_GROUP = "customer_group"
#: What the ledger keeps of an account: marks of its fields and the tag that its group gave it.
_KEPT = "customer"


@dataclass(frozen=True, kw_only=True)
class _Places:
    countries: Mapping[str, int]
    states: Mapping[tuple[str, str], int]
    lang: str | None


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Import the account whose id is the job's entity, or bring its partner up to date."""
    ctx.reread_after_block()
    try:
        raw = ctx.magento.customer(int(ctx.job.entity))
    except RecordMissing:
        # The partner stays: its orders need it.
        return {"outcome": "gone from Magento"}
    insist_on_version(ctx, raw)
    account = _read(raw)
    ctx.use_store(account.store_id)
    family = customer_family(account, _places(ctx, account))
    before = ctx.ledger.explanations.get(ctx.instance.name, _KEPT, ctx.job.entity)
    kept: Mapping[str, Any] = before.content if before is not None else {}
    found = find(ctx, family.customer)
    is_new = found is None
    partner, children = found or make(ctx, family.customer, family.addresses)
    partner_id = int(partner["id"])
    result: dict[str, Any] = {"partner_id": partner_id, "made": is_new}
    tag_id, tags = _tag(ctx, account, partner, kept=kept)
    pricelist_id, prices = pricelist_of_group(
        ctx, partner_id, account.customer.group_id, given=kept.get("pricelist_id"), is_new=is_new
    )
    result |= _apply_changes(ctx, family, partner, {**tags, **prices}, kept=kept)
    known = [partner, *(row for row in children if row["active"])]
    addresses = list(family.addresses)
    if not is_new and not kept and family.own is not None:
        # The partner was there before the account: it has an address of its own.
        addresses.append(family.own)
    for address in addresses:
        find_or_make_address(ctx, partner_id, address, known)
    _keep(ctx, {"marks": family.marks, "tag_id": tag_id, "pricelist_id": pricelist_id})
    return result


def _read(raw: Mapping[str, Any]) -> MagentoCustomer:
    try:
        return parse_customer(raw)
    except InvalidRecord as error:
        raise OrderUnclear(error.message, system="magento", reason="unreadable", **error.details) from error


def _places(ctx: FlowContext, account: MagentoCustomer) -> _Places:
    return _Places(
        countries=ctx.reference.countries(),
        states=states_of(ctx, [one.address for one in account.addresses]),
        lang=ctx.reference.language(account.store_id),
    )


def _apply_changes(
    ctx: FlowContext,
    family: CustomerFamily,
    partner: Row,
    of_group: Mapping[str, Any],
    *,
    kept: Mapping[str, Any],
) -> Mapping[str, Any]:
    """Write what changed in Magento since the last look, and what its group gives; fields that a person changed too are named."""
    marks, sent = kept.get("marks", {}), kept.get("sent", {})
    change = changed_fields(family, before=marks, sent=sent, in_odoo=partner)
    if change.values:
        # If the answer is lost, whoever comes next must know our own words in Odoo for ours.
        _keep(ctx, {**kept, "sent": {name: family.marks[name] for name in change.values}})
    _write(ctx, int(partner["id"]), {**change.values, **of_group}, version=family.version)
    return {"changed": sorted(change.values), "kept_as_in_odoo": list(change.conflicts)}


def _keep(ctx: FlowContext, content: Mapping[str, Any]) -> None:
    ctx.ledger.explanations.put(ctx.instance.name, _KEPT, ctx.job.entity, content)


def _tag(
    ctx: FlowContext, account: MagentoCustomer, partner: Row, *, kept: Mapping[str, Any]
) -> tuple[int | None, Mapping[str, Any]]:
    """Return the tag that the account's group is mapped to, and what gives it to the partner.

    The one that an earlier group gave it is taken away.
    """
    group = account.customer.group_id
    wanted = None
    if group is not None:
        key = (CUSTOMER_GROUP, str(group))
        mapped = ctx.ledger.mappings.resolve(ctx.instance.name, [key])
        wanted = mapped[key].odoo_id if key in mapped else None
        ctx.ledger.mappings.observe(
            ctx.instance.name,
            [(*key, None, None)],
            once_for=("customer", f"{ctx.job.entity} in group {group}"),
        )
    there = {int(one) for one in partner.get("category_id") or ()}
    commands: list[list[Any]] = []
    if (old := kept.get("tag_id")) not in {None, wanted} and old in there:
        commands.append([3, old, 0])
    if wanted is not None and wanted not in there:
        commands.append([4, wanted, 0])
    return wanted, {"category_id": commands} if commands else {}


def _write(ctx: FlowContext, partner_id: int, values: Mapping[str, Any], *, version: str) -> None:
    """Write absolute values, if any; what an earlier reading wrote and nobody knows the end of comes first."""
    entity = ctx.job.entity
    # The same change again, after another one, is a write of its own: it has another version.
    key = ctx.effect_key("customer-write", f"{entity}_{fingerprint([version, values])[:32]}")
    for effect in ctx.ledger.effects.for_entity(ctx.instance.name, ctx.job.kind, entity):
        if effect.kind == "write" and effect.state in {"sent", "doubtful"} and effect.key != key:
            write_absolute(ctx, "res.partner", [partner_id], key=effect.key, values={})
    if values:
        write_absolute(ctx, "res.partner", [partner_id], key=key, values=values)
