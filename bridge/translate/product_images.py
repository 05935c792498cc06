"""Which picture of a Magento product Odoo gets, and by what a change of it is told."""

from __future__ import annotations

import hashlib
import struct

from bridge.translate.catalog_records import MagentoImage, MagentoProduct

#: The role of the picture that a product is shown by.
_BASE = "image"
#: First bytes of the kinds of pictures that Odoo stores for any user (SVG it does not).
_BEGINNINGS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")
#: Pixels of the longer side of the largest form of a picture that Odoo keeps: a larger one it makes anew.
_LARGEST = 1920
#: Markers of a JPEG behind which its size stands.
_JPEG_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
#: Length of a digest.
_MARK = 16


def base_picture(product: MagentoProduct) -> MagentoImage | None:
    """Return the picture that a product is shown by, None where it has none."""
    return next((image for image in product.images if _BASE in image.types), None)


def entry_mark(image: MagentoImage) -> str:
    """Return a digest of the gallery's entry: Magento gives each new file a new name (``catalog/111``)."""
    return _digest(f"{image.entry_id} {image.file}".encode())


def content_mark(content: bytes) -> str:
    """Return a digest of a picture's bytes."""
    return _digest(content)


def is_picture(content: bytes) -> bool:
    """Return whether ``content`` begins as a PNG, JPEG, GIF or WebP does: a server may answer a page with status 200."""
    return content.startswith(_BEGINNINGS) or (content[:4] == b"RIFF" and content[8:12] == b"WEBP")


def is_what_odoo_made(content: bytes, known: str) -> bool:
    """Return whether Odoo's picture may be the one whose bytes are marked ``known``, as it came or made smaller."""
    return content_mark(content) == known or max(size_of(content), default=0) >= _LARGEST


def size_of(content: bytes) -> tuple[int, ...]:
    """Return width and height of a PNG, GIF or JPEG; empty where they cannot be read."""
    if content.startswith(_BEGINNINGS[0]) and len(content) >= 24:
        return struct.unpack(">II", content[16:24])
    if content.startswith(b"GIF8") and len(content) >= 10:
        return struct.unpack("<HH", content[6:10])
    at = 2
    while content.startswith(b"\xff\xd8") and at + 9 <= len(content) and content[at] == 0xFF:
        if content[at + 1] in _JPEG_SIZES:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return ()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_MARK]
