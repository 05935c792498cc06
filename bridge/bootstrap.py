"""Wires a process together, once, with plain arguments."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pydantic import SecretStr

from bridge.engine import Runtime
from bridge.errors import ConfigurationError
from bridge.ledger import Ledger, Lengths
from bridge.settings import EMBEDDED_DATABASE_URL, Settings

#: Where embedded mode keeps its secret key, readable by its owner only.
EMBEDDED_KEY_FILE = Path(".bridge/secret.key")


def open_ledger(settings: Settings, *, migrate: bool = False) -> Ledger:
    """Open the ledger that ``settings`` name; the embedded one is made if it is not there.

    Raises:
        ConfigurationError: the secret key is missing or wrong, the ledger cannot be reached, or its schema is old.
    """
    is_embedded = settings.database_url == EMBEDDED_DATABASE_URL
    if is_embedded:
        Path(".bridge").mkdir(mode=0o700, exist_ok=True)
    key = settings.secret_key or (_embedded_key() if is_embedded else None)
    lengths = Lengths(
        lease_seconds=settings.lease_seconds, backoff_unit_seconds=settings.backoff_unit_seconds
    )
    ledger = Ledger.open(settings.database_url, secret_key=key, lengths=lengths)
    if migrate or is_embedded:
        ledger.migrate()
    elif not ledger.is_current():
        ledger.close()
        raise ConfigurationError("The ledger's schema is not this version's. Run `bridge migrate` first.")
    return ledger


def make_runtime(ledger: Ledger, settings: Settings) -> Runtime:
    """Return what this process needs to run jobs."""
    return Runtime(ledger=ledger, backoff_unit_seconds=settings.backoff_unit_seconds)


def refuse_embedded(settings: Settings, *, what: str) -> None:
    """Refuse to start on a throwaway ledger or broker.

    Raises:
        ConfigurationError: one of the embedded defaults is in force.
    """
    if settings.is_embedded:
        raise ConfigurationError(
            f"{what} needs BRIDGE_DATABASE_URL and BRIDGE_BROKER_URL: without them it would run on a throwaway "
            "ledger that no other process sees. For one process without servers use `bridge serve --embedded`."
        )


def _embedded_key() -> SecretStr:
    if EMBEDDED_KEY_FILE.exists():
        return SecretStr(EMBEDDED_KEY_FILE.read_text(encoding="ascii").strip())
    key = secrets.token_urlsafe(32)
    handle = os.open(EMBEDDED_KEY_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key)
    return SecretStr(key)
