"""Carries changes of Magento's prices over to Odoo's sales prices, while Magento is the master of prices.

Only a price that changed in Magento since it was last seen is written: what a person set in Odoo stays until then, and so
does the price of a product that was there before. Costs are never written: Odoo values its stock by them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bridge.errors import BridgeError
from bridge.flows.context import FlowContext
from bridge.flows.product_writing import AT_ONCE, UPDATE, Refused, Shelf, digest, halved
from bridge.ledger import Binding, Pair
from bridge.odoo import LoadRequest
from bridge.translate.price_records import mark_of_price
from bridge.translate.product_plan import ProductPlan, read_marks, write_marks

#: Kind of the bindings that keep which prices both sides were last known to have.
PRICE_BINDING = "product_price"
_FIELD = "list_price"


def follow_prices(
    ctx: FlowContext,
    shelf: Shelf,
    plans: Mapping[str, ProductPlan],
    bound: Mapping[str, Binding],
    *,
    refused: Refused,
) -> set[str]:
    """Write the prices of ``bound`` products that changed in Magento; return the entities of those that Odoo has now."""
    if ctx.settings.master("price") != "magento":
        return set()
    # Variants have the price of their product; kits are left as they are.
    priced = {
        entity: plans[entity].made_with[_FIELD]
        for entity in bound
        if plans[entity].role != "kit" and _FIELD in plans[entity].made_with
    }
    kept = ctx.ledger.bindings.get_many(ctx.instance.name, PRICE_BINDING, priced)
    marks = {entity: read_marks(kept[entity].fingerprint) if entity in kept else {} for entity in priced}
    unseen = [entity for entity in priced if _FIELD not in marks[entity]]
    changed = [
        entity
        for entity in priced
        if _FIELD in marks[entity] and marks[entity][_FIELD] != mark_of_price(priced[entity])
    ]

    def keep(entities: Iterable[str], prices: Mapping[str, str]) -> None:
        seen = {one: {**marks[one], **_mark(prices.get(one))} for one in entities}
        ctx.ledger.bindings.bind_many(
            ctx.instance.name,
            PRICE_BINDING,
            [
                Pair(
                    magento_id=one,
                    odoo_model=shelf.model,
                    odoo_id=bound[one].odoo_id,
                    magento_label=plans[one].sku,
                    fingerprint=write_marks(found),
                )
                for one, found in seen.items()
            ],
        )

    keep(unseen, priced)
    # Until the answer is there nobody knows what Odoo has: whoever comes next writes it anew.
    keep(changed, dict.fromkeys(changed, ""))
    done: set[str] = set()

    def write(batch: Sequence[str]) -> None:
        rows = [(str(bound[one].odoo_id), priced[one]) for one in batch]
        key = [[one, kept[one].updated_at.isoformat(), priced[one]] for one in batch]
        ctx.writer.load_many(
            ctx.odoo,
            key=ctx.effect_key("products-price", digest(key)),
            kind=UPDATE,
            request=LoadRequest(
                model=shelf.model, fields=(".id", _FIELD), rows=tuple(rows), create_only=False
            ),
        )
        keep(batch, priced)
        done.update(batch)

    def fail(entity: str, error: BridgeError) -> None:
        refused(entity, error)

    for start in range(0, len(changed), AT_ONCE):
        halved(changed[start : start + AT_ONCE], write, fail)
    return done


def _mark(price: str | None) -> dict[str, str]:
    return {} if price is None else {_FIELD: mark_of_price(price)}
