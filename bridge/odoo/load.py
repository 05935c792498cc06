"""``load``: Odoo's import, used as an atomic create-if-absent (RULES 2.1 and its appendix).

With context ``{"mode": "update", "noupdate": true}`` and an external id on every record and line, the first call
creates everything in one transaction; the same key again answers the same id and writes nothing, on a confirmed
order too (``idempotency/load-create-only-*``). That context is what makes it safe to repeat after a doubt.

Without it ``load`` writes values again. With the column ``.id`` it does so by database id, one call for many records
with values of their own each (source of 16, 18 and 19: ``_load_records``); what is written is absolute.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bridge.errors import BridgeError, ServiceRejected
from bridge.odoo.faults import (
    CallSite,
    access_missing,
    groups_in,
    is_serialization,
    plain,
    serialization_failure,
)

#: The context that makes ``load`` create only.
CREATE_ONLY: Mapping[str, Any] = MappingProxyType({"mode": "update", "noupdate": True})


def in_company(company_id: int | None) -> dict[str, Any]:
    """Return the context in which fields that each company has for itself are those of a company, as of Odoo 13."""
    return {} if company_id is None else {"allowed_company_ids": [company_id]}


@dataclass(frozen=True, kw_only=True)
class LoadMessage:
    """What ``load`` said about a row."""

    #: ``error`` or ``warning``.
    kind: str
    #: One line in plain words.
    text: str
    #: The field it is about, if it names one.
    field: str | None
    #: First row it is about, from 0.
    row: int | None


@dataclass(frozen=True, kw_only=True)
class LoadResult:
    """What a ``load`` that kept its rows answered."""

    #: One id for each record, in the order of the rows.
    ids: tuple[int, ...]
    #: Warnings.
    messages: tuple[LoadMessage, ...]


@dataclass(frozen=True, kw_only=True)
class LoadRequest:
    """A ``load``, checked and complete: what an effect stores, to be sent again unchanged after a doubt."""

    model: str
    fields: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    create_only: bool = True
    #: Of an update: the language whose texts are written; None is the one that they fall back to.
    lang: str | None = None
    #: The company whose values are written, of fields that each company has for itself; None is the user's own.
    company_id: int | None = None

    def __post_init__(self) -> None:
        """Refuse what Odoo would take wrongly.

        Raises:
            TypeError: a cell is not a text. A JSON ``true``, or a number in a boolean or many2many column, is a
                fault in Odoo and not a message (``rules/load-cell-types``).
            ValueError: a row's width is wrong, or a create-only load lacks an external id where it needs one: lines
                without it would be added again.
        """
        for row in self.rows:
            if len(row) != len(self.fields):
                raise ValueError(f"a row of {len(row)} cells for {len(self.fields)} fields of {self.model}")
            for field, cell in zip(self.fields, row, strict=True):
                if type(cell) is not str:
                    raise TypeError(f"the cell of {field} for {self.model} is {type(cell).__name__}, not str")
        if self.create_only:
            self._check_external_ids()
        elif self.fields and self.fields[0] == ".id" and not all(row[0] for row in self.rows):
            raise ValueError(f"an update of {self.model} needs the id of each record: without it one is made")

    @property
    def context(self) -> Mapping[str, Any] | None:
        """The context that goes with it; an update by id must find archived records too."""
        company = in_company(self.company_id)
        if self.create_only:
            return {**CREATE_ONLY, **company}
        if self.fields[:1] != (".id",):
            return None
        return {"active_test": False, **company} | ({"lang": self.lang} if self.lang else {})

    @property
    def records(self) -> int:
        """How many records it is about: a row without an id only continues the lines of the one before."""
        at = next((at for at, field in enumerate(self.fields) if field in {"id", ".id"}), None)
        return sum(1 for row in self.rows if at is None or row[at])

    def encode(self) -> bytes:
        """Return the request as bytes to be stored; holds no key."""
        document = {
            "model": self.model,
            "fields": self.fields,
            "rows": self.rows,
            "create_only": self.create_only,
            **({"lang": self.lang} if self.lang else {}),
            **({"company_id": self.company_id} if self.company_id else {}),
        }
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "surrogatepass"
        )

    @classmethod
    def decode(cls, stored: bytes) -> LoadRequest:
        """Return the request that ``encode`` stored."""
        document = json.loads(stored.decode("utf-8", "surrogatepass"))
        return cls(
            model=document["model"],
            fields=tuple(document["fields"]),
            rows=tuple(tuple(row) for row in document["rows"]),
            create_only=document["create_only"],
            lang=document.get("lang"),
            company_id=document.get("company_id"),
        )

    def _check_external_ids(self) -> None:
        if not self.rows:
            raise ValueError(f"a load of {self.model} without rows")
        if "id" not in self.fields or not self.rows[0][self.fields.index("id")]:
            raise ValueError(f"a create-only load of {self.model} needs an external id in its first row")
        # "order_line/name" is a column of lines; "partner_id/.id" and "partner_id/id" only name a record.
        parts = [field.partition("/") for field in self.fields]
        lines = {first for first, _, rest in parts if rest not in {"", ".id", "id"}}
        for line in sorted(lines):
            if f"{line}/id" not in self.fields:
                raise ValueError(f"a create-only load of {self.model} needs the column {line}/id")


def read_load_answer(answer: Any, site: CallSite) -> LoadResult:
    """Read what ``load`` answered.

    Raises:
        ServiceUnavailable: it lost a race for the same records (``reason="serialization"``) and kept nothing.
        AccessMissing: a right is missing; it comes as a message too (``rules/load-partner-plain``).
        ServiceRejected: rows cannot be stored; nothing was kept. ``details["messages"]`` has the reasons.
    """
    raw = answer if isinstance(answer, Mapping) else {}
    found = [message for message in raw.get("messages") or [] if isinstance(message, Mapping)]
    ids = raw.get("ids")
    if isinstance(ids, list):
        return LoadResult(ids=tuple(int(one) for one in ids), messages=tuple(map(_message, found)))
    raise _load_error(found, site)


def _message(raw: Mapping[str, Any]) -> LoadMessage:
    rows = raw.get("rows")
    first = rows.get("from") if isinstance(rows, Mapping) else None
    return LoadMessage(
        kind=str(raw.get("type", "error")),
        text=plain(str(raw.get("message", ""))),
        field=raw.get("field") or None,
        row=first if isinstance(first, int) else raw.get("record"),
    )


def _load_error(raw: Sequence[Mapping[str, Any]], site: CallSite) -> BridgeError:
    facts: dict[str, Any] = {"system": "odoo", "model": site.model, "method": "load"}
    texts = [str(message.get("message", "")) for message in raw]
    if any(is_serialization(text) for text in texts):
        return serialization_failure(**facts)
    denied = next((text for text in texts if groups_in(text)), None)
    if denied is not None:
        return access_missing(denied, **facts)
    messages = tuple(map(_message, raw))
    said = " ".join(dict.fromkeys(message.text for message in messages)) or "It gave no reason."
    return ServiceRejected(
        f"Odoo could not store this {site.model}: {said}", reason="load", messages=messages, **facts
    )
