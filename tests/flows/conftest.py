"""Shops for the tests of the order flow: one sandbox a version and test process, a ledger of its own for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from zlib import crc32

import pytest

from bridge.flows import product_source, wants
from bridge.ledger import Ledger
from bridge.sandbox import Sandbox
from tests.support.catalog_shop import CatalogShop
from tests.support.products import COLOR, SIZE, FakeCatalog, an_attribute
from tests.support.shop import HURRIED, Shop

SECRET_KEY = "a key of sufficient length"

#: Opens a shop on Odoo of a version, with settings; prices have 6 digits unless said otherwise.
OpenShop = Callable[..., Shop]
OpenCatalog = Callable[..., CatalogShop]


@pytest.fixture(scope="session")
def shared_boxes() -> Iterator[dict[int, Sandbox]]:
    boxes: dict[int, Sandbox] = {}
    yield boxes
    for box in boxes.values():
        box.stop()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing wait for further events to take along."""
    monkeypatch.setattr(wants, "PRICE_DEBOUNCE_SECONDS", 0.0)


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a migrated ledger to copy: cheaper than to migrate one for each test."""
    path = tmp_path_factory.mktemp("empty") / "ledger.db"
    ledger = Ledger.open(f"sqlite:///{path}", secret_key=SECRET_KEY)
    ledger.migrate()
    ledger.close()
    return path


@pytest.fixture
def open_shop(
    shared_boxes: dict[int, Sandbox], empty_ledger: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[OpenShop]:
    shops: list[Shop] = []
    boxes: list[Sandbox] = []

    def open_one(
        version: int = 18,
        *,
        digits: int = 6,
        own_box: bool = False,
        box: Sandbox | None = None,
        **settings: object,
    ) -> Shop:
        if box is not None:
            version = box.odoo.version
        elif own_box:
            box = Sandbox.start(odoo_version=version)
            boxes.append(box)
        else:
            box = shared_boxes.get(version) or Sandbox.start(odoo_version=version)
            shared_boxes[version] = box
            # A store that this Odoo never saw: else the records of the test before would be this one's, too.
            for tag in box.odoo.records("res.partner.category"):
                box.odoo.delete("res.partner.category", tag["id"])
        # The same goods and prices at each run of a test, whatever ran before it.
        box.magento.reseed(crc32(f"{request.node.nodeid} {len(shops)}".encode()))
        box.odoo.set_price_precision(digits)
        box.odoo.set_rounding("round_globally" if version >= 19 else "round_per_line")
        path = tmp_path / f"ledger-{len(shops)}.db"
        shutil.copyfile(empty_ledger, path)
        ledger = Ledger.open(f"sqlite:///{path}", secret_key=SECRET_KEY, lengths=HURRIED)
        shop = Shop(box, ledger, settings=settings)
        shops.append(shop)
        box.calls.reset()
        return shop

    yield open_one
    for shop in shops:
        shop.box.odoo.faults.clear()
        shop.box.magento.faults.clear()
        shop.box.odoo.inflight.release_all()
        shop.close()
    for box in boxes:
        box.stop()


@pytest.fixture
def catalog(monkeypatch: pytest.MonkeyPatch) -> FakeCatalog:
    """Give Magento's catalog to fill; its attributes are those of the recordings."""
    fake = FakeCatalog(
        known={
            COLOR: an_attribute(COLOR, "color", _7="Red", _8="Blue", _9="Gréén"),
            SIZE: an_attribute(SIZE, "size", _4="S", _5="M", _6="L"),
        }
    )
    monkeypatch.setattr(product_source, "catalog_of", lambda _: fake)
    return fake


@pytest.fixture
def open_catalog(open_shop: OpenShop, catalog: FakeCatalog) -> Callable[..., CatalogShop]:
    """Open a shop that makes products, with the catalog above."""

    def open_one(version: int = 18, **settings: object) -> CatalogShop:
        given = {"auto_create_products": True, "own_box": True, **settings}
        return CatalogShop(open_shop(version, **given), catalog)

    return open_one
