"""Which warehouses of Odoo fill which source of Magento, and how sources share a warehouse.

One source is one warehouse by a mapping of the kind ``source``. What that cannot say stands in the setting
``stock_routes``: ``berlin=1+2; munich=3*60%; outlet=3*rest`` fills berlin from two warehouses, and shares the third one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal

_PART = re.compile(r"(\d{1,9})(?:\*(?:(\d{1,3}(?:\.\d{1,4})?)%|(\d{1,9})|(rest)))?")
_ALL = Decimal(100)
_ZERO = Decimal(0)
_FINEST = Decimal("0.0001")


@dataclass(frozen=True, kw_only=True)
class Share:
    """What a source gets of a warehouse: a percentage, so many units at most, or all that is left."""

    warehouse_id: int
    percent: Decimal | None = None
    #: The first so many units that the sources before it left.
    first: Decimal | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is all that is left."""
        return self.percent is None and self.first is None


@dataclass(frozen=True, kw_only=True)
class Routes:
    """The sources that the bridge fills, in their order, with the warehouses that each is filled from.

    A source without warehouses is filled from all there are.
    """

    by_source: Mapping[str, tuple[Share, ...]] = field(default_factory=dict)
    #: Where units are counted of which nobody knows the warehouse yet.
    home: str = "default"

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources that the bridge fills."""
        return tuple(self.by_source)

    @property
    def shared(self) -> frozenset[int]:
        """The warehouses that fill several sources."""
        ids = [share.warehouse_id for shares in self.by_source.values() for share in shares]
        return frozenset(one for one in ids if ids.count(one) > 1)

    def warehouses(self, source: str) -> tuple[int, ...]:
        """Return the warehouses that fill ``source``; none: all there are."""
        return tuple(share.warehouse_id for share in self.by_source.get(source, ()))

    def counts_in(self, warehouse_id: int | None, *, shipped_from: str | None = None) -> str:
        """Return the source that a line counts in: that of the Odoo order's warehouse, in one only (RULES 3.4).

        A line that Odoo does not know counts where Magento shipped it from, or at home.
        """
        if warehouse_id is not None:
            for source, shares in self.by_source.items():
                if any(share.warehouse_id == warehouse_id for share in shares):
                    return source
        elif shipped_from in self.by_source:
            return str(shipped_from)
        return self.home

    def portion(self, source: str, warehouse_id: int, quantity: Decimal) -> Decimal:
        """Return what ``source`` gets of the units that a warehouse has; all sources together get no more than there is."""
        if quantity <= 0:
            return quantity
        left = quantity
        step = Decimal(1) if quantity == quantity.to_integral_value() else _FINEST
        for name, shares in self.by_source.items():
            for share in shares:
                if share.warehouse_id != warehouse_id:
                    continue
                if share.percent is not None:
                    part = (quantity * share.percent / _ALL / step).to_integral_value(ROUND_FLOOR) * step
                elif share.first is not None:
                    part = min(share.first, left)
                else:
                    part = left
                part = min(part, left)
                if name == source:
                    return part
                left -= part
        return _ZERO


def parse_routes(text: str) -> dict[str, tuple[Share, ...]]:
    """Return the routes that a setting says, by source.

    Raises:
        ValueError: it cannot be read, or says no rule for a warehouse that several sources share.
    """
    found: dict[str, tuple[Share, ...]] = {}
    for part in filter(None, (one.strip() for one in re.split(r"[;\n]", text))):
        source, _, right = (one.strip() for one in part.partition("="))
        if not source or not right or source in found:
            raise ValueError(f"{part!r} must be SOURCE=WAREHOUSE, each source once")
        found[source] = tuple(_share(one.strip()) for one in right.split("+"))
    _check(found)
    return found


def _share(text: str) -> Share:
    match = _PART.fullmatch(text)
    if match is None or not int(match[1]):
        raise ValueError(
            f"{text!r} must be a warehouse's id in Odoo, with *60%, *10 (the first 10 units) or *rest behind it where "
            "several sources share it"
        )
    percent = None if match[2] is None else Decimal(match[2])
    first = None if match[3] is None else Decimal(match[3])
    return Share(warehouse_id=int(match[1]), percent=percent, first=first)


def _check(routes: Mapping[str, Sequence[Share]]) -> None:
    by_warehouse: dict[int, list[Share]] = {}
    for shares in routes.values():
        for share in shares:
            by_warehouse.setdefault(share.warehouse_id, []).append(share)
    for warehouse_id, shares in by_warehouse.items():
        if sum((share.percent or _ZERO for share in shares), _ZERO) > _ALL:
            raise ValueError(f"the shares of warehouse {warehouse_id} are more than 100%")
        if any(share.is_whole for share in shares[:-1]):
            raise ValueError(
                f"several sources share warehouse {warehouse_id}: say how, with *60%, *10 or *rest, and the rest last"
            )
