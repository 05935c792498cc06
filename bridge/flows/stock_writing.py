"""Writes quantities into Magento's sources: absolute, all or none, never an old figure over a newer one (DESIGN 6).

A call is one effect. While one is in doubt no newer write goes out for its source: an old request that is still under way
could overwrite it. Magento refuses a whole call for one bad row without naming it, so a refused one is halved.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bridge.errors import (
    BridgeError,
    OperatorError,
    RecordMissing,
    ServiceRejected,
    ServiceUnavailable,
)
from bridge.flows import stock_source
from bridge.flows.context import FlowContext
from bridge.flows.doubts import has_happened
from bridge.flows.effects import Write
from bridge.flows.product_writing import SUPERSEDED
from bridge.idempotency import canonical_json, fingerprint
from bridge.ledger import Effect, Exported
from bridge.ledger import StockFigure as Known
from bridge.magento.inventory import (
    SOURCE_ITEMS,
    SourceItem,
    batch_limit,
    is_refused_batch,
    write_source_items,
)
from bridge.magento.stocks import write_stock_item
from bridge.translate.money import plain
from bridge.translate.stock import Push
from bridge.wire import NoAnswer

#: Kinds of the effects that set quantities: at once, and through Magento's queue.
WRITE, BULK_WRITE = "write-stock", "write-stock-bulk"


class StockSourceUnknown(OperatorError):
    """Magento has no such source."""

    code = "stock_source_unknown"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row to be written."""

    known: Known
    push: Push
    target: Decimal
    #: What Magento has, None where it has no row.
    seen: Decimal | None

    @property
    def exported(self) -> Exported:
        """What is noted once it is written."""
        return Exported(
            magento_id=self.known.magento_id,
            marked=self.known.marked,
            target=self.target,
            seen=self.seen,
            written=self.push.quantity,
            is_on=self.push.status == 1,
        )

    def as_data(self) -> dict[str, Any]:
        """Return the row as it is kept with the effect."""
        return {
            "magento_id": self.known.magento_id,
            "marked": self.known.marked,
            "sku": self.push.sku,
            "has": None if self.seen is None else plain(self.seen),
            "quantity": plain(self.push.quantity),
            "status": self.push.status,
        }


Written = Callable[[Sequence[Row]], None]
Refused = Callable[[Row, BridgeError], None]


def target_of(source: str) -> str:
    """Return the target of the effects of a source."""
    return f"{SOURCE_ITEMS}?source_code={source}"


def settle(ctx: FlowContext, source: str) -> None:
    """Wait until no earlier write of this source can be under way any more.

    Looked for at the times of RULES 2.5: what is found as it was sent has happened. After the last look it is over, and
    what it was about is worked out and written anew.

    Raises:
        DoubtfulEffect: come back for the next look.
    """
    for effect in ctx.ledger.effects.open_for_target(ctx.instance.name, target_of(source)):
        if effect.state == "intended" or effect.kind == BULK_WRITE:
            continue
        if has_happened(ctx, effect, lambda one: _happened(ctx, source, one), what="write of stock"):
            continue
        # Marked once more, so that the same figures sent again are another write.
        ids = [row["magento_id"] for row in kept_rows(effect)]
        ctx.ledger.stock.mark_again(ctx.instance.name, source, ids)
        ctx.ledger.effects.confirm(ctx.job, effect.key, SUPERSEDED)


def kept_rows(effect: Effect) -> list[dict[str, Any]]:
    """Return the rows that are kept with an effect, as ``Row.as_data`` has them."""
    rows: list[dict[str, Any]] = json.loads(effect.request or b'{"rows": []}')["rows"]
    return rows


def _happened(ctx: FlowContext, source: str, effect: Effect) -> bool:
    """Return whether Magento has what was sent, and note it if so; the figures stay dirty and are looked at anew."""
    rows = kept_rows(effect)
    has = stock_source.read_rows(ctx, source, [row["sku"] for row in rows])
    for row in rows:
        found = has.get(row["sku"])
        if found is None or (found.quantity, found.status) != (Decimal(row["quantity"]), row["status"]):
            return False
    ctx.ledger.effects.confirm(ctx.job, effect.key, str(len(rows)))
    done = [
        Exported(
            magento_id=row["magento_id"],
            marked=0,
            written=Decimal(row["quantity"]),
            is_on=row["status"] == 1,
        )
        for row in rows
    ]
    ctx.ledger.stock.exported(ctx.instance.name, source, done)
    return True


def write_rows(
    ctx: FlowContext, source: str, rows: Sequence[Row], *, written: Written, refused: Refused
) -> None:
    """Write rows of one source; ``written`` is told of each call that was taken, ``refused`` of each bad row alone.

    Raises:
        StockSourceUnknown: Magento has no such source: then no row is at fault.
        DoubtfulEffect: the answer was lost; what was written before is known as written.
    """
    if ctx.settings.stock_api_mode == "classic":
        _one_by_one(ctx, source, rows, written=written, refused=refused)
        return
    most = ctx.reference.rows_at_once(len(rows))
    for start in range(0, len(rows), most):
        batch = rows[start : start + most]
        try:
            _halved(ctx, source, batch, written=written, refused=refused)
        except ServiceRejected as error:
            limit = batch_limit(error)
            if limit is None or limit >= len(batch):
                raise
            # Learned from the refusal, and kept to from now on.
            ctx.reference.learn_rows_at_once(limit)
            write_rows(ctx, source, rows[start:], written=written, refused=refused)
            return


def _halved(
    ctx: FlowContext,
    source: str,
    batch: Sequence[Row],
    *,
    written: Written,
    refused: Refused,
    known: ServiceRejected | None = None,
) -> bool:
    """Write rows, and halve a list that is refused until its bad rows are alone; return whether there was none.

    ``known`` is why a longer list was refused of which all others were taken: a bad row is among these, and they are not
    sent to be refused once more. So a bad row of n costs at most 2 x log2(n) calls.
    """
    error = known or _refusal_of(ctx, source, batch)
    if error is None:
        written(batch)
        return True
    if len(batch) == 1:
        refused(batch[0], error)
        return False
    half = len(batch) // 2
    is_good = _halved(ctx, source, batch[:half], written=written, refused=refused)
    _halved(ctx, source, batch[half:], written=written, refused=refused, known=error if is_good else None)
    return False


def _refusal_of(ctx: FlowContext, source: str, batch: Sequence[Row]) -> ServiceRejected | None:
    """Write rows; return why Magento refused them for one that it does not name, None where it took them."""
    try:
        _write(ctx, source, batch, _send_items(ctx, source))
    except ServiceRejected as error:
        if not is_refused_batch(error):
            raise
        _insist_on_source(ctx, source)
        return error
    return None


def _insist_on_source(ctx: FlowContext, source: str) -> None:
    layout = stock_source.source_layout(ctx, is_enough=source)
    if layout is not None and layout.source(source) is None:
        known = ", ".join(sorted(one.source_code for one in layout.sources))
        raise StockSourceUnknown(
            f"Magento has no source {source}. Its sources: {known}.", system="magento", source=source
        )


def _one_by_one(
    ctx: FlowContext, source: str, rows: Sequence[Row], *, written: Written, refused: Refused
) -> None:
    """Write through the classic endpoint, which takes one product at a time and sees the source ``default`` only."""

    def send(stored: bytes) -> str:
        (row,) = json.loads(stored)["rows"]
        write_stock_item(
            ctx.magento, row["sku"], quantity=Decimal(row["quantity"]), is_in_stock=row["status"] == 1
        )
        return "1"

    for row in rows:
        try:
            _write(ctx, source, [row], send)
        except (ServiceRejected, RecordMissing) as error:
            refused(row, error)
        else:
            written([row])


def _send_items(ctx: FlowContext, source: str) -> Callable[[bytes], str]:
    def send(stored: bytes) -> str:
        rows = json.loads(stored)["rows"]
        items = [
            SourceItem(
                sku=row["sku"], source_code=source, quantity=Decimal(row["quantity"]), status=row["status"]
            )
            for row in rows
        ]
        write_source_items(ctx.magento, items)
        return str(len(rows))

    return send


def _write(ctx: FlowContext, source: str, rows: Sequence[Row], send: Callable[[bytes], str]) -> None:
    """Perform one call. Its key names the marks that it covers and what Magento had, so no later one has the same."""

    def sent(stored: bytes) -> str:
        try:
            return send(stored)
        except NoAnswer as error:
            if error.status != 500:
                raise
            # Magento's own fault, such as a deadlock of its index: it has ended, so nothing is under way any more. The
            # quantities are absolute: they are worked out and written again.
            raise ServiceUnavailable(error.message, system="magento", status=500, **_facts(error)) from error

    ctx.writer.once(stock_write(ctx, source, rows, kind=WRITE, send=sent))


def stock_write(
    ctx: FlowContext,
    source: str,
    rows: Sequence[Row],
    *,
    kind: str,
    send: Callable[[bytes], str],
    looked_at_after: float | None = None,
    **more: int,
) -> Write:
    """Return the effect that sets ``rows``: never repeated, for its quantities are worked out anew. ``more`` is kept with it."""
    request = canonical_json({"source_code": source, "rows": [row.as_data() for row in rows], **more})
    return Write(
        key=ctx.effect_key("stock", f"{source}_{fingerprint(request.decode())[:32]}"),
        system="magento",
        kind=kind,
        target=target_of(source),
        request=request,
        send=send,
        may_repeat=False,
        looked_at_after=looked_at_after,
    )


def _facts(error: NoAnswer) -> dict[str, Any]:
    return {name: value for name, value in error.details.items() if name in {"reason", "answer", "report_id"}}
