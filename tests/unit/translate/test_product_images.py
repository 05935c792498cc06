"""Sizes of pictures, and whether a picture of Odoo may be one that came from Magento."""

from __future__ import annotations

import struct

import pytest

from bridge.translate.product_images import content_mark, is_what_odoo_made, size_of
from tests.support.pictures import a_png

GIF = b"GIF89a" + struct.pack("<HH", 320, 200) + b"\0" * 20
_HEADER = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\0" * 10
JPEG = _HEADER + b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", 1080, 1920) + b"\x03" + b"\0" * 9


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (a_png(1, width=640), (640, 1)),
        (GIF, (320, 200)),
        (JPEG, (1920, 1080)),
        (JPEG[:25], ()),
        (a_png(1)[:20], ()),
        (b"RIFF0000WEBPVP8 ", ()),
        (b"", ()),
        (b"\xff\xd8" + b"\xff\xe0\x00\x00" * 9, ()),
    ],
)
def test_the_size_is_read_from_the_beginning(content, size):
    assert size_of(content) == size


def test_a_picture_is_what_came_or_as_large_as_odoo_keeps():
    came = a_png(1, width=2500)
    assert is_what_odoo_made(came, content_mark(came))
    assert is_what_odoo_made(a_png(2, width=1920), content_mark(came))
    assert is_what_odoo_made(JPEG, content_mark(came))
    assert not is_what_odoo_made(a_png(2, width=1919), content_mark(came))
