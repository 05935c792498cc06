"""The recorded data that the simulated shop starts with, and Magento's form of a time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

#: Magento's format of ``created_at`` and ``updated_at``, in UTC.
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"


def load_data(name: str) -> Any:
    """Return the recorded data of ``bridge/sandbox/data/magento/NAME.json``, fresh each time."""
    source = resources.files("bridge.sandbox").joinpath("data", "magento", f"{name}.json")
    return json.loads(source.read_text(encoding="utf-8"))


def moved(updated_at: str) -> str:
    """Return the ``updated_at`` of a record that is changed now: later than before by a second at the least."""
    before = datetime.strptime(updated_at, TIME_FORMAT).replace(tzinfo=UTC)
    return max(datetime.now(UTC), before + timedelta(seconds=1)).strftime(TIME_FORMAT)


def now_text() -> str:
    """Return the present moment as Magento writes it."""
    return datetime.now(UTC).strftime(TIME_FORMAT)
