"""Texts of products on their way into Odoo: HTML without what runs or loads by itself, and HTML as plain text."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser

from bridge.translate.raw_fields import clean_text

#: Elements whose content is no text for people.
_DROPPED = frozenset({"script", "style", "iframe", "object", "embed", "noscript", "template", "form"})
_VOID = frozenset({"br", "hr", "img", "wbr"})
_BLOCKS = frozenset(
    {"p", "div", "br", "hr", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "section"}
)
#: What is kept of an element; everything else (styles, handlers, ids) is the shop's own matter.
_KEPT = frozenset({"href", "src", "alt", "title", "colspan", "rowspan"})
_SCHEMES = ("http://", "https://", "mailto:", "tel:", "/", "#")


def safe_html(value: str) -> str:
    """Return HTML without scripts, styles, frames, handlers and addresses that run something."""
    return _Reader.read(value).html


def plain_text(value: str) -> str:
    """Return HTML as text: a line for each block, no empty lines."""
    lines = (" ".join(line.split()) for line in _Reader.read(value).text.splitlines())
    return "\n".join(line for line in lines if line)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._html: list[str] = []
        self._text: list[str] = []
        #: Names of the elements being dropped, from the outside in.
        self._dropping: list[str] = []

    @classmethod
    def read(cls, value: str) -> _Reader:
        reader = cls()
        reader.feed(clean_text(value))
        reader.close()
        return reader

    @property
    def html(self) -> str:
        return "".join(self._html).strip()

    @property
    def text(self) -> str:
        return "".join(self._text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            self._dropping.append(tag)
        if self._dropping:
            return
        if tag in _BLOCKS:
            self._text.append("\n")
        kept = "".join(
            f' {name}="{escape(value)}"' for name, value in attrs if value and _is_kept(name, value)
        )
        self._html.append(f"<{tag}{kept}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _DROPPED:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._dropping:
            if tag == self._dropping[-1]:
                self._dropping.pop()
            return
        if tag in _BLOCKS:
            self._text.append("\n")
        if tag not in _VOID:
            self._html.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._dropping:
            self._text.append(data)
            self._html.append(escape(data, quote=False))


def _is_kept(name: str, value: str) -> bool:
    if name in {"href", "src"}:
        # Control characters and spaces inside a scheme are ignored by browsers.
        return "".join(value.split()).casefold().startswith(_SCHEMES)
    return name in _KEPT
