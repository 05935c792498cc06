"""The one chain of logging: masked, without traces, on stderr, as text or as JSON."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from bridge.logs import configure_logging


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def test_events_of_ours_and_of_libraries_are_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("json")
    structlog.get_logger().info("job_ended", job_id=7)
    logging.getLogger("celery.worker").warning("lost %s", "broker")
    captured = capsys.readouterr()
    ours, theirs = (json.loads(line) for line in captured.err.splitlines())
    assert (ours["event"], ours["job_id"], ours["level"]) == ("job_ended", 7, "info")
    assert (theirs["event"], theirs["level"]) == ("lost broker", "warning")
    assert captured.out == ""


@pytest.mark.parametrize("form", ["text", "json"])
def test_secrets_and_traces_stay_out(capsys: pytest.CaptureFixture[str], form: str) -> None:
    configure_logging("json" if form == "json" else "text")
    body = '{"access_token": "pa55word"}'
    structlog.get_logger().warning("call_failed", body=body)
    logging.getLogger("somebody").error("sent %s", body)
    try:
        raise ValueError("pa55word")
    except ValueError:
        structlog.get_logger().exception("defect")
        logging.getLogger("somebody").exception("went wrong")
    said = capsys.readouterr().err
    assert "pa55word" not in said
    assert "Traceback" not in said
    assert said.count("ValueError") == 2


def test_libraries_that_log_addresses_are_kept_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("text")
    logging.getLogger("httpx").info("GET https://shop.example.test/rest?email=anna@example.test")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("broken", ["closed", "full"])
def test_a_log_that_cannot_be_written_stops_nobody(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    configure_logging("json")
    log = structlog.get_logger()
    log.info("job_ended", job_id=7)
    stream = io.StringIO()
    if broken == "closed":
        stream.close()
    else:
        monkeypatch.setattr(stream, "write", _refuse)
    monkeypatch.setattr(sys, "stderr", stream)
    log.warning("job_ended", job_id=8)


def _refuse(_text: str) -> int:
    raise BrokenPipeError
