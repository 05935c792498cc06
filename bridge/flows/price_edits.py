"""Edits of prices in Magento while Odoo is their master: shown as conflicts, and kept when Odoo's price takes their place.

The marks of a product say what Magento was last known to have of each price. While a write is under way it may be the
one or the other: both are kept, joined by ``|``. Where nothing was known before, that is an empty one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from bridge.flows.context import FlowContext
from bridge.flows.price_following import PRICE_BINDING
from bridge.ledger import SeenEdit
from bridge.translate.price_records import mark_of_price

#: Values that Magento may have while writes are under way, at most; the first is what it had before them.
_MOST_AT_ONCE = 4


def differing(
    entity: str,
    sku: str,
    there: Mapping[str, str],
    wanted: Mapping[str, str],
    known: Mapping[str, str],
    *,
    takes: Callable[[str], bool],
) -> tuple[set[str], list[SeenEdit]]:
    """Return the prices that are to be written, and those that were edited in Magento.

    ``there`` is what Magento has and ``wanted`` what Odoo says, as texts by name; ``known`` are the marks. An edit stays
    where Odoo's price is as it was, unless ``takes`` says that it makes way.
    """
    names: set[str] = set()
    edits: list[SeenEdit] = []
    for name, text in wanted.items():
        if there.get(name) == text:
            continue
        has = there.get(name, "")
        before = known.get(name, "").split("|")
        # What nothing is known of was not edited, as far as anybody can tell.
        is_edited = "" not in before and mark_of_price(has) not in before
        is_written = not is_edited or before != [mark_of_price(text)] or takes(name)
        if is_written:
            names.add(name)
        if is_edited:
            edits.append(
                SeenEdit(
                    magento_id=entity,
                    field=name,
                    master="odoo",
                    magento_value=has,
                    odoo_value=text,
                    label=sku,
                    is_overwritten=is_written,
                )
            )
    return names, edits


def under_way(known: str | None, text: str) -> str:
    """Return what is known of a price in Magento while ``text`` is being written: what was there, or what is sent."""
    before = (known or "").split("|")
    sent = [one for one in before[1:] if one != mark_of_price(text)]
    return "|".join([before[0], *sent[2 - _MOST_AT_ONCE :], mark_of_price(text)])


def note_edits(ctx: FlowContext, edits: Sequence[SeenEdit], *, looked_at: Collection[str]) -> None:
    """Write down the edits of the products that were compared; what stood before and does not any more is gone."""
    ctx.ledger.conflicts.note(ctx.instance.name, PRICE_BINDING, edits, looked_at=looked_at)
