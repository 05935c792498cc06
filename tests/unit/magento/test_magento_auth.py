from __future__ import annotations

import json
import logging

import httpx
import pytest

from bridge.errors import SettingsWrong
from bridge.magento.auth import BearerSecret, OAuthSecret, auth_for, parse_secret, secret_values

FOUR = {
    "consumer_key": "ck-value",
    "consumer_secret": "cs-value",
    "access_token": "at-value",
    "access_token_secret": "ats-value",
}


def test_json_with_four_keys_is_oauth():
    secret = parse_secret(
        json.dumps({**FOUR, "access_token": " at-value\n", "comment": "from the admin"}) + "\n"
    )
    assert secret == OAuthSecret(**FOUR)
    assert secret_values(secret) == tuple(FOUR.values())


def test_anything_else_is_a_bearer_token():
    assert parse_secret(" abc\n") == BearerSecret(access_token="abc")


@pytest.mark.parametrize("missing", FOUR)
@pytest.mark.parametrize("value", [None, "", "  ", 7, "a b", "\u00e9", "a\nb"])
def test_a_key_that_cannot_be_one_is_named_and_not_shown(missing, value):
    with pytest.raises(SettingsWrong) as caught:
        parse_secret(json.dumps({**FOUR, missing: value}))
    assert caught.value.details["key"] == missing
    assert "-value" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "   ", "a b", '{"consumer_key": ', "{}"])
def test_a_secret_that_cannot_be_one_is_refused(text):
    with pytest.raises(SettingsWrong):
        parse_secret(text)


def test_a_bearer_secret_that_cannot_be_sent_is_refused_when_connecting():
    with pytest.raises(SettingsWrong):
        auth_for(BearerSecret(access_token="a\r\nX: y"))


def test_secrets_show_in_no_repr():
    shown = (
        repr(OAuthSecret(**FOUR))
        + repr(BearerSecret(access_token="at-value"))
        + repr(auth_for(OAuthSecret(**FOUR)))
    )
    assert "-value" not in shown


def test_signing_logs_nothing_of_the_keys(caplog):
    caplog.set_level(logging.DEBUG)
    request = httpx.Request("GET", "https://magento.example.test/rest/all/V1/orders?a=b")
    next(auth_for(OAuthSecret(**FOUR)).auth_flow(request))
    assert request.headers["Authorization"].startswith("OAuth ")
    assert "-value" not in caplog.text
