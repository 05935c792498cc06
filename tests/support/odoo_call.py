"""Calls of a simulated Odoo over real HTTP, for tests that look at the answers themselves."""

from __future__ import annotations

from typing import Any

import httpx

from bridge.sandbox.odoo import OdooState

#: Context with which ``load`` creates what is absent and leaves alone what it finds.
CREATE_ONLY = {"mode": "update", "noupdate": True}


class OdooCaller:
    """A client of one user: JSON-RPC, and JSON-2 where the version has it."""

    def __init__(self, state: OdooState, *, uid: int = 2, key: str | None = None) -> None:
        self.state = state
        self.uid = uid
        self.key = key or state.key
        self.client = httpx.Client(base_url=state.url, timeout=30)

    def rpc(self, model: str, method: str, *args: Any, **named: Any) -> dict[str, Any]:
        """Return the whole JSON-RPC answer."""
        call = [self.state.database, self.uid, self.key, model, method, list(args), named]
        params = {"service": "object", "method": "execute_kw", "args": call}
        answer: dict[str, Any] = self.client.post(
            "/jsonrpc", json={"jsonrpc": "2.0", "params": params}
        ).json()
        return answer

    def __call__(self, model: str, method: str, *args: Any, **named: Any) -> Any:
        """Return the result; a fault fails the test."""
        answer = self.rpc(model, method, *args, **named)
        assert "error" not in answer, answer["error"]["data"]
        return answer.get("result")

    def fault(self, model: str, method: str, *args: Any, **named: Any) -> tuple[str, str]:
        """Return class and text of the fault that the call must end in."""
        data = self.rpc(model, method, *args, **named)["error"]["data"]
        return data["name"], data["message"]

    def json2(self, model: str, method: str, **body: Any) -> httpx.Response:
        """Return the answer of JSON-2."""
        headers = {"Authorization": f"bearer {self.key}"}
        return self.client.post(f"/json/2/{model}/{method}", json=body, headers=headers)

    def load_order(self, key: str, *, price: str = "8.26", lines: int = 1, ref: str = "1") -> dict[str, Any]:
        """Load an order of some lines by create-only ``load``, and return the whole answer."""
        product = self.state.seed_products(["MUG"])["MUG"]
        partner = self.state.find("res.partner", name="Ada") or self.state.create(
            "res.partner", {"name": "Ada"}
        )
        tax = self.state.find("account.tax", name="DE-19")
        head = ["id", "partner_id/.id", "client_order_ref"]
        line = [
            "id",
            "product_id/.id",
            "name",
            "product_uom_qty",
            "price_unit",
            f"{self.state.dialect.tax_field}/.id",
        ]
        rows = [
            [
                *([f"__commerce_bridge__.{key}", str(partner), ref] if number == 0 else ["", "", ""]),
                *[f"__commerce_bridge__.{key}_{number}", str(product), "Mug", "2", price, str(tax)],
            ]
            for number in range(lines)
        ]
        fields = [*head, *(f"order_line/{name}" for name in line)]
        return self.rpc("sale.order", "load", fields, rows, context=CREATE_ONLY)
