"""Finds the advice that fits a failure."""

from __future__ import annotations

from typing import Any

from bridge.advice.catalogue import CATALOGUE
from bridge.advice.entries import Advice
from bridge.errors import BridgeError, OperatorError, PermanentError, RetryableError

class _Details(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def advise(error: BridgeError) -> Advice:
    """Return the advice for ``error``: the first entry of the catalogue that fits, else one for its class."""
    facts = _Details(error.details, message=error.message, status=error.status, system=error.system)
    for entry in CATALOGUE:
        if entry.fits(error):
            return Advice(
                happened=entry.happened.format_map(facts),
                to_do=entry.to_do.format_map(facts),
                where=entry.where.format_map(facts),
                who=entry.who,
            )
    return _by_class(error)


def help_for(error: BridgeError) -> str:
    """Return what to do about ``error``, with where and who, as it is kept with a job."""
    found = advise(error)
    place = f" Where: {found.where}." if found.where else ""
    person = "" if found.who == "nobody" else f" Who can: {found.who}."
    return f"{found.to_do}{place}{person}"


def _by_class(error: BridgeError) -> Advice:
    if isinstance(error, RetryableError):
        return Advice(
            happened=error.message,
            to_do="Nothing needs to be done: the bridge tries again by itself.",
            where="",
            who="nobody",
        )
    if isinstance(error, OperatorError):
        return Advice(
            happened=error.message,
            to_do="Mend what the message names, then retry the job.",
            where="bridge jobs retry ID",
            who="operator",
        )
    if isinstance(error, PermanentError):
        return Advice(
            happened=error.message,
            to_do="A retry will not help until the record or the setting that the message names is changed; "
            "then retry the job.",
            where="bridge jobs retry ID",
            who="operator",
        )
    return Advice(happened=error.message, to_do="Retry the job once.", where="bridge jobs retry ID", who="operator")
