"""Hands quantities to Magento's queue, and finds out what became of them: ``stock_bulk`` (FACTS 10).

That Magento took them says nothing yet, and the status of a bulk is only a hint: an effect is confirmed when the rows are
read back. Until then nothing newer goes out for the source, for the queue could write the old figures after it. What a bulk
left unwritten is written directly, which finds the bad rows. A queue that nothing works off is a person's matter.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bridge.errors import DoubtfulEffect, OperatorError, ServiceRejected
from bridge.flows import stock_source
from bridge.flows.context import FlowContext
from bridge.flows.product_writing import SUPERSEDED
from bridge.flows.stock_writing import BULK_WRITE, Row, kept_rows, stock_write, target_of
from bridge.ledger import Effect, Exported
from bridge.magento.bulk import BulkStatus, bulk_status, find_open_bulk, send_source_items
from bridge.magento.inventory import SourceItem, batch_limit, is_refused_batch

#: Rows of one operation: a bad one keeps so many from being written by the bulk.
OPERATION_ROWS = 100
#: Parts of the first wait of a doubt after which a bulk is looked at as well: a queue that runs is fast.
_EARLY = (15, 6, 2)


class StockBulkWaits(OperatorError):
    """Magento's queue does not work off what it took."""

    code = "stock_bulk_waits"


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What the bulks that were under way came to."""

    written: int = 0
    #: Whether one left rows unwritten, or may never end: then what is to be written is written directly.
    is_direct: bool = False


def hand_over(ctx: FlowContext, source: str, rows: Sequence[Row]) -> None:
    """Hand rows to Magento's queue. Returns only where it does not take them: then they are written directly.

    Raises:
        DoubtfulEffect: they were handed over, or the answer was lost: come back for the first look.
    """
    most = ctx.reference.rows_at_once(OPERATION_ROWS)
    try:
        _hand_over(ctx, source, rows, most)
    except ServiceRejected as error:
        limit = batch_limit(error)
        if limit is not None and limit < most:
            ctx.reference.learn_rows_at_once(limit)
            hand_over(ctx, source, rows)
        elif not is_refused_batch(error):
            raise


def _hand_over(ctx: FlowContext, source: str, rows: Sequence[Row], most: int) -> None:
    write = stock_write(
        ctx,
        source,
        rows,
        kind=BULK_WRITE,
        send=lambda stored: send_source_items(ctx.magento, _operations(stored)),
        looked_at_after=_looks(ctx)[0],
        operation_rows=most,
    )
    ctx.writer.once(write)


def settle(ctx: FlowContext, source: str) -> Settled:
    """Look at the bulks of a source that are under way.

    Raises:
        DoubtfulEffect: one is not over yet, as far as can be told: come back for the next look.
        StockBulkWaits: Magento's queue does not work it off.
    """
    settled = Settled()
    for effect in ctx.ledger.effects.open_for_target(ctx.instance.name, target_of(source)):
        if effect.kind == BULK_WRITE and effect.state != "intended":
            one = _look(ctx, source, effect)
            settled = Settled(
                written=settled.written + one.written, is_direct=settled.is_direct or one.is_direct
            )
    return settled


def _look(ctx: FlowContext, source: str, effect: Effect) -> Settled:
    uuid = effect.remote_id or _found(ctx, effect)
    if uuid is None:
        return _never_taken(ctx, source, effect)
    status = bulk_status(ctx.magento, uuid)
    is_over = status is None or status.is_through
    coming = _coming(effect, _looks(ctx))
    if not is_over and not coming and not ctx.settings.stock_bulk:
        # A person turned bulks off: figures go on without it. It stays known, to put right what it may write one day.
        return Settled(is_direct=True)
    if not is_over and coming:
        raise _wait(effect, coming[0])
    written, left = _read_back(ctx, source, effect)
    if left and not is_over:
        raise _stuck(source, effect, status)
    return _over(ctx, source, effect, written, left)


def _never_taken(ctx: FlowContext, source: str, effect: Effect) -> Settled:
    """The answer was lost, and no operation of it waits: it was done at once, or is on its way, or never came."""
    written, left = _read_back(ctx, source, effect)
    coming = _coming(effect, ctx.settings.magento_doubt_seconds)
    if left and coming:
        raise _wait(effect, coming[0])
    return _over(ctx, source, effect, written, left)


def _over(
    ctx: FlowContext,
    source: str,
    effect: Effect,
    written: Sequence[Mapping[str, Any]],
    left: Sequence[Mapping[str, Any]],
) -> Settled:
    """Note what stands in Magento as it was sent; the rest is marked once more, so that it is another write.

    So is what was exported without the bulk since: the queue wrote an old figure over it.
    """
    instance = ctx.instance.name
    known = ctx.ledger.stock.get(instance, source, [row["magento_id"] for row in written])
    overtaken = {
        row["magento_id"]
        for row in written
        if row["magento_id"] in known and known[row["magento_id"]].exported >= row["marked"]
    }
    again = [row["magento_id"] for row in left]
    ctx.ledger.stock.mark_again(instance, source, [*again, *overtaken])
    ctx.ledger.effects.confirm(ctx.job, effect.key, SUPERSEDED if left else str(len(written)))
    done = [row for row in written if row["magento_id"] not in overtaken]
    ctx.ledger.stock.exported(instance, source, [_exported(row) for row in done])
    return Settled(written=len(done), is_direct=bool(left or overtaken))


def _read_back(
    ctx: FlowContext, source: str, effect: Effect
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Return the rows that Magento has as they were sent, and the others."""
    rows = kept_rows(effect)
    has = stock_source.read_rows(ctx, source, [row["sku"] for row in rows])
    written: list[Mapping[str, Any]] = []
    left: list[Mapping[str, Any]] = []
    for row in rows:
        found = has.get(row["sku"])
        is_there = found is not None and (found.quantity, found.status) == (
            Decimal(row["quantity"]),
            row["status"],
        )
        (written if is_there else left).append(row)
    return written, left


def _exported(row: Mapping[str, Any]) -> Exported:
    quantity = Decimal(row["quantity"])
    return Exported(
        magento_id=row["magento_id"],
        marked=row["marked"],
        target=quantity,
        seen=None if row["has"] is None else Decimal(row["has"]),
        written=quantity,
        is_on=row["status"] == 1,
    )


def _found(ctx: FlowContext, effect: Effect) -> str | None:
    """Look for a bulk whose answer was lost, by what it is to write, and keep its id."""
    uuid = find_open_bulk(ctx.magento, list(_operations(effect.request or b"")))
    if uuid is not None:
        ctx.ledger.effects.hand(effect.key, uuid)
    return uuid


def _operations(request: bytes) -> list[list[SourceItem]]:
    content = json.loads(request)
    items = [
        SourceItem(
            sku=row["sku"],
            source_code=content["source_code"],
            quantity=Decimal(row["quantity"]),
            status=row["status"],
        )
        for row in content["rows"]
    ]
    return list(_parts(items, content["operation_rows"]))


def _parts(items: Sequence[SourceItem], most: int) -> Iterator[list[SourceItem]]:
    for start in range(0, len(items), most):
        yield list(items[start : start + most])


def _looks(ctx: FlowContext) -> list[float]:
    """Return when a bulk is looked at: soon at first, then as any write in doubt; the last look decides."""
    looks = ctx.settings.magento_doubt_seconds
    return [*(looks[0] / part for part in _EARLY), *looks]


def _coming(effect: Effect, looks: Sequence[float]) -> list[float]:
    return [after for after in looks if after > effect.age_seconds]


def _wait(effect: Effect, after: float) -> DoubtfulEffect:
    return DoubtfulEffect(
        "Magento has not worked off yet what its queue took; nothing newer is sent until it has.",
        waits_for=f"doubt:{effect.key}",
        retry_after=max(0.0, after - effect.age_seconds),
        system="magento",
    )


def _stuck(source: str, effect: Effect, status: BulkStatus | None) -> StockBulkWaits:
    rows = kept_rows(effect)
    is_open = 0 if status is None else status.open
    return StockBulkWaits(
        f"Magento took {len(rows)} quantities of the source {source} into its queue and does not work them off: "
        f"{is_open} operations of the bulk {effect.remote_id} are still open.",
        system="magento",
        source=source,
        bulk_uuid=effect.remote_id,
    )
