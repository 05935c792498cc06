"""What the environment says of real servers (docs/operations.md)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_PREFIX = "BRIDGE_LIVE_"
#: What must be given together.
GROUPS = {
    "Magento": ("MAGENTO_URL", "MAGENTO_OAUTH"),
    "Odoo": ("ODOO_URL", "ODOO_DB", "ODOO_USER", "ODOO_KEY", "ODOO_ADMIN_USER", "ODOO_ADMIN_KEY"),
}


def is_given(name: str) -> bool:
    """Return whether ``BRIDGE_LIVE_NAME`` is given."""
    return bool(os.environ.get(_PREFIX + name))


def missing() -> str:
    """Say what must be given too, empty where nothing is missing."""
    known = {name for names in GROUPS.values() for name in names}
    given_names = {name.removeprefix(_PREFIX) for name in os.environ if name.startswith(_PREFIX)}
    parts = [f"{_PREFIX}{name} is not known." for name in sorted(given_names - known)]
    for system, names in GROUPS.items():
        lacking = [_PREFIX + name for name in names if not is_given(name)]
        if lacking and any(map(is_given, names)):
            parts.append(f"The live tests of {system} need {', '.join(lacking)} too.")
    return " ".join([*parts, "See docs/operations.md, Against real servers."]) if parts else ""


def given(name: str) -> str:
    """Return ``BRIDGE_LIVE_NAME``; a secret may stand in a file (``@FILE``) or another variable (``env:NAME``)."""
    value = os.environ[_PREFIX + name]
    if value.startswith("@"):
        path = Path(value[1:])
        if not path.is_file():
            pytest.exit(f"{_PREFIX}{name} names the file {path}, which is not there.", returncode=2)
        return path.read_text(encoding="utf-8").strip()
    if value.startswith("env:"):
        other = value.removeprefix("env:")
        if not os.environ.get(other):
            pytest.exit(f"{_PREFIX}{name} names the variable {other}, which is not set.", returncode=2)
        return os.environ[other]
    return value
