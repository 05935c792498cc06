"""Shops for the live tests: the sandbox's Magento and a real Odoo, or two real systems, with a ledger of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridge.ledger import Ledger, Lengths
from bridge.odoo import OdooClient
from bridge.sandbox import Sandbox
from bridge.sandbox.odoo import OdooState
from tests.live.box import LiveBox, RealBox
from tests.live.given import given, is_given, missing
from tests.live.magento import RealMagento
from tests.live.odoo import LiveOdoo
from tests.support.once import OnceShop
from tests.support.shop import Shop

#: Only what can be asked is collected: no test is skipped.
collect_ignore = [
    *(
        []
        if is_given("MAGENTO_URL")
        else [path.name for path in Path(__file__).parent.glob("test_*magento*.py")]
    ),
    *(
        []
        if is_given("ODOO_URL")
        else [path.name for path in Path(__file__).parent.glob("test_*.py") if "magento" not in path.name]
    ),
]

#: A real server's first call after a change of settings takes seconds.
LENGTHS = Lengths(
    lease_seconds=120.0,
    backoff_unit_seconds=0.05,
    message_patience_seconds=60.0,
    wait_patience_seconds=0.5,
    breaker_open_seconds=0.2,
    breaker_max_seconds=0.5,
    breaker_failures=50,
)
SETTINGS = {
    "call_deadline_seconds": 50,
    # Longer than any of these requests runs on after its connection was cut.
    "odoo_doubt_seconds": 3.0,
    "max_parallel_odoo": 2,
}
OpenShop = Callable[..., Shop]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if lacking := missing():
        pytest.exit(lacking, returncode=2)
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def live_odoo() -> Iterator[LiveOdoo]:
    odoo = LiveOdoo()
    yield odoo
    odoo.close()


@pytest.fixture(scope="session")
def live_box(live_odoo: LiveOdoo) -> Iterator[LiveBox]:
    """Give the sandbox's Magento beside the real Odoo."""
    box = LiveBox.start(live_odoo)
    yield box
    box.stop()


@pytest.fixture
def odoo() -> Iterator[OdooClient]:
    """Give a client that works as the bridge's user."""
    client = OdooClient.connect(
        url=given("ODOO_URL"), db=given("ODOO_DB"), user=given("ODOO_USER"), key=given("ODOO_KEY")
    )
    yield client
    client.close()


@pytest.fixture(scope="session")
def magento() -> Iterator[RealMagento]:
    shop = RealMagento()
    yield shop
    shop.close()


@pytest.fixture(scope="session")
def sandbox_odoo() -> Iterator[OdooState]:
    with Sandbox.start() as sandbox:
        yield sandbox.odoo


@pytest.fixture
def open_real_shop(magento: RealMagento, sandbox_odoo: OdooState, tmp_path: Path) -> Iterator[OpenShop]:
    """Open a shop of the real Magento and the sandbox's Odoo on a new ledger."""
    with _opening(RealBox(magento=magento, odoo=sandbox_odoo), tmp_path) as open_one:
        yield open_one


@pytest.fixture
def open_order_shop(
    magento: RealMagento, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[OpenShop]:
    """Open a shop of the real Magento and the real Odoo, or where none is given the sandbox's."""
    odoo = request.getfixturevalue("live_odoo" if is_given("ODOO_URL") else "sandbox_odoo")
    with _opening(RealBox(magento=magento, odoo=odoo), tmp_path) as open_one:
        yield open_one


@contextmanager
def _opening(box: RealBox, folder: Path) -> Iterator[OpenShop]:
    shops: list[Shop] = []

    def open_one(*, digits: int = 6, **settings: object) -> Shop:
        box.odoo.set_price_precision(digits)
        path = folder / f"real-{len(shops)}.db"
        ledger = Ledger.open(f"sqlite:///{path}", secret_key="a key of sufficient length", lengths=LENGTHS)
        ledger.migrate()
        shop = Shop(box, ledger, settings={**SETTINGS, **settings})
        shops.append(shop)
        return shop

    yield open_one
    for shop in shops:
        shop.close()


@pytest.fixture
def open_shop(live_box: LiveBox, tmp_path: Path) -> Iterator[OpenShop]:
    """Open a shop on a new ledger; ``is_proxied`` puts breaking proxies before both systems."""
    shops: list[Shop] = []

    def open_one(*, digits: int = 6, is_proxied: bool = False, **settings: object) -> Shop:
        live_box.odoo.set_price_precision(digits)
        path = tmp_path / f"ledger-{len(shops)}.db"
        ledger = Ledger.open(f"sqlite:///{path}", secret_key="a key of sufficient length", lengths=LENGTHS)
        ledger.migrate()
        kind = OnceShop if is_proxied else Shop
        shop = kind(live_box, ledger, settings={**SETTINGS, **settings})
        shops.append(shop)
        return shop

    yield open_one
    for shop in shops:
        shop.close()
