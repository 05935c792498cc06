"""Logging: structured, to stderr; static event names, ids in fields, never payloads, secrets or personal data."""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, WrappedLogger

from bridge.masking import mask_text

#: Libraries whose information is noise in our log.
_QUIET = ("httpx", "httpcore", "pika", "uvicorn.access", "alembic", "kombu", "amqp")

_ROOT = logging.getLogger()
_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "exception": logging.ERROR,
    "critical": logging.CRITICAL,
}


def configure_logging(form: Literal["text", "json"] = "text", *, level: int = logging.INFO) -> None:
    """Send our events and the libraries' records through one masked chain to stderr."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_trace,
        _mask,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        # Our own events do not go through the library's records: each job writes one, and it costs a third so.
        processors=[_by_level, *shared, renderer],
        logger_factory=lambda *_: _Stderr(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.NOTSET),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    _ROOT.handlers[:] = [handler]
    _ROOT.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # It tells of every failed try to connect five times over; our own event says it once.
    logging.getLogger("pika").setLevel(logging.CRITICAL)


class _Stderr:
    """Writes lines to whatever is stderr now. A log that cannot be written stops no job."""

    def msg(self, line: str) -> None:
        """Write ``line``."""
        try:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            pass

    debug = info = warning = error = exception = critical = msg


def _by_level(_logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Drop what the root logger would not take, before anything is put together."""
    if not _ROOT.isEnabledFor(_LEVELS[method]):
        raise structlog.DropEvent
    return event


def _mask(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = mask_text(value)
    return event


def _without_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Leave the kind of an exception and drop its trace: traces hold values."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if isinstance(info, tuple) and info[0] is not None:
        event["exception"] = info[0].__name__
    elif isinstance(info, BaseException):
        event["exception"] = type(info).__name__
    return event
