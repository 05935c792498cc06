"""The client of Odoo 16 to 20."""

from __future__ import annotations

from bridge.odoo.client import OdooClient
from bridge.odoo.load import CREATE_ONLY, LoadMessage, LoadRequest, LoadResult
from bridge.odoo.preview import Totals
from bridge.odoo.profile import ServerProfile
from bridge.odoo.values import literally, odoo_datetime, parse_datetime
from bridge.odoo.versions import Names, OdooVersion

__all__ = [
    "CREATE_ONLY",
    "LoadMessage",
    "LoadRequest",
    "LoadResult",
    "Names",
    "OdooClient",
    "OdooVersion",
    "ServerProfile",
    "Totals",
    "literally",
    "odoo_datetime",
    "parse_datetime",
]
