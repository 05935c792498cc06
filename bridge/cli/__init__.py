"""The command line: the outermost layer."""

from __future__ import annotations

import sys

try:
    from bridge.cli.main import main
except KeyboardInterrupt:
    # Ctrl-C while it starts: nobody is there yet to say so.
    sys.stderr.write("Stopped.\n")
    raise SystemExit(1) from None

__all__ = ["main"]
