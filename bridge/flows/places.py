"""What Odoo calls the regions of addresses."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.flows.context import FlowContext
from bridge.translate.magento_records import OrderAddress


def states_of(ctx: FlowContext, addresses: Iterable[OrderAddress | None]) -> dict[tuple[str, str], int]:
    """Return the states of ``addresses`` by country and region code, as the translation asks for them.

    By name first: Magento's codes are its own in many countries (``BER`` for Berlin, in Odoo ``BE``).
    """
    found: dict[tuple[str, str], int] = {}
    for address in addresses:
        if address is None or not (address.region or address.region_code):
            continue
        known = ctx.reference.states()
        names = (address.region.upper(), address.region_code.upper())
        state = next(
            (known[address.country, name] for name in names if (address.country, name) in known), None
        )
        if state is not None:
            found.setdefault((address.country, address.region_code.upper()), state)
    return found
