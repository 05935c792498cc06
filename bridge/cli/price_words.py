"""What a person reads after a run that exported prices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bridge.translate.price_titles import title_of_price

_COUNTS = {
    "would_write": "would be written",
    "written": "written",
    "found_equal": "already so in Magento",
    "unchanged": "unchanged since the last export",
    "without_price": "without a price of their own (configurable, bundle, grouped)",
    "gone_in_magento": "gone in Magento",
    "still_refused": "refused before and as they were then: bridge jobs list --state blocked",
    "conflicts": "edited in Magento: bridge conflicts list",
}
_SHOWN_SKUS = 10


def price_lines(results: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines about ``results`` of the batches: how many products, and what Magento cannot say."""
    counts: Counter[str] = Counter()
    changes: dict[str, Mapping[str, Any]] = {}
    unsaid: dict[str, tuple[int, list[str]]] = {}
    for result in results:
        changes |= result.get("changes", {})
        counts.update({name: int(result[name]) for name in _COUNTS if name in result})
        for words, about in result.get("not_exported", {}).items():
            count, skus = unsaid.get(words, (0, []))
            unsaid[words] = (count + int(about["count"]), [*skus, *about["skus"]])
    if counts:
        said = ", ".join(f"{counts[name]} {words}" for name, words in _COUNTS.items() if counts[name])
        yield f"Prices of products: {said}."
    for sku, prices in sorted(changes.items())[:_SHOWN_SKUS]:
        said = ", ".join(
            f"{title_of_price(name)} {old or 'none'} -> {new or 'none'}"
            for name, (old, new) in prices.items()
        )
        yield f"  {sku}: {said}"
    if len(changes) > _SHOWN_SKUS:
        yield "  ... and more: bridge jobs show ID"
    for words, (count, skus) in sorted(unsaid.items()):
        shown = ", ".join(sorted(skus)[:_SHOWN_SKUS]) + (", ..." if count > _SHOWN_SKUS else "")
        yield f"Not said in Magento: {words}. Products: {count} ({shown})."
