"""The simulated Magento as a running server, with handles for tests and the demo."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

from bridge.sandbox.calls import Calls
from bridge.sandbox.faults import Faults
from bridge.sandbox.magento.app import ERROR_REPLIES, build_app, describe
from bridge.sandbox.magento.bulk_api import run_queue
from bridge.sandbox.magento.catalog_state import Catalog
from bridge.sandbox.magento.category_state import Attributes, Categories
from bridge.sandbox.magento.data import load_data
from bridge.sandbox.magento.generator import OrderGenerator
from bridge.sandbox.magento.inventory_state import DEFAULT_SOURCE, Inventory
from bridge.sandbox.magento.media import FOLDER, MediaFolder
from bridge.sandbox.magento.oauth import Guard, Integration
from bridge.sandbox.magento.product_generator import ProductGenerator
from bridge.sandbox.magento.reservations import Reservations
from bridge.sandbox.magento.rest import Raw
from bridge.sandbox.magento.state import MagentoState, Orders, Switches
from bridge.sandbox.magento.stores import StoreAdmin
from bridge.sandbox.middleware import FaultMiddleware
from bridge.sandbox.server import Server

#: When plain products were made and changed.
MODEL_TIME = "2026-11-23 15:46:25"


class MagentoBox:
    """A simulated shop over HTTP. It holds the 31 recorded orders from the start."""

    def __init__(self, *, calls: Calls, seed: int = 1, port: int = 0) -> None:
        chance = random.Random(f"magento {seed}")
        self._integration = Integration(
            consumer_key=_token(chance),
            consumer_secret=_token(chance),
            access_token=_token(chance),
            access_token_secret=_token(chance),
        )
        self.state = MagentoState(integration=self._integration)
        #: The stores, to rename, remove and add some.
        self.stores = StoreAdmin(self.state.stores)
        #: A bearer token that works from the start, as an administrator's does.
        self.admin_token = _token(chance)
        self.state.guard.admin_tokens.add(self.admin_token)
        #: The faults thrown at this system's answers.
        self.faults = Faults(seed)
        self.calls = calls
        recorded = load_data("orders")
        for raw in recorded:
            self.state.orders.add(raw)
        self._unseen = list(recorded)
        self._generator = OrderGenerator(self.state.catalog, seed=seed, after=recorded)
        self._products = ProductGenerator(self.state.catalog, seed=seed)
        for customer in self._generator.customers():
            self.state.customers.setdefault(customer["id"], customer)
        app = FaultMiddleware(
            build_app(self.state),
            system="magento",
            faults=self.faults,
            calls=calls,
            describe=describe,
            error_replies=ERROR_REPLIES,
        )
        self._server = Server.start(app, name="magento", port=port)
        for config in self.state.stores["storeConfigs"]:
            # Files are fetched from the address that the shop names: here from itself.
            config.update(dict.fromkeys(("base_media_url", "secure_base_media_url"), f"{self.url}{FOLDER}/"))

    @property
    def url(self) -> str:
        """Base URL of the shop, without a slash at its end."""
        return self._server.url

    @property
    def secret(self) -> dict[str, str]:
        """The integration's OAuth 1.0a credentials, in the form of the bridge's secret."""
        return {
            "consumer_key": self._integration.consumer_key,
            "consumer_secret": self._integration.consumer_secret,
            "access_token": self._integration.access_token,
            "access_token_secret": self._integration.access_token_secret,
        }

    @property
    def bearer_token(self) -> str:
        """The integration's token as a bearer: refused unless ``guard.bearer_enabled``."""
        return self._integration.access_token

    @property
    def guard(self) -> Guard:
        """Who may do what: ``bearer_enabled`` and ``allowed`` are switches."""
        return self.state.guard

    @property
    def switches(self) -> Switches:
        """Settings of the shop that change its answers."""
        return self.state.switches

    @property
    def orders(self) -> Orders:
        """The orders: ``add`` puts one there, or a new version of one."""
        return self.state.orders

    @property
    def catalog(self) -> Catalog:
        """The products."""
        return self.state.catalog

    @property
    def inventory(self) -> Inventory:
        """Sources, stocks and source items: ``add_source``, ``add_stock``, ``set``, ``get``."""
        return self.state.inventory

    @property
    def reservations(self) -> Reservations:
        """What orders reserve, and what is for sale."""
        return self.state.reservations

    def run_queue(self) -> int:
        """Let the consumer of the queue run: return how many operations of bulk calls it took."""
        return run_queue(self.state.bulks)

    @property
    def attributes(self) -> Attributes:
        """The product attributes with their options."""
        return self.state.attributes

    @property
    def media(self) -> MediaFolder:
        """The files of products' pictures."""
        return self.state.media

    @property
    def categories(self) -> Categories:
        """The categories."""
        return self.state.categories

    def generate_orders(self, count: int, *, kinds: tuple[str, ...] | None = None) -> list[Raw]:
        """Return ``count`` orders of this shop: the recorded ones first, then new ones of all kinds.

        Each call goes on where the last one ended. With ``kinds`` (``generator.KINDS``) only new ones.
        """
        recorded: list[Raw] = []
        if kinds is None:
            recorded, self._unseen = self._unseen[:count], self._unseen[count:]
        made = self._generator.orders(count - len(recorded), kinds=kinds)
        for raw in made:
            self.state.orders.add(raw)
        return [*recorded, *made]

    def place_order(self, lines: Mapping[str, float], *, view: int = 1) -> Raw:
        """Place an order of these quantities of simple products by SKU; it reserves them."""
        return self.state.orders.add(self._generator.place(lines, view=view))

    def add_plain_products(
        self, count: int, *, prefix: str = "PLAIN", sources: Iterable[str] = (), quantity: float = 0
    ) -> list[str]:
        """Add ``count`` simple products that share all but id and SKU, with ``quantity`` in each source; return the SKUs.

        For catalogs of a hundred thousand: such a product costs about a kilobyte, its row in a source a tenth of it.
        """
        model = {**self.catalog.all()[0], "created_at": MODEL_TIME, "updated_at": MODEL_TIME, "price": 10}
        first = self.catalog.next_id()
        codes = list(sources)
        skus: list[str] = []
        for number in range(count):
            sku = f"{prefix}-{number:06}"
            self.catalog.add({**model, "id": first + number, "sku": sku, "name": sku})
            for code in codes:
                self.inventory.set(sku, code, quantity)
            skus.append(sku)
        return skus

    def add_products(self, count: int, *, configurable_share: float = 0.1) -> list[Raw]:
        """Add ``count`` products of many shapes and return them; the share of configurables is among them."""
        made = self._products.add(count, configurable_share=configurable_share)
        for raw in made:
            self.inventory.set(raw["sku"], DEFAULT_SOURCE, 0)
        return made

    def add_picture(self, sku: str, content: bytes, *, name: str = "front.png") -> str:
        """Make a file the picture of a product, in all its roles, and return its path in the gallery."""
        path = self.media.add(name, content)
        self.media.attach(self.catalog, sku, path)
        return path

    def reseed(self, seed: int) -> None:
        """Let the orders that follow depend on ``seed`` alone, but for their numbers and moments."""
        self._generator.reseed(seed)

    def stop(self) -> None:
        """Let held requests go and close the server."""
        self.faults.clear()
        self._server.stop()


def _token(chance: random.Random) -> str:
    return f"{chance.getrandbits(128):032x}"
