"""Reading records: fields stored and computed, display names, search with order and indexes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, ClassVar, Protocol

from bridge.sandbox.odoo.domain import Leaf, compare, leaves, literal_of, matches, parse, required_groups
from bridge.sandbox.odoo.fault import Dialect, missing_error, user_error
from bridge.sandbox.odoo.schema import SOURCE_LANGUAGE, TRANSLATED, Field, Schema
from bridge.sandbox.odoo.tables import Database, Row
from bridge.sandbox.odoo.values import null_of

#: one2many fields: the model on the other side, and its field that points back.
INVERSES: dict[tuple[str, str], tuple[str, str]] = {
    ("mrp.bom", "bom_line_ids"): ("mrp.bom.line", "bom_id"),
    ("product.category", "child_id"): ("product.category", "parent_id"),
    ("product.attribute", "value_ids"): ("product.attribute.value", "attribute_id"),
    ("product.pricelist", "item_ids"): ("product.pricelist.item", "pricelist_id"),
    ("product.template", "attribute_line_ids"): ("product.template.attribute.line", "product_tmpl_id"),
    ("product.template", "product_variant_ids"): ("product.product", "product_tmpl_id"),
    ("product.template.attribute.line", "product_template_value_ids"): (
        "product.template.attribute.value",
        "attribute_line_id",
    ),
    ("res.country", "state_ids"): ("res.country.state", "country_id"),
    ("res.partner", "child_ids"): ("res.partner", "parent_id"),
    ("sale.order", "picking_ids"): ("stock.picking", "sale_id"),
    ("sale.order.line", "move_ids"): ("stock.move", "sale_line_id"),
    ("stock.picking", "move_ids"): ("stock.move", "picking_id"),
    ("stock.picking", "move_ids_without_package"): ("stock.move", "picking_id"),
    ("stock.return.picking", "product_return_moves"): ("stock.return.picking.line", "wizard_id"),
    ("sale.order", "order_line"): ("sale.order.line", "order_id"),
}

#: The field that leads up in a tree, where it is not ``parent_id``.
_PARENT_FIELDS = {"stock.location": "location_id"}

#: A read from a lagging replica does not see what was made in the last seconds.
STALE_SECONDS = 10.0

NOT_COMPUTED = object()


class ReadingEnv(Protocol):
    """What reading needs to know of a call."""

    db: Database
    schema: Schema
    dialect: Dialect
    uid: int
    context: dict[str, Any]
    is_stale: bool

    @property
    def monotonic(self) -> Callable[[], float]:
        """The clock that ages records."""

    def __getitem__(self, model: str) -> Any:
        """Return the records of another model."""


class Reading:
    """The records of one model, to read."""

    #: Odoo's default order.
    order: ClassVar[str] = "id"

    def __init__(self, env: ReadingEnv, name: str) -> None:
        self.env = env
        self.name = name
        self.table = env.db.table(name)
        self.fields = env.schema[name]

    def compute(self, row: Row, name: str) -> Any:
        """Return the value of a field that is not stored, or ``NOT_COMPUTED``."""
        return NOT_COMPUTED

    def display_name(self, row: Row) -> str:
        """Return how the record is shown."""
        return row.get("name") or f"{self.name},{row['id']}"

    def exists(self, ids: Iterable[int]) -> list[int]:
        """Return those of ``ids`` that are there (and seen, if the read is stale)."""
        return [one for one in ids if (row := self.table.rows.get(one)) is not None and self._is_seen(row)]

    def ensure(self, ids: Iterable[int]) -> None:
        """Raise ``MissingError`` for the first id that is not there."""
        for one in ids:
            if one not in self.table.rows:
                raise missing_error(self.name, one, uid=self.env.uid)

    def get(self, record_id: int, name: str) -> Any:
        """Return the stored or computed value of a field."""
        return self.value(self.table.rows[record_id], name)

    def value(self, row: Row, name: str) -> Any:
        """Return the stored or computed value of a field; ``None`` is null."""
        if name == "display_name":
            return self.display_name(row)
        if name == "__last_update":
            return row.get("write_date")
        inverse = INVERSES.get((self.name, name))
        if inverse:
            return self.children(row["id"], *inverse)
        if name in row:
            return self._translated(row, name)
        computed = self.compute(row, name)
        if computed is not NOT_COMPUTED:
            return computed
        return [] if self.fields[name].is_x2many else None

    @property
    def language(self) -> str | None:
        """The language of the call, where it is not the one that texts are kept in."""
        code = self.env.context.get("lang")
        return code if isinstance(code, str) and code != SOURCE_LANGUAGE else None

    def _translated(self, row: Row, name: str) -> Any:
        language = self.language
        if language is None or name not in TRANSLATED.get(self.name, ()):
            return row[name]
        return row.get("_texts", {}).get((name, language), row[name])

    def children(self, record_id: int, model: str, back: str) -> list[int]:
        """Return the ids on the other side of a one2many, in their own order."""
        other = self.env[model]
        table = other.table
        if table.has_index(back):
            ids = sorted(table.lookup(back, [record_id]))
        else:
            ids = sorted(one for one, row in table.rows.items() if row.get(back) == record_id)
        return (
            ids
            if self.env.context.get("active_test") is False
            else [one for one in ids if table.rows[one].get("active", True)]
        )

    def read(self, ids: Iterable[int], names: Sequence[str] | None = None) -> list[Row]:
        """Return rows as RPC answers them."""
        wanted = list(names) if names else [name for name in self.fields if name != "id"]
        for name in wanted:
            if name not in self.fields:
                raise self.env.dialect.invalid_field(self.name, name, verb="read")
        rows = self.table.rows
        return [
            {"id": one} | {name: self.shown(rows[one], name) for name in wanted} for one in self.exists(ids)
        ]

    def shown(self, row: Row, name: str) -> Any:
        """Return a field as RPC answers it: many2one as pair, null as ``false``."""
        about = self.fields[name]
        value = self.value(row, name)
        if about.type == "many2one":
            return self.pair(about, value)
        if value is None:
            return null_of(about)
        if about.type == "binary" and self.env.context.get("bin_size"):
            return f"{len(value) * 3 / 4:.2f} bytes"
        return list(value) if isinstance(value, list) else value

    def pair(self, about: Field, value: int | None) -> list[Any] | bool:
        """Return ``[id, display name]``, or ``false``."""
        if not value or about.to is None or about.to not in self.env.schema:
            return False
        other = self.env[about.to]
        row = other.table.rows.get(value)
        return [value, other.display_name(row)] if row else False

    # Searching.

    def search(
        self, domain: Any, *, offset: int = 0, limit: int | None = None, order: str | None = None
    ) -> list[int]:
        """Return the ids that ``domain`` finds, in order."""
        node = parse(domain, self.env.dialect)
        all_leaves = leaves(node)
        for leaf in all_leaves:
            if str(leaf[0]).partition(".")[0] not in self.fields:
                raise self.env.dialect.invalid_domain_field(self.name, leaf)
        hides = (
            "active" in self.fields
            and self.env.context.get("active_test", True)
            and not any(leaf[0] == "active" for leaf in all_leaves)
        )
        found = [
            row
            for row in self._candidates(required_groups(node))
            if (not hides or row.get("active", True))
            and self._is_seen(row)
            and matches(node, lambda leaf, row=row: self._fits(row, leaf))  # type: ignore[misc]  # bound per row
        ]
        ids = self._sorted(found, order or self.order)
        return ids[offset : offset + limit if limit else None]

    def _is_seen(self, row: Row) -> bool:
        return not self.env.is_stale or row.get("_born", 0.0) < self.env.monotonic() - STALE_SECONDS

    def _candidates(self, groups: Sequence[Sequence[Leaf]]) -> list[Row]:
        """Return the rows that may fit: without it, a search for a hundred SKUs would look at each row a hundred times."""
        rows = self.table.rows
        for group in groups:
            found = [self._looked_up(leaf) for leaf in group]
            if None not in found:
                ids = dict.fromkeys(one for part in found for one in part or ())
                return [rows[one] for one in ids if one in rows]
        return list(rows.values())

    def _looked_up(self, leaf: Leaf) -> Collection[int] | None:
        """Return the ids of the rows that may fit a leaf, by an index; None where there is none."""
        name, operator, value = leaf
        values = value if isinstance(value, list | tuple) else [value]
        if operator not in {"=", "in", "=ilike"} or not all(values):
            return None
        if name == "id":
            return dict.fromkeys(values)
        if operator == "=ilike":
            values = [literal_of(str(value))]
        is_plain = None not in values and self.table.has_index(name)
        return self.table.lookup(name, values) if is_plain else None

    def _fits(self, row: Row, leaf: Leaf) -> bool:
        path, operator, want = leaf
        name, _, rest = path.partition(".")
        about = self.fields[name]
        have = self.value(row, name)
        if rest and about.to:
            other = self.env[about.to]
            ids = have if isinstance(have, list) else [have] if have else []
            rows = [other.table.rows[one] for one in ids if one in other.table.rows]
            if not rows:
                return compare(operator, None, want)
            return any(other._fits(one, (rest, operator, want)) for one in rows)  # noqa: SLF001  # same class
        if about.type == "many2one" and isinstance(want, str) and about.to:
            shown = self.pair(about, have)
            return compare(operator, shown[1] if isinstance(shown, list) else None, want)
        if about.type == "many2one" and operator == "child_of":
            return self._is_below(about, have, want)
        if name == "id" and operator == "child_of":
            return row["id"] in (want if isinstance(want, list) else [want])
        if about.type == "boolean":
            have, want = bool(have), want if isinstance(want, list) else bool(want)
        return compare(operator, have, want)

    def _is_below(self, about: Field, have: int | None, want: Any) -> bool:
        wanted = set(want) if isinstance(want, list) else {want}
        parents = self.env.db.table(about.to or "").rows
        while have:
            if have in wanted:
                return True
            have = parents.get(have, {}).get(_PARENT_FIELDS.get(about.to or "", "parent_id"))
        return False

    def _sorted(self, rows: list[Row], order: str) -> list[int]:
        terms: list[tuple[str, bool]] = []
        for part in order.split(","):
            words = part.split()
            if not words or len(words) > 2 or (len(words) == 2 and words[1].lower() not in {"asc", "desc"}):
                raise user_error(
                    f'Invalid "order" specified ({order}). A valid "order" specification is a comma-separated '
                    "list of valid field names (optionally followed by asc/desc for the direction)"
                )
            if words[0] not in self.fields:
                raise self.env.dialect.invalid_order_field(self.name, words[0])
            terms.append((words[0], words[-1].lower() == "desc"))
        for name, is_down in reversed(terms):
            rows.sort(key=lambda row, name=name: self._sort_key(row, name), reverse=is_down)  # type: ignore[misc]  # bound per term
        return [row["id"] for row in rows]

    def _sort_key(self, row: Row, name: str) -> tuple[bool, Any]:
        value = self.value(row, name)
        if isinstance(value, bool | list):
            value = int(bool(value))
        return (value is None, 0 if value is None else value)
