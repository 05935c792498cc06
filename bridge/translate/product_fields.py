"""The fields of a product that both sides may edit: their groups, and how edits of either side are told.

Fields are named as the cells of ``load``; ``name@de_DE`` is the name in that language. A binding remembers a mark of each
field as Magento has it, and one as Odoo has it. Odoo's mark begins with ``odoo:``. Odoo rewrites HTML and rounds numbers,
so what was written there is remembered in a form that survives that (``~``), and as Odoo has it once it was read. While a
write is under way both what was there and what is sent may be found: marks are alternatives, joined by ``|``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from bridge.errors import System
from bridge.translate.product_plan import FOLLOWING, ProductPlan, mark_of, read_marks
from bridge.translate.product_text import plain_text

#: The group of each field.
GROUPS: Mapping[str, str] = {
    "name": "text",
    "description": "text",
    "description_sale": "text",
    "default_code": "identity",
    "barcode": "identity",
    "weight": "identity",
    "taxes_id/.id": "identity",
    "categ_id/.id": "identity",
    "active": "status",
}
#: Magento's whatever the settings say: a SKU cannot be renamed over REST (``catalog/067``), and where Odoo has one
#: category a product has many there.
ALWAYS_MAGENTO = frozenset({"default_code", "categ_id/.id"})
#: What people call the fields.
TITLES: Mapping[str, str] = {
    "name": "name",
    "description": "description",
    "description_sale": "short description",
    "default_code": "SKU",
    "barcode": "barcode",
    "weight": "weight",
    "taxes_id/.id": "taxes",
    "categ_id/.id": "category",
    "active": "status",
    "image": "picture",
}
#: What stands for a value of Magento that has no meaning in Odoo: a tax class that is not mapped.
UNKNOWN = "?"
#: Fields that differ by language.
TEXTS = ("name", "description", "description_sale")
_ODOO = "odoo:"
_LOOSE = "~"
_CENT = Decimal("0.01")

#: The master of each group of fields.
Masters = Mapping[str, System]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a product on both sides."""

    name: str
    master: System
    magento: str
    odoo: str
    #: Whether each side has another value than the bridge knew of.
    magento_changed: bool
    odoo_changed: bool

    @property
    def is_same(self) -> bool:
        """Whether both sides say the same."""
        return loose(self.name, self.magento) == loose(self.name, self.odoo)

    @property
    def is_edited(self) -> bool:
        """Whether the side that is not the master was edited, and differs."""
        changed = self.odoo_changed if self.master == "magento" else self.magento_changed
        return changed and not self.is_same


def master_of(name: str, masters: Masters) -> System:
    """Return the side whose changes of a field are carried over."""
    base = name.partition("@")[0]
    return "magento" if base in ALWAYS_MAGENTO else masters[GROUPS[base]]


def title_of(name: str) -> str:
    """Return what people call a field: ``name (de_DE)``."""
    base, _, language = name.partition("@")
    title = TITLES.get(base, base)
    return f"{title} ({language})" if language else title


def loose(name: str, cell: str) -> str:
    """Return a value in the form that is equal before Odoo stored it and after."""
    base = name.partition("@")[0]
    if base == "description":
        return plain_text(cell)
    if base == "weight":
        return _rounded(cell)
    if base == "taxes_id/.id" and cell != UNKNOWN:
        return ",".join(sorted(filter(None, cell.split(",")), key=int))
    return "\n".join(line for line in (one.strip() for one in cell.splitlines()) if line)


def sent_marks(cells: Mapping[str, str]) -> dict[str, str]:
    """Return what is remembered of Odoo's side once ``cells`` were written there."""
    return {f"{_ODOO}{name}": _loose_mark(name, cell) for name, cell in _followed(cells)}


def under_way(known: Mapping[str, str], cells: Mapping[str, str]) -> dict[str, str]:
    """Return what is remembered of Odoo's side while ``cells`` are being written: what was there, or what is sent."""
    marks = {}
    for key, mark in sent_marks(cells).items():
        before = known.get(key, "")
        marks[key] = before if mark in before.split("|") else "|".join(filter(None, (before, mark)))
    return marks


def read_in_odoo(cells: Mapping[str, str]) -> dict[str, str]:
    """Return what is remembered of Odoo's side once ``cells`` were read there."""
    return {f"{_ODOO}{name}": mark_of(cell) for name, cell in _followed(cells)}


def knows_odoo(fingerprint: str | None) -> bool:
    """Return whether anything is remembered of Odoo's side: what was sent or read there."""
    return any(name.startswith(_ODOO) for name in read_marks(fingerprint))


def compare(
    magento: Mapping[str, str], odoo: Mapping[str, str], known: Mapping[str, str], masters: Masters
) -> list[Field]:
    """Return the fields that both sides have. ``known`` are the marks that the binding remembers.

    What nothing is remembered of was not edited, as far as anybody can tell.
    """
    return [
        Field(
            name=name,
            master=master_of(name, masters),
            magento=magento[name],
            odoo=odoo[name],
            magento_changed=not _remembers(_known(known, "", name), name, magento[name]),
            odoo_changed=not _remembers(_known(known, _ODOO, name), name, odoo[name]),
        )
        for name in magento
        if name in odoo
    ]


def magento_cells(plan: ProductPlan, languages: Iterable[str] = ()) -> dict[str, str]:
    """Return every field of a product as Magento has it; of a language only what is that language's own."""
    cells = {**plan.owned, "active": "1" if plan.is_active else "0"}
    for language in languages:
        cells |= {f"{name}@{language}": text for name, text in plan.texts.get(language, {}).items()}
    return cells


def memory_after_reading(known: Mapping[str, str], fields: Iterable[Field]) -> dict[str, str]:
    """Return the marks with Odoo's side as it was read, where nothing on it waits to be carried over or decided."""
    marks = dict(known)
    for field in fields:
        if not field.odoo_changed or field.is_same:
            marks |= read_in_odoo({field.name: field.odoo})
        if field.is_same:
            marks[field.name] = mark_of(field.magento)
    return marks


def _known(known: Mapping[str, str], side: str, name: str) -> str | None:
    # A language that had no text of its own showed the common one.
    return known.get(f"{side}{name}", known.get(f"{side}{name.partition('@')[0]}"))


def _remembers(mark: str | None, name: str, cell: str) -> bool:
    if mark is None:
        return True
    now = {mark_of(cell), _loose_mark(name, cell)}
    return any(one in now for one in mark.split("|"))


def _loose_mark(name: str, cell: str) -> str:
    return _LOOSE + mark_of(loose(name, cell))


def _followed(cells: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, cell) for name, cell in cells.items() if name.partition("@")[0] in FOLLOWING]


def _rounded(cell: str) -> str:
    try:
        return str(Decimal(cell or "0").quantize(_CENT))
    except InvalidOperation:
        return cell
