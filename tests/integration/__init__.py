"""Real RabbitMQ, real PostgreSQL, real worker processes."""

from __future__ import annotations
