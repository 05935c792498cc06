"""Both simulated systems together: what ``bridge demo``, the flow tests and the benchmarks talk to."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from bridge.sandbox.calls import Calls
from bridge.sandbox.magento_box import MagentoBox
from bridge.sandbox.middleware import FaultMiddleware
from bridge.sandbox.odoo import ERROR_REPLIES, OdooState, build_app, describe
from bridge.sandbox.server import Server


class Sandbox:
    """A simulated Magento and Odoo over real HTTP on 127.0.0.1.

    Use it as a context manager, or call ``stop``.
    """

    def __init__(self, *, odoo_version: int, seed: int, magento_port: int = 0, odoo_port: int = 0) -> None:
        #: Every request to either system, counted.
        self.calls = Calls()
        self.magento = MagentoBox(calls=self.calls, seed=seed, port=magento_port)
        try:
            #: The Odoo database, with its ``url``, credentials, faults and records.
            self.odoo = OdooState(odoo_version, seed_number=seed)
            self._odoo_server = Server.start(self._odoo_app(), name="odoo", port=odoo_port)
        except BaseException:
            self.magento.stop()
            raise
        self.odoo.url = self._odoo_server.url

    def _odoo_app(self) -> FaultMiddleware:
        return FaultMiddleware(
            build_app(self.odoo),
            system="odoo",
            faults=self.odoo.faults,
            calls=self.calls,
            describe=describe,
            error_replies=ERROR_REPLIES,
        )

    @classmethod
    def start(
        cls, *, odoo_version: int = 18, seed: int = 1, magento_port: int = 0, odoo_port: int = 0
    ) -> Sandbox:
        """Start both servers and return once they accept connections. Port 0 takes a free one."""
        return cls(odoo_version=odoo_version, seed=seed, magento_port=magento_port, odoo_port=odoo_port)

    def stop(self) -> None:
        """Close both servers."""
        self.odoo.faults.clear()
        self._odoo_server.stop()
        self.magento.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
