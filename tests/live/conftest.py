"""Shops for the live tests: the sandbox's Magento and a real Odoo, or two real systems, with a ledger of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path

import pytest

from bridge.ledger import Ledger, Lengths
from bridge.odoo import OdooClient
from bridge.sandbox import Sandbox
from bridge.sandbox.odoo import OdooState
from tests.flows import (
    test_drift_versions,
    test_odoo_stock_client,
    test_stock_rules_on_the_sandbox,
)
from tests.live.box import LiveBox, RealBox, calls_noted
from tests.live.given import given, is_given, missing
from tests.live.magento import RealMagento
from tests.live.odoo import LiveOdoo
from tests.support import moments
from tests.support.counting import CountingShop
from tests.support.once import OnceShop
from tests.support.outward_shop import OutwardShop
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
#: A moment before any run, as seconds: names of five characters last for ten years from it.
_THE_BEGINNING = 1_790_000_000
#: Parameters of the sandbox's tests that say which version of Odoo to simulate.
_VERSIONS = ("version", "box", "town")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if lacking := missing():
        pytest.exit(lacking, returncode=2)
    other: list[pytest.Item] = []
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(900))
            if _is_of_another_version(item):
                other.append(item)
    if other:
        items[:] = [item for item in items if item not in other]
        config.hook.pytest_deselected(items=other)


def _is_of_another_version(item: pytest.Item) -> bool:
    """Return whether a test that the sandbox shares is one for another version than the real Odoo has."""
    given_values = getattr(getattr(item, "callspec", None), "params", {})
    named = [given_values[name] for name in _VERSIONS if isinstance(given_values.get(name), int)]
    return bool(named) and named != [_family()]


@cache
def _family() -> int:
    client = OdooClient.connect(
        url=given("ODOO_URL"), db=given("ODOO_DB"), user=given("ODOO_USER"), key=given("ODOO_KEY")
    )
    try:
        return client.version.family
    finally:
        client.close()


@pytest.fixture(scope="session")
def live_odoo() -> Iterator[LiveOdoo]:
    odoo = LiveOdoo()
    yield odoo
    odoo.close()


@pytest.fixture(scope="session")
def live_boxes(live_odoo: LiveOdoo) -> Iterator[list[LiveBox]]:
    """Give the boxes before this Odoo; what is made from now on has names that no earlier run had."""
    OutwardShop.begin_at(int(time.time()))
    CountingShop.begin_at(int(time.time()))
    boxes: list[LiveBox] = []
    with calls_noted(boxes):
        yield boxes
    for box in boxes:
        box.stop()


@pytest.fixture(scope="session")
def live_box(live_odoo: LiveOdoo, live_boxes: list[LiveBox]) -> LiveBox:
    """Give the sandbox's Magento beside the real Odoo."""
    box = LiveBox.start(live_odoo)
    live_boxes.append(box)
    return box


@pytest.fixture(scope="session")
def new_names() -> None:
    """Let the tests of stock give names that no earlier run gave; some must be short.

    Fewer are used up than tenths of a minute go by.
    """
    numbers = count((int(time.time()) - _THE_BEGINNING) // 6)
    for module in (
        test_drift_versions,
        moments,
        test_odoo_stock_client,
        test_stock_rules_on_the_sandbox,
    ):
        module.NUMBERS = numbers  # type: ignore[attr-defined]  # their own counters


@pytest.fixture(scope="module")
def stock_keeper(live_odoo: LiveOdoo) -> Iterator[None]:
    """Odoo lets only *Inventory: administrator* apply counts."""
    with live_odoo.granted("stock.group_stock_manager"):
        yield


@pytest.fixture(scope="session")
def manufacturing(live_odoo: LiveOdoo) -> None:
    """Install the app that knows kits, where it is missing: it stays."""
    live_odoo.install("mrp")


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
def open_shop(live_box: LiveBox, live_boxes: list[LiveBox], tmp_path: Path) -> Iterator[OpenShop]:
    """Open a shop on a new ledger; ``is_proxied`` puts breaking proxies before both systems.

    The tests of the sandbox name a version; here it is the real one's. ``own_box`` gives the shop a Magento of its own.
    """
    shops: list[Shop] = []

    def open_one(
        version: int | None = None,
        *,
        digits: int = 6,
        is_proxied: bool = False,
        own_box: bool = False,
        **settings: object,
    ) -> Shop:
        box = live_box
        if own_box:
            box = LiveBox.start(live_box.odoo)
            live_boxes.append(box)
        box.odoo.set_price_precision(digits)
        path = tmp_path / f"ledger-{len(shops)}.db"
        ledger = Ledger.open(f"sqlite:///{path}", secret_key="a key of sufficient length", lengths=LENGTHS)
        ledger.migrate()
        kind = OnceShop if is_proxied else Shop
        shop = kind(box, ledger, settings={**SETTINGS, **settings})
        shops.append(shop)
        box.calls.reset()
        return shop

    yield open_one
    for shop in shops:
        shop.close()
