from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.topology import EVENT_CONTENT_TYPE as TOPOLOGY_CONTENT_TYPE
from schemas.events import EVENT_CONTENT_TYPE, EVENT_TYPES, MAX_EVENT_BYTES, new_event
from schemas.reading import EventRefused, read_event

# The example of DESIGN 7, word for word.
DESIGN_EXAMPLE = {
    "specversion": "1.0",
    "id": "5f3c",
    "source": "/instances/shop/magento",
    "type": "magento.order.saved",
    "subject": "42",
    "time": "2026-11-01T10:20:31Z",
    "datacontenttype": "application/json",
    "data": {"id": 42, "version": "2026-11-01 10:20:30"},
}
GONE = object()


def body(**changes):
    merged = {**DESIGN_EXAMPLE, **changes}
    return json.dumps({name: value for name, value in merged.items() if value is not GONE}).encode()


def refusal(content, **options):
    with pytest.raises(EventRefused) as caught:
        read_event(content, **options)
    return caught.value


def test_the_design_example_is_read_as_it_stands():
    event = read_event(body())
    assert (event.instance, event.system, event.type) == ("shop", "magento", "magento.order.saved")
    assert (event.data.id, event.data.version) == (42, "2026-11-01 10:20:30")
    assert event.time == datetime(2026, 11, 1, 10, 20, 31, tzinfo=UTC)


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_every_type_survives_the_way_through_a_message(event_type):
    event = new_event(event_type, "shop", record_id=7, version="2026-11-01 10:20:30.123456")
    assert read_event(event.to_bytes()) == event


@given(
    record_id=st.integers(1, 2**63 - 1),
    event_id=st.text(
        st.characters(min_codepoint=32, exclude_characters="\x7f", codec="utf-8"), min_size=1, max_size=99
    ),
)
def test_any_id_survives_the_way_through_a_message(record_id, event_id):
    event = new_event("odoo.stock.changed", "shop", record_id=record_id, event_id=event_id)
    assert read_event(event.to_bytes()) == event


def test_what_is_optional_may_be_left_out():
    content = body(subject=GONE, time=GONE, datacontenttype=GONE, data={"id": 42})
    assert read_event(content).data.version is None


def test_extension_attributes_and_unknown_members_of_the_payload_are_left_out():
    event = read_event(body(mycompanytag="x", data={"id": 42, "grand_total": "12.00"}))
    assert b"12.00" not in event.to_bytes()
    assert b"mycompanytag" not in event.to_bytes()


def test_the_trace_context_is_kept():
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert read_event(body(traceparent=trace)).traceparent == trace


def test_the_first_number_of_a_payload_may_be_named():
    assert read_event(body(dataschema="urn:commercebridge:magento.order.saved:1")).data.id == 42


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"specversion": "0.3"}, "wrong_version"),
        ({"specversion": GONE}, "wrong_version"),
        ({"dataschema": "urn:commercebridge:magento.order.saved:2"}, "wrong_version"),
        ({"dataschema": "https://example.com/schema"}, "wrong_version"),
        ({"type": "magento.order.deleted"}, "unknown_type"),
        ({"type": GONE}, "unknown_type"),
        ({"type": None}, "unknown_type"),
        ({"id": GONE}, "invalid"),
        ({"id": ""}, "invalid"),
        ({"id": "a\nb"}, "invalid"),
        ({"id": "x" * 257}, "invalid"),
        ({"source": "/instances/shop"}, "invalid"),
        ({"source": "/instances/../magento"}, "invalid"),
        ({"source": "/instances/shop/magento\n"}, "invalid"),
        ({"source": "/instances//magento"}, "invalid"),
        ({"source": "/instances/" + "x" * 65 + "/magento"}, "invalid"),
        ({"source": "/instances/shop/odoo"}, "invalid"),
        ({"subject": "43"}, "invalid"),
        ({"time": "2026-11-01T10:20:31"}, "invalid"),
        ({"time": 1793528431}, "invalid"),
        ({"datacontenttype": "text/xml"}, "invalid"),
        ({"traceparent": "00-zz"}, "invalid"),
        ({"data": GONE}, "invalid"),
        ({"data": None}, "invalid"),
        ({"data": []}, "invalid"),
        ({"data": {"id": "42"}}, "invalid"),
        ({"data": {"id": True}}, "invalid"),
        ({"data": {"id": 42.5}}, "invalid"),
        ({"data": {"id": 0}, "subject": GONE}, "invalid"),
        ({"data": {"id": -1}, "subject": GONE}, "invalid"),
        ({"data": {"id": 2**63}, "subject": GONE}, "invalid"),
        ({"data": {"id": 42, "version": "2026-11-01T10:20:30Z"}}, "invalid"),
        ({"data": {"id": 42, "version": 1793528431}}, "invalid"),
    ],
)
def test_a_wrong_member_is_refused_with_the_right_reason(changes, reason):
    assert refusal(body(**changes)).reason == reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "unreadable_json"),
        (b"{", "unreadable_json"),
        (b"id=42", "unreadable_json"),
        (b"[" * 100_000, "unreadable_json"),
        (b"9" * 900_000, "unreadable_json"),
        (b"null", "invalid"),
        (b"[]", "invalid"),
        (b'"text"', "invalid"),
        (b"{}", "unknown_type"),
        (b"\xff\xfe{\x00}\x00", "wrong_encoding"),
        (json.dumps(DESIGN_EXAMPLE).encode("utf-16"), "wrong_encoding"),
        (body(id="\u00e9").decode().encode("utf-8").replace(b"\\u00e9", b"\xe9"), "wrong_encoding"),
        (b"\xef\xbb\xbf" + body(), "wrong_encoding"),
        (b" " * (MAX_EVENT_BYTES + 1), "too_large"),
        (b"\x00" * 10_000_000, "too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_body_that_is_no_event_is_refused_with_the_right_reason(content, reason):
    assert refusal(content).reason == reason


@pytest.mark.parametrize(
    "options",
    [
        {"content_type": "text/plain"},
        {"content_type": "application/cloudevents+json; charset=iso-8859-1"},
        {"content_encoding": "gzip"},
        {"content_encoding": "base64"},
    ],
)
def test_another_encoding_than_utf8_json_is_refused(options):
    assert refusal(body(), **options).reason == "wrong_encoding"


@pytest.mark.parametrize(
    "options",
    [
        {"content_type": None},
        {"content_type": "application/json"},
        {"content_type": 'application/cloudevents+json; charset="UTF-8"'},
        {"content_encoding": "utf-8"},
        {"content_encoding": "identity"},
    ],
)
def test_every_way_to_say_utf8_json_is_taken(options):
    assert read_event(body(), **options).data.id == 42


def test_a_refusal_names_the_field_and_never_the_value():
    said = str(refusal(body(data={"id": "anna@example.com"})))
    assert "data.id" in said
    assert "anna" not in said


def test_a_body_at_the_limit_is_read():
    padding = MAX_EVENT_BYTES - len(body(pad=""))
    assert len(content := body(pad="x" * padding)) == MAX_EVENT_BYTES
    assert read_event(content).data.id == 42


def test_an_event_cannot_be_changed_afterwards():
    event = new_event("magento.order.saved", "shop", record_id=1)
    with pytest.raises(ValidationError):
        event.id = "other"


def test_an_event_that_could_not_be_read_cannot_be_made():
    with pytest.raises(ValidationError):
        new_event("magento.order.saved", "shop/../x", record_id=1)
    with pytest.raises(KeyError):
        new_event("magento.order.eaten", "shop", record_id=1)


def test_both_places_name_the_same_content_type():
    assert EVENT_CONTENT_TYPE == TOPOLOGY_CONTENT_TYPE
