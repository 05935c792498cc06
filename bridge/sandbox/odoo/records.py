"""Records: create, write and delete on any model, with hooks for what a model adds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from bridge.sandbox.odoo.fault import Dialect, missing_error, validation_error
from bridge.sandbox.odoo.reading import INVERSES, NOT_COMPUTED, Reading
from bridge.sandbox.odoo.schema import TRANSLATED, Field, Schema, title_of
from bridge.sandbox.odoo.tables import Database, Row
from bridge.sandbox.odoo.values import DATETIME_FORMAT, to_column

__all__ = ["INVERSES", "NOT_COMPUTED", "Env", "Model"]


@dataclass
class Env:
    """One call: who asks, in which context, on which database."""

    db: Database
    schema: Schema
    dialect: Dialect
    classes: Mapping[str, type[Model]]
    uid: int
    #: Seconds, never going back.
    monotonic: Callable[[], float]
    context: dict[str, Any] = field(default_factory=dict)
    is_stale: bool = False

    def __getitem__(self, model: str) -> Model:
        return self.classes.get(model, Model)(self, model)

    def now(self) -> str:
        """Return the server's time in Odoo's form."""
        return datetime.now(UTC).strftime(DATETIME_FORMAT)

    def company(self) -> Row:
        """Return the only company."""
        return self.db.table("res.company").rows[1]


class Model(Reading):
    """The records of one model within one call."""

    env: Env
    #: Fields that must be set, beyond defaults.
    required: ClassVar[tuple[str, ...]] = ()
    #: many2one fields whose missing record is a foreign key violation in 16.
    late_keys: ClassVar[frozenset[str]] = frozenset()

    # What a model adds.

    def prepare(self, values: Row, record_id: int | None) -> Row:
        """Return the values to store for those given, before defaults."""
        return values

    def defaults(self, values: Row) -> Row:
        """Return values for what ``values`` leaves out."""
        return {}

    def created(self, record_id: int, values: Row) -> None:
        """Do what follows a creation."""

    def written(self, record_id: int, values: Row, old: Row) -> None:
        """Do what follows a change."""

    def before_unlink(self, ids: Sequence[int]) -> None:
        """Refuse a deletion, or delete what hangs on the records."""

    # Writing.

    def create(self, values: Row) -> int:
        """Store a new record with what hangs on it, and return its id."""
        self._check_names(values, "create")
        values = self.prepare(dict(values), None)
        values = self.defaults(values) | values
        row, commands = self._split(values)
        self.check_required(row)
        now = self.env.now()
        magic = {"create_date": now, "write_date": now, "create_uid": self.env.uid, "write_uid": self.env.uid}
        record_id = self.table.insert(row | magic | {"_born": self.env.monotonic()})
        for name, steps in commands.items():
            self._apply(record_id, name, steps)
        self.created(record_id, values)
        return record_id

    def write(self, ids: Sequence[int], values: Row) -> bool:
        """Change records. 16 answers ``true`` for deleted ids, later versions ``MissingError``."""
        self._check_names(values, "write")
        if self.env.dialect.major >= 18:
            self.ensure(ids)
        for one in ids:
            if one in self.table.rows:
                self._write_one(one, dict(values))
        return True

    def _write_one(self, record_id: int, values: Row) -> None:
        values = self.prepare(values, record_id)
        row, commands = self._split(values)
        old = self.table.rows[record_id]
        row = self._in_language(old, row)
        stamp = {"write_date": self.env.now(), "write_uid": self.env.uid}
        self.table.update(record_id, row | stamp)
        for name, steps in commands.items():
            self._apply(record_id, name, steps)
        self.written(record_id, values, old)

    def _in_language(self, old: Row, row: Row) -> Row:
        """Return ``row`` with the texts of another language put beside those that are there."""
        language = self.language
        names = TRANSLATED.get(self.name, frozenset()) & row.keys() if language else frozenset()
        if not names:
            return row
        kept = {name: value for name, value in row.items() if name not in names}
        return kept | {"_texts": old.get("_texts", {}) | {(name, language): row[name] for name in names}}

    def unlink(self, ids: Sequence[int]) -> bool:
        """Delete records with their external ids and messages."""
        here = [one for one in ids if one in self.table.rows]
        self.before_unlink(here)
        keys, messages = self.env.db.table("ir.model.data"), self.env.db.table("mail.message")
        for one in here:
            self.table.delete(one)
            for table, owner in ((keys, "model"), (messages, "model")):
                for other in table.lookup("res_id", [one]):
                    if table.rows[other].get(owner) == self.name:
                        table.delete(other)
        return True

    def check_required(self, row: Row) -> None:
        """Raise the fault for a required field that is not set."""
        for name in self.required:
            if row.get(name) is None:
                about = self.fields[name]
                raise self.env.dialect.mandatory(self.name, title_of(self.name), name, about.label)

    def _check_names(self, values: Row, verb: str) -> None:
        for name in values:
            if name not in self.fields:
                raise self.env.dialect.invalid_field(self.name, name, verb=verb)

    def _split(self, values: Row) -> tuple[Row, dict[str, list[Any]]]:
        """Return the columns, converted, and the commands of the x2many fields."""
        row: Row = {}
        commands: dict[str, list[Any]] = {}
        for name, value in values.items():
            about = self.fields[name]
            if name == "id":
                continue
            if about.is_x2many:
                commands[name] = self._commands(value)
                continue
            row[name] = to_column(about, value, model=self.name, dialect=self.env.dialect)
            if about.type == "many2one" and row[name] is not None:
                self._check_link(about, row[name])
        return row, commands

    def _check_link(self, about: Field, value: int) -> None:
        if about.to is None or about.to not in self.env.schema or value in self.env.db.table(about.to).rows:
            return
        if self.env.dialect.major < 18 and about.name in self.late_keys:
            constraint = f"{self.name.replace('.', '_')}_{about.name}_fkey"
            raise validation_error(
                "The operation cannot be completed: another model requires the record being deleted. "
                f"If possible, archive it instead.\n\nModel: {title_of(self.name)} ({self.name})\n"
                f"Constraint: {constraint}\n"
            )
        raise missing_error(about.to, value, uid=self.env.uid)

    def _commands(self, value: Any) -> list[Any]:
        steps = value or []
        if any(isinstance(step, dict) for step in steps):
            raise self.env.dialect.not_commands()
        if steps and all(isinstance(step, int) for step in steps):
            return [[6, 0, list(steps)]]
        return list(steps)

    def _apply(self, record_id: int, name: str, steps: list[Any]) -> None:
        about = self.fields[name]
        if about.type == "one2many":
            inverse = INVERSES.get((self.name, name))
            if inverse is None:
                return
            for step in steps:
                self._apply_to_child(record_id, self.env[inverse[0]], inverse[1], step)
            return
        linked = list(self.table.rows[record_id].get(name) or [])
        for step in steps:
            linked = self._linked_after(about, linked, step)
        self.table.update(record_id, {name: linked})

    def _apply_to_child(self, record_id: int, other: Model, back: str, step: Any) -> None:
        kind = step[0]
        if kind == 0:
            for name in step[2]:
                if name not in other.fields:
                    raise self.env.dialect.invalid_order_field(other.name, name)
            other.create({**step[2], back: record_id})
        elif kind == 1:
            other.write([step[1]], step[2])
        elif kind in {2, 3}:
            other.unlink([step[1]])
        elif kind == 4:
            other.write([step[1]], {back: record_id})
        elif kind in {5, 6}:
            kept = set(step[2]) if kind == 6 else set()
            rows = other.table.rows
            other.unlink([one for one, row in rows.items() if row.get(back) == record_id and one not in kept])

    def _linked_after(self, about: Field, linked: list[int], step: Any) -> list[int]:
        kind = step[0]
        if kind == 6:
            return list(step[2])
        if kind == 5:
            return []
        if kind == 4:
            return [*linked, step[1]] if step[1] not in linked else linked
        if kind in {2, 3}:
            return [one for one in linked if one != step[1]]
        if kind == 0 and about.to:
            return [*linked, self.env[about.to].create(step[2])]
        return linked
