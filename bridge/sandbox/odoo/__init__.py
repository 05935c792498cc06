"""A simulated Odoo 16, 18 or 19 over HTTP, faithful to the recordings."""

from __future__ import annotations

from bridge.sandbox.odoo.app import ERROR_REPLIES, build_app, describe
from bridge.sandbox.odoo.inflight import CommitHold
from bridge.sandbox.odoo.state import OdooState

__all__ = ["ERROR_REPLIES", "CommitHold", "OdooState", "build_app", "describe"]
