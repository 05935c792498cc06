"""What all copies of one client share: the server's version, the user's id, the profile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import SettingsWrong
from bridge.odoo.http import JSON_HEADERS, error_of_status, json_of
from bridge.odoo.protocols import Send
from bridge.odoo.versions import OdooVersion, parse_version
from bridge.wire import NoAnswer


@dataclass
class Session:
    """Learned once, by the first thread that needs it, and kept until something shows that it is wrong."""

    version: OdooVersion | None = None
    uid: int | None = None
    #: The profile and when it was read, by the monotonic clock.
    profile: tuple[Any, float] | None = None
    #: Reentrant: to find the user's id, the version is needed.
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    profile_lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def learn_version(self, find: Callable[[], OdooVersion]) -> OdooVersion:
        """Return the version, found by ``find`` the first time."""
        known = self.version
        if known is not None:
            return known
        with self.lock:
            if (known := self.version) is None:
                self.version = known = find()
        return known

    def learn_uid(self, find: Callable[[], int]) -> int:
        """Return the user's id, found by ``find`` the first time."""
        known = self.uid
        if known is not None:
            return known
        with self.lock:
            if (known := self.uid) is None:
                self.uid = known = find()
        return known

    def forget(self) -> None:
        """Forget everything: the key was refused, or the server was upgraded."""
        with self.lock:
            self.version = self.uid = self.profile = None


def find_version(send: Send, url: str) -> OdooVersion:
    """Ask the server for its version, without a login.

    19 answers ``GET /web/version``; 16 and 18 do not know that page and answer
    ``POST /web/webclient/version_info`` (``auth/web-version``).

    Raises:
        SettingsWrong: what answers is not Odoo (``reason="not_odoo"``, ``"redirect"``), or it is too old.
    """
    newer = send("GET", "/web/version", {}, None)
    if newer.status == 429 or newer.status >= 500:
        raise error_of_status(newer, url)
    version = parse_version(json_of(newer))
    if version is not None:
        return version
    older = send("POST", "/web/webclient/version_info", JSON_HEADERS, b"{}")
    version = parse_version(json_of(older))
    if version is not None:
        return version
    if not 200 <= older.status < 300:
        raise error_of_status(older, url)
    raise SettingsWrong(
        f"What answers at {url} is not Odoo. Check Odoo's address in the settings.",
        system="odoo",
        status=older.status,
        reason="not_odoo",
    )


def not_sent(lost: NoAnswer) -> NoAnswer:
    """Return ``lost`` for a call that was only being prepared: of the call itself nothing left this machine.

    Without this a time-out of the login before a write would put the write in doubt.
    """
    return NoAnswer(lost.message, sent=False, system="odoo", status=lost.status, **lost.details)
