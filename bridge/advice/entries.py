"""The form of the advice catalogue."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bridge.errors import BridgeError, System

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
    def what_to_do(self) -> str:
        """What to do, where, and who can, as one paragraph."""
        place = f" Where: {self.where}." if self.where else ""
        person = "" if self.who == "nobody" else f" Who can: {self.who}."
        return f"{self.to_do}{place}{person}"

    @property
    def text(self) -> str:
        """The advice as one paragraph."""
        stop = "" if self.happened.endswith((".", "!", "?")) else "."
        return f"{self.happened}{stop} {self.what_to_do}"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One known failure. Every condition that is given must fit."""

    #: The error's ``code``; None fits any.
    code: str | None = None
    system: System | None = None
    #: One of these is ``details["reason"]``; empty fits any.
    reasons: frozenset[str] = frozenset()
    #: The HTTP status.
    status: int | None = None
    #: Found in the error's message or in the other system's own words.
    pattern: str | None = None
    #: Further details that must be so.
    facts: Mapping[str, Any] = field(default_factory=dict)
    #: What is said may name the error's details: ``{sku}``; also ``{message}`` and ``{system}``.
    happened: str
    to_do: str
    #: Here a detail that is missing becomes a word for it: ``INCREMENT_ID``.
    where: str = ""
    who: Who = "operator"

    def fits(self, error: BridgeError) -> bool:
        """Return whether this entry is about ``error``."""
        if self.code not in {None, error.code} or self.system not in {None, error.system}:
            return False
        if self.status not in {None, error.status}:
            return False
        if self.reasons and error.details.get("reason") not in self.reasons:
            return False
        if any(error.details.get(name) != value for name, value in self.facts.items()):
            return False
        said = f"{error.message} {error.details.get('answer', '')}"
        return self.pattern is None or re.search(self.pattern, said, re.IGNORECASE) is not None


def because(*reasons: str) -> frozenset[str]:
    """Return ``reasons`` as an entry takes them."""
    return frozenset(reasons)
