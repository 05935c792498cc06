"""Advice: from a failure to plain English: what happened, what to do, where, and who can."""

from __future__ import annotations

from bridge.advice.advisor import advise, help_for
from bridge.advice.entries import Advice

__all__ = ["Advice", "advise", "help_for"]
