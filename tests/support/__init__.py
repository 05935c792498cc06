"""What several kinds of tests share: servers, workers, waiting."""

from __future__ import annotations
