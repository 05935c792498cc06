"""What is odd about the sources that the bridge fills, as Magento sells from them: what a person should know."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.flows import stock_source
from bridge.flows.context import FlowContext
from bridge.magento.stocks import DEFAULT_SOURCE, Layout


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """What the classic endpoint cannot see of a shop."""

    #: Whether something is sold from there: then the quantities that are exported are not those for sale.
    is_sold: bool
    text: str


def unseen_by_classic(layout: Layout) -> Unseen | None:
    """Return which sources of a shop the classic endpoint does not see (FACTS 6), None where it sees all there are."""
    others = [one.source_code for one in layout.sources if one.source_code != DEFAULT_SOURCE]
    if not others:
        return None
    said = f"stock_api_mode is classic, which sees the source {DEFAULT_SOURCE} only."
    sold = [
        f"{', '.join(stock.websites)} from the stock {stock.name} ({', '.join(stock.source_codes)})"
        for stock in layout.stocks
        if stock.websites and set(stock.source_codes) & set(others)
    ]
    if sold:
        text = (
            f"{said} Here websites sell from other sources: {'; '.join(sold)}. What the bridge exports is not what they "
            "have for sale. Set stock_api_mode=msi, and say which warehouse fills which source: bridge mappings set "
            "source CODE WAREHOUSE_ID"
        )
        return Unseen(is_sold=True, text=text)
    text = f"{said} This shop has further ones, from which no website sells yet: {', '.join(others)}."
    return Unseen(is_sold=False, text=text)


def warnings(ctx: FlowContext, source: str) -> list[str]:
    """Return what is odd about a source in Magento: what is exported to it is not for sale, or not all of it."""
    if ctx.settings.stock_api_mode == "classic":
        whole = ctx.reference.layout_if_any()
        unseen = None if whole is None else unseen_by_classic(whole)
        return [] if unseen is None else [unseen.text]
    layout = stock_source.source_layout(ctx, is_enough=source)
    if layout is None:
        return []
    known = layout.source(source)
    if known is None:
        return [f"Magento has no source {source}: nothing can be exported to it."]
    found = []
    if not known.is_enabled:
        found.append(f"The source {source} is disabled in Magento: what it has is not for sale.")
    stocks = layout.stocks_of(source)
    if not stocks:
        found.append(f"The source {source} is in no stock of Magento: what it has is not for sale.")
    if len(stocks) > 1:
        names = ", ".join(one.name for one in stocks)
        found.append(
            f"Several stocks ({names}) sell from the source {source}: the one with more open orders offers too little."
        )
    return found
