"""What the order must come to: its rows in whole cents, and its tax by Odoo tax."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from bridge.translate.drafts import Draft
from bridge.translate.money import ZERO, round_to, step
from bridge.translate.order_book import TAX, OrderBook


@dataclass(frozen=True, kw_only=True)
class TaxTarget:
    """Magento taxes and the Odoo taxes that they are, which only compare as a whole.

    Mostly one and one. Two Magento taxes mapped to one Odoo tax, or one mapped to several, belong together.
    """

    #: ``CODE|PERCENT``.
    keys: frozenset[str]
    tax_ids: frozenset[int]
    #: Magento's tax.
    amount: Decimal

    def of(self, by_tax: Mapping[int, Decimal]) -> Decimal:
        """Return the part of ``by_tax`` that is this target's."""
        return sum((amount for tax_id, amount in by_tax.items() if tax_id in self.tax_ids), ZERO)


def tax_targets(
    drafts: Iterable[Draft], book: OrderBook, taxes: Mapping[str, Decimal]
) -> tuple[TaxTarget, ...]:
    """Return the targets of an order whose Magento taxes by key are ``taxes``."""
    groups: list[tuple[set[str], set[int]]] = []
    used = {key for draft in drafts for key in draft.tax_keys}
    for key in sorted(used | {(TAX, name) for name in taxes}):
        keys, ids = {key[1]}, {tax.id for tax in book.taxes.get(key, ())}
        apart = []
        for group in groups:
            if group[1] & ids:
                keys |= group[0]
                ids |= group[1]
            else:
                apart.append(group)
        groups = [*apart, (keys, ids)]
    return tuple(
        TaxTarget(
            keys=frozenset(keys),
            tax_ids=frozenset(ids),
            amount=sum((taxes.get(key, ZERO) for key in keys), ZERO),
        )
        for keys, ids in groups
    )


def whole_cents(drafts: Sequence[Draft], *, total: Decimal, digits: int) -> list[Draft]:
    """Return ``drafts`` with rows of whole cents that sum to ``total``.

    Magento keeps rows of broken quantities unrounded (2.525 in ``orders/012``) and rounds the grand total. Rows
    are rounded by running sums; what then still parts them from the total, a cent or two, goes to the rows that
    were broken. Where none was, nothing is changed: the difference is the total policy's.
    """
    rounded: list[Draft] = []
    running = given = ZERO
    broken: list[int] = []
    for index, draft in enumerate(drafts):
        if round_to(draft.row, digits) == draft.row:
            rounded.append(replace(draft, row=round_to(draft.row, digits)))
            continue
        broken.append(index)
        running += draft.row
        share = round_to(running, digits) - given
        given += share
        rounded.append(replace(draft, row=share))
    rest = total - sum((draft.row for draft in rounded), ZERO)
    cent = step(digits).copy_sign(rest)
    for index in broken:
        if not rest:
            break
        rounded[index] = replace(rounded[index], row=rounded[index].row + cent)
        rest -= cent
    return rounded
