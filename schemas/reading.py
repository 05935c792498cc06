"""Reads the body of a message as an event, or says in plain English why it is none."""

from __future__ import annotations

from typing import Literal

from pydantic import TypeAdapter, ValidationError

from schemas.events import DATA_VERSION, EVENT_CONTENT_TYPE, EVENT_TYPES, MAX_EVENT_BYTES, Envelope, Event

Refusal = Literal[
    "too_large", "wrong_encoding", "unreadable_json", "unknown_type", "wrong_version", "invalid"
]

_ADAPTER: TypeAdapter[Envelope] = TypeAdapter(Event)
_CONTENT_TYPES = frozenset({EVENT_CONTENT_TYPE, "application/json"})
#: Fields of the envelope whose wrong value means that publisher and bridge speak different versions.
_VERSION_FIELDS = frozenset({"specversion", "dataschema"})


class EventRefused(ValueError):
    """The message is not an event that the bridge can read."""

    def __init__(self, reason: Refusal, message: str) -> None:
        super().__init__(message)
        #: Static name of the reason.
        self.reason: Refusal = reason


def read_event(
    body: bytes, *, content_type: str | None = EVENT_CONTENT_TYPE, content_encoding: str | None = None
) -> Envelope:
    """Return the event in ``body``.

    Raises:
        EventRefused: the body is none. The message names fields, never values: those may be personal.
    """
    if len(body) > MAX_EVENT_BYTES:
        raise EventRefused(
            "too_large", f"The body has {len(body):,} bytes; an event has at most {MAX_EVENT_BYTES:,}."
        )
    _check_encoding(body, content_type, content_encoding)
    try:
        return _ADAPTER.validate_json(body)
    except ValidationError as exc:
        raise _refusal(exc) from None
    except RecursionError:
        raise EventRefused("unreadable_json", "The JSON is nested too deeply.") from None


def _check_encoding(body: bytes, content_type: str | None, content_encoding: str | None) -> None:
    media_type, _, parameters = (content_type or EVENT_CONTENT_TYPE).lower().partition(";")
    if media_type.strip() not in _CONTENT_TYPES:
        raise EventRefused("wrong_encoding", f"The content type must be {EVENT_CONTENT_TYPE}.")
    charset = parameters.partition("charset=")[2].strip(' "')
    if charset not in {"", "utf-8", "utf8"}:
        raise EventRefused("wrong_encoding", "The charset must be UTF-8.")
    if (content_encoding or "identity").lower() not in {"identity", "utf-8", "utf8"}:
        raise EventRefused("wrong_encoding", "The body must not be compressed or encoded otherwise.")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise EventRefused("wrong_encoding", f"The body is not UTF-8: byte {exc.start} is wrong.") from None
    if text.startswith("\ufeff"):
        raise EventRefused("wrong_encoding", "The body begins with a byte order mark.")


def _refusal(error: ValidationError) -> EventRefused:
    problems = error.errors(include_url=False, include_input=False, include_context=True)
    first = problems[0]
    kind = first["type"]
    if kind == "json_invalid":
        return EventRefused("unreadable_json", f"The body is not JSON: {first['ctx']['error']}.")
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        return EventRefused("unknown_type", f"The type is not one of {', '.join(sorted(EVENT_TYPES))}.")
    # Below the envelope, the location begins with the type that chose the model.
    fields = {str(part) for problem in problems for part in problem["loc"][1:2]}
    if fields & _VERSION_FIELDS or "dataschema" in first["msg"]:
        return EventRefused(
            "wrong_version",
            f"specversion must be 1.0 and dataschema, where there is one, end with :{DATA_VERSION}.",
        )
    said = "; ".join(
        f"{'.'.join(map(str, problem['loc'][1:])) or 'event'}: {problem['msg']}" for problem in problems[:5]
    )
    return EventRefused("invalid", f"The event breaks its schema. {said}.")
