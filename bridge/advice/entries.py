"""The form of the advice catalogue."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from bridge.errors import BridgeError

Who = Literal["operator", "integrator", "Magento admin", "Odoo admin", "server admin", "nobody"]


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What a person needs to know about a failure."""

    #: What happened, in plain English.
    happened: str
    #: What to do about it.
    to_do: str
    #: Where it is done.
    where: str
    #: Who can do it.
    who: Who

    @property
    def text(self) -> str:
        """The advice as one paragraph."""
        place = f" Where: {self.where}." if self.where else ""
        person = "" if self.who == "nobody" else f" Who can: {self.who}."
        return f"{self.happened} {self.to_do}{place}{person}"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One known failure. Every condition that is given must fit."""

    #: The error's ``code``; None fits any.
    code: str | None = None
    system: Literal["magento", "odoo"] | None = None
    #: ``details["reason"]``.
    reason: str | None = None
    status: int | None = None
    #: Found in the error's message or in the other system's own words.
    pattern: str | None = None
    #: ``happened`` and ``to_do`` may name details: ``{sku}``. A missing one becomes ``?``.
    happened: str
    to_do: str
    where: str = ""
    who: Who = "operator"

    def fits(self, error: BridgeError) -> bool:
        """Return whether this entry is about ``error``."""
        if self.code is not None and self.code != error.code:
            return False
        if self.system is not None and self.system != error.system:
            return False
        if self.reason is not None and self.reason != error.details.get("reason"):
            return False
        if self.status is not None and self.status != error.status:
            return False
        if self.pattern is None:
            return True
        said = f"{error.message} {error.details.get('answer', '')}"
        return re.search(self.pattern, said, re.IGNORECASE) is not None
