"""A shop whose products go from Odoo to the simulated Magento: what stands there, and which writes it got."""

from __future__ import annotations

from typing import Any

from bridge.flows.wants import PLACES, want
from bridge.ledger import Conflict, Job, JobId, Progress
from bridge.odoo import OdooClient
from tests.support.shop import Shop

Raw = dict[str, Any]


class OutwardShop:
    """Both sides of a catalog, at hand."""

    _number = 0

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.odoo = shop.box.odoo
        self.magento = shop.box.magento
        self.ledger = shop.ledger

    @classmethod
    def begin_at(cls, number: int) -> None:
        """Let names go on from a number: in an Odoo that keeps what earlier runs made."""
        cls._number = number

    @classmethod
    def new_sku(cls, form: str = "OUT-{}") -> str:
        """Return a SKU that no other test has: they share one Odoo a version."""
        cls._number += 1
        return form.format(f"{cls._number:04}")

    def make(self, sku: str, **values: Any) -> int:
        """Make a product in Odoo, as a person does."""
        return self.odoo.create("product.product", {"name": f"Name of {sku}", "default_code": sku, **values})

    def template_of(self, product_id: int) -> int:
        """Return the template of a product."""
        rows = self.odoo.records("product.product")
        return next(int(row["product_tmpl_id"]) for row in rows if row["id"] == product_id)

    def edit(self, product_id: int, **values: Any) -> None:
        """Change a product in Odoo, as a person does."""
        self.odoo.write("product.product", product_id, values)

    def export(self, *product_ids: int) -> Job:
        """Export products by a batch."""
        job_id = self.want_batch(*product_ids)
        self.shop.work()
        return self.shop.job(job_id)

    def want_batch(self, *product_ids: int) -> JobId:
        """Want the export of products by a batch."""
        templates = sorted({self.template_of(one) for one in product_ids})
        entity = "-".join(map(str, templates))
        wanted = want("export-product-batch", instance="shop", entity=entity, data={"templates": templates})
        return self.ledger.jobs.want([wanted])[0].job_id

    def export_one(self, product_id: int, **more: Any) -> Job:
        """Export a product on its own."""
        return self._work(want("export-product", instance="shop", entity=str(product_id), **more))

    def import_(self, *skus: str) -> Job:
        """Import products of Magento by a batch."""
        ids = [self.raw(sku)["id"] for sku in skus]
        return self._work(
            want(
                "import-product-batch",
                instance="shop",
                entity="-".join(map(str, ids)),
                data={"ids": ids},
            )
        )

    def run(self, kind: str, **args: Any) -> Progress:
        """Run a scan to its end."""
        place = PLACES[kind]
        run = self.ledger.runs.start("shop", kind, args, queue=place.queue, lock_key=kind)
        self.shop.work()
        return self.ledger.runs.progress(run.id)

    def _work(self, wanted: Any) -> Job:
        job_id = self.ledger.jobs.want([wanted])[0].job_id
        self.shop.work()
        return self.shop.job(job_id)

    def raw(self, sku: str, store_code: str = "all") -> Raw:
        """Return a product of Magento."""
        found = self.magento.catalog.by_sku(sku, store_code)
        assert found is not None, sku
        return found

    def attributes(self, sku: str, store_code: str = "all") -> Raw:
        """Return the custom attributes of a product of Magento."""
        return {row["attribute_code"]: row["value"] for row in self.raw(sku, store_code)["custom_attributes"]}

    def row(self, product_id: int) -> Raw:
        """Return a product of Odoo, with the values of its template."""
        product = next(row for row in self.odoo.records("product.product") if row["id"] == product_id)
        templates = self.odoo.records("product.template")
        template = next(row for row in templates if row["id"] == product["product_tmpl_id"])
        return {**template, **product}

    def shown(self, product_id: int, name: str) -> Any:
        """Return a field of a product as Odoo shows it, computed ones too."""
        client = OdooClient.connect(
            url=self.odoo.url, db=self.odoo.database, user=self.odoo.user, key=self.odoo.key
        )
        (row,) = client.read("product.product", [product_id], [name], context={"active_test": False})
        client.close()
        return row[name]

    def writes(self, system: str = "magento") -> list[str]:
        """Return the writes that a system got since the calls were forgotten."""
        names = []
        for key, count in self.shop.box.calls.counts(system).items():
            is_write = key[1] in {"POST", "PUT", "DELETE"} if system == "magento" else _writes(key[2])
            names += [f"{key[1]} {key[2]}" if system == "magento" else key[2]] * count * is_write
        return sorted(names)

    def forget_calls(self) -> None:
        """Count calls from now on."""
        self.shop.box.calls.reset()

    def conflicts(self, *states: str) -> list[Conflict]:
        """Return the conflicts."""
        return self.ledger.conflicts.list("shop", states=states or ("open",))


class Family:
    """A template of Odoo with an attribute of its own, which Magento has, too."""

    def __init__(self, shop: OutwardShop, *labels: str, is_mapped: bool = True) -> None:
        self.shop = shop
        self.code = shop.new_sku("finish{}")
        self.base = shop.new_sku("FAM/{}")
        shop.magento.attributes.add(self.code, ["Matt"], backend_type="int")
        self.attribute = shop.odoo.create(
            "product.attribute", {"name": self.code, "create_variant": "always"}
        )
        if is_mapped:
            self.map()
        values = [self.value(label) for label in labels]
        self.template = shop.odoo.create(
            "product.template",
            {
                "name": f"Name of {self.base}",
                "list_price": 20.0,
                "description": "<p>All</p>",
                "attribute_line_ids": [
                    [0, 0, {"attribute_id": self.attribute, "value_ids": [[6, 0, values]]}]
                ],
            },
        )
        self.name_variants()

    def map(self) -> None:
        self.shop.ledger.mappings.set(
            *("shop", "attribute", self.code),
            odoo_model="product.attribute",
            odoo_id=self.attribute,
            odoo_label=self.code,
            by="test",
        )

    def value(self, label: str) -> int:
        values = {"name": label, "attribute_id": self.attribute}
        return self.shop.odoo.create("product.attribute.value", values)

    def add(self, label: str) -> None:
        lines = self.shop.odoo.records("product.template.attribute.line")
        line = next(row["id"] for row in lines if row["product_tmpl_id"] == self.template)
        self.shop.odoo.write("product.template.attribute.line", line, {"value_ids": [[4, self.value(label)]]})
        self.name_variants()

    @property
    def variants(self) -> list[dict[str, Any]]:
        rows = self.shop.odoo.records("product.product")
        return [row for row in rows if row["product_tmpl_id"] == self.template]

    def name_variants(self) -> None:
        for number, row in enumerate(self.variants):
            self.shop.odoo.write("product.product", row["id"], {"default_code": f"{self.base}-{number}"})

    def export(self) -> Any:
        return self.shop.export(self.variants[0]["id"])

    @property
    def skus(self) -> list[str]:
        return [row["default_code"] for row in self.variants]


def _writes(operation: str) -> bool:
    return operation.rpartition(".")[2] in {"load", "write", "create", "unlink"}
