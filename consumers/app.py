"""The Celery app. ``celery -A consumers.app worker`` runs intake, dispatcher and jobs in one process."""

from __future__ import annotations

import logging
from typing import Any

from celery import Celery
from celery.signals import setup_logging

from bridge.logs import configure_logging
from bridge.settings import process_settings
from consumers.tasks import RunJob
from consumers.worker import Background, role_option

app = Celery("commercebridge")
app.config_from_object("celeryconfig")
app.user_options["worker"].add(role_option)
app.steps["worker"].add(Background)
app.register_task(RunJob())


#: Celery tells of each task when it comes and when it ends; ``job_ended`` says it once, and better.
_CHATTY = ("celery.worker.strategy", "celery.app.trace")


@setup_logging.connect
def _logging(loglevel: int | None = None, **_: Any) -> None:
    """Keep Celery's hands off logging: one masked chain for its records and ours."""
    level = loglevel or logging.INFO
    configure_logging(process_settings().log_format, level=level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
