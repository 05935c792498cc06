"""Finds the advice that fits a failure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from bridge.advice.catalogue import CATALOGUE
from bridge.advice.entries import Advice, Entry
from bridge.errors import BridgeError, ConfigurationError, OperatorError, PermanentError, RetryableError

_SYSTEMS = {"magento": "Magento", "odoo": "Odoo"}


def advise(error: BridgeError, *, instance: str | None = None) -> Advice:
    """Return the advice for ``error``: the first entry of the catalogue that fits, else one for its class.

    Commands that it names are for ``instance``, where it is known.
    """
    entry = find_entry(error)
    if entry is None:
        return _by_class(error)
    facts = {**_facts(error), **({"instance": instance} if instance else {})}
    try:
        happened = entry.happened.format_map(facts)
    except KeyError:
        # The error lacks what the entry would name: its own words are better than a gap.
        happened = error.message
    named = _Named(facts)
    return Advice(
        happened=happened,
        to_do=entry.to_do.format_map(named),
        where=entry.where.format_map(named),
        who=entry.who,
    )


def help_for(error: BridgeError, *, instance: str | None = None) -> str:
    """Return what to do about ``error``, with where and who, as it is kept with a job."""
    return advise(error, instance=instance).what_to_do


def find_entry(error: BridgeError) -> Entry | None:
    """Return the catalogue's entry about ``error``, or None."""
    return next((entry for entry in CATALOGUE if entry.fits(error)), None)


class _Named(dict[str, str]):
    """Details by name; a missing one is called by its name, as in a command's usage."""

    def __missing__(self, key: str) -> str:
        return key.upper()


def _facts(error: BridgeError) -> Mapping[str, str]:
    facts = {name: _words(value) for name, value in error.details.items() if value not in (None, "", [], ())}
    if "value" in facts:
        # As an argument on a command line.
        facts["quoted_value"] = shlex.quote(facts["value"])
    facts["message"] = error.message
    facts["system"] = _SYSTEMS[error.system] if error.system else "The other system"
    return facts


def _words(value: Any) -> str:
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(_words(one) for one in value)
    return str(value)


def _by_class(error: BridgeError) -> Advice:
    where = "bridge jobs retry ID"
    to_do = "Retry the job once; if it fails again, report it."
    if isinstance(error, RetryableError):
        again = "Nothing needs to be done: the bridge tries again by itself."
        return Advice(happened=error.message, to_do=again, where="", who="nobody")
    if isinstance(error, ConfigurationError):
        return Advice(happened=error.message, to_do="Then start it again.", where="", who="integrator")
    if isinstance(error, OperatorError):
        to_do = "Mend what the message names, then retry the job."
    elif isinstance(error, PermanentError):
        to_do = (
            "A retry will not help until the record or the setting that the message names is changed; then retry the "
            "job."
        )
    return Advice(happened=error.message, to_do=to_do, where=where, who="operator")
