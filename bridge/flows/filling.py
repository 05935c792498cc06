"""Fills batches over pages: what is not enough for a batch waits in the run's cursor for the next page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A product that a batch will import."""

    product_id: int
    sku: str
    #: Products that are imported with it, itself or its children.
    weight: int = 1

    def as_list(self) -> list[Any]:
        """Return it as plain JSON values."""
        return [self.product_id, self.sku, self.weight]

    @classmethod
    def from_list(cls, values: Sequence[Any]) -> Waiting:
        """Return what ``as_list`` wrote down."""
        return cls(product_id=int(values[0]), sku=str(values[1]), weight=int(values[2]))


def fill(
    waiting: Iterable[Waiting], new: Iterable[Waiting], *, most: int, is_last: bool
) -> tuple[list[list[Waiting]], list[Waiting]]:
    """Return the batches that are full, and what waits on; nothing does where ``is_last``.

    A product that waits already is not added again: pages of a scan overlap.
    """
    batches: list[list[Waiting]] = []
    batch: list[Waiting] = []
    weight = 0
    for one in {one.product_id: one for one in (*waiting, *new)}.values():
        if batch and weight + one.weight > most:
            batches.append(batch)
            batch, weight = [], 0
        batch.append(one)
        weight += one.weight
    if batch and (is_last or weight >= most):
        batches.append(batch)
        batch = []
    return batches, batch
