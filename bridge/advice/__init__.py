"""Advice: from a failure to plain English: what happened, what to do, where, and who can."""

from __future__ import annotations

from bridge.advice.advisor import advise, find_entry, help_for
from bridge.advice.catalogue import CATALOGUE
from bridge.advice.entries import Advice, Entry

__all__ = ["CATALOGUE", "Advice", "Entry", "advise", "find_entry", "help_for"]
