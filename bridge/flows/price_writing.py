"""Writes prices into Magento, many in one call: each call is an effect, and what is in doubt is read back (RULES 2.5, 2.6).

Prices are absolute, so a write may be repeated; but it must not come after a newer one. While one is in doubt nothing
newer goes out about its products: Magento is read at 30 s, 2 and 10 minutes, of which the last decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import BridgeError, OperatorError
from bridge.flows.context import FlowContext
from bridge.flows.doubts import has_happened
from bridge.flows.effects import Write
from bridge.flows.product_writing import SUPERSEDED, digest, halved
from bridge.ledger import Effect
from bridge.magento.prices import (
    PriceCall,
    PriceRefusal,
    price_request,
    price_rows,
    read_prices,
    send_prices,
)
from bridge.translate.magento_prices import (
    MagentoPrices,
    PriceRows,
    has_rows,
    in_rounds,
    read_magento_prices,
)

#: What the effects are done to: one name for all price calls, so that one look finds those in doubt.
TARGET = "prices"
#: Products of one call.
AT_ONCE = 100
_KIND = "set-prices:"
#: In this order: what is taken away first, a base price before what is measured by it.
_CALLS: Mapping[PriceCall, str] = {
    "special-delete": "special_delete",
    "tier-delete": "tier_delete",
    "base": "base",
    "special": "special",
    "tier": "tier",
    "tier-put": "tier_put",
}


#: Read back whatever Magento answers.
_READ_BACK = frozenset({"special-delete", "tier-delete", "tier-put"})
#: What is said where Magento says nothing.
_STILL_THERE = PriceRefusal(message="It still has a price that was deleted.", parameters=())
_NO_OWN = PriceRefusal(
    message="It kept no price of its own for the website: its Catalog Price Scope is Global, so price_scope must be, too.",
    parameters=(),
)


class PriceRefused(OperatorError):
    """Magento does not accept a price as Odoo has it."""

    code = "price_refused"


@dataclass(frozen=True, kw_only=True)
class PriceChange:
    """What is to be written of one product."""

    entity: str
    sku: str
    #: Of the state of what the ledger knows: the same rows again, later, are a write of their own.
    version: str
    rows: PriceRows = field(default_factory=PriceRows)


Refused = Callable[[str, BridgeError], None]


def read_state(ctx: FlowContext, skus: Iterable[str]) -> dict[str, MagentoPrices]:
    """Return the prices that Magento has now, by SKU in small letters; products without any are missing."""
    listed = sorted(set(skus))
    base, special, tiers = (read_prices(ctx.magento, kind, listed) for kind in ("base", "special", "tier"))
    return read_magento_prices(base, special, tiers)


def write_changes(ctx: FlowContext, changes: Iterable[PriceChange], *, refused: Refused) -> None:
    """Write ``changes``; ``refused`` is told of each product that Magento does not take, by its entity."""
    listed = sorted(changes, key=lambda one: int(one.entity))
    failed: set[str] = set()

    def fail(change: PriceChange, error: BridgeError) -> None:
        failed.add(change.entity)
        refused(change.entity, _refusal(change.sku, error.message, error))

    for call, name in _CALLS.items():

        def write(batch: Sequence[PriceChange], call: PriceCall = call, name: str = name) -> None:
            rows = [row for one in batch for row in getattr(one.rows, name)]
            versions = [[one.entity, one.version] for one in batch]
            calls = in_rounds(rows) if call == "tier-delete" else [rows]
            said = [refusal for some in calls for refusal in _send(ctx, call, some, versions=versions)]
            # Deleting says nothing where it found nothing, and is known to leave some (magento/magento2#37949).
            # While prices are global Magento writes a website's base price for all of them, without a word.
            is_silent = call == "base" and any(row["store_id"] for row in rows)
            if said or is_silent or call in _READ_BACK:
                for one, error in _not_taken(ctx, call, batch, said):
                    fail(one, error)

        concerned = [one for one in listed if getattr(one.rows, name) and one.entity not in failed]
        for start in range(0, len(concerned), AT_ONCE):
            halved(concerned[start : start + AT_ONCE], write, fail, is_of_rows=_is_of_rows)


def wait_for_prices(ctx: FlowContext, skus: Iterable[str]) -> None:
    """Wait while a write of prices of ``skus``, ours or another job's, may still be under way.

    Raises:
        DoubtfulEffect: there is one, and Magento does not have what it was about yet.
    """
    wanted = {sku.casefold() for sku in skus}
    for effect in _open_writes(ctx):
        if _skus_of(effect) & wanted:
            # Whether it happened or is over: what it was about is read and written anew.
            has_happened(ctx, effect, lambda one: _happened(ctx, one), what="write of prices")
            ctx.ledger.effects.confirm(ctx.job, effect.key, SUPERSEDED)


def _send(
    ctx: FlowContext, call: PriceCall, rows: Sequence[Mapping[str, Any]], *, versions: object
) -> list[PriceRefusal]:
    said: list[PriceRefusal] = []

    def send(stored: bytes) -> str:
        said.extend(send_prices(ctx.magento, call, stored))
        return f"refused {len(said)} of {len(rows)}" if said else "written"

    body = price_request(rows)
    write = Write(
        key=ctx.effect_key("prices", digest([call, versions, body.decode()])),
        system="magento",
        kind=f"{_KIND}{call}",
        target=TARGET,
        request=body,
        send=send,
    )
    ctx.writer.once(write)
    return said


def _not_taken(
    ctx: FlowContext, call: PriceCall, batch: Sequence[PriceChange], said: Sequence[PriceRefusal]
) -> Iterator[tuple[PriceChange, BridgeError]]:
    """Yield the products that were refused: Magento does not always name them, but it did not write them either."""
    state = read_state(ctx, [one.sku for one in batch])
    for one in batch:
        if has_rows(state.get(one.sku.casefold()), call, getattr(one.rows, _CALLS[call])):
            continue
        named = [each for each in said if one.sku.casefold() in {text.casefold() for text in each.parameters}]
        words = (named or said or [_NO_OWN if call == "base" else _STILL_THERE])[0].message
        yield one, PriceRefused(words, system="magento", reason="refused", sku=one.sku)


def _happened(ctx: FlowContext, effect: Effect) -> bool:
    call = _call_of(effect)
    rows = price_rows(effect.request or b'{"prices":[]}')
    state = read_state(ctx, [str(row["sku"]) for row in rows])
    of_sku: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        of_sku.setdefault(str(row["sku"]).casefold(), []).append(row)
    return all(has_rows(state.get(sku), call, some) for sku, some in of_sku.items())


def _open_writes(ctx: FlowContext) -> list[Effect]:
    effects = ctx.ledger.effects.open_for_target(ctx.instance.name, TARGET)
    return [one for one in effects if one.state in {"sent", "doubtful"}]


def _skus_of(effect: Effect) -> set[str]:
    return {str(row.get("sku")).casefold() for row in price_rows(effect.request or b'{"prices":[]}')}


def _call_of(effect: Effect) -> PriceCall:
    name = effect.kind.removeprefix(_KIND)
    return next(call for call in _CALLS if call == name)


def _is_of_rows(error: BridgeError) -> bool:
    """Return whether the rows were refused, and not the call: a SKU that is unknown, or more rows than are allowed."""
    return error.details.get("reason") in {"no_such_entity", "refused", "array_size", "digits"}


def _refusal(sku: str, words: str, error: BridgeError) -> OperatorError:
    if isinstance(error, OperatorError) and not isinstance(error, PriceRefused):
        return error
    return PriceRefused(
        f"Magento does not accept a price of {sku}: {words}",
        system="magento",
        reason=str(error.details.get("reason", "refused")),
        sku=sku,
    )
