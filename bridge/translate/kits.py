"""How many kits their parts make. Pure; all quantities are Decimal.

Odoo's own figure of a kit is of the same parts (``_compute_quantities_dict`` in ``mrp/models/product.py`` of 16, 18 and 19), and
is not to be trusted alone: 16 takes each line of a bill by itself, so that a part in two lines is promised twice, and
divides floats, 18 rounds what a part makes half up (``kits/kit-quantities``). So a figure is never more than Odoo says, and
never more than the parts make.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from bridge.translate.money import ZERO, plain, round_to

#: Beyond so many digits a quotient is noise: a third of a part three times over is one.
_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a kit, as a source has it."""

    #: The product of Odoo.
    odoo_id: int
    #: Of it in one kit.
    units: Decimal
    #: The chosen field of Odoo, or the source's share of it.
    has: Decimal
    #: Sold in Magento, by whatever line, and not known to Odoo yet.
    unknown: Decimal = ZERO

    def as_data(self) -> dict[str, Any]:
        """Return the part as text, for a screen."""
        return {
            "odoo_id": self.odoo_id,
            "units": plain(self.units),
            "odoo": plain(self.has),
            "unknown_to_odoo": plain(self.unknown),
        }


def kits_at_most(odoo: Decimal, parts: Sequence[Part]) -> Decimal:
    """Return how many kits there are by Odoo's word and by what the parts make."""
    return min(odoo, _made(parts, [part.has for part in parts]))


def kits_unknown(odoo: Decimal, parts: Sequence[Part]) -> Decimal:
    """Return how many kits less there are for what was sold of the parts, in kits or alone, and Odoo does not know of."""
    left = _made(parts, [part.has - part.unknown for part in parts])
    return max(ZERO, kits_at_most(odoo, parts) - left)


def _made(parts: Sequence[Part], quantities: Sequence[Decimal]) -> Decimal:
    each = (quantity / part.units for part, quantity in zip(parts, quantities, strict=True))
    return min(round_to(one, _DIGITS).to_integral_value(ROUND_FLOOR) for one in each)
