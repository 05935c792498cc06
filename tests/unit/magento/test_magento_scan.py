"""The scan against a table that changes while it is read: no row is ever lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import InvalidRecord, ServiceRejected
from bridge.magento import MagentoClient, OAuthSecret, ScanCursor
from bridge.magento.scan import SETTLE_SECONDS, begin, next_page
from bridge.magento.search import magento_time, parse_magento_time

RECORDINGS = Path(__file__).parents[2] / "recordings" / "magento"
START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Table:
    """Orders with their ``updated_at``, answering lists as Magento does."""

    def __init__(self):
        self.now = START
        self.rows: dict[int, datetime] = {}
        self.calls = 0

    def touch(self, entity_id):
        self.rows[entity_id] = self.now

    def page(self, cursor, page_size):
        self.calls += 1
        found = sorted((moment, entity_id) for entity_id, moment in self.rows.items())
        if cursor.after_id is None:
            found = [pair for pair in found if pair[0] >= cursor.since]
        else:
            found = [pair for pair in found if pair[0] == cursor.since and pair[1] > cursor.after_id]
        rows = [{"entity_id": pair[1], "updated_at": magento_time(pair[0])} for pair in found[:page_size]]
        return next_page(cursor, rows, total=len(found), page_size=page_size, server_now=self.now)


def scan_all(table, cursor, seen, *, page_size, between=lambda: None):
    """Scan to the end; ``seen`` gets each row with the newest ``updated_at`` read."""
    for _ in range(10_000):
        page = table.page(ScanCursor.from_dict(json.loads(json.dumps(cursor.as_dict()))), page_size)
        for row in page.rows:
            moment = parse_magento_time(row["updated_at"])
            seen[row["entity_id"]] = max(moment, seen.get(row["entity_id"], moment))
        cursor = page.cursor
        if page.is_last:
            return cursor
        between()
    raise AssertionError("the scan does not end")


@pytest.mark.parametrize("page_size", [1, 3, 7, 100, 1000, 1001])
def test_a_thousand_rows_in_one_second_are_all_read(page_size):
    table = Table()
    for entity_id in range(1, 1001):
        table.touch(entity_id)
    table.touch(2000)
    table.now += timedelta(hours=1)
    table.touch(3000)
    table.now += timedelta(hours=1)
    seen: dict[int, datetime] = {}
    scan_all(table, begin(START), seen, page_size=page_size)
    assert seen == table.rows
    assert table.calls <= 1003 // page_size + 5


@given(st.integers(), st.integers(1, 5), st.integers(0, 3))
def test_no_change_is_lost_whatever_is_written_while_scanning(seed, page_size, speed):
    """Rows change between pages, in the same second and with lower ids, and the clock goes on."""
    random = Random(seed)
    table = Table()
    for entity_id in range(1, 15):
        table.now += timedelta(seconds=random.choice([0, 0, 0, 1, 30]))
        table.touch(entity_id)
    changes = 60

    def disturb():
        nonlocal changes
        if changes > 0:
            changes -= 1
            for _ in range(random.randint(0, 3)):
                table.touch(random.randint(1, 30))
            table.now += timedelta(seconds=random.choice([0, 0, 1, speed, 7 * speed]))
            for _ in range(random.randint(0, 2)):
                table.touch(random.randint(1, 30))

    seen: dict[int, datetime] = {}
    cursor = begin(START)
    for _ in range(4):
        cursor = scan_all(table, cursor, seen, page_size=page_size, between=disturb)
        disturb()
    table.now += timedelta(seconds=2 * SETTLE_SECONDS)
    scan_all(table, cursor, seen, page_size=page_size)
    assert seen == table.rows


def test_the_next_scan_begins_where_a_second_was_still_open():
    table = Table()
    table.touch(5)
    cursor = scan_all(table, begin(START - timedelta(days=1)), {}, page_size=10)
    assert cursor.since == START - timedelta(seconds=SETTLE_SECONDS)
    table.touch(4)  # In the same second, behind the scan's back.
    seen: dict[int, datetime] = {}
    scan_all(table, cursor, seen, page_size=10)
    assert 4 in seen


def test_an_idle_shop_costs_one_call_and_the_cursor_stays_at_the_last_row():
    table = Table()
    table.touch(1)
    table.now += timedelta(hours=3)
    cursor = scan_all(table, begin(START), {}, page_size=10)
    assert cursor == ScanCursor(since=START)
    table.now += timedelta(hours=3)
    table.calls = 0
    assert scan_all(table, cursor, {}, page_size=10) == cursor
    assert table.calls == 1


def test_a_page_that_the_shop_cuts_without_a_word_is_not_taken_for_the_last():
    rows = [{"entity_id": number, "updated_at": f"2026-11-23 12:00:0{number}"} for number in (1, 2)]
    page = next_page(begin(START), rows, total=9, page_size=100, server_now=START + timedelta(days=1))
    assert not page.is_last
    assert page.cursor.since == START + timedelta(seconds=2)


@pytest.mark.parametrize(
    "rows",
    [
        [
            {"entity_id": 1, "updated_at": "2026-11-23 12:00:05"},
            {"entity_id": 2, "updated_at": "2026-11-23 12:00:01"},
        ],
        [
            {"entity_id": 2, "updated_at": "2026-11-23 12:00:01"},
            {"entity_id": 1, "updated_at": "2026-11-23 12:00:01"},
        ],
        [{"entity_id": 1, "updated_at": "2020-01-01 00:00:00"}],
        [{"entity_id": 1, "updated_at": None}],
        [{"entity_id": "1", "updated_at": "2026-11-23 12:00:05"}],
        [{}],
    ],
)
def test_rows_other_than_asked_for_stop_the_scan(rows):
    with pytest.raises(InvalidRecord):
        next_page(begin(START), rows, total=len(rows), page_size=1, server_now=START)


def client_of(reply):
    secret = OAuthSecret(consumer_key="a", consumer_secret="b", access_token="c", access_token_secret="d")
    return MagentoClient.connect(
        base_url="https://magento.example.test", secret=secret, transport=httpx.MockTransport(reply)
    )


def test_the_filters_and_orders_are_those_that_were_proven_on_a_live_shop():
    """``rules/012-scan-many-rows-in-one-second``: gteq with both orders, then eq with the id alone."""
    calls = json.loads((RECORDINGS / "rules/012-scan-many-rows-in-one-second.json").read_text())["exchanges"]
    whole, inside = calls[0]["request"]["query"], calls[3]["request"]["query"]
    for cursor, proven in ((begin(START), whole), (ScanCursor(since=START, after_id=9), inside)):
        conditions = [v for k, v in proven.items() if "condition_type" in k][1:]
        fields = [v for k, v in proven.items() if "filters" in k and k.endswith("[field]")][1:]
        orders = [v for k, v in proven.items() if "sortOrders" in k and k.endswith("[field]")]
        assert [item.condition for item in cursor.filters] == conditions
        assert [item.field for item in cursor.filters] == fields
        assert list(cursor.sort) == orders


def test_the_recorded_pages_lead_to_the_recorded_next_calls():
    calls = json.loads((RECORDINGS / "rules/012-scan-many-rows-in-one-second.json").read_text())["exchanges"]

    def cursor_of(query):
        values = [v for k, v in query.items() if "filters" in k and k.endswith("[value]")][1:]
        since = parse_magento_time(values[0])
        return ScanCursor(since=since, after_id=int(values[1]) if len(values) > 1 else None)

    late = datetime(2026, 11, 24, tzinfo=UTC)
    for call, following in pairwise(calls):
        found = call["response"]["json"]
        rows = [{"entity_id": row["id"], "updated_at": row["updated_at"]} for row in found["items"] or []]
        page = next_page(
            cursor_of(call["request"]["query"]),
            rows,
            total=found["total_count"],
            page_size=3,
            server_now=late,
        )
        assert page.cursor == cursor_of(following["request"]["query"])
        assert not page.is_last


def test_a_shop_that_limits_the_page_is_asked_for_less_from_then_on():
    """``errors/027-limit-page-size-over-maximum``."""
    refused = json.loads((RECORDINGS / "errors/027-limit-page-size-over-maximum.json").read_text())[
        "response"
    ]
    sizes = []

    def reply(request):
        sizes.append(int(request.url.params["searchCriteria[pageSize]"]))
        if sizes[-1] > 50:
            return httpx.Response(400, json=refused["json"])
        return httpx.Response(200, json={"items": None, "total_count": 0})

    client = client_of(reply)
    assert client.scan_orders(updated_from=START, page_size=100).is_last
    assert client.scan_orders(updated_from=START, page_size=100).is_last
    assert sizes == [100, 50, 50]


def test_a_shop_that_refuses_any_page_size_does_not_loop():
    def reply(request):
        return httpx.Response(
            400, json={"message": "Maximum SearchCriteria pageSize is %max", "parameters": {"max": 999}}
        )

    with pytest.raises(ServiceRejected):
        client_of(reply).scan_orders(updated_from=START)


def test_magentos_own_clock_decides_which_second_is_open():
    def reply(request):
        body = {"items": [{"entity_id": 1, "updated_at": "2026-11-23 12:00:00"}], "total_count": 1}
        return httpx.Response(200, json=body, headers={"Date": "Mon, 23 Nov 2026 12:00:03 GMT"})

    page = client_of(reply).scan_orders(updated_from=START - timedelta(days=1))
    assert page.is_last
    assert page.cursor.since == START + timedelta(seconds=3 - SETTLE_SECONDS)
