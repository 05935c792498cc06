"""Stores, taxes, directory, modules, customers and tokens over REST: read only, as recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from bridge.sandbox.magento.ask import Ask, Endpoint, Handler
from bridge.sandbox.magento.orders_api import found, limited
from bridge.sandbox.magento.rest import Raw, RestError, field_required
from bridge.sandbox.magento.search import Column, parse_criteria


def _stored(name: str) -> Handler:
    return lambda ask: ask.state.stores[name]


def _store_list(name: str, rows: Callable[[Ask], list[Raw]] | None = None) -> Handler:
    """Return a handler of ``/store/...``: the list, or what an extension makes of it."""

    def answer(ask: Ask) -> Any:
        changed = ask.state.switches.store_answers
        if name in changed:
            return changed[name]
        return ask.state.stores[name] if rows is None else rows(ask)

    return answer


def _search(rows: Callable[[Ask], Iterable[Raw]]) -> Handler:
    """Return a handler that searches rows by any of their own fields."""

    def answer(ask: Ask) -> Raw:
        table = list(rows(ask))
        names = {name for row in table for name in row}
        columns: dict[str, Column] = {name: lambda row, name=name: row.get(name) for name in names}  # type: ignore[misc]
        columns["entity_id"] = lambda row: row.get("id")
        return found(
            table, limited(ask, parse_criteria(ask.query)), columns, dates=("created_at", "updated_at")
        )

    return answer


def store_configs(ask: Ask) -> list[Raw]:
    """Answer the settings of all store views, or of those in ``storeCodes[]`` (``stores/016``)."""
    wanted = {value for name, value in ask.query if name.startswith("storeCodes")}
    return [row for row in ask.state.stores["storeConfigs"] if not wanted or row["code"] in wanted]


def get_country(ask: Ask) -> Any:
    """Answer a country of the directory (``stores/015``)."""
    country = ask.state.stores["countries"].get(ask.path["id"])
    if country is None:
        raise RestError(404, "The country isn't available.")
    return country


def get_customer(ask: Ask) -> Raw:
    """Answer a customer, or 404 (``customers/006-customer-get-unknown``)."""
    if ask.path["id"] == "me":
        raise field_required("customerId")
    customer_id = ask.integer("id")
    if customer_id not in ask.state.customers:
        raise RestError(
            404,
            "No such entity with %fieldName = %fieldValue",
            {"fieldName": "customerId", "fieldValue": customer_id},
        )
    return ask.state.customers[customer_id]


def admin_token(ask: Ask) -> str:
    """Answer a token for an administrator, valid while the sandbox lives (``auth/028``)."""
    token = _token(ask, ask.state.admins)
    ask.state.guard.admin_tokens.add(token)
    return token


def customer_token(ask: Ask) -> str:
    """Answer a token for a customer, which opens no administrator's endpoint (``auth/026``, ``027``)."""
    return _token(ask, ask.state.customer_passwords)


def _token(ask: Ask, passwords: dict[str, str]) -> str:
    content = ask.content()
    for name in ("username", "password"):
        if name not in content:
            raise field_required(name)
    user = str(content["username"])
    if passwords.get(user) != content["password"]:
        raise RestError(
            401,
            "The account sign-in was incorrect or your account is disabled temporarily. "
            "Please wait and try again later.",
        )
    return f"sandbox.{hashlib.sha256(user.encode()).hexdigest()}.{len(passwords)}"


_STORE = "Magento_Backend::store"
_TAX = "Magento_Tax::manage_tax"
_CUSTOMER = "Magento_Customer::customer"

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "store/websites", _STORE, _store_list("websites")),
    Endpoint("GET", "store/storeGroups", _STORE, _store_list("storeGroups")),
    Endpoint("GET", "store/storeViews", _STORE, _store_list("storeViews")),
    Endpoint("GET", "store/storeConfigs", _STORE, _store_list("storeConfigs", store_configs)),
    Endpoint("GET", "modules", "Magento_Backend::admin", _stored("modules")),
    Endpoint("GET", "directory/currency", None, _stored("currency")),
    Endpoint("GET", "directory/countries/:id", None, get_country),
    Endpoint("GET", "taxRates/search", _TAX, _search(lambda ask: ask.state.stores["taxRates"])),
    Endpoint("GET", "taxRules/search", _TAX, _search(lambda ask: ask.state.stores["taxRules"])),
    Endpoint("GET", "taxClasses/search", _TAX, _search(lambda ask: ask.state.stores["taxClasses"])),
    Endpoint(
        "GET",
        "customerGroups/search",
        "Magento_Customer::group",
        _search(lambda ask: ask.state.stores["customerGroups"]),
    ),
    Endpoint("GET", "customers/search", _CUSTOMER, _search(lambda ask: ask.state.customers.values())),
    Endpoint("GET", "customers/:id", _CUSTOMER, get_customer),
    Endpoint("POST", "integration/admin/token", None, admin_token),
    Endpoint("POST", "integration/customer/token", None, customer_token),
)
