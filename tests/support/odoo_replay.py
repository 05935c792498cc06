"""Recorded requests of real Odoo servers, played against the sandbox's Odoo.

Ids of the recordings are translated: those that a recorded answer gave are paired with what the sandbox answered to
the same request; records that were made before the recording began are made when they are first named.
Answers are compared by shape: status, kind and text of an error (first line, digits aside), the JSON structure with
its keys and lengths, and the exact value of every number with a fraction, every boolean, and of texts such as states.
Ids, other texts and dates of results are not compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.sandbox.odoo import OdooState, build_app
from bridge.sandbox.server import Server

RECORDINGS = Path(__file__).parents[1] / "recordings" / "odoo"

#: Recorded ids from here on are meant not to exist.
NO_SUCH_ID = 99_999

#: Models whose seeded ids are those of the recordings, or whose missing ids are meant to be missing.
AS_RECORDED = frozenset(
    [
        "res.country",
        "res.country.state",
        "res.currency",
        "res.company",
        "res.users",
        "uom.uom",
        "mail.message.subtype",
        "product.category",
        "account.tax.group",
        "crm.team",
        "stock.warehouse",
        "stock.location",
        "stock.picking.type",
        "account.move",
        "ir.model.data",
    ]
)

#: Fields whose texts are compared as they are.
EXACT_TEXTS = frozenset(
    {
        *("state", "type", "invoice_status", "delivery_status", "company_type", "amount_type", "vat", "body"),
        *(
            "client_order_ref",
            "create_variant",
            "module",
            "model",
            "field",
            "field_name",
            "street",
            "server_serie",
        ),
    }
)

#: The catalog price of the products that the recorded orders use, where the answer depends on it.
PRICES = {"orders": 13.5, "onchange-forms": 14.0, "price-with-quantity": 10.0}


@dataclass
class Recorded:
    """One recorded request with its answer."""

    name: str
    path: str
    method: str
    headers: dict[str, str]
    json: Any
    text: str | None
    status: int
    answer: Any
    answer_text: str | None
    #: Only the inner part of a JSON-RPC message was kept.
    is_inner: bool = False


@dataclass
class Played:
    """How the sandbox's answers compare with the recorded ones of a topic."""

    same: list[str] = field(default_factory=list)
    different: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def share(self) -> float:
        total = len(self.same) + len(self.different)
        return len(self.same) / total if total else 1.0


def recorded_files(version: int, topic: str, *, like: str = "") -> list[Path]:
    """Return the files of a topic in the order in which they were recorded."""
    files = [file for file in (RECORDINGS / str(version) / topic).glob("*.json") if like in file.name]
    return sorted(files, key=lambda file: int(file.name.partition("-")[0]))


def load_exchanges(file: Path) -> Iterator[Recorded]:
    """Return the requests of a file that can be played again."""
    document = json.loads(file.read_text(encoding="utf-8"))
    name = file.stem.partition("-")[2]
    exchanges = document.get("exchanges") or (
        [document] if "request" in document and "response" in document else []
    )
    for number, exchange in enumerate(exchanges):
        request, response = exchange["request"], exchange["response"]
        if "path" not in request or exchange.get("system", "").startswith("magento"):
            continue
        body = request.get("json")
        yield Recorded(
            name=name if len(exchanges) == 1 else f"{name}#{number}",
            path=request["path"],
            method=request.get("method", "POST"),
            headers=request.get("headers", {}),
            json=body,
            text=request.get("text"),
            status=response["status"],
            answer=response.get("json"),
            answer_text=response.get("text"),
            is_inner=isinstance(body, dict) and "service" in body,
        )


class Stage:
    """A server whose application can be exchanged, so that each file may have a sandbox of its own."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


class Replayer:
    """Plays the recordings of one topic against a fresh sandbox."""

    def __init__(self, version: int, topic: str, *, stage: Stage, client: httpx.Client) -> None:
        self.state = OdooState(version, company_currency="USD")
        self.topic = topic
        stage.app = build_app(self.state)
        self.client = client
        self._ids: dict[tuple[str, int], int] = {("product.pricelist", 1 if version == 16 else 3): 1}
        self._last_order: int | None = None
        self._name = ""
        self._open_users: set[int] = set()

    def play(self, recorded: Recorded) -> tuple[Any, Any]:
        """Send one request again and return the shapes of both answers, recorded first."""
        self._name = recorded.name
        self._set_scene(recorded.name)
        body = recorded.json
        if recorded.is_inner:
            body = {"jsonrpc": "2.0", "id": 1, "method": "call", "params": body}
        body = json.loads(json.dumps(body))
        call = self._translate(recorded, body)
        headers = {name: self._secret(value) for name, value in recorded.headers.items() if name != "Cookie"}
        if recorded.json is not None:
            response = self.client.request(recorded.method, recorded.path, json=body, headers=headers)
        else:
            text = self._expanded(recorded.text or "")
            response = self.client.request(recorded.method, recorded.path, content=text, headers=headers)
        have_json = None
        if response.headers.get("content-type", "").startswith("application/json"):
            have_json = response.json()
        want = _outcome(recorded.status, recorded.answer, recorded.answer_text, inner=recorded.is_inner)
        have = _outcome(response.status_code, have_json, response.text, inner=recorded.is_inner)
        if call is not None:
            self._learn(*call, want.get("result"), have.get("result"))
        return _shape(want), _shape(have)

    def _set_scene(self, name: str) -> None:
        """Make what stood in the recorded database before a request, and was not recorded."""
        if name.endswith("user-error-post-empty-move"):
            self.state.create("account.move", {"move_type": "out_invoice"})
            for number in (3, 4):
                if number not in [row["id"] for row in self.state.records("account.move")]:
                    self.state.create("account.move", {"id": number})
        elif name == "unique-ir-model-data":
            values = {"module": "bridge", "name": "err_unique", "model": "res.partner", "res_id": 1}
            self.state.create("ir.model.data", values)
        elif name == "unique-barcode":
            self.state.create("product.template", {"name": "Barcoded", "barcode": "BAR-ERR-1"})
        elif name.endswith("serialization-failure-after-5-tries"):
            self.state.fail_serialization("res.partner.write")
        elif name == "load-create-only-again-when-confirmed":
            assert self._last_order is not None
            self.state.write("sale.order", self._last_order, {"state": "sale"})
        elif name == "unique-attribute-value":
            self._ids["product.attribute", 2] = self.state.create("product.attribute", {"name": "Size"})
            attribute = self._ids["product.attribute", 2]
            self.state.create("product.attribute.value", {"name": "A", "attribute_id": attribute})
        elif name.startswith("onchange-rounding-methods#"):
            is_first_half = int(name.partition("#")[2]) < 8
            self.state.set_rounding("round_per_line" if is_first_half else "round_globally")
        elif name == "stock-two-step-delivery#0":
            for code in ("A", "B", "RV2"):
                steps = "pick_ship" if code == "RV2" else "ship_only"
                self.state.create(
                    "stock.warehouse", {"name": f"RV {code}", "code": code, "delivery_steps": steps}
                )
        elif name == "stock-two-sources-shipped-from-the-other#0":
            self.state.create("stock.warehouse", {"name": "RV other", "code": "RVO"})
        elif name == "qty-all":
            # The quantity that had been written directly was put right, which was not recorded.
            quant = self.state.records("stock.quant")[0]["id"]
            self.state.write("stock.quant", quant, {"quantity": 45.0})
        elif name in {"price-unit-before-recompute", "price-unit-touch-quantity"}:
            self._make_line_with_long_price()

    def _make_line_with_long_price(self) -> None:
        """A line of 3 x 8.26446281 with 21 % on top, whose creation was not recorded."""
        recorded_line = 105 if self.state.version == 19 else 93
        if ("sale.order.line", recorded_line) in self._ids:
            return
        product = self.state.create("product.product", {"name": "Mug", "list_price": 13.5})
        tax = self._make_tax(99)
        line = {"product_id": product, "product_uom_qty": 3, "price_unit": 8.26446281}
        line[self.state.dialect.tax_field] = [[6, 0, [tax]]]
        partner = self.state.create("res.partner", {"name": "Somebody"})
        self.state.create("sale.order", {"partner_id": partner, "order_line": [[0, 0, line]]})
        self._ids["sale.order.line", recorded_line] = self.state.records("sale.order.line")[-1]["id"]

    def _expanded(self, text: str) -> str:
        """Return the body that a placeholder of the recordings stands for."""
        if text == "<body of 129 MiB>":
            message = {"params": {"service": "common", "method": "version", "args": ["x" * (129 << 20)]}}
            return json.dumps({"jsonrpc": "2.0", **message})
        if text.startswith("<execute_kw"):
            values = {"name": "Large", "comment": "x" * (20 << 20)}
            args = [self.state.database, 2, self.state.key, "res.partner", "create", [values], {}]
            return json.dumps(
                {"id": 1, "params": {"service": "object", "method": "execute_kw", "args": args}}
            )
        return text

    # Ids.

    def to_sandbox(self, model: str, recorded_id: Any) -> Any:
        """Return the sandbox's id for a recorded one; make the record if it was made before the recording."""
        if not isinstance(recorded_id, int) or isinstance(recorded_id, bool) or recorded_id >= NO_SUCH_ID:
            return recorded_id
        key = (model, recorded_id)
        if key not in self._ids:
            self._ids[key] = recorded_id if model in AS_RECORDED else self._make(model, recorded_id)
        if model == "sale.order":
            self._last_order = self._ids[key]
        return self._ids[key]

    def _make(self, model: str, recorded_id: int) -> int:
        state = self.state
        if model == "res.partner":
            return state.create(model, {"name": f"Partner {recorded_id}"})
        if model == "account.tax":
            return self._make_tax(recorded_id)
        if model in {"product.product", "product.template"}:
            price = PRICES.get(self._name.partition("#")[0], PRICES.get(self.topic, 1.0))
            if state.version == 16 and price == 14.0:
                price = 13.5
            values: dict[str, Any] = {"name": f"Product {recorded_id}", "list_price": price}
            if self.topic == "stock":
                values["default_code"] = f"SKU-{recorded_id}"
            untaxed: dict[str, Any] = (
                {"taxes_id": [[6, 0, []]]} if self._name.startswith("date-order") else {}
            )
            if (self.topic == "stock" or "stock" in self._name) and "untracked" not in self._name:
                untaxed = {"type": "product"} if state.version == 16 else {"is_storable": True}
            made = state.create(model, values | untaxed)
            if re.match(r"stock-(\d\d|two-|shared)", self._name):
                state.set_stock(made, 10, warehouse=4 if "two-step" in self._name else 1)
            if "two-sources" in self._name:
                state.set_stock(made, 10, warehouse=2)
            return made
        if model in {"stock.picking", "stock.move", "stock.return.picking.line"}:
            return self._next_of_order(model)
        if model == "product.pricelist":
            euro = state.find("res.currency", name="EUR")
            return state.create(model, {"name": "EUR web", "currency_id": euro})
        if model == "sale.order":
            return self._make_order()
        if model == "sale.order.line":
            assert self._last_order is not None
            lines = [row["id"] for row in state.records(model) if row["order_id"] == self._last_order]
            known = {own for (name, _), own in self._ids.items() if name == model}
            return next((line for line in lines if line not in known), lines[-1])
        if model == "product.attribute":
            is_dynamic = self._name in {"load-product-variants#0", "dynamic-attribute-template"}
            kind = "dynamic" if is_dynamic else "always"
            return state.create(model, {"name": f"Attribute {recorded_id}", "create_variant": kind})
        if model == "product.attribute.value":
            attribute = state.records("product.attribute")[-1]["id"]
            return state.create(model, {"name": f"Value {recorded_id}", "attribute_id": attribute})
        return state.create(model, {"name": f"Record {recorded_id}"})

    def _next_of_order(self, model: str) -> int:
        """Return the first transfer or move of the last order that no recorded id stands for yet."""
        known = {own for (name, _), own in self._ids.items() if name == model}
        rows = [row for row in self.state.records(model) if not row.get("is_inventory")]
        orders = {row["id"]: row.get("sale_id") for row in self.state.records("stock.picking")}
        rows.sort(key=lambda row: orders.get(row.get("picking_id", row["id"])) != self._last_order)
        return next((row["id"] for row in rows if row["id"] not in known), NO_SUCH_ID)

    def _make_tax(self, recorded_id: int) -> int:
        if recorded_id == 1:
            return 1
        included = {16: {4, 6}, 18: {4, 7}, 19: {6, 9}}[self.state.version]
        values: dict[str, Any] = {"name": f"21 {recorded_id}", "amount": 21.0, "type_tax_use": "sale"}
        if self.state.version == 16:
            values["price_include"] = recorded_id in included
        else:
            values["price_include_override"] = "tax_included" if recorded_id in included else "tax_excluded"
        return self.state.create("account.tax", values)

    def _make_order(self) -> int:
        products = self.state.seed_products({"MADE": 1.0})
        partner = self.state.create("res.partner", {"name": "Somebody"})
        line = {"product_id": products["MADE"], "price_unit": 5.0}
        made = self.state.create("sale.order", {"partner_id": partner, "order_line": [[0, 0, line]]})
        if "confirmed" in self._name:
            self.state.write("sale.order", made, {"state": "sale"})
        self._last_order = made
        return made

    # Requests.

    def _secret(self, text: str) -> str:
        return text.replace("<api-key>", self.state.key).replace("<api-key-2>", "second")

    def _translate(self, recorded: Recorded, body: Any) -> tuple[str, str] | None:
        """Put the sandbox's ids and secrets into ``body``; return (model, method) of a call."""
        if recorded.path.startswith("/json/2/") and isinstance(body, dict):
            model, _, method = recorded.path.removeprefix("/json/2/").partition("/")
            if model in self.state.schema:
                self._translate_arguments(model, method, [], body)
            return model, method
        params = body.get("params") if isinstance(body, dict) else None
        if not isinstance(params, dict) or not {"args", "service"} <= params.keys():
            return None
        args = params["args"]
        if params["service"] == "common" and params["method"] in {"authenticate", "login"}:
            args[2] = self._password(args[2], uid=2)
            return None
        if params["service"] != "object":
            return None
        args[2] = self._password(args[2], uid=args[1])
        model, method = args[3], args[4]
        if model in self.state.schema:
            self._translate_arguments(model, method, args[5], args[6] if len(args) > 6 else {})
        return model, method

    def _password(self, placeholder: str, *, uid: int) -> str:
        if placeholder in {"<password>", "<api-key>"}:
            return self.state.password if placeholder == "<password>" else self.state.key
        if placeholder == "<wrong-password>":
            return "wrong"
        rights = "none" if placeholder == "<limited-password>" else "sales"
        if "user-with-contact-creation" in self._name:
            rights = "contacts"
        if uid not in self._open_users:
            self._open_users.add(uid)
            self.state.add_user(f"user{uid}", rights=rights, key=f"key{uid}", uid=uid)  # type: ignore[arg-type]
        return f"key{uid}"

    def _translate_arguments(
        self, model: str, method: str, positional: list[Any], named: dict[str, Any]
    ) -> None:
        found = self.state.methods.find(model, method)
        if found is None:
            return
        start = 0
        if found.is_record:
            if positional:
                positional[0] = self._ids_of(model, positional[0])
                start = 1
            elif "ids" in named:
                named["ids"] = self._ids_of(model, named["ids"])
        for name, at in zip(found.arguments, range(start, len(positional)), strict=False):
            positional[at] = self._translate_argument(model, method, name, positional[at])
        for name in found.arguments:
            if name in named:
                named[name] = self._translate_argument(model, method, name, named[name])
        if method == "load":
            self._translate_load(model, positional or [named.get("fields"), named.get("data")])

    def _ids_of(self, model: str, ids: Any) -> Any:
        return [self.to_sandbox(model, one) for one in ids] if isinstance(ids, list) else ids

    def _translate_argument(self, model: str, method: str, name: str, value: Any) -> Any:
        if name == "domain" and isinstance(value, list):
            return [self._leaf(model, item) for item in value]
        if name in {"vals", "values"} and isinstance(value, dict):
            return self._values(model, value)
        if name == "vals_list":
            return (
                [self._values(model, one) for one in value]
                if isinstance(value, list)
                else self._values(model, value)
            )
        return value

    def _leaf(self, model: str, item: Any) -> Any:
        if not isinstance(item, list) or len(item) != 3:
            return item
        target = self._target(model, str(item[0]))
        if item[0] == "res_id":
            target = "sale.order"
        if target is None:
            return item
        value = item[2]
        mapped = self._ids_of(target, value) if isinstance(value, list) else self.to_sandbox(target, value)
        return [item[0], item[1], mapped]

    def _target(self, model: str, path: str) -> str | None:
        """Return the model whose ids a field path holds."""
        for part in path.split("."):
            if part == "id":
                return model
            about = self.state.schema.get(model, {}).get(part)
            if about is None or about.to is None:
                return None
            model = about.to
        return model

    def _values(self, model: str, values: dict[str, Any]) -> dict[str, Any]:
        fields = self.state.schema[model]
        answer: dict[str, Any] = {}
        for name, value in values.items():
            about = fields.get(name)
            if model == "ir.model.data" and name == "res_id":
                answer[name] = self.to_sandbox(values["model"], value)
            elif about is None or about.to is None:
                answer[name] = value
            elif about.type == "many2one":
                answer[name] = self.to_sandbox(about.to, value)
            else:
                answer[name] = (
                    [self._command(about.to, step) for step in value] if isinstance(value, list) else value
                )
        return answer

    def _command(self, model: str, step: Any) -> Any:
        if not isinstance(step, list):
            return step
        if step[0] == 0:
            return [0, step[1], self._values(model, step[2])]
        if step[0] == 1:
            return [1, self.to_sandbox(model, step[1]), self._values(model, step[2])]
        if step[0] == 6:
            return [6, 0, self._ids_of(model, step[2])]
        return [step[0], self.to_sandbox(model, step[1]), *step[2:]] if len(step) > 1 else step

    def _translate_load(self, model: str, arguments: list[Any]) -> None:
        fields, data = arguments[0], arguments[1]
        for at, path in enumerate(fields):
            target = self._target(model, path.removesuffix("/.id").replace("/", "."))
            if path == ".id":
                target = model
            elif path == "res_id":
                target = "sale.order"
            elif not path.endswith("/.id"):
                target = None
            if target is None:
                continue
            for row in data:
                row[at] = self._cell(target, row[at])

    def _cell(self, model: str, cell: Any) -> Any:
        if isinstance(cell, str) and cell:
            return ",".join(str(self.to_sandbox(model, int(one))) for one in cell.split(","))
        return self.to_sandbox(model, cell)

    # Answers.

    def _learn(self, model: str, method: str, want: Any, have: Any) -> None:
        """Pair the ids of a recorded answer with the sandbox's."""
        if method == "create":
            pairs = zip(_listed(want), _listed(have), strict=False)
        elif method == "load" and isinstance(want, dict) and isinstance(have, dict):
            pairs = zip(want.get("ids") or [], have.get("ids") or [], strict=False)
        elif method in {"search", "exists"} and isinstance(want, list) and isinstance(have, list):
            pairs = zip(want, have, strict=False)
        else:
            self._learn_rows(model, want, have)
            return
        for recorded_id, own in pairs:
            if isinstance(recorded_id, int) and isinstance(own, int):
                self._ids[model, recorded_id] = own
                if model == "sale.order":
                    self._last_order = own

    def _learn_rows(self, model: str, want: Any, have: Any) -> None:
        if not (isinstance(want, list) and isinstance(have, list) and len(want) == len(have)):
            return
        for theirs, ours in zip(want, have, strict=True):
            if not (isinstance(theirs, dict) and isinstance(ours, dict)):
                continue
            self._ids.setdefault((model, theirs.get("id", 0)), ours.get("id", 0))
            for name, value in theirs.items():
                about = self.state.schema.get(model, {}).get(name)
                if about is None or about.to is None or not isinstance(value, list):
                    continue
                mine = ours.get(name)
                if about.is_x2many and isinstance(mine, list) and len(mine) == len(value):
                    for one, own in zip(value, mine, strict=True):
                        self._ids.setdefault((about.to, one), own)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _outcome(status: int, body: Any, text: str | None, *, inner: bool) -> dict[str, Any]:
    """Return an answer without its envelope: status, and result or error."""
    outcome: dict[str, Any] = {"status": (status,)}
    if isinstance(body, dict) and ("jsonrpc" in body or inner):
        if "error" in body:
            error = body["error"]
            outcome["error"] = (
                error.get("code"),
                error.get("message"),
                error["data"]["name"],
                _first_line(error["data"]["message"]),
                len(error["data"].get("arguments") or []),
            )
        elif "result" in body:
            outcome["result"] = body["result"]
        else:
            outcome["nothing"] = True
    elif isinstance(body, dict) and {"name", "message", "arguments"} <= body.keys():
        outcome["error"] = (body["name"], _first_line(body["message"]), len(body["arguments"]))
    elif body is not None:
        outcome["result"] = body
    else:
        outcome["text"] = (_first_line((text or "").lower()),)
    return outcome


def _first_line(text: str) -> str:
    return re.sub(r"\d+", "N", text.strip().splitlines()[0] if text.strip() else "")


def _shape(value: Any, name: str = "") -> Any:
    """Return what is compared of a value: structure, booleans, numbers with a fraction, some texts."""
    if isinstance(value, str) and name in EXACT_TEXTS:
        return value
    if isinstance(value, str) and name == "message":
        return _first_line(value)
    if isinstance(value, dict):
        return {re.sub(r"^\d+$", "N", key): _shape(one, key) for key, one in value.items()}
    if isinstance(value, tuple):
        return value
    if isinstance(value, list):
        return [_shape(one) for one in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float):
        return round(value, 9)
    return "int" if isinstance(value, int) else "text"


def play_topic(version: int, topic: str, *, like: str = "") -> Played:
    """Play all recordings of a topic, each file of ``rules`` in a sandbox of its own."""
    played = Played()
    stage = Stage()
    with (
        Server.start(stage, name="replay") as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        replayer = Replayer(version, topic, stage=stage, client=client)
        for file in recorded_files(version, topic, like=like):
            if topic == "rules":
                replayer = Replayer(version, topic, stage=stage, client=client)
            for recorded in load_exchanges(file):
                want, have = replayer.play(recorded)
                if want == have:
                    played.same.append(recorded.name)
                else:
                    played.different[recorded.name] = (want, have)
    return played
