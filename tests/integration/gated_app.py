"""The Celery app with one more kind of job, for tests: it waits at a gate, so that a test can act meanwhile.

The job's data names a folder: the job leaves a file there when it starts, and goes on when a file ``open`` is there.
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any, cast

from bridge.flows import catalog
from consumers.app import app

__all__ = ["app"]


def _wait_at_the_gate(context: Any) -> dict[str, Any]:
    folder = Path(context.job.data["folder"])
    (folder / f"started-{uuid.uuid4()}").touch()
    while not (folder / "open").exists():
        time.sleep(0.02)
    (folder / f"ended-{uuid.uuid4()}").touch()
    return {}


cast("dict[str, Any]", catalog.FLOWS)["gated"] = _wait_at_the_gate
