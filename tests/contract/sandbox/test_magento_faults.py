"""The faults of the sandbox, seen by a client over real HTTP: what was lost, and what had happened."""

from __future__ import annotations

import threading
import time

import httpx
import pytest

from bridge.sandbox.calls import Calls
from bridge.sandbox.faults import Faults
from bridge.sandbox.magento_box import MagentoBox


@pytest.fixture
def box():
    box = MagentoBox(calls=Calls())
    yield box
    box.stop()


@pytest.fixture
def client(box):
    with httpx.Client(
        base_url=box.url, headers={"Authorization": f"Bearer {box.admin_token}"}, timeout=10
    ) as client:
        yield client


def save(client, text):
    return client.post("/rest/V1/orders", json={"entity": {"entity_id": 1, "ext_order_id": text}})


def saved(box):
    return box.orders.get(1).get("ext_order_id")


def test_a_cut_before_the_commit_loses_request_and_effect(box, client):
    shot = box.faults.once("cut_before", path_contains="/orders")
    with pytest.raises(httpx.TransportError):
        save(client, "S1")
    assert shot.fired.is_set()
    assert saved(box) is None


def test_a_cut_after_the_commit_loses_only_the_answer(box, client):
    box.faults.once("cut_after", path_contains="/V1/orders")
    with pytest.raises(httpx.TransportError):
        save(client, "S1")
    assert saved(box) == "S1"
    assert save(client, "S2").status_code == 200


def test_a_cut_in_the_body_is_seen_as_a_broken_answer(box, client):
    box.faults.once("cut_body")
    with pytest.raises(httpx.TransportError), client.stream("GET", "/rest/V1/orders/1") as response:
        assert response.status_code == 200
        response.read()


def test_a_gateway_that_gives_up_after_the_commit_answers_504(box, client):
    box.faults.once("error_after")
    assert save(client, "S1").status_code == 504
    assert saved(box) == "S1"


def test_a_gateway_error_comes_in_html_text_and_nothing_and_the_shop_was_not_reached(box, client):
    box.faults.set(error_5xx=1.0)
    answers = [save(client, "S1") for _ in range(30)]
    assert {answer.status_code for answer in answers} == {502, 503, 504}
    assert {answer.headers["content-type"].split(";")[0] for answer in answers} == {"text/html", "text/plain"}
    assert saved(box) is None


def test_magentos_own_500_comes_in_its_three_forms(box, client):
    box.faults.set(error_500=1.0)
    texts = {client.get("/rest/V1/orders/1").text[:9] for _ in range(30)}
    assert texts == {'{"message', "An error ", "<!doctype"}


def test_too_many_requests_name_the_seconds_to_wait(box, client):
    box.faults.once("rate_429", seconds=7)
    answer = client.get("/rest/V1/orders/1")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert client.get("/rest/V1/orders/1").status_code == 200


def test_a_trickled_answer_arrives_whole_but_late(box, client):
    box.faults.once("trickle", seconds=0.0005)
    answer = client.get("/rest/V1/orders/1", params={"fields": "increment_id"})
    assert answer.json() == {"increment_id": "000000001"}


def test_a_held_request_runs_when_it_is_released_even_if_its_client_is_gone(box, client):
    hold = box.faults.hold("/orders")
    with pytest.raises(httpx.ReadTimeout):
        client.post("/rest/V1/orders", json={"entity": {"entity_id": 1, "ext_order_id": "late"}}, timeout=0.2)
    assert hold.fired.wait(5)
    assert saved(box) is None
    assert save(client, "early").status_code == 200
    hold.release()
    wait_until(lambda: saved(box) == "late")


def test_a_hold_after_the_commit_keeps_only_the_answer_back(box, client):
    hold = box.faults.hold("/orders", after_commit=True)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(save(client, "S1").status_code))
    thread.start()
    wait_until(lambda: saved(box) == "S1")
    assert answers == []
    hold.release()
    thread.join(5)
    assert answers == [200]


def test_a_stale_read_answers_the_version_before_the_last_change(box, client):
    before = client.get("/rest/V1/orders/1").json()
    save(client, "S1")
    box.faults.once("stale_reads", times=2)
    assert client.get("/rest/V1/orders/1").json() == before
    listed = client.get("/rest/V1/orders", params={"searchCriteria[pageSize]": 1}).json()["items"][0]
    assert listed == before
    assert client.get("/rest/V1/orders/1").json()["ext_order_id"] == "S1"


def test_latency_is_waited_out_before_the_shop_works(box, client):
    box.faults.once("latency", seconds=0.05)
    started = time.monotonic()
    assert client.get("/rest/V1/orders/1").status_code == 200
    assert time.monotonic() - started >= 0.05


def test_shares_are_kept_and_only_what_fits_is_hit(box, client):
    box.faults.set(rate_429=0.5, only=lambda call: call.method == "GET")
    statuses = [client.get("/rest/V1/orders/1").status_code for _ in range(60)]
    assert 10 < statuses.count(429) < 50
    assert save(client, "S1").status_code == 200
    assert box.faults.thrown() == {"rate_429": statuses.count(429)}
    box.faults.clear()
    assert all(client.get("/rest/V1/orders/1").status_code == 200 for _ in range(20))


def test_an_unknown_fault_is_refused_by_name():
    with pytest.raises(ValueError, match="cut_befor"):
        Faults().set(cut_befor=1.0)
    with pytest.raises(ValueError, match="nope"):
        Faults().once("nope")


def test_requests_are_counted_by_operation_and_the_last_ones_kept_whole(box, client):
    for entity_id in (1, 2, 2):
        client.get(f"/rest/all/V1/orders/{entity_id}")
    client.get("/rest/V1/store/websites")
    assert box.calls.counts("magento") == {
        ("magento", "GET", "/V1/orders/{id}"): 3,
        ("magento", "GET", "/V1/store/websites"): 1,
    }
    assert box.calls.total(contains="orders") == 3
    assert [call.path for call in box.calls.last("magento")][:2] == [
        "/rest/all/V1/orders/1",
        "/rest/all/V1/orders/2",
    ]
    assert box.calls.total("odoo") == 0
    assert box.calls.peak("magento") == 1
    box.calls.reset()
    assert box.calls.total() == 0


def test_generated_orders_are_served_the_recorded_ones_first(box, client):
    orders = box.generate_orders(40)
    assert [order["entity_id"] for order in orders] == list(range(1, 41))
    assert len(box.generate_orders(5)) == 5
    assert client.get("/rest/V1/orders/40").json() == orders[39]
    found = client.get(
        "/rest/V1/orders",
        params={
            "searchCriteria[filter_groups][0][filters][0][field]": "increment_id",
            "searchCriteria[filter_groups][0][filters][0][value]": orders[39]["increment_id"],
            "fields": "items[entity_id],total_count",
        },
    )
    assert found.json() == {"items": [{"entity_id": 40}], "total_count": 1}
    assert len(box.orders) == 45


def test_every_product_of_a_generated_order_is_in_the_catalog(box, client):
    for order in box.generate_orders(120):
        for line in order["items"]:
            assert box.catalog.get(line["product_id"]) is not None


def wait_until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)
