"""The state of the simulated Odoo: its data, its settings, its users, and what tests ask of it."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from bridge.sandbox.faults import Faults
from bridge.sandbox.odoo import kits
from bridge.sandbox.odoo.access import RIGHTS, Rights
from bridge.sandbox.odoo.fault import Dialect
from bridge.sandbox.odoo.inflight import CommitHold, Inflight
from bridge.sandbox.odoo.other import CLASSES
from bridge.sandbox.odoo.records import Env
from bridge.sandbox.odoo.rpc import Methods
from bridge.sandbox.odoo.schema import described, schema_of
from bridge.sandbox.odoo.seed import ADMIN_UID, seed
from bridge.sandbox.odoo.stock_hooks import StockHooks
from bridge.sandbox.odoo.tables import Database, Row

RoundingMethod = Literal["round_per_line", "round_globally"]

#: Versions that can be simulated.
MAJORS = (16, 18, 19)


class OdooState(StockHooks):
    """A simulated Odoo database of version 16, 18 or 19: the object that is ``box.odoo``.

    Not simulated: lots and packages, invoices, payments, fiscal positions that map taxes,
    what pricelist rules come to, units of measure other than by id, companies beyond one, sessions, XML-RPC, languages that are not installed.
    """

    def __init__(
        self,
        version: int = 18,
        *,
        seed_number: int = 1,
        company_currency: str = "EUR",
        faults: Faults | None = None,
    ) -> None:
        if version not in MAJORS:
            raise ValueError(f"The sandbox simulates Odoo {', '.join(map(str, MAJORS))}, not {version}.")
        self.version = version
        #: Base URL; set by the one who serves the application.
        self.url = ""
        self.database = f"odoo{version}"
        #: Login of the administrator, the user with ``key``.
        self.user = "admin"
        source = random.Random(f"{seed_number}-odoo")
        self.key = f"{source.getrandbits(160):040x}"
        self.password = f"{source.getrandbits(80):020x}"
        self.faults = faults or Faults(seed_number)
        self.dialect = Dialect(version)
        self.schema = schema_of(version)
        self.classes = CLASSES
        self.methods = Methods(version)
        self.inflight = Inflight()
        #: Seconds that every call that may write keeps its transaction open before the commit.
        self.transaction_seconds = 0.0
        #: Share (0 to 1) of the writing calls whose connection is cut while their transaction is open.
        self.cut_during_share = 0.0
        self._chance = random.Random(f"{seed_number}-cuts")
        self.monotonic = time.monotonic
        self.database_of_rows = Database(self.schema)
        with self._writing() as env:
            seed(env, company_currency=company_currency)
        self._set_user(ADMIN_UID, login=self.user, rights="admin", keys=[self.key], password=self.password)

    @contextmanager
    def _writing(self) -> Iterator[Env]:
        with self.database_of_rows.transaction():
            yield Env(
                db=self.database_of_rows,
                schema=self.schema,
                dialect=self.dialect,
                classes=self.classes,
                uid=ADMIN_UID,
                monotonic=lambda: 0.0,
            )

    # Data.

    def records(self, model: str) -> list[Row]:
        """Return copies of all records of a model by id: columns as stored, many2one as plain ids."""
        with self.database_of_rows.lock:
            rows = self.database_of_rows.table(model).rows
            return [
                {name: value for name, value in rows[one].items() if not name.startswith("_")}
                for one in sorted(rows)
            ]

    def find(self, model: str, **equal: Any) -> int | None:
        """Return the id of the first record whose columns equal those given."""
        for row in self.records(model):
            if all(row.get(name) == value for name, value in equal.items()):
                return int(row["id"])
        return None

    def text(self, model: str, record_id: int, name: str, language: str) -> Any:
        """Return a text of a record as a user of ``language`` sees it."""
        with self._writing() as env:
            env.context["lang"] = language
            return env[model].get(record_id, name)

    def external_id(self, key: str) -> tuple[str, int] | None:
        """Return (model, id) of an external id ``module.name``."""
        module, _, name = key.partition(".")
        for row in self.records("ir.model.data"):
            if (row["module"], row["name"]) == (module, name):
                return row["model"], row["res_id"]
        return None

    def create(self, model: str, values: Mapping[str, Any]) -> int:
        """Create a record as the administrator would, and return its id. An ``id`` in the values is kept."""
        with self._writing() as env:
            record_id = values.get("id")
            table = self.database_of_rows.table(model)
            made = env[model].create({name: value for name, value in values.items() if name != "id"})
            if record_id is None or record_id == made:
                return made
            row = table.rows[made]
            table.delete(made)
            return table.insert({**row, "id": record_id})

    def write(self, model: str, record_id: int, values: Mapping[str, Any], *, language: str = "") -> None:
        """Change a record as the administrator would, texts of a language where one is given."""
        with self._writing() as env:
            if language:
                env.context["lang"] = language
            env[model].write([record_id], dict(values))

    def delete(self, model: str, record_id: int) -> None:
        """Delete a record as a person would, orders after cancelling them: its external ids go with it."""
        with self._writing() as env:
            if model == "sale.order":
                self.database_of_rows.table(model).update(record_id, {"state": "cancel"})
                for line in self.database_of_rows.table("sale.order.line").lookup("order_id", [record_id]):
                    self.database_of_rows.table("sale.order.line").update(line, {"state": "cancel"})
            env[model].unlink([record_id])

    def merge_partners(self, old: int, into: int) -> None:
        """Merge a partner into another: orders, contacts and external ids go over, the old one is deleted."""
        links = {
            "sale.order": ("partner_id", "partner_invoice_id", "partner_shipping_id"),
            "res.partner": ("parent_id",),
        }
        for model, names in links.items():
            for row in self.records(model):
                if values := {name: into for name in names if row.get(name) == old and row["id"] != into}:
                    self.write(model, row["id"], values)
        for row in self.records("ir.model.data"):
            if (row["model"], row["res_id"]) == ("res.partner", old):
                self.write("ir.model.data", row["id"], {"res_id": into})
        self.delete("res.partner", old)

    def seed_products(self, skus: Iterable[str] | Mapping[str, float]) -> dict[str, int]:
        """Make a storable product for each SKU (or SKU and catalog price) that there is none of.

        Returns the ids of the ``product.product`` by SKU.
        """
        prices = dict(skus) if isinstance(skus, Mapping) else dict.fromkeys(skus, 1.0)
        ids: dict[str, int] = {}
        with self._writing() as env:
            table = self.database_of_rows.table("product.product")
            for sku, price in prices.items():
                known = [
                    one
                    for one in table.lookup("default_code", [sku])
                    if table.rows[one]["default_code"] == sku
                ]
                values: Row = {"name": sku, "default_code": sku, "list_price": float(price)}
                values |= {"type": "product"} if self.version < 18 else {"is_storable": True}
                ids[sku] = min(known) if known else env["product.product"].create(values)
        return ids

    # Apps.

    def install_kits(self) -> None:
        """Install the app ``mrp``; until then its models are unknown."""
        if kits.BILL in self.schema:
            return
        self.schema = {**self.schema, **described(kits.FIELDS)}
        self.database_of_rows.add(kits.FIELDS)
        with self._writing() as env:
            values = {"name": "mrp", "shortdesc": "Manufacturing", "state": "installed"}
            env["ir.module.module"].create(values)

    def add_kit(
        self, product_id: int, parts: Mapping[int, float], *, is_own: bool = False, **values: Any
    ) -> int:
        """Make a product a kit of these units of parts: by a bill of its template, or of its own; return the bill's id."""
        self.install_kits()
        template = next(
            row["product_tmpl_id"] for row in self.records("product.product") if row["id"] == product_id
        )
        lines = [[0, 0, {"product_id": part, "product_qty": units}] for part, units in parts.items()]
        bill = {"type": "phantom", "product_tmpl_id": template, "bom_line_ids": lines, **values}
        return self.create(kits.BILL, bill | ({"product_id": product_id} if is_own else {}))

    # Settings.

    def set_price_precision(self, digits: int) -> None:
        """Set the digits of *Product Price* (by default 2)."""
        with self._writing() as env:
            for one, row in list(env.db.table("decimal.precision").rows.items()):
                if row["name"] == "Product Price":
                    env.db.table("decimal.precision").update(one, {"digits": digits})

    def set_rounding(self, method: RoundingMethod) -> None:
        """Set the company's ``tax_calculation_rounding_method``."""
        self.write("res.company", 1, {"tax_calculation_rounding_method": method})

    # Users.

    def _set_user(self, uid: int, **more: Any) -> None:
        with self._writing():
            self.database_of_rows.table("res.users").update(
                uid, {name if name == "login" else f"_{name}": value for name, value in more.items()}
            )

    def set_rights(self, rights: Rights) -> None:
        """Change what the user of ``key`` may do: one of ``RIGHTS``."""
        if rights not in RIGHTS:
            raise ValueError(f"Unknown rights {rights!r}; known are {', '.join(RIGHTS)}.")
        self._set_user(ADMIN_UID, rights=rights)

    def add_user(
        self, login: str, *, rights: Rights = "sales", key: str | None = None, uid: int | None = None
    ) -> int:
        """Make another user and return its id; ``key`` is its API key, and its password too."""
        values: Row = {"name": login, "login": login}
        made = self.create("res.users", values if uid is None else values | {"id": uid})
        secret = key or f"key-of-{login}"
        self._set_user(made, rights=rights, keys=[secret], password=secret)
        return made

    def expire_key(self) -> None:
        """Let the key of the administrator expire."""
        self._set_user(ADMIN_UID, keys=[])

    def renew_key(self) -> None:
        """Make the administrator's key valid again."""
        self._set_user(ADMIN_UID, keys=[self.key])

    def authenticate(self, login: str, secret: str) -> int | None:
        """Return the user id for a login with password or key, or ``None``."""
        for one, row in self.database_of_rows.table("res.users").rows.items():
            if row.get("login") == login and self.accepts(one, secret):
                return one
        return None

    def accepts(self, uid: int, secret: str) -> bool:
        """Return whether ``secret`` is a password or key of the user."""
        row = self.database_of_rows.table("res.users").rows.get(uid, {})
        return bool(secret) and secret in [row.get("_password"), *row.get("_keys", ())]

    def user_of_key(self, key: str) -> int | None:
        """Return the user whose API key it is. A password is none."""
        for one, row in self.database_of_rows.table("res.users").rows.items():
            if key in row.get("_keys", ()):
                return one
        return None

    # Open transactions.

    def hold_commit(self, operation: str = "", *, cut: bool = False) -> CommitHold:
        """Keep the next call whose ``model.method`` contains ``operation`` from committing until ``release()``.

        With ``cut`` its connection is cut at that moment: the client knows nothing, the server goes on.
        """
        return self.inflight.hold(operation, cuts=cut)

    def draws_cut(self) -> bool:
        """Return whether the writing call that asks loses its connection while its transaction is open."""
        return self.cut_during_share > 0 and self._chance.random() < self.cut_during_share

    def fail_serialization(self, operation: str = "", *, times: int = 1) -> None:
        """Let the next writing calls whose ``model.method`` contains ``operation`` fail to serialize.

        Nothing is written, as when Odoo has given up after five tries
        (``errors/concurrency-serialization-failure-after-5-tries``); ``load`` answers it as a message.
        """
        self.inflight.conflict(operation, times=times)

    @contextmanager
    def held_key(self, key: str, *, commits_as: tuple[str, int] | None = None) -> Iterator[None]:
        """Hold an external id by a foreign open transaction, which at the end rolls back or commits.

        ``commits_as`` is the (model, id) that the foreign transaction gives the key to.
        """
        if not self.inflight.try_keys([key]):
            raise RuntimeError(f"The key {key} is held already.")
        try:
            yield
        finally:
            if commits_as is not None:
                module, _, name = key.partition(".")
                model, record_id = commits_as
                self.create(
                    "ir.model.data", {"module": module, "name": name, "model": model, "res_id": record_id}
                )
            self.inflight.drop_keys([key])
