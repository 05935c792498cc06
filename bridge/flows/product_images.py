"""Brings the pictures of Magento's products to Odoo, in jobs of their own: a product does not wait for its picture.

What was sent is marked by product: the gallery's entry, and a digest of the bytes. An entry that is known is not even
fetched, bytes that are known are not sent. A product that had a picture in Odoo when it was met keeps it until Magento's
changes. Pictures are fetched and written in small groups, so that memory stays bounded.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import BridgeError, InvalidRecord
from bridge.flows import product_source
from bridge.flows.context import FlowContext
from bridge.flows.effects import Write
from bridge.flows.picture_edits import without_edited
from bridge.flows.picture_targets import (
    BYTES,
    SMALL,
    Target,
    brought,
    find_targets,
    keep,
    read_small,
    targets_of,
    without_small,
)
from bridge.flows.product_writing import close_changes, digest, halved, wait_for_changes
from bridge.flows.wants import want
from bridge.idempotency import canonical_json
from bridge.ledger import JobId
from bridge.magento.media import MAX_PICTURE_BYTES, PictureUnreachable, PictureUnusable
from bridge.odoo import LoadRequest
from bridge.translate.catalog_records import MagentoProduct
from bridge.translate.product_images import content_mark, is_picture

#: Kind of the effects that write pictures; what is written is absolute.
PICTURES = frozenset({"update-product-images"})
#: Products of one job: with the longest time for each picture it stays below what a job may last.
PRODUCTS_AT_ONCE = 15
#: Bytes of pictures that are held, and written in one call.
BYTES_AT_ONCE = MAX_PICTURE_BYTES


@dataclass(frozen=True, kw_only=True)
class _Picture:
    """A picture that was fetched."""

    target: Target
    content: bytes
    mark: str


@dataclass(kw_only=True)
class _Outcome:
    """What became of pictures."""

    sent: int = 0
    #: Had a picture in Odoo before, or the same bytes.
    kept: int = 0
    unusable: dict[int, PictureUnusable] = field(default_factory=dict)

    def refuse(self, target: Target, error: PictureUnusable) -> None:
        """Note why a picture was not brought over."""
        self.unusable[target.product_id] = PictureUnusable(
            f"The picture of the product {target.sku} was left out: {error.message}",
            status=error.status,
            **{**error.details, "sku": target.sku},
        )

    def as_result(self) -> dict[str, Any]:
        """Return the outcome as a job keeps it."""
        shown = {"sent": self.sent, "kept": self.kept, "jobs_of_their_own": sorted(self.unusable)}
        return {name: value for name, value in shown.items() if value}


def want_images(ctx: FlowContext, products: Iterable[MagentoProduct]) -> list[JobId]:
    """Want jobs for the pictures of ``products`` that Odoo does not have yet, and return them."""
    groups: list[list[Target]] = []
    for target in targets_of(ctx, products):
        if not groups or len(groups[-1]) == PRODUCTS_AT_ONCE:
            groups.append([])
        groups[-1].append(target)
    wants = [
        want(
            "import-product-images",
            instance=ctx.instance.name,
            entity=digest([one.product_id for one in group]),
            label=f"{len(group)} pictures, {group[0].sku} to {group[-1].sku}",
            data={"ids": [one.product_id for one in group]},
            run_id=ctx.job.run_id,
        )
        for group in groups
    ]
    return [one.job_id for one in ctx.ledger.jobs.want(wants)] if wants else []


def run(ctx: FlowContext) -> Mapping[str, Any]:
    """Bring the picture of the product whose entity id is the job's entity.

    Raises:
        PictureUnusable: why it is not in Odoo; the product itself is.
        PictureUnreachable: the server of pictures does not answer now.
    """
    outcome = _Outcome()
    product_id = int(ctx.job.entity)
    _carry(ctx, [product_id], outcome)
    if product_id in outcome.unusable:
        raise outcome.unusable[product_id]
    return outcome.as_result()


def run_batch(ctx: FlowContext) -> Mapping[str, Any]:
    """Bring the pictures of the products that the job names; those with something against them become jobs of their own.

    Raises:
        PictureUnreachable: the server of pictures does not answer now; what was fetched before is written.
    """
    ids = ctx.job.data.get("ids")
    if not isinstance(ids, list) or not all(isinstance(one, int) for one in ids):
        raise InvalidRecord("This batch of pictures names none. Start a new run: bridge run import-products.")
    outcome = _Outcome()
    own: list[JobId] = []
    try:
        _carry(ctx, ids, outcome)
    finally:
        own += _own_jobs(ctx, outcome)
    return outcome.as_result() | ({"job_ids": own} if own else {})


def _own_jobs(ctx: FlowContext, outcome: _Outcome) -> list[JobId]:
    wants = [
        want(
            "import-product-image",
            instance=ctx.instance.name,
            entity=str(product_id),
            label=str(error.details["sku"]),
            run_id=ctx.job.run_id,
        )
        for product_id, error in sorted(outcome.unusable.items())
    ]
    return [one.job_id for one in ctx.ledger.jobs.want(wants)] if wants else []


def _carry(ctx: FlowContext, ids: Sequence[int], outcome: _Outcome) -> None:
    wait_for_changes(ctx, PICTURES)
    # A product that cannot be read has a job of its own that says so.
    products = product_source.read_products(ctx, ids, {})
    targets = _without_own(ctx, targets_of(ctx, products.values()), outcome)
    targets = without_edited(ctx, targets)
    if targets:
        _fetch_and_write(ctx, targets, outcome)
    close_changes(ctx, PICTURES)


def bring(ctx: FlowContext, product: MagentoProduct) -> None:
    """Bring the picture of a product whoever is the master of pictures: a person decided for it.

    Raises:
        PictureUnusable: why it is not in Odoo.
        PictureUnreachable: the server of pictures does not answer now.
    """
    wait_for_changes(ctx, PICTURES)
    outcome = _Outcome()
    _fetch_and_write(ctx, find_targets(ctx, [product]), outcome)
    for error in outcome.unusable.values():
        raise error
    close_changes(ctx, PICTURES)


def _fetch_and_write(ctx: FlowContext, targets: Sequence[Target], outcome: _Outcome) -> None:
    media = ctx.magento.media(ctx.reference.media_url() or f"{str(ctx.settings.base_url).rstrip('/')}/media/")
    held: list[_Picture] = []
    for target in targets:
        try:
            content = media.product_picture(target.image.file)
        except PictureUnusable as error:
            if error.details.get("reason") == "address":
                raise
            outcome.refuse(target, error)
            continue
        except PictureUnreachable:
            _write(ctx, held, outcome)
            raise
        if not is_picture(content):
            said = f"The file {target.image.file} is no picture that Odoo takes (PNG, JPEG, GIF or WebP)."
            outcome.refuse(target, PictureUnusable(said, reason="not_image", file=target.image.file))
            continue
        picture = _Picture(target=target, content=content, mark=content_mark(content))
        if picture.mark == target.marks.get(BYTES):
            keep(ctx, [(target, brought(target, picture.mark, target.marks.get(SMALL)))])
            outcome.kept += 1
            continue
        if held and sum(len(one.content) for one in held) + len(content) > BYTES_AT_ONCE:
            _write(ctx, held, outcome)
            held = []
        held.append(picture)
    _write(ctx, held, outcome)


def _write(ctx: FlowContext, pictures: Sequence[_Picture], outcome: _Outcome) -> None:
    """Write pictures, those of one model in one call."""

    def refused(picture: _Picture, error: BridgeError) -> None:
        outcome.refuse(
            picture.target, PictureUnusable(error.message, reason="refused", file=picture.target.image.file)
        )

    def write(batch: Sequence[_Picture]) -> None:
        _write_batch(ctx, batch)
        outcome.sent += len(batch)

    groups: dict[tuple[str, str], list[_Picture]] = {}
    for picture in pictures:
        groups.setdefault((picture.target.model, picture.target.field), []).append(picture)
    for group in groups.values():
        halved(group, write, refused)


def _write_batch(ctx: FlowContext, batch: Sequence[_Picture]) -> None:
    model, name = batch[0].target.model, batch[0].target.field
    described = [[one.target.product_id, one.target.odoo_id, one.mark, one.target.version] for one in batch]

    def send(_: bytes) -> str:
        # The bytes are not kept in the ledger. The key has their digest: who sends again has the same in hand.
        rows = tuple(
            (str(one.target.odoo_id), base64.b64encode(one.content).decode("ascii")) for one in batch
        )
        request = LoadRequest(model=model, fields=(".id", name), rows=rows, create_only=False)
        return ",".join(map(str, ctx.odoo.send_load(request).ids))

    # Until the answer is there nobody knows what Odoo shows: that is nobody's edit.
    keep(ctx, [(one.target, without_small(one.target)) for one in batch if SMALL in one.target.marks])
    ctx.writer.once(
        Write(
            key=ctx.effect_key("product-images", digest(described)),
            system="odoo",
            kind=next(iter(PICTURES)),
            target=model,
            request=canonical_json({"model": model, "field": name, "pictures": described}),
            send=send,
        )
    )
    # As Odoo made it: what is another one later was changed by a person.
    small = read_small(ctx, model, [one.target.odoo_id for one in batch])
    keep(ctx, [(one.target, brought(one.target, one.mark, small.get(one.target.odoo_id))) for one in batch])


def _without_own(ctx: FlowContext, targets: Sequence[Target], outcome: _Outcome) -> list[Target]:
    """Return the targets without those that are met for the first time and have a picture in Odoo: it stays."""
    new: dict[tuple[str, str], list[Target]] = {}
    for target in targets:
        if not target.version:
            new.setdefault((target.model, target.field), []).append(target)
    own: list[Target] = []
    for (model, name), group in new.items():
        # With this context Odoo answers the sizes of files, not the files.
        rows = ctx.odoo.read(
            model, [one.odoo_id for one in group], [name], context={"bin_size": True, "active_test": False}
        )
        has_one = {int(row["id"]) for row in rows if row[name]}
        own += [one for one in group if one.odoo_id in has_one]
    keep(ctx, [(one, brought(one, "", None)) for one in own])
    outcome.kept += len(own)
    kept = {one.product_id for one in own}
    return [one for one in targets if one.product_id not in kept]
