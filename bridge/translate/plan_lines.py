"""From an order to priced lines whose total and taxes in Odoo are Magento's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bridge.translate.discounts import discount_drafts
from bridge.translate.drafts import Draft
from bridge.translate.magento_records import MagentoOrder
from bridge.translate.money import ZERO, amount
from bridge.translate.odoo_totals import OdooTax, OrderTotals, PricedLine, order_totals
from bridge.translate.order_book import TAX, OrderBook
from bridge.translate.order_lines import line_drafts
from bridge.translate.plan_records import ItemLine, PlanLine, Verdict
from bridge.translate.prices import Piece, price_pieces
from bridge.translate.services import extra_drafts, service_product
from bridge.translate.shipping import shipping_drafts
from bridge.translate.targets import TaxTarget, tax_targets, whole_cents
from bridge.translate.tax_fit import fit_by_cutting
from bridge.translate.tax_pairs import TaxPair, pair_lines, rounding_limit, tax_pairs
from bridge.translate.taxes import magento_taxes
from bridge.translate.total_policy import ADJUSTMENT, judge

#: A cost of cuts that none reaches.
_NO_LIMIT = 10**9


@dataclass(frozen=True, kw_only=True)
class PlannedLines:
    """The lines of an order, and what Odoo makes of them."""

    lines: tuple[PlanLine, ...]
    order_items: Mapping[int, tuple[ItemLine, ...]]
    taxes: Mapping[int, OdooTax]
    targets: tuple[TaxTarget, ...]
    predicted: OrderTotals
    verdict: Verdict
    reasons: tuple[str, ...]


def plan_lines(order: MagentoOrder, book: OrderBook) -> PlannedLines:
    """Return the lines of ``order``.

    Raises:
        MappingMissing: a tax, a product or a service has nothing mapped to it.
        OrderUnclear: something stands in the order that is not understood.
        TotalDiffers: the total would differ and the policy blocks.
    """
    digits = book.profile.currency_digits
    by_key = magento_taxes(order, digits)
    drafts = _drafts(order, book, by_key)
    targets = tax_targets(drafts, book, by_key)
    pieces = [price_pieces(draft.quantity, draft.row, draft.unit, book.profile) for draft in drafts]
    # Without the adjustment product there can be no pair, and cutting is all that helps.
    most_cost = book.rules.most_cut_lines if ADJUSTMENT in book.services else _NO_LIMIT
    cut = fit_by_cutting(
        drafts, pieces, targets, book.profile, most_pieces=book.rules.most_pieces, most_cost=most_cost
    )
    reasons = _cut_reasons(drafts, pieces, cut)
    lines = _lines(drafts, cut or pieces)
    taxes = _taxes(drafts, targets, book)
    pairs = _pairs(drafts, lines, taxes, targets, book)
    lines += [line for number, pair in enumerate(pairs, start=1) for line in _pair_plan(number, pair, book)]
    reasons += [_pair_reason(pair, book) for pair in pairs]
    predicted = _totals(lines, taxes, book)
    verdict = judge(
        magento=order.grand_total, odoo=predicted.total, rules=book.rules, increment_id=order.increment_id
    )
    if verdict.adjustment:
        lines.append(_adjustment(verdict, book))
        predicted = _totals(lines, taxes, book)
    return PlannedLines(
        lines=tuple(lines),
        order_items=_order_items(order, lines),
        taxes=taxes,
        targets=targets,
        predicted=predicted,
        verdict=verdict,
        reasons=tuple(reasons),
    )


def _drafts(order: MagentoOrder, book: OrderBook, by_key: Mapping[str, Decimal]) -> list[Draft]:
    drafts = [
        *line_drafts(order, book),
        *discount_drafts(order, book),
        *shipping_drafts(order, book),
        *extra_drafts(order, book),
    ]
    # What the rows must sum to: the grand total, less the taxes that Odoo puts on top of them.
    inside = {key for draft in drafts if draft.is_gross for key in draft.tax_keys}
    on_top = sum((tax for key, tax in by_key.items() if (TAX, key) not in inside), ZERO)
    return whole_cents(drafts, total=order.grand_total - on_top, digits=book.profile.currency_digits)


def _lines(drafts: Sequence[Draft], pieces: Sequence[tuple[Piece, ...]]) -> list[PlanLine]:
    return [
        PlanLine(
            key=draft.key if number == 1 else f"{draft.key}_{number}",
            role=draft.role,
            item_ids=draft.item_ids,
            product_id=draft.product_id,
            name=draft.name,
            quantity=piece.quantity,
            price_unit=piece.price_unit,
            tax_ids=draft.tax_ids,
        )
        for draft, parts in zip(drafts, pieces, strict=True)
        for number, piece in enumerate(parts, start=1)
    ]


def _taxes(drafts: Sequence[Draft], targets: Sequence[TaxTarget], book: OrderBook) -> Mapping[int, OdooTax]:
    taxes = {tax.id: tax for draft in drafts for tax in draft.taxes}
    wanted = {tax_id for target in targets for tax_id in target.tax_ids}
    for mapped in book.taxes.values():
        taxes.update({tax.id: tax for tax in mapped if tax.id in wanted})
    return taxes


def priced(lines: Sequence[PlanLine]) -> list[PricedLine]:
    """Return the lines as the calculator takes them."""
    return [
        PricedLine(
            quantity=line.quantity, price_unit=line.price_unit, tax_ids=line.tax_ids, discount=line.discount
        )
        for line in lines
    ]


def _totals(lines: Sequence[PlanLine], taxes: Mapping[int, OdooTax], book: OrderBook) -> OrderTotals:
    return order_totals(priced(lines), taxes, book.profile)


def _pairs(
    drafts: Sequence[Draft],
    lines: Sequence[PlanLine],
    taxes: Mapping[int, OdooTax],
    targets: Sequence[TaxTarget],
    book: OrderBook,
) -> list[TaxPair]:
    if ADJUSTMENT not in book.services:
        # Without the product there is nothing to put the pair on: the total policy sees the difference.
        return []
    limits = {
        target: rounding_limit(drafts, target, at_most=book.rules.order_adjust_max) for target in targets
    }
    return tax_pairs(priced(lines), taxes, targets, book.profile, limits=limits)


def _pair_plan(number: int, pair: TaxPair, book: OrderBook) -> list[PlanLine]:
    names = ", ".join(sorted(pair.keys)).replace("|", " ")
    texts = (f"Tax rounding ({names} %)", f"Tax rounding ({names} %), untaxed counterpart")
    return [
        PlanLine(
            key=f"tax_rounding_{number}{suffix}",
            role="tax_rounding",
            item_ids=(),
            product_id=service_product(book, ADJUSTMENT),
            name=text,
            quantity=line.quantity,
            price_unit=line.price_unit,
            tax_ids=line.tax_ids,
        )
        for line, text, suffix in zip(pair_lines(pair), texts, ("", "_untaxed"), strict=True)
    ]


def _adjustment(verdict: Verdict, book: OrderBook) -> PlanLine:
    return PlanLine(
        key="adjustment",
        role="adjustment",
        item_ids=(),
        product_id=service_product(book, ADJUSTMENT),
        name="Adjustment to Magento's total",
        quantity=Decimal(1),
        price_unit=verdict.adjustment,
    )


def _order_items(order: MagentoOrder, lines: Sequence[PlanLine]) -> Mapping[int, tuple[ItemLine, ...]]:
    found: dict[int, tuple[ItemLine, ...]] = {item.item_id: () for item in order.items}
    for line in lines:
        for item_id in line.item_ids:
            found[item_id] = (*found[item_id], ItemLine(key=line.key, quantity=line.quantity))
    return found


def _cut_reasons(
    drafts: Sequence[Draft],
    pieces: Sequence[tuple[Piece, ...]],
    cut: Sequence[tuple[Piece, ...]] | None,
) -> list[str]:
    reasons = []
    for draft, before, after in zip(drafts, pieces, cut or pieces, strict=True):
        if after != before:
            reasons.append(
                f"{draft.name.splitlines()[0]} stands in {len(after)} lines: Magento rounded its tax per unit, "
                "Odoo rounds it per line."
            )
        elif len(after) > 1:
            reasons.append(
                f"{draft.name.splitlines()[0]} stands in {len(after)} lines: no price that Odoo can keep gives "
                f"{amount(draft.row)} for {draft.quantity.normalize():f}."
            )
    return reasons


def _pair_reason(pair: TaxPair, book: OrderBook) -> str:
    how = "over the order" if not book.profile.is_per_line else "per line"
    names = ", ".join(sorted(pair.keys)).replace("|", " ")
    return (
        f"{names} %: Magento's tax is {amount(pair.gain)} off what Odoo computes, since Odoo rounds {how}; a pair of "
        f"lines of {amount(pair.amount)} brings it."
    )
