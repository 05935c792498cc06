"""Wires a process together, once, with plain arguments."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from pydantic import SecretStr

from bridge.engine import Runtime
from bridge.errors import ConfigurationError
from bridge.ledger import Ledger, Lengths
from bridge.settings import EMBEDDED_DATABASE_URL, Settings

#: Where embedded mode keeps its ledger and its secret key.
EMBEDDED_FOLDER = Path(".bridge")
#: Readable by its owner only.
EMBEDDED_KEY_FILE = EMBEDDED_FOLDER / "secret.key"
_EMBEDDED_LEDGER_FILE = EMBEDDED_FOLDER / "ledger.db"


def open_ledger(settings: Settings, *, migrate: bool = False) -> Ledger:
    """Open the ledger that ``settings`` name; the embedded one is made if it is not there.

    Raises:
        ConfigurationError: the secret key is missing or wrong, the address cannot be used, or the schema is old.
        LedgerUnavailable: the database could not be reached.
    """
    is_embedded = settings.database_url == EMBEDDED_DATABASE_URL
    key = settings.secret_key or (_embedded_key() if is_embedded else None)
    lengths = Lengths(
        lease_seconds=settings.lease_seconds, backoff_unit_seconds=settings.backoff_unit_seconds
    )
    try:
        ledger = Ledger.open(settings.database_url, secret_key=key, lengths=lengths)
    except OSError as exc:
        raise ConfigurationError(
            "The folder of the SQLite ledger in BRIDGE_DATABASE_URL cannot be made."
        ) from exc
    try:
        _prepare(ledger, migrate=migrate or is_embedded)
    except BaseException:
        ledger.close()
        raise
    return ledger


def _prepare(ledger: Ledger, *, migrate: bool) -> None:
    if migrate:
        ledger.migrate()
    elif not ledger.is_current():
        raise ConfigurationError("The ledger's schema is not this version's. Run `bridge migrate` first.")


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
    """Return the key of the embedded ledger, made at the first use.

    Raises:
        ConfigurationError: it cannot be read or written, or the ledger is there and its key is not.
    """
    try:
        EMBEDDED_FOLDER.mkdir(mode=0o700, exist_ok=True)
        if not EMBEDDED_KEY_FILE.exists():
            _make_key()
        key = EMBEDDED_KEY_FILE.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigurationError(
            f"Embedded mode keeps its ledger in {EMBEDDED_FOLDER}, here, and cannot read or write there. Go to a folder "
            "of yours, or set BRIDGE_DATABASE_URL and BRIDGE_SECRET_KEY."
        ) from exc
    if not key:
        raise ConfigurationError(
            f"{EMBEDDED_KEY_FILE} is empty. Restore the key, or set the BRIDGE_SECRET_KEY that the ledger was made with; "
            f"to begin anew, remove the folder {EMBEDDED_FOLDER}."
        )
    return SecretStr(key)


def _make_key() -> None:
    if _EMBEDDED_LEDGER_FILE.exists():
        # A new key would not open it, and would hide that the old one is lost.
        raise ConfigurationError(
            f"{_EMBEDDED_LEDGER_FILE} is there and its key {EMBEDDED_KEY_FILE} is not. Restore the key, or set the "
            f"BRIDGE_SECRET_KEY that it was made with; to begin anew, remove the folder {EMBEDDED_FOLDER}."
        )
    draft = EMBEDDED_KEY_FILE.with_name(f"secret.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(32))
    # Linked, not written in place: another process that starts now finds a whole key, or is first.
    with contextlib.suppress(FileExistsError):
        os.link(draft, EMBEDDED_KEY_FILE)
    draft.unlink()
