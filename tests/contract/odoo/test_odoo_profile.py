"""What is learned of a database before anything is translated, by the answers that were recorded."""

from __future__ import annotations

import json
from typing import Any

import httpx
import odoo_replay as replay
import pytest
from odoo_replay import Server, respond_json

from bridge.errors import AccessMissing, SettingsWrong

VERSIONS = (16, 18, 19)


class Database:
    """Answers the reads of the profile: company and precisions as recorded, the rest made."""

    def __init__(self, version: int, *, refused: tuple[str, ...] = (), unknown: tuple[str, ...] = ()) -> None:
        self.version = version
        self.refused = refused
        self.unknown = unknown
        self.email: Any = "bridge@example.com"
        self.calls: list[tuple[str, str, list[str]]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        model, method, arguments = self._call(request)
        wanted = next(
            (one for one in arguments if isinstance(one, list) and one and isinstance(one[0], str)), []
        )
        self.calls.append((model, method, wanted))
        if model in self.refused:
            return self._fault("errors/access-error-model")
        if model in self.unknown:
            return self._fault("auth/unknown-model")
        rows: dict[str, list[dict[str, Any]]] = {
            "res.users": [{"id": 2, "company_id": [1, "My Company"], "email": self.email}],
            "res.company": replay.recording(self.version, "orders/company-tax-settings").response["json"][
                "result"
            ],
            "res.currency": [{"id": 1, "name": "USD", "decimal_places": 2}],
        }
        result: Any = [1]
        if method == "fields_get":
            result = replay.recording(self.version, "orders/line-digits").response["json"]["result"]
        elif method == "read":
            result = rows[model]
        return respond_json(result if self.version == 19 else {"jsonrpc": "2.0", "id": 1, "result": result})

    def _call(self, request: httpx.Request) -> tuple[str, str, list[Any]]:
        body = json.loads(request.content)
        if self.version == 19:
            _, _, _, model, method = request.url.path.split("/")
            return model, method, [body.get("domain"), body.get("fields")]
        _, _, _, model, method, arguments, _ = body["params"]["args"]
        return model, method, arguments

    def _fault(self, name: str) -> httpx.Response:
        if self.version == 19:
            data = replay.recording(19, name).response["json"]["error"]["data"]
            return respond_json(data, 403 if "access" in name else 404)
        return replay.answer_of(replay.recording(self.version, name))


@pytest.mark.parametrize(
    ("version", "rounding"), [(16, "round_per_line"), (18, "round_per_line"), (19, "round_globally")]
)
def test_a_profile_holds_what_translation_needs(version: int, rounding: str):
    database = Database(version)
    profile = replay.client(Server(database), version=version, uid=2).profile()

    assert profile.version.major == version
    assert (profile.uid, profile.user_has_email) == (2, True)
    assert (profile.company_id, profile.currency, profile.currency_digits) == (1, "USD", 2)
    assert profile.currency_id == (2 if version == 16 else 1)
    assert profile.rounding_method == rounding
    # 19 cuts no price.
    assert profile.price_digits == (8 if version == 19 else 2)
    assert (profile.quantity_digits, profile.discount_digits) == (2, 2)
    assert profile.apps == {"sale": "usable", "stock": "usable", "account": "usable"}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_profile_is_read_once_and_again_when_it_is_old(version: int):
    database = Database(version)
    client = replay.client(Server(database), version=version, uid=2)

    first = client.profile()
    calls = len(database.calls)
    assert client.profile() is first
    assert client.recording(lambda _: None).profile() is first
    assert len(database.calls) == calls

    database.email = False
    assert client.profile(max_age_seconds=0).user_has_email is False


@pytest.mark.parametrize("version", VERSIONS)
def test_an_app_that_is_not_installed_is_told_from_one_that_may_not_be_used(version: int):
    database = Database(version, refused=("stock.picking",), unknown=("sale.order",))
    profile = replay.client(Server(database), version=version, uid=2).profile()
    assert profile.apps == {"sale": "not_installed", "stock": "no_right", "account": "usable"}


@pytest.mark.parametrize("version", VERSIONS)
def test_without_the_accounting_app_its_field_is_not_asked_for(version: int):
    database = Database(version, unknown=("account.move",))
    client = replay.client(Server(database), version=version, uid=2)
    client.profile()
    (company,) = [fields for model, _, fields in database.calls if model == "res.company"]
    assert company == ["currency_id"]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_only_administrators_may_read_is_not_asked_for(version: int):
    database = Database(version)
    replay.client(Server(database), version=version, uid=2).profile()
    assert "decimal.precision" not in {model for model, _, _ in database.calls}


@pytest.mark.parametrize("version", VERSIONS)
def test_without_the_sales_app_its_fields_are_not_asked_for(version: int):
    database = Database(version, unknown=("sale.order", "sale.order.line"))
    profile = replay.client(Server(database), version=version, uid=2).profile()
    assert (profile.price_digits, profile.quantity_digits, profile.discount_digits) == (2, 2, 2)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_user_who_may_not_read_the_company_is_told_the_groups(version: int):
    database = Database(version, refused=("res.company",))
    with pytest.raises(AccessMissing) as caught:
        replay.client(Server(database), version=version, uid=2).profile()
    assert caught.value.details["groups"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_wrong_database_is_not_taken_for_a_missing_app(version: int):
    if version == 19:
        answer = replay.recording(19, "auth/json2-db-header-wrong")
    else:
        answer = replay.recording(version, "auth/execute-kw-wrong-db")
    client = replay.client(Server(lambda _: replay.answer_of(answer)), version=version, uid=2)
    with pytest.raises(SettingsWrong) as caught:
        client.profile()
    assert caught.value.details["reason"] == "wrong_database"
