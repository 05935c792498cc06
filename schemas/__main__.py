"""Writes the generated documents: ``python -m schemas``; ``--check`` only says whether they are current."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from schemas.documents import documents

#: Where the documents are kept.
FOLDER = Path(__file__).parent / "generated"


def main() -> int:
    """Write the documents, or compare them with those that are there."""
    parser = argparse.ArgumentParser(prog="python -m schemas", description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit 1 where a document is not current")
    wants_check = parser.parse_args().check
    made = documents()
    stale = sorted(name for name, text in made.items() if not _is(name, text))
    extra = sorted(path.name for path in FOLDER.glob("*.json") if path.name not in made)
    if wants_check:
        for name in stale + extra:
            sys.stderr.write(f"{name} is not current. Run: python -m schemas\n")
        return 1 if stale or extra else 0
    FOLDER.mkdir(exist_ok=True)
    for name in stale:
        (FOLDER / name).write_text(made[name], encoding="utf-8")
    for name in extra:
        (FOLDER / name).unlink()
    return 0


def _is(name: str, text: str) -> bool:
    path = FOLDER / name
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
