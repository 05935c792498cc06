"""Times as people write them: ``15m``, ``2h``, ``off``."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bridge.every import every_text, parse_every
from bridge.settings import InstanceSettings

SHOP = {"base_url": "http://127.0.0.1:9", "odoo_url": "http://127.0.0.1:9", "odoo_db": "o", "odoo_user": "u"}


@pytest.mark.parametrize(
    ("text", "seconds", "again"),
    [
        ("15m", 900, "15m"),
        (" 90M ", 5400, "90m"),
        ("120m", 7200, "2h"),
        ("24h", 86_400, "1d"),
        ("off", None, "off"),
    ],
)
def test_a_time_is_read_and_written_in_its_largest_unit(text: str, seconds: int | None, again: str):
    assert parse_every(text) == seconds
    assert every_text(seconds) == again


@pytest.mark.parametrize(
    "text", ["", "0m", "15", "15s", "1.5h", "-5m", "32d", "999999d", "m", "never", "1h30m"]
)
def test_what_is_no_time_is_refused_with_an_example(text: str):
    with pytest.raises(ValueError, match="such as 15m, 2h or 1d"):
        parse_every(text)


def test_the_setting_has_one_form():
    found = InstanceSettings(**SHOP, schedules=" import-products = 60m, import-customers=off,")
    assert found.schedules == "import-customers=off,import-products=1h"
    assert (found.scheduled("import-products"), found.scheduled("import-orders")) == ("1h", None)
    assert InstanceSettings(**SHOP).scheduled("import-orders") is None


@pytest.mark.parametrize("text", ["import-product=5m", "import-products", "import-products=soon", "off"])
def test_a_wrong_setting_is_refused(text: str):
    with pytest.raises(ValidationError, match="must be"):
        InstanceSettings(**SHOP, schedules=text)
