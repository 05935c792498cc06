"""What happens when Odoo's total would not be Magento's (RULES 1.4)."""

from __future__ import annotations

from decimal import Decimal

from bridge.errors import TotalDiffers
from bridge.translate.money import ZERO, amount
from bridge.translate.order_book import OrderRules
from bridge.translate.plan_records import Verdict

#: The service that adjustment and rounding lines are on.
ADJUSTMENT = "adjustment"


def judge(*, magento: Decimal, odoo: Decimal, rules: OrderRules, increment_id: str) -> Verdict:
    """Return what the policy says of a grand total ``magento`` where Odoo comes to ``odoo``.

    Within the tolerance an order is imported; ``adjust`` adjusts that too. Beyond it: ``block``, ``warn``, or
    ``adjust`` up to ``order_adjust_max``, since a parser's fault of 500 must not be balanced silently.

    Raises:
        TotalDiffers: the policy blocks.
    """
    difference = magento - odoo
    if not difference:
        return Verdict(outcome="exact", difference=ZERO)
    if rules.order_total_policy == "adjust":
        if abs(difference) <= rules.order_adjust_max:
            return Verdict(outcome="adjusted", difference=difference, adjustment=difference)
        raise _differs(
            magento, odoo, increment_id, "adjust_max", f"Adjusting is allowed up to {rules.order_adjust_max}."
        )
    if abs(difference) <= rules.order_total_tolerance:
        return Verdict(outcome="tolerated", difference=difference)
    if rules.order_total_policy == "warn":
        return Verdict(outcome="warned", difference=difference)
    raise _differs(
        magento, odoo, increment_id, "tolerance", f"The tolerance is {amount(rules.order_total_tolerance)}."
    )


def _differs(magento: Decimal, odoo: Decimal, increment_id: str, reason: str, bound: str) -> TotalDiffers:
    return TotalDiffers(
        f"Order {increment_id} is {amount(magento)} in Magento and would be {amount(odoo)} in Odoo, "
        f"{amount(magento - odoo)} apart. {bound}",
        reason=reason,
        increment_id=increment_id,
        magento=amount(magento),
        odoo=amount(odoo),
        difference=amount(magento - odoo),
    )
