"""How often something happens by the clock, as people write it: ``15m``, ``2h``, ``1d``, ``off``."""

from __future__ import annotations

import re

_UNITS = {"d": 86_400, "h": 3_600, "m": 60}
_FORM = re.compile(r"([1-9][0-9]{0,5})([mhd])")
#: The least and the most that is taken.
LEAST_SECONDS, MOST_SECONDS = 60, 31 * 86_400
OFF = "off"


def parse_every(text: str) -> int | None:
    """Return the seconds of ``15m``, ``2h`` or ``1d``; None for ``off``.

    Raises:
        ValueError: it is none of these, or not between a minute and 31 days.
    """
    word = text.strip().lower()
    if word == OFF:
        return None
    match = _FORM.fullmatch(word)
    seconds = int(match.group(1)) * _UNITS[match.group(2)] if match else 0
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        raise ValueError("must be minutes, hours or days such as 15m, 2h or 1d, from 1m to 31d, or off")
    return seconds


def every_text(seconds: float | None) -> str:
    """Return what ``parse_every`` reads, in the largest unit that fits."""
    if seconds is None:
        return OFF
    for unit, length in _UNITS.items():
        if seconds >= length and seconds % length == 0:
            return f"{seconds // length:.0f}{unit}"
    return f"{seconds:g}s"
