"""What became of imported products: their jobs, and what Odoo and the ledger hold of them."""

from __future__ import annotations

from typing import Any

from bridge.flows.wants import PLACES, want
from bridge.ledger import Job, Progress
from tests.support.products import FakeCatalog
from tests.support.shop import Shop

Raw = dict[str, Any]


class CatalogShop:
    """A shop whose Magento catalog is a fake."""

    def __init__(self, shop: Shop, catalog: FakeCatalog) -> None:
        self.shop = shop
        self.catalog = catalog
        self.odoo = shop.box.odoo
        self.ledger = shop.ledger

    def run(self, **args: Any) -> Progress:
        """Run ``import-products`` to its end."""
        place = PLACES["import-products"]
        run = self.ledger.runs.start(
            "shop", "import-products", args, queue=place.queue, lock_key="import-products"
        )
        self.shop.work()
        return self.ledger.runs.progress(run.id)

    def batch(self, *ids: int) -> Job:
        """Import a batch of products."""
        wanted = want(
            "import-product-batch", instance="shop", entity="-".join(map(str, ids)), data={"ids": list(ids)}
        )
        return self._work(wanted)

    def one(self, product_id: int) -> Job:
        """Import a product on its own."""
        return self._work(want("import-product", instance="shop", entity=str(product_id)))

    def _work(self, wanted: Any) -> Job:
        job_id = self.ledger.jobs.want([wanted])[0].job_id
        self.shop.work()
        return self.shop.job(job_id)

    def own_job(self, product_id: int) -> Job:
        """Return the job that a product has of its own."""
        jobs = [
            one
            for one in self.ledger.jobs.list(instance="shop", kind="import-product", limit=100)
            if one.entity == str(product_id)
        ]
        assert len(jobs) == 1, [(one.entity, one.state) for one in jobs]
        return jobs[0]

    def bound(self, product_id: int, kind: str = "product") -> int | None:
        """Return the Odoo id that a product is bound to."""
        binding = self.ledger.bindings.get("shop", kind, product_id)
        return None if binding is None else binding.odoo_id

    def rows(self, sku: str) -> list[Raw]:
        """Return the Odoo products with a SKU, archived ones too, with the values of their templates."""
        templates = {row["id"]: row for row in self.odoo.records("product.template")}
        return [
            {**templates[row["product_tmpl_id"]], **row}
            for row in self.odoo.records("product.product")
            if row.get("default_code") == sku
        ]

    def row(self, sku: str) -> Raw:
        """Return the only Odoo product with a SKU."""
        (found,) = self.rows(sku)
        return found

    def calls(self) -> list[str]:
        """Return the calls of Odoo since the last reset, those that only look at the server aside."""
        return sorted(
            key[2]
            for key, count in self.shop.box.calls.counts("odoo").items()
            for _ in range(count)
            if key[2].partition(".")[0] in {"product", "uom"}
        )

    def forget_calls(self) -> None:
        """Count calls from now on."""
        self.shop.box.calls.reset()
