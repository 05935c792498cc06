"""The known failures. The first entry that fits is taken, so the narrow ones stand before the wide ones."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.advice.access import ACCESS
from bridge.advice.entries import Entry
from bridge.advice.passing import PASSING
from bridge.advice.products import PRODUCTS
from bridge.advice.records import RECORDS
from bridge.advice.stock import STOCK

#: Every known failure, in the order in which they are tried.
CATALOGUE: Sequence[Entry] = (*STOCK, *ACCESS, *PRODUCTS, *RECORDS, *PASSING)
