"""Explain an order: Magento against Odoo by component, to the cent, and why they differ where they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from bridge.translate.magento_records import MagentoOrder
from bridge.translate.money import ZERO, amount, plain, round_to
from bridge.translate.odoo_totals import OdooProfile, OrderTotals, RoundingMethod, order_totals
from bridge.translate.order_checks import check_order
from bridge.translate.order_note import component_label
from bridge.translate.plan_lines import priced
from bridge.translate.plan_records import OrderPlan, PlanLine, Role

#: Roles of order lines by component.
_ROLES: Mapping[str, frozenset[Role]] = {
    "lines": frozenset({"product", "bundle", "component"}),
    "discount": frozenset({"discount"}),
    "shipping": frozenset({"shipping"}),
    "shipping_discount": frozenset({"shipping_discount"}),
}
_EXTRAS: frozenset[Role] = frozenset({"fee", "payment"})


@dataclass(frozen=True, kw_only=True)
class ExplainedPart:
    """One component on both sides."""

    name: str
    label: str
    magento: Decimal
    odoo: Decimal
    #: Why it is as it is; empty where there is nothing to say.
    reason: str = ""

    @property
    def difference(self) -> Decimal:
        """Magento less Odoo."""
        return self.magento - self.odoo


@dataclass(frozen=True, kw_only=True)
class ExplainedLine:
    """One order line: what Odoo makes of it."""

    key: str
    role: str
    name: str
    quantity: Decimal
    price_unit: Decimal
    untaxed: Decimal
    tax: Decimal


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """An order's total, explained."""

    increment_id: str
    currency: str
    parts: tuple[ExplainedPart, ...]
    lines: tuple[ExplainedLine, ...]
    magento_total: Decimal
    odoo_total: Decimal
    #: What Odoo's own preview or the stored order says, where it was asked.
    confirmed_total: Decimal | None
    #: Odoo's total if the company rounded by the other method.
    other_method_total: Decimal
    outcome: str
    reasons: tuple[str, ...]
    #: Magento's rate to the base currency.
    base_to_order_rate: Decimal
    #: Odoo's rate of the day to the company's currency.
    odoo_rate: Decimal | None

    def as_data(self) -> dict[str, object]:
        """Return it as JSON data, decimals as text, without personal data (line texts are left out)."""
        return {
            "increment_id": self.increment_id,
            "currency": self.currency,
            "parts": [
                {
                    "name": part.name,
                    "label": part.label,
                    "magento": amount(part.magento),
                    "odoo": amount(part.odoo),
                    "difference": amount(part.difference),
                    "reason": part.reason,
                }
                for part in self.parts
            ],
            "lines": [
                {
                    "key": line.key,
                    "role": line.role,
                    "quantity": f"{line.quantity:f}",
                    "price_unit": f"{line.price_unit:f}",
                    "untaxed": amount(line.untaxed),
                    "tax": amount(line.tax),
                }
                for line in self.lines
            ],
            "magento_total": amount(self.magento_total),
            "odoo_total": amount(self.odoo_total),
            "confirmed_total": None if self.confirmed_total is None else amount(self.confirmed_total),
            "other_method_total": amount(self.other_method_total),
            "outcome": self.outcome,
            "reasons": list(self.reasons),
            "base_to_order_rate": f"{self.base_to_order_rate:f}",
            "odoo_rate": None if self.odoo_rate is None else f"{self.odoo_rate:f}",
        }


def explain(
    order: MagentoOrder, plan: OrderPlan, profile: OdooProfile, *, confirmed_total: Decimal | None = None
) -> Explanation:
    """Return the explanation of ``plan``; ``confirmed_total`` is what Odoo itself said, where it was asked."""
    order = check_order(order)
    totals = plan.predicted
    parts = [*_net_parts(plan, totals), *_tax_parts(plan, totals)]
    parts += _correction_parts(plan, totals)
    parts += _rounding_parts(order, totals, parts)
    return Explanation(
        increment_id=order.increment_id,
        currency=order.currency,
        parts=tuple(parts),
        lines=_lines(plan, totals),
        magento_total=order.grand_total,
        odoo_total=totals.total,
        confirmed_total=confirmed_total,
        other_method_total=_other_method(plan, profile).total,
        outcome=plan.verdict.outcome,
        reasons=(
            *plan.reasons,
            *_method_reasons(plan, profile, confirmed_total),
            *_rate_reasons(order, profile),
        ),
        base_to_order_rate=order.base_to_order_rate,
        odoo_rate=profile.currency_rate,
    )


def _rounding_parts(
    order: MagentoOrder, totals: OrderTotals, parts: Sequence[ExplainedPart]
) -> list[ExplainedPart]:
    """What either system's own rounding leaves between its parts and its total."""
    found = []
    if rest := order.grand_total - sum((part.magento for part in parts), ZERO):
        reason = "Magento keeps parts with more than two decimal places and rounds the grand total."
        found.append(
            ExplainedPart(
                name="magento_rounding",
                label="Rounding inside Magento",
                magento=rest,
                odoo=ZERO,
                reason=reason,
            )
        )
    if rest := totals.total - sum((part.odoo for part in parts), ZERO):
        reason = "Odoo shows rounded lines, but rounds the sum of the unrounded ones."
        found.append(
            ExplainedPart(
                name="odoo_rounding", label="Rounding inside Odoo", magento=ZERO, odoo=rest, reason=reason
            )
        )
    return found


def _lines(plan: OrderPlan, totals: OrderTotals) -> tuple[ExplainedLine, ...]:
    return tuple(
        ExplainedLine(
            key=line.key,
            role=line.role,
            name=line.name,
            quantity=line.quantity,
            price_unit=line.price_unit,
            untaxed=shown.untaxed,
            tax=sum(shown.taxes.values(), ZERO),
        )
        for line, shown in zip(plan.lines, totals.lines, strict=True)
    )


def _net(plan: OrderPlan, totals: OrderTotals, roles: frozenset[Role]) -> Decimal:
    rows: Sequence[tuple[PlanLine, Decimal]] = [
        (line, shown.untaxed) for line, shown in zip(plan.lines, totals.lines, strict=True)
    ]
    return sum((untaxed for line, untaxed in rows if line.role in roles), ZERO)


def _net_reason(plan: OrderPlan, roles: frozenset[Role]) -> str:
    """Return why the net of these lines differs: Odoo stores whole cents, of one price or of the other."""
    taxes = {tax_id for line in plan.lines if line.role in roles for tax_id in line.tax_ids}
    if any(plan.taxes[tax_id].price_include for tax_id in taxes):
        return "Odoo's prices include the tax: it takes the net out of each row and rounds it to whole cents."
    return "Odoo rounds each row to whole cents; Magento keeps what is below, or rounded its price before."


def _net_parts(plan: OrderPlan, totals: OrderTotals) -> list[ExplainedPart]:
    expected = {part.name: part.amount for part in plan.expected}
    parts = []
    for name, roles in _ROLES.items():
        odoo = _net(plan, totals, roles)
        if name in expected or odoo:
            parts.append(_part(plan, name, roles, magento=expected.get(name, ZERO), odoo=odoo))
    extras = sum((value for name, value in expected.items() if name.startswith("extra:")), ZERO)
    odoo = _net(plan, totals, _EXTRAS)
    if extras or odoo:
        parts.append(_part(plan, "extras", _EXTRAS, magento=extras, odoo=odoo))
    return parts


def _part(
    plan: OrderPlan, name: str, roles: frozenset[Role], *, magento: Decimal, odoo: Decimal
) -> ExplainedPart:
    label = "Fees and credits" if name == "extras" else component_label(name)
    reason = "" if magento == odoo else _net_reason(plan, roles)
    return ExplainedPart(name=name, label=label, magento=magento, odoo=odoo, reason=reason)


def _tax_parts(plan: OrderPlan, totals: OrderTotals) -> list[ExplainedPart]:
    taxes = {
        part.name.removeprefix("tax:"): part.amount for part in plan.expected if part.name.startswith("tax:")
    }
    parts = []
    done: set[str] = set()
    for key, ids in plan.tax_ids.items():
        if key in done:
            continue
        together = [other for other, others in plan.tax_ids.items() if set(others) & set(ids)] or [key]
        done.update(together)
        magento = sum((taxes.get(name, ZERO) for name in together), ZERO)
        odoo = sum((value for tax_id, value in totals.taxes.items() if tax_id in ids), ZERO)
        if not magento and not odoo:
            continue
        reason = "" if magento == odoo else _tax_reason(plan, together)
        label = ", ".join(component_label(f"tax:{name}") for name in together)
        name = f"tax:{'+'.join(together)}"
        parts.append(ExplainedPart(name=name, label=label, magento=magento, odoo=odoo, reason=reason))
    return parts


def _tax_reason(plan: OrderPlan, keys: Sequence[str]) -> str:
    if not any(plan.tax_ids.get(key) for key in keys):
        return "The mapping says that this is no tax in Odoo."
    return "Magento rounds this tax per unit, row or total as the shop is set; Odoo rounds it per line or over the order."


def _correction_parts(plan: OrderPlan, totals: OrderTotals) -> list[ExplainedPart]:
    parts = []
    for role, label, reason in (
        ("tax_rounding", "Tax rounding", "Lines that bring Odoo's tax to Magento's; see the reasons."),
        ("adjustment", "Adjustment", "The policy adjusts the total to Magento's."),
    ):
        value = sum(
            (
                shown.untaxed
                for line, shown in zip(plan.lines, totals.lines, strict=True)
                if line.role == role
            ),
            ZERO,
        )
        if any(line.role == role for line in plan.lines):
            parts.append(ExplainedPart(name=role, label=label, magento=ZERO, odoo=value, reason=reason))
    return parts


def _other_method(plan: OrderPlan, profile: OdooProfile) -> OrderTotals:
    method: RoundingMethod = (
        "round_globally" if profile.rounding_method == "round_per_line" else "round_per_line"
    )
    return order_totals(priced(plan.lines), plan.taxes, replace(profile, rounding_method=method))


def _method_reasons(plan: OrderPlan, profile: OdooProfile, confirmed: Decimal | None) -> list[str]:
    reasons = []
    other = _other_method(plan, profile)
    if (other.total, other.tax) != (plan.predicted.total, plan.predicted.tax):
        reasons.append(
            f"With Odoo's other rounding method the same lines would be {amount(other.total)} "
            f"(tax {amount(other.tax)})."
        )
    if confirmed is not None and round_to(confirmed, profile.currency_digits) != plan.predicted.total:
        reasons.append(
            f"Odoo itself says {amount(round_to(confirmed, profile.currency_digits))}, the calculation "
            f"{amount(plan.predicted.total)}: prices, taxes or rounding in Odoo were changed, or an app changes totals."
        )
    return reasons


def _rate_reasons(order: MagentoOrder, profile: OdooProfile) -> list[str]:
    """Return both rates of an order in another currency: neither is forced on the other (RULES 1.12)."""
    rates = (order.base_to_order_rate or None, profile.currency_rate)
    if all(rate in {None, 1} for rate in rates):
        return []
    magento, odoo = ("no rate" if rate is None else f"{plain(rate)} {order.currency}" for rate in rates)
    text = (
        f"Exchange rate: {magento} for 1 {order.base_currency} in Magento when the order was placed, {odoo} for 1 of the "
        "company's currency in Odoo on the day of the import. Only values in the company's currency depend on it."
    )
    return [text]
