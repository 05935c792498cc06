"""What people call a price, and how its value is said. Pure."""

from __future__ import annotations

from bridge.translate.followed_prices import COST, SALES_PRICE
from bridge.translate.price_records import ALL_GROUPS

_PLAIN = {SALES_PRICE: "sales price", COST: "cost"}


def title_of_price(name: str) -> str:
    """Return what people call a price: ``base price``, ``tier prices of group 2``, ``sales price``."""
    if name in _PLAIN:
        return _PLAIN[name]
    kind, _, place = name.partition("@")
    if kind == "tier":
        group, _, website = place.partition("@")
        who = "all groups" if group == str(ALL_GROUPS) else f"group {group}"
        return f"tier prices of {who}" + (f" on website {website}" if website != "0" else "")
    return f"{kind} price" + (f" of store {place}" if place != "0" else "")


def said_price(name: str, value: str) -> str:
    """Return a price as people read it; ``value`` is as ``ProductPrices.texts`` has it."""
    if not value or value == "none":
        return "none"
    if name.startswith("tier@"):
        tiers = (one.partition(":") for one in value.split())
        return ", ".join(f"{price} from {quantity}" for quantity, _, price in tiers)
    if name.startswith("special@"):
        price, _, days = value.partition(" ")
        first, _, last = days.partition("..")
        return price + (f" from {first}" if first else "") + (f" to {last}" if last else "")
    return value
