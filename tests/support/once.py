"""Shops whose traffic goes through breaking proxies, and the count of what stands in both systems afterwards."""

from __future__ import annotations

import copy
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from bridge.engine import Runtime, run_job
from bridge.ledger import Effect, JobId, Ledger, Lengths
from bridge.sandbox import Sandbox
from bridge.sandbox.odoo import describe
from tests.support.proxy import Proxy, Request
from tests.support.shop import HURRIED, ROOM, Shop

Raw = dict[str, Any]

#: Long enough to be seen, short enough for hundreds of proofs.
DOUBT_SECONDS = 0.15
MAGENTO_DOUBT_SECONDS = (0.05, 0.1)
#: Total time of a call where a proof has to wait for its end.
SHORT_DEADLINE_SECONDS = 0.5
SECRET_KEY = "a key of sufficient length"


@dataclass(frozen=True)
class FlowWrite:
    """One write of the order flow."""

    name: str
    #: The operation as the sandbox names it; None for Magento.
    operation: str | None
    #: What else stands in its body, and what does not.
    contains: bytes = b""
    lacks: bytes = b"\0"

    @property
    def system(self) -> str:
        return "magento" if self.operation is None else "odoo"

    def fits(self, request: Request) -> bool:
        if self.operation is None:
            return request.method == "POST" and b"ext_order_id" in request.body
        operation = describe(request.method, request.path, request.body)
        return (
            operation == self.operation and self.contains in request.body and self.lacks not in request.body
        )

    def __str__(self) -> str:
        return self.name


_PARENT = b"parent_id/.id"
INSTALLATION = FlowWrite("installation id", "res.partner.category.load")
PARTNER = FlowWrite("partner", "res.partner.load", lacks=_PARENT)
ADDRESS = FlowWrite("address", "res.partner.load", contains=_PARENT)
SERVICE = FlowWrite("service product", "product.product.load", contains=b"Shipping (Magento)")
ORDER = FlowWrite("order", "sale.order.load")
CONFIRM = FlowWrite("confirm", "sale.order.action_confirm")
DATE = FlowWrite("date", "sale.order.write")
NOTE = FlowWrite("note", "mail.message.load")
EXT_ORDER_ID = FlowWrite("ext_order_id", None)
HOLD = FlowWrite("hold", "mail.activity.load")
RELEASE = FlowWrite("release", "mail.activity.unlink")
LOWER = FlowWrite("cancelled units", "sale.order.line.write")
#: Those that each order may make; the installation id is fixed once a shop.
WRITES = (PARTNER, ADDRESS, SERVICE, ORDER, CONFIRM, DATE, NOTE, EXT_ORDER_ID)
ODOO_WRITES = WRITES[:-1]


class OnceShop(Shop):
    """A shop that reaches its two systems through proxies."""

    def __init__(self, box: Sandbox, ledger: Ledger, *, settings: Mapping[str, Any] | None = None) -> None:
        self.proxies = {"odoo": Proxy.start(box.odoo.url), "magento": Proxy.start(box.magento.url)}
        given = {
            "base_url": self.proxies["magento"].url,
            "odoo_url": self.proxies["odoo"].url,
            "order_action": "confirm",
            "write_ext_order_id": True,
            "odoo_doubt_seconds": DOUBT_SECONDS,
            "magento_doubt_seconds": list(MAGENTO_DOUBT_SECONDS),
        }
        super().__init__(box, ledger, settings={**given, **(settings or {})})
        self._stock: list[Raw] = []
        self._number = 0

    @classmethod
    def copy_of(
        cls,
        box: Sandbox,
        folder: Path,
        *,
        template: Path,
        settings: Mapping[str, Any] | None = None,
        lengths: Lengths = HURRIED,
    ) -> OnceShop:
        """Return a shop on a copy of an empty ledger, which is cheaper than to migrate a new one."""
        path = folder / "ledger.db"
        shutil.copyfile(template, path)
        return cls(
            box, Ledger.open(f"sqlite:///{path}", secret_key=SECRET_KEY, lengths=lengths), settings=settings
        )

    def close(self) -> None:
        super().close()
        for proxy in self.proxies.values():
            proxy.stop()

    def proxy(self, write: FlowWrite) -> Proxy:
        return self.proxies[write.system]

    def new_order(self) -> Raw:
        """Return an order of a guest whom nobody has seen yet; all it needs in Odoo is there and mapped."""
        if not self._stock:
            made = self.box.magento.generate_orders(20, kinds=("simple",))
            self.map_all(made)
            self._stock = copy.deepcopy(made)
        raw = self._stock.pop()
        self._number += 1
        return self.guest_order(raw, email=f"guest.{raw['entity_id']}@example.com")

    def guest_order(self, raw: Raw, *, email: str, street: str | None = None) -> Raw:
        """Return ``raw`` as a guest's order, also in the shop."""
        raw = copy.deepcopy(raw)
        raw |= {"customer_id": None, "customer_is_guest": 1, "customer_email": email}
        for address in _addresses(raw):
            address["email"] = email
            if street is not None:
                address["street"] = [street]
        self.box.magento.orders.add(raw)
        return raw

    def another_order(self, raw: Mapping[str, Any]) -> Raw:
        """Return a second order of the guest of ``raw``, billed and sent to one other address."""
        other = self.new_order()
        # The same person: another name or company would be another customer.
        other |= {name: value for name, value in raw.items() if name.startswith("customer_")}
        known = next(iter(_addresses(dict(raw))))
        for address in _addresses(other):
            kept = {name: address[name] for name in ("entity_id", "parent_id") if name in address}
            address.clear()
            address |= {**known, **kept}
        other.pop("customer_taxvat", None)
        if "customer_taxvat" in raw:
            other["customer_taxvat"] = raw["customer_taxvat"]
        return self.guest_order(other, email=raw["customer_email"], street=f"New Street {other['entity_id']}")

    def effects(self, raw: Mapping[str, Any]) -> list[Effect]:
        return self.ledger.effects.for_entity("shop", "import-order", str(raw["entity_id"]))

    def new_runtime(self, *, worker: str = "another", ledger: Ledger | None = None) -> Runtime:
        """Return the runtime of another worker process."""
        return Runtime(
            ledger=ledger or self.ledger, backoff_unit_seconds=HURRIED.backoff_unit_seconds, worker=worker
        )


def _addresses(raw: Raw) -> Iterable[Raw]:
    if raw.get("billing_address"):
        yield raw["billing_address"]
    for one in raw.get("extension_attributes", {}).get("shipping_assignments", ()):
        if one.get("shipping", {}).get("address"):
            yield one["shipping"]["address"]


def assert_once(
    shop: Shop, raw: Mapping[str, Any], *, confirmed: bool = True, ext_order_id: bool = True
) -> None:
    """Insist: one order, exact to the cent, confirmed once, dated, one note, one partner, no address twice."""
    problems = list(doubles(shop, raw, confirmed=confirmed, ext_order_id=ext_order_id))
    assert not problems, f"order {raw['increment_id']}: " + "; ".join(problems)


def doubles(
    shop: Shop, raw: Mapping[str, Any], *, confirmed: bool = True, ext_order_id: bool = True
) -> Iterable[str]:
    """Say what of an order does not stand exactly once."""
    orders = shop.sale_orders(raw)
    if len(orders) != 1:
        yield f"{len(orders)} sales orders"
        return
    (order,) = orders
    if (total := _cents(order["amount_total"])) != _cents(raw["grand_total"]):
        yield f"total {total} instead of {_cents(raw['grand_total'])}"
    messages = shop.notes(order["id"])
    if (notes := sum(one["message_type"] == "comment" for one in messages)) != 1:
        yield f"{notes} notes"
    if confirmed:
        confirmations = sum(one["message_type"] == "notification" and not one["body"] for one in messages)
        if confirmations != 1 or order["state"] != "sale":
            yield f"{confirmations} confirmations, state {order['state']}"
        if order["date_order"] != raw["created_at"]:
            yield f"date {order['date_order']} instead of {raw['created_at']}"
    if ext_order_id:
        stored = shop.box.magento.orders.get(raw["entity_id"])
        if stored is None or stored.get("ext_order_id") != order["name"]:
            yield "another ext_order_id"
    yield from _partners(shop, str(raw["customer_email"]))


def _partners(shop: Shop, email: str) -> Iterable[str]:
    partners = shop.box.odoo.records("res.partner")
    own = [one for one in partners if not one.get("parent_id") and _same(one.get("email"), email)]
    if len(own) != 1:
        yield f"{len(own)} partners"
        return
    children = Counter(
        tuple(str(one.get(name)) for name in ("name", "street", "street2", "zip", "city", "phone"))
        for one in partners
        if one.get("parent_id") == own[0]["id"]
    )
    if children and max(children.values()) > 1:
        yield "an address twice"


def installations(shop: Shop) -> list[str]:
    """Return the tags in Odoo that carry the shop's installation id."""
    own = shop.ledger.instances.get("shop").installation_id
    return [
        one["name"] for one in shop.box.odoo.records("res.partner.category") if own in str(one.get("name"))
    ]


def currencies_seen(shop: Shop) -> int:
    """Return how many orders the ledger has counted by their currencies: each has one."""
    return sum(one.seen_count for one in shop.ledger.mappings.list("shop", kind="currency"))


def services(shop: Shop) -> Counter[str]:
    """Count the products made for services."""
    return Counter(
        one["name"]
        for one in shop.box.odoo.records("product.product")
        if str(one.get("name") or "").endswith("(Magento)")
    )


def _same(one: object, other: str) -> bool:
    return str(one or "").casefold() == other.casefold()


def _cents(amount: object) -> Decimal:
    return Decimal(str(amount)).quantize(Decimal("0.01"))


def count_calls(shop: Shop, operation: str) -> int:
    """Count the requests of an operation that reached Odoo."""
    return sum(count for key, count in shop.box.calls.counts("odoo").items() if key[2] == operation)


class Worlds:
    """Sandboxes and shops for many proofs: one shop a version that goes on from proof to proof, or new ones."""

    def __init__(self, folder: Path, *, lengths: Lengths = HURRIED) -> None:
        self._folder = folder
        self._lengths = lengths
        self._boxes: dict[int, Sandbox] = {}
        self._shops: dict[tuple[int, float], OnceShop] = {}
        self._made: list[OnceShop] = []
        self._template = folder / "template.db"
        ledger = Ledger.open(f"sqlite:///{self._template}", secret_key=SECRET_KEY)
        ledger.migrate()
        ledger.close()

    def box(self, version: int) -> Sandbox:
        if version not in self._boxes:
            self._boxes[version] = Sandbox.start(odoo_version=version)
        return self._boxes[version]

    def shop(self, version: int, *, deadline_seconds: float = 10.0) -> OnceShop:
        """Return the shop of a version whose calls end within ``deadline_seconds``, at rest."""
        key = (version, deadline_seconds)
        if key not in self._shops:
            shop = self._shops[key] = self.new_shop(
                version, settings={"call_deadline_seconds": deadline_seconds}
            )
            # Services and what rarely changes are there before any proof.
            assert shop.import_order(shop.new_order()).state == "done"
        return self._shops[key]

    def new_shop(
        self, version: int, *, settings: Mapping[str, Any] | None = None, lengths: Lengths | None = None
    ) -> OnceShop:
        """Return a shop with a ledger of its own, on the sandbox of that version."""
        path = self._folder / f"ledger-{len(self._made)}"
        path.mkdir()
        shop = OnceShop.copy_of(
            self.box(version),
            path,
            template=self._template,
            settings=settings,
            lengths=lengths or self._lengths,
        )
        self._made.append(shop)
        return shop

    def rest(self) -> None:
        """Disarm what is left of a proof, so that one that failed spoils no other."""
        for box in self._boxes.values():
            box.odoo.faults.clear()
            box.magento.faults.clear()
            box.odoo.inflight.release_all()
        for shop in self._made:
            for proxy in shop.proxies.values():
                proxy.clear()

    def close(self) -> None:
        for shop in self._made:
            shop.close()
        for box in self._boxes.values():
            box.stop()


def pump(shop: Shop) -> int:
    """Run the jobs that are due now, once; return how many."""
    due = shop.ledger.jobs.dispatch(ROOM, limit=100)
    for job_id, _ in due:
        run_job(shop.runtime, job_id)
    return len(due)


def pump_until(shop: Shop, condition: Callable[[], object], *, what: str, seconds: float = 60.0) -> None:
    """Run what is due until ``condition`` holds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"{what}: not within {seconds:g} s"
        if not pump(shop):
            time.sleep(0.005)


def wait_for(condition: Callable[[], object], *, what: str, seconds: float = 60.0) -> None:
    """Wait until ``condition`` holds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"{what}: not within {seconds:g} s"
        time.sleep(0.005)


def is_in_doubt(shop: Shop, job_id: JobId) -> bool:
    """Return whether the job waits for the end of a doubt."""
    return (shop.job(job_id).waits_for or "").startswith("doubt:")


class Working(threading.Thread):
    """Lets the jobs run in a thread, so that the test can act meanwhile; ``end`` raises what went wrong."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__(name="working", daemon=True)
        self._work = work
        self._error: BaseException | None = None
        #: What the work returned.
        self.result: object = None
        self.start()

    def run(self) -> None:
        try:
            self.result = self._work()
        except BaseException as error:
            self._error = error

    def end(self, *, seconds: float = 90.0) -> object:
        """Wait for the end of the work and return its result."""
        self.join(seconds)
        assert not self.is_alive(), f"still working after {seconds:g} s"
        if self._error is not None:
            raise self._error
        return self.result
