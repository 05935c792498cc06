"""The tests of CommerceBridge."""

from __future__ import annotations
