"""Small pictures for tests, each of its own bytes."""

from __future__ import annotations

import struct
import zlib


def a_png(seed: int = 1, *, padding: int = 0, width: int = 1) -> bytes:
    """Return a PNG of one colour, one pixel high; ``padding`` makes the file so many bytes longer."""
    row = b"\x00" + seed.to_bytes(3, "big") * width
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, 1, 8, 2, 0, 0, 0)),
            _chunk(b"IDAT", zlib.compress(row)),
            _chunk(b"tEXt", b"Comment\x00" + b"x" * padding) if padding else b"",
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
