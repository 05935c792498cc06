"""The command line: the outermost layer."""

from __future__ import annotations

from bridge.cli.main import main

__all__ = ["main"]
