"""The Celery app with the lengths of chaos: no operator shortens these, so no setting does."""

from __future__ import annotations

from typing import Any, cast

from bridge import bootstrap
from consumers.app import app
from tests.chaos.world import LENGTHS

__all__ = ["app"]

cast("Any", bootstrap).Lengths = lambda **_: LENGTHS
