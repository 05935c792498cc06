"""The sandbox's Magento before a real Odoo: the same orders, under numbers and addresses that no earlier run had."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.odoo.calls import Caller
from bridge.odoo.protocols import MethodCall
from bridge.sandbox.calls import Call, Calls
from bridge.sandbox.magento.rest import Raw
from bridge.sandbox.magento_box import MagentoBox
from bridge.sandbox.odoo import OdooState
from tests.live.magento import RealMagento
from tests.live.odoo import LiveOdoo


class LiveMagento(MagentoBox):
    """A shop whose orders and customers are new to Odoo."""

    def __init__(self, *, calls: Calls) -> None:
        super().__init__(calls=calls)
        self.tag = uuid.uuid4().hex[:8]
        for raw in self.orders.all():
            self.orders.add(self._renamed(raw))
        # Entity ids stand in the addresses of the tests' guests.
        numbers = self._generator._numbers
        numbers.order = int(time.time())

    def generate_orders(self, count: int, *, kinds: tuple[str, ...] | None = None) -> list[Raw]:
        made = super().generate_orders(count, kinds=kinds)
        return [self.orders.add(self._renamed(raw)) for raw in made]

    def _renamed(self, raw: Raw) -> Raw:
        if not raw["increment_id"].startswith(self.tag):
            raw["increment_id"] = f"{self.tag}-{raw['increment_id']}"
            raw["customer_email"] = f"{self.tag}.{raw['customer_email']}"
        return raw


class LiveBox(SimpleNamespace):
    """The sandbox's Magento and a real Odoo, in the shape of ``bridge.sandbox.Sandbox``."""

    @classmethod
    def start(cls, odoo: LiveOdoo) -> LiveBox:
        calls = Calls()
        return cls(calls=calls, magento=LiveMagento(calls=calls), odoo=odoo)

    def stop(self) -> None:
        self.magento.stop()


class RealBox(SimpleNamespace):
    """A real Magento, and an Odoo that is real or the sandbox's, in the shape of ``bridge.sandbox.Sandbox``."""

    magento: RealMagento
    odoo: LiveOdoo | OdooState


@contextmanager
def calls_noted(boxes: list[LiveBox]) -> Iterator[None]:
    """Note what the bridge asks a real Odoo for in the calls of each box, as the sandbox's Odoo does itself."""
    run = Caller.run

    def noted(caller: Caller, call: MethodCall) -> Any:
        for box in boxes:
            if caller.account.user == box.odoo.user:
                name = f"{call.model}.{call.method}"
                made = Call(system="odoo", method="POST", path="/", query="", operation=name)
                box.calls.begin(made)
                box.calls.end(made)
        return run(caller, call)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Caller, "run", noted)
        yield
