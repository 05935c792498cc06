"""Writes products into Odoo, many in one call: makes them once, and binds them (RULES 2.1, DESIGN 6).

A call is one effect whose key is made of the records' own identities. Odoo keeps a ``load`` whole or not at all, so one
that it refuses is halved until the bad record is alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bridge.errors import BridgeError, DoubtfulEffect, OperatorError, PermanentError
from bridge.flows.context import FlowContext
from bridge.flows.effects import Loaded
from bridge.flows.order_products import PRODUCT_BINDING
from bridge.flows.order_writing import ABSOLUTE
from bridge.idempotency import fingerprint
from bridge.ledger import Effect, Pair
from bridge.odoo import LoadRequest
from bridge.translate.product_fields import sent_marks
from bridge.translate.product_plan import marks_of, write_marks

#: Records of one call.
AT_ONCE = 100
#: Kind of the effects that change products; what is written is absolute.
UPDATE = "update-products"
#: Kinds of the effects that change what products say.
CHANGES = frozenset({UPDATE, ABSOLUTE})
#: What stands for the remote id of a change that a newer one took the place of.
SUPERSEDED = "superseded"
#: Kind of the bindings of configurables to ``product.template``.
TEMPLATE_BINDING = "product_template"
#: Why Odoo refused the rows themselves, not the call.
_ROWS_REFUSED = frozenset({"load", "constraint", "validation", "user_error", "too_large"})

T = TypeVar("T")


class ProductRefused(OperatorError):
    """Odoo does not accept a product as Magento has it."""

    code = "product_refused"


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """A kind of records that are made and bound alike."""

    model: str
    #: Kind of the binding and of the external id.
    kind: str
    #: Kind of the effects that make them.
    making: str
    #: Part of the keys of those effects.
    key: str


GOODS = Shelf(model="product.product", kind=PRODUCT_BINDING, making="create-products", key="products")
TEMPLATES = Shelf(
    model="product.template", kind=TEMPLATE_BINDING, making="create-templates", key="product-templates"
)
_SHELVES = {shelf.making: shelf for shelf in (GOODS, TEMPLATES)}


@dataclass(frozen=True, kw_only=True)
class NewRecord:
    """A record to be made."""

    #: Magento's entity id.
    entity: str
    sku: str
    cells: Mapping[str, str]
    #: Cells of each of its lines.
    lines: Sequence[Mapping[str, str]] = ()


Refused = Callable[[str, BridgeError], None]


def make(ctx: FlowContext, shelf: Shelf, records: Iterable[NewRecord], *, refused: Refused) -> int:
    """Make records that are not there, and bind them; return how many. ``refused`` is told of each that Odoo does not take."""
    made = 0

    def write(batch: Sequence[NewRecord]) -> None:
        nonlocal made
        key = ctx.effect_key(shelf.key, digest([one.entity for one in batch]))
        loaded = ctx.writer.load_many(
            ctx.odoo, key=key, kind=shelf.making, request=_request(ctx, shelf, batch)
        )
        made += _bind_made(ctx, shelf, loaded, labels={one.entity: one.sku for one in batch})

    groups: dict[tuple[str, ...], list[NewRecord]] = {}
    for record in sorted(records, key=lambda one: int(one.entity)):
        groups.setdefault((*record.cells, *(record.lines[0] if record.lines else ())), []).append(record)
    for group in groups.values():
        for start in range(0, len(group), AT_ONCE):
            halved(group[start : start + AT_ONCE], write, lambda one, error: refused(one.entity, error))
    return made


def halved(
    batch: Sequence[T],
    write: Callable[[Sequence[T]], None],
    refused: Callable[[T, BridgeError], None],
    *,
    is_of_rows: Callable[[BridgeError], bool] = lambda error: error.details.get("reason") in _ROWS_REFUSED,
) -> None:
    """Write ``batch``; where the rows are refused, and not the call, halve it until the bad ones are alone."""
    if not batch:
        return
    try:
        write(batch)
    except PermanentError as error:
        if not is_of_rows(error):
            raise
        if len(batch) == 1:
            refused(batch[0], error)
            return
        half = len(batch) // 2
        halved(batch[:half], write, refused, is_of_rows=is_of_rows)
        halved(batch[half:], write, refused, is_of_rows=is_of_rows)


def settle(ctx: FlowContext) -> None:
    """Bind what an earlier attempt of this job made, sent again where its answer was lost.

    Else what it made would be taken for products that were in Odoo before.

    Raises:
        DoubtfulEffect: the answer was lost, and the doubt is not over.
    """
    if ctx.job.attempt < 2:
        return
    for effect in ctx.ledger.effects.for_job(ctx.job.id):
        shelf = _SHELVES.get(effect.kind)
        if shelf is None or effect.request is None or effect.state == "intended":
            continue
        request = LoadRequest.decode(effect.request)
        loaded = ctx.writer.load_many(ctx.odoo, key=effect.key, kind=effect.kind, request=request)
        _bind_made(ctx, shelf, loaded, labels={})


def wait_for_changes(ctx: FlowContext, kinds: frozenset[str] = CHANGES) -> None:
    """Wait while a change of products, ours or another job's, may still be under way: it could come after a newer one.

    Raises:
        DoubtfulEffect: there is one.
    """
    lasts = ctx.settings.odoo_doubt_seconds
    for effect in _open_changes(ctx, kinds):
        if effect.age_seconds < lasts:
            raise DoubtfulEffect(
                "Whether an earlier change of products happened is not known yet.",
                waits_for=f"doubt:{effect.key}",
                retry_after=lasts - effect.age_seconds,
                system="odoo",
            )


def close_changes(ctx: FlowContext, kinds: frozenset[str] = CHANGES) -> None:
    """End the doubt about earlier changes of this job: they are over, and what they were about was written anew."""
    if ctx.job.attempt < 2:
        return
    for effect in _open_changes(ctx, kinds):
        if effect.job_id == ctx.job.id:
            ctx.ledger.effects.confirm(ctx.job, effect.key, SUPERSEDED)


def _open_changes(ctx: FlowContext, kinds: frozenset[str]) -> list[Effect]:
    return [
        effect
        for model in (GOODS.model, TEMPLATES.model)
        for effect in ctx.ledger.effects.open_for_target(ctx.instance.name, model)
        if effect.kind in kinds and effect.state in {"sent", "doubtful"}
    ]


def refusal(sku: str, error: BridgeError) -> OperatorError:
    """Return why a product is not imported, as a person must know it."""
    if isinstance(error, OperatorError):
        return error
    return ProductRefused(
        f"Odoo does not accept the product {sku}: {error.message}", system="odoo", reason="load", sku=sku
    )


def digest(value: object) -> str:
    """Return the part of a key that names many records."""
    return fingerprint(value)[:32]


def _request(ctx: FlowContext, shelf: Shelf, records: Sequence[NewRecord]) -> LoadRequest:
    own = tuple(records[0].cells)
    below = tuple(records[0].lines[0]) if records[0].lines else ()
    rows: list[tuple[str, ...]] = []
    for record in records:
        head = (ctx.external_id(shelf.kind, record.entity), *(record.cells[name] for name in own))
        for line in record.lines or ({},):
            rows.append((*head, *(line[name] for name in below)))
            head = ("",) * len(head)
    # The cost is each company's own, and so are the taxes that Odoo gives by itself.
    company_id = ctx.settings.company_id
    return LoadRequest(
        model=shelf.model, fields=("id", *own, *below), rows=tuple(rows), company_id=company_id
    )


def _bind_made(ctx: FlowContext, shelf: Shelf, loaded: Loaded, *, labels: Mapping[str, str]) -> int:
    """Bind what a ``load`` made; the fingerprint is of what was sent. Those that are bound stay so."""
    fields = loaded.request.fields
    heads = [row for row in loaded.request.rows if row[0]]
    made: dict[str, Pair] = {}
    for row, odoo_id in zip(heads, loaded.ids, strict=True):
        entity = ctx.entity_of(shelf.kind, row[0])
        if entity is None:
            continue
        cells = dict(zip(fields, row, strict=True))
        now = {**cells, "active": "1"}
        sku = labels.get(entity) or cells.get("default_code")
        made[entity] = Pair(
            magento_id=entity,
            odoo_model=shelf.model,
            odoo_id=odoo_id,
            magento_label=sku,
            odoo_label=sku,
            fingerprint=write_marks(marks_of(now) | sent_marks(now)),
        )
    for entity in ctx.ledger.bindings.get_many(ctx.instance.name, shelf.kind, made):
        del made[entity]
    ctx.ledger.bindings.bind_many(ctx.instance.name, shelf.kind, made.values())
    return len(made)
