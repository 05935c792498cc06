"""``bridge mappings suggest``: proposals for what is unmapped, from one read a model of what Odoo has. Maps nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bridge.errors import AccessMissing, RecordMissing, ServiceRejected, SettingsWrong
from bridge.flows.context import FlowContext
from bridge.flows.kinds import MAPPING_KINDS, OWN_SERVICES
from bridge.ledger import MappingRow
from bridge.translate.suggestions import Candidate, Suggestion, prices_include_tax, suggest

#: Candidates read of a model, and values looked at; who has more maps by hand or by a file.
MOST_CANDIDATES = 5000
MOST_VALUES = 5000


@dataclass(frozen=True, kw_only=True)
class _Source:
    """How candidates of a model are read."""

    fields: tuple[str, ...] = ("name",)
    domain: Sequence[Any] = ()
    #: Whether its records may belong to a company.
    has_company: bool = True


_DYNAMIC = "dynamic"
_SERVICES: Sequence[Any] = (["type", "=", "service"], ["sale_ok", "=", True])
_SALES_TAXES: Sequence[Any] = (["type_tax_use", "=", "sale"], ["amount_type", "=", "percent"])
SOURCES: Mapping[str, _Source] = {
    "account.payment.term": _Source(),
    "account.tax": _Source(fields=("name", "amount", "price_include"), domain=_SALES_TAXES),
    "crm.tag": _Source(has_company=False),
    "crm.team": _Source(),
    "delivery.carrier": _Source(),
    "product.attribute": _Source(fields=("name", "create_variant"), has_company=False),
    "product.pricelist": _Source(fields=("name", "currency_id")),
    "product.product": _Source(fields=("name", "default_code"), domain=_SERVICES),
    "res.partner.category": _Source(has_company=False),
    "stock.warehouse": _Source(fields=("name", "code")),
    "uom.uom": _Source(has_company=False),
}


@dataclass(frozen=True, kw_only=True)
class Suggested:
    """What was found for the unmapped values."""

    #: Values with their candidates, the likeliest first; without any where nothing fits.
    found: list[tuple[MappingRow, list[Suggestion]]] = field(default_factory=list)
    #: Models of Odoo that could not be read, and why.
    not_read: dict[str, str] = field(default_factory=dict)
    #: Whether the shop's prices were taken to include tax.
    is_inside: bool = False
    #: Whether there are more values, or more records in Odoo, than were looked at.
    is_cut: bool = False


def suggest_mappings(ctx: FlowContext, kind: str | None, *, is_inside: bool | None = None) -> Suggested:
    """Return proposals for the unmapped values of ``kind``, or of all kinds.

    ``is_inside`` says whether the shop's prices include tax; None: as the taxes that are mapped already.
    """
    rows = ctx.ledger.mappings.list(ctx.instance.name, kind=kind, state="unmapped", limit=MOST_VALUES + 1)
    # The bridge makes the products of its own services: they need no mapping.
    wanted = [
        row
        for row in rows[:MOST_VALUES]
        if row.kind in MAPPING_KINDS and not (row.kind == "service" and row.value in OWN_SERVICES)
    ]
    candidates: dict[str, list[Candidate]] = {}
    not_read: dict[str, str] = {}
    is_cut = len(rows) > MOST_VALUES
    for model in dict.fromkeys(MAPPING_KINDS[row.kind].model for row in wanted):
        try:
            found = _candidates(ctx, model)
        except (AccessMissing, RecordMissing, ServiceRejected, SettingsWrong) as error:
            if isinstance(error, SettingsWrong) and error.details.get("reason") != "unknown_model":
                raise
            not_read[model] = error.message
            continue
        is_cut = is_cut or len(found) > MOST_CANDIDATES
        candidates[model] = found[:MOST_CANDIDATES]
    if is_inside is None:
        is_inside = _mapped_inside(ctx, candidates.get("account.tax", []))
    return Suggested(
        found=[
            (
                row,
                suggest(
                    row.kind,
                    row.value,
                    row.label,
                    candidates.get(MAPPING_KINDS[row.kind].model, ()),
                    is_inside=is_inside,
                ),
            )
            for row in wanted
        ],
        not_read=not_read,
        is_inside=is_inside,
        is_cut=is_cut,
    )


def _candidates(ctx: FlowContext, model: str) -> list[Candidate]:
    source = SOURCES[model]
    domain = list(source.domain)
    if source.has_company:
        company_id = ctx.settings.company_id or ctx.reference.profile.company_id
        domain.append(["company_id", "in", [company_id, False]])
    rows = ctx.odoo.search_read(model, domain, source.fields, limit=MOST_CANDIDATES + 1, order="id")
    return [_candidate(row) for row in rows]


def _candidate(row: Mapping[str, Any]) -> Candidate:
    return Candidate(
        id=int(row["id"]),
        name=str(row["name"] or ""),
        code=str(row.get("default_code") or row.get("code") or ""),
        percent=Decimal(str(row["amount"])) if "amount" in row else None,
        is_inside=bool(row.get("price_include")),
        currency=str(row["currency_id"][1]) if row.get("currency_id") else "",
        is_dynamic=row.get("create_variant", _DYNAMIC) == _DYNAMIC,
    )


def _mapped_inside(ctx: FlowContext, taxes: Sequence[Candidate]) -> bool:
    mapped = ctx.ledger.mappings.list(ctx.instance.name, kind="tax", state="mapped", limit=MOST_VALUES)
    ids = {row.odoo_id for row in mapped}
    return prices_include_tax([one for one in taxes if one.id in ids])
