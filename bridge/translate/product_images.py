"""Which picture of a Magento product Odoo gets, and by what a change of it is told."""

from __future__ import annotations

import hashlib

from bridge.translate.catalog_records import MagentoImage, MagentoProduct

#: The role of the picture that a product is shown by.
_BASE = "image"
#: First bytes of the kinds of pictures that Odoo stores for any user (SVG it does not).
_BEGINNINGS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")
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


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_MARK]
