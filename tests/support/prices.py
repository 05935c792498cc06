"""A shop with products of its own on both sides, bound to each other, and what Magento has of their prices."""

from __future__ import annotations

import copy
import itertools
from typing import Any

from bridge.flows.wants import PLACES
from bridge.ledger import Job, Progress
from tests.support.shop import Shop

Raw = dict[str, Any]
#: Ids that no other test's products have: Magento's sandbox lives as long as the test process.
_IDS = itertools.count(700_001)


class PriceShop:
    """A shop whose prices are Odoo's."""

    def __init__(self, shop: Shop, **settings: Any) -> None:
        self.shop = shop
        self.odoo = shop.box.odoo
        self.magento = shop.box.magento
        #: What Magento's prices are in, and another currency that Odoo knows.
        self.currency = str(self.magento.state.stores["storeConfigs"][0]["base_currency_code"])
        self.other_currency = "USD" if self.currency == "EUR" else "EUR"
        shop.set(sync_direction="price=odoo", **settings)

    def product(
        self,
        *,
        sku: str | None = None,
        list_price: float = 10.0,
        magento_price: float = 99.0,
        type_id: str = "simple",
        **values: Any,
    ) -> str:
        """Make a product in both systems, bind it, and return its SKU."""
        product_id = next(_IDS)
        sku = sku or f"PRICE-{product_id}"
        raw = copy.deepcopy(self.magento.catalog.by_sku("SIM-01"))
        assert raw is not None
        raw |= {"id": product_id, "sku": sku, "price": magento_price, "type_id": type_id, "tier_prices": []}
        self.magento.catalog.add(raw)
        odoo_id = self.odoo.create(
            "product.product", {"name": sku, "default_code": sku, "list_price": list_price, **values}
        )
        self.bind(sku, odoo_id)
        return sku

    def bind(self, sku: str, odoo_id: int) -> None:
        """Bind a product of Magento to one of Odoo."""
        self.shop.ledger.bindings.bind(
            "shop",
            "product",
            magento_id=self.id_of(sku),
            odoo_model="product.product",
            odoo_id=odoo_id,
            magento_label=sku,
        )

    def id_of(self, sku: str) -> int:
        """Return Magento's id of a product."""
        raw = self.magento.catalog.by_sku(sku)
        assert raw is not None
        return int(raw["id"])

    def odoo_id(self, sku: str) -> int:
        """Return the Odoo product (``product.product``) of a SKU."""
        binding = self.shop.ledger.bindings.get("shop", "product", self.id_of(sku))
        assert binding is not None
        return binding.odoo_id

    def template_id(self, sku: str) -> int:
        """Return its template."""
        rows = self.odoo.records("product.product")
        return int(next(row["product_tmpl_id"] for row in rows if row["id"] == self.odoo_id(sku)))

    def set_list_price(self, sku: str, price: float) -> None:
        """Change the sales price in Odoo, as a person does."""
        self.odoo.write("product.template", self.template_id(sku), {"list_price": price})

    def pricelist(self, *rules: Raw, currency: str | None = None) -> int:
        """Make a pricelist in Odoo, in Magento's currency unless another one is named."""
        currency_id = self.odoo.find("res.currency", name=currency or self.currency)
        items = [[0, 0, rule] for rule in rules]
        return self.odoo.create(
            "product.pricelist", {"name": f"List {next(_IDS)}", "currency_id": currency_id, "item_ids": items}
        )

    def rule(self, sku: str, price: float, **values: Any) -> Raw:
        """Return a rule with a fixed price for one product."""
        about = {"applied_on": "1_product", "product_tmpl_id": self.template_id(sku)}
        return {**about, "compute_price": "fixed", "fixed_price": price, **values}

    def map_group(self, group_id: int, pricelist: int) -> None:
        """Let a customer group buy by a pricelist."""
        self.shop.ledger.mappings.set(
            "shop",
            "customer_group_pricelist",
            str(group_id),
            odoo_model="product.pricelist",
            odoo_id=pricelist,
            odoo_label="by a pricelist",
            by="test",
        )

    def export(self, *skus: str, verify: bool = False, dry_run: bool = False) -> Progress:
        """Run ``export-prices`` to its end."""
        place = PLACES["export-prices"]
        args: Raw = ({"skus": sorted(skus)} if skus else {}) | ({"verify": True} if verify else {})
        args |= {"dry_run": True} if dry_run else {}
        run = self.shop.ledger.runs.start(
            "shop", "export-prices", args, queue=place.queue, lock_key="export-prices"
        )
        self.shop.work()
        return self.shop.ledger.runs.progress(run.id)

    def look(self) -> Progress:
        """Look at all of Magento's prices, as the clock does at night."""
        place = PLACES["export-prices"]
        run = self.shop.ledger.runs.start(
            "shop", "export-prices", {"look": True}, queue=place.queue, lock_key="export-prices"
        )
        self.shop.work()
        return self.shop.ledger.runs.progress(run.id)

    def list_price(self, sku: str) -> Any:
        """Return the sales price that Odoo has."""
        rows = self.odoo.records("product.template")
        return next(row["list_price"] for row in rows if row["id"] == self.template_id(sku))

    def results(self) -> Raw:
        """Return the result of the last batch, without the changes that it tells."""
        return {name: value for name, value in self.result().items() if name != "changes"}

    def result(self) -> Raw:
        """Return the whole result of the last batch."""
        (job,) = self.shop.ledger.jobs.list(instance="shop", kind="export-price-batch", limit=1)
        assert (job.state, job.error) == ("done", None)
        return dict(job.result or {})

    def own_job(self, sku: str) -> Job:
        """Return the job that a product has of its own."""
        jobs = self.shop.ledger.jobs.list(instance="shop", kind="export-price", limit=100)
        (found,) = [one for one in jobs if one.entity == str(self.id_of(sku))]
        return found

    def price(self, sku: str, store: str = "all") -> Any:
        """Return the base price that Magento has."""
        raw = self.magento.catalog.by_sku(sku)
        assert raw is not None
        return (
            raw["price"] if store == "all" else self.magento.catalog.own_values(raw["id"], store).get("price")
        )

    def special(self, sku: str) -> tuple[Any, ...]:
        """Return special price, first and last day, as Magento has them."""
        raw = self.magento.catalog.by_sku(sku)
        assert raw is not None
        values = {row["attribute_code"]: row["value"] for row in raw["custom_attributes"]}
        return tuple(values.get(name) for name in ("special_price", "special_from_date", "special_to_date"))

    def tiers(self, sku: str) -> set[tuple[int, float, float]]:
        """Return the tier prices that Magento has: group, quantity, price."""
        raw = self.magento.catalog.by_sku(sku)
        assert raw is not None
        return {(row["customer_group_id"], row["qty"], row["value"]) for row in raw["tier_prices"]}

    def calls(self) -> dict[str, int]:
        """Return the price calls of Magento since the last reset."""
        counts = self.shop.box.calls.counts("magento")
        found: dict[str, int] = {}
        for key, count in counts.items():
            if "price" in key[2]:
                found[key[2].removeprefix("/V1/products/")] = count
        return found

    def forget_calls(self) -> None:
        """Count calls from now on."""
        self.shop.box.calls.reset()
