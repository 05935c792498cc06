"""A real Magento as the live tests use it: what they need in it, orders through its checkout, and what stands there."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from bridge.magento import MagentoClient, parse_secret
from bridge.magento.search import Filter
from tests.live.given import given

Raw = dict[str, Any]
#: An article and how many of it, or a whole ``cartItem``.
Line = tuple[str, float] | Raw

ADDRESSES: Mapping[str, Raw] = {
    "DE": {"street": ["Teststr. 1"], "city": "Berlin", "postcode": "10115", "country_id": "DE"},
    "FR": {"street": ["Rue 1", "Escalier B"], "city": "Paris", "postcode": "75001", "country_id": "FR"},
}
#: Id of the attribute set ``Default`` in every shop.
DEFAULT_SET = 4
#: Name and percent of the taxes that these tests' rules need, for one country each.
_RATES = (("Live DE", "DE", 19), ("Live FR", "FR", 20))


class RealMagento:
    """One shop. Everything that is made in it has a name of its own, so that tests can run again."""

    def __init__(self) -> None:
        self.url = given("MAGENTO_URL")
        self.secret: Raw = json.loads(given("MAGENTO_OAUTH"))
        #: Part of all SKUs and addresses of this run.
        self.tag = uuid.uuid4().hex[:6]
        self.client = MagentoClient.connect(
            base_url=self.url, secret=parse_secret(given("MAGENTO_OAUTH")), deadline_seconds=120
        )
        self._number = 0
        websites = [one for one in self.client.websites() if one.id]
        views = [one for one in self.client.store_views() if one.id and one.is_active]
        self.website = min(websites, key=lambda one: one.id)
        #: Store views of the first website, the default one first.
        self.views = sorted(
            (one for one in views if one.website_id == self.website.id), key=lambda one: one.id
        )
        self.website_ids = [one.id for one in websites]
        self.category_id = self._make_category()
        self._make_taxes()

    def close(self) -> None:
        """Close the connections. What was made stays: a shop for tests is asked for."""
        self.client.close()

    @property
    def state(self) -> SimpleNamespace:
        """The stores' configs, in the way that the sandbox has them."""
        return SimpleNamespace(stores={"storeConfigs": self.client.get("/store/storeConfigs")})

    @property
    def catalog(self) -> RealMagento:
        """The catalog, in the way that the sandbox has one."""
        return self

    def all(self) -> list[Raw]:
        """Return id and SKU of all products of this run."""
        rows = self.client.page(
            "/products", [Filter("sku", f"{self.tag}%", "like")], sort=("entity_id",), page_size=300
        ).rows
        return [dict(row) for row in rows]

    @property
    def attributes(self) -> Attributes:
        """The product attributes, in the way that the sandbox has them."""
        return Attributes(self.client)

    def by_sku(self, sku: str, store_code: str = "all") -> Raw | None:
        """Return a product as a store view has it, None where there is none."""
        found = self.client.in_store(store_code).product_by_sku(sku)
        return None if found is None else json.loads(json.dumps(found, default=float))

    def sku(self, form: str = "{}") -> str:
        """Return a SKU that no other test of any run has."""
        self._number += 1
        return f"{self.tag}-{form.format(self._number)}"

    def product(self, sku: str | None = None, *, price: float | None = 10.0, **more: Any) -> str:
        """Make a product that both websites sell, with 100 units in source ``default``; return its SKU."""
        sku = sku or self.sku()
        extension = more.pop("extension_attributes", {})
        attributes = {"url_key": quote(sku, safe="").lower().replace("%", "-"), "tax_class_id": "2"}
        attributes |= more.pop("attributes", {})
        body = {
            "sku": sku,
            "name": f"Name of {sku}",
            "attribute_set_id": DEFAULT_SET,
            "status": 1,
            "visibility": 4,
            **({"type_id": "simple", "weight": 1} | ({} if price is None else {"price": price})),
            **more,
            "extension_attributes": {
                "website_ids": self.website_ids,
                "category_links": [{"category_id": str(self.category_id), "position": 0}],
                "stock_item": {"qty": 100, "is_in_stock": True},
                **extension,
            },
            "custom_attributes": [
                {"attribute_code": code, "value": value} for code, value in attributes.items()
            ],
        }
        self.client.post("/products", {"product": body})
        self.supply(sku)
        return sku

    def supply(self, sku: str, quantity: float = 100) -> None:
        """Put units into every source that the first website sells from."""
        if self.sources:
            rows = [
                {"sku": sku, "source_code": code, "quantity": quantity, "status": 1} for code in self.sources
            ]
            self.client.post("/inventory/source-items", {"sourceItems": rows})

    @property
    def sources(self) -> Sequence[str]:
        """The sources of the first website's stock."""
        stock = self.client.get(f"/inventory/stock-resolver/website/{self.website.code}")
        links = self.client.page(
            "/inventory/stock-source-links",
            [Filter("stock_id", stock["stock_id"])],
            sort=("source_code",),
            page_size=50,
        ).rows
        return [str(link["source_code"]) for link in links]

    def place(
        self, *lines: Line, view: str = "default", country: str = "DE", email: str = "", coupon: str = ""
    ) -> Raw:
        """Order as a guest through the checkout, and return the order as Magento has it."""
        shop = self.client.in_store(view)
        self._number += 1
        email = email or f"guest.{self._number}@{self.tag}.example.com"
        address = {**ADDRESSES[country], "firstname": "Anna", "lastname": f"Muster {self.tag}"}
        address |= {"telephone": "030 1234", "email": email}
        cart = f"/guest-carts/{shop.post('/guest-carts', {})}"
        for line in lines:
            item = line if isinstance(line, dict) else {"sku": line[0], "qty": line[1]}
            shop.post(f"{cart}/items", {"cartItem": {**item, "quote_id": cart.rpartition("/")[2]}})
        if coupon:
            shop.put(f"{cart}/coupons/{coupon}", {})
        information = {"shipping_address": address, "billing_address": address}
        information |= {"shipping_carrier_code": "flatrate", "shipping_method_code": "flatrate"}
        shop.post(f"{cart}/shipping-information", {"addressInformation": information})
        payment = {"email": email, "paymentMethod": {"method": "checkmo"}, "billing_address": address}
        return self.order(int(shop.post(f"{cart}/payment-information", payment)))

    def order(self, entity_id: int) -> Raw:
        """Return an order as Magento has it, with plain numbers as the sandbox's have."""
        found: Raw = json.loads(json.dumps(self.client.order(entity_id), default=float))
        return found

    def _make_category(self) -> int:
        answer = self.client.post(
            "/categories", {"category": {"name": f"Live {self.tag}", "parent_id": 2, "is_active": True}}
        )
        return int(answer["id"])

    def _make_taxes(self) -> None:
        rows = self.client.page("/taxRates/search", sort=("code",), page_size=100).rows
        known = {str(row["code"]): int(row["id"]) for row in rows}
        places = {str(row.get("tax_country_id")) for row in rows}
        missing = [one for one in _RATES if one[0] not in known and one[1] not in places]
        for code, country, rate in missing:
            body = {"code": code, "tax_country_id": country, "tax_region_id": 0, "tax_postcode": "*"}
            made = self.client.post("/taxRates", {"taxRate": {**body, "rate": rate, "titles": []}})
            known[code] = int(made["id"])
        if missing:
            ids = [known[code] for code, _, _ in missing]
            rule = {"code": f"Live {self.tag}", "priority": 0, "position": 0, "calculate_subtotal": False}
            rule |= {"customer_tax_class_ids": [3], "product_tax_class_ids": [2], "tax_rate_ids": ids}
            self.client.post("/taxRules", {"rule": rule})


class Attributes:
    """Product attributes of the set ``Default``."""

    def __init__(self, client: MagentoClient) -> None:
        self._client = client

    def add(self, code: str, labels: Sequence[str], **_: Any) -> None:
        """Make a select attribute that configurables may differ by."""
        attribute = {
            "attribute_code": code,
            "frontend_input": "select",
            "scope": "global",
            "is_required": False,
        }
        attribute |= {"default_frontend_label": code, "is_user_defined": True}
        options = [{"label": label} for label in labels]
        self._client.post("/products/attributes", {"attribute": {**attribute, "options": options}})
        sets = self._client.page(
            "/products/attribute-sets/groups/list",
            [Filter("attribute_set_id", DEFAULT_SET)],
            sort=("attribute_group_id",),
            page_size=50,
        )
        group = {"attributeSetId": DEFAULT_SET, "attributeGroupId": sets.rows[0]["attribute_group_id"]}
        body = {**group, "attributeCode": code, "sortOrder": 99}
        self._client.post("/products/attribute-sets/attributes", body)

    def get(self, code: str) -> Raw:
        """Return an attribute with its options."""
        found: Raw = self._client.get(f"/products/attributes/{code}")
        return found
