"""Mappings as a YAML file: written so that any reader takes them alike, read with every value as the text it is.

YAML reads ``007`` as 7 and ``no`` as false; Magento's values may be either. So all text is written in double quotes, and
nothing is resolved when it is read: what stands there counts, quoted or not.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from bridge.cli.mapping_words import LONGEST_VALUE
from bridge.errors import SettingsWrong
from bridge.flows.kinds import MAPPING_KINDS
from bridge.ledger import MappingDecision, MappingRow

FORMAT = "1"
#: Odoo's ids are 4 bytes wide.
MAX_ODOO_ID = 2**31 - 1
_SHOWN_PROBLEMS = 20
_HEAD_FIELDS = frozenset({"format", "instance", "mappings"})
_FIELDS = ("kind", "value", "state", "odoo_model", "odoo_id", "odoo_label", "label")
_ID = re.compile(r"0|[1-9][0-9]{0,9}")
#: They turn the direction of text on a terminal; YAML would leave them as they are.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


class BadFile(SettingsWrong):
    """The file cannot be taken; nothing of it was."""

    code = "mapping_file"


@dataclass(frozen=True, kw_only=True)
class MappingFile:
    """What a file says."""

    instance: str | None
    decisions: list[MappingDecision]
    #: Entries that say ``unmapped``: they decide nothing.
    undecided: int


class _Text(str):
    """Text that is written in double quotes, whatever it looks like."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # the library has no types
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002  # the parent's signature
        super().increase_indent(flow, False)


_Dumper.add_representer(
    _Text, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style='"')
)


def write_file(instance: str, rows: Iterable[MappingRow], *, is_unicode: bool = True) -> str:
    """Return the file of ``rows``; ``is_unicode`` False escapes all that is not ASCII."""
    head = {"format": int(FORMAT), "instance": _Text(instance)}
    text = (
        "# Mappings, written by `bridge mappings export`. `bridge mappings import FILE --dry-run` says what it would change.\n"
        f"{_dump(head, is_unicode=is_unicode)}"
    )
    entries = [_entry(row) for row in rows]
    return text + (_dump({"mappings": entries}, is_unicode=is_unicode) if entries else "mappings: []\n")


def _entry(row: MappingRow) -> dict[str, Any]:
    values = {
        "kind": row.kind,
        "value": _Text(row.value),
        "state": row.state,
        "odoo_model": row.odoo_model,
        "odoo_id": row.odoo_id,
        "odoo_label": None if row.odoo_label is None else _Text(row.odoo_label),
        "label": None if row.label is None else _Text(row.label),
    }
    return {name: value for name, value in values.items() if value is not None}


def _dump(value: Mapping[str, Any], *, is_unicode: bool) -> str:
    text: str = yaml.dump(value, Dumper=_Dumper, allow_unicode=is_unicode, sort_keys=False, width=sys.maxsize)
    return _TURNING.sub(lambda match: f"\\u{ord(match[0]):04X}", text)


class _Loader(yaml.BaseLoader):  # type: ignore[misc]  # the library has no types
    """Reads every scalar as text; no aliases, no key twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(
                None, None, "aliases (*NAME) are not taken", self.peek_event().start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002  # the parent's signature
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            if isinstance(key.value, str):
                seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def read_file(text: str) -> MappingFile:
    """Return what the file says, all of it checked.

    Raises:
        BadFile: with a sentence for each thing that is wrong.
    """
    head = _load(text)
    if not isinstance(head, dict):
        raise BadFile("The file is no mapping file: it has no `mappings:`.")
    problems = [f"unknown field {name!r} at the top" for name in head if name not in _HEAD_FIELDS]
    if head.get("format") != FORMAT:
        problems.append(f"`format: {FORMAT}` is needed at the top")
    entries = head.get("mappings")
    if entries is None or not isinstance(entries, list):
        problems.append("`mappings:` must be a list")
        entries = []
    decisions: dict[tuple[str, str], MappingDecision | None] = {}
    for number, entry in enumerate(entries, start=1):
        found = _read_entry(entry)
        if isinstance(found, list):
            problems += [f"entry {number}{_named(entry)}: {problem}" for problem in found]
            continue
        key, decision = found
        if key in decisions:
            problems.append(f"entry {number}{_named(entry)}: this value stands twice")
        decisions[key] = decision
    if problems:
        raise BadFile(_sentence(problems))
    instance = head.get("instance")
    return MappingFile(
        instance=instance if isinstance(instance, str) and instance else None,
        decisions=[one for one in decisions.values() if one is not None],
        undecided=sum(one is None for one in decisions.values()),
    )


def _load(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  # a BaseLoader: it makes text, lists and dicts only
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        where = "" if mark is None else f" in line {mark.line + 1}"
        raise BadFile(f"The file is no YAML{where}: {exc.problem or exc.context}.") from None
    except (yaml.YAMLError, TypeError):
        raise BadFile("The file is no YAML: it holds characters or keys that it must not.") from None
    except RecursionError:
        raise BadFile("The file is nested too deeply.") from None


def _read_entry(entry: Any) -> tuple[tuple[str, str], MappingDecision | None] | list[str]:
    """Return an entry's key and decision, None for *unmapped*; or what is wrong with it."""
    if not isinstance(entry, dict):
        return ["must have the fields kind, value, state, odoo_id"]
    problems = [f"unknown field {name!r}" for name in entry if name not in _FIELDS]
    problems += [f"{name} must be a text" for name in _FIELDS if not isinstance(entry.get(name, ""), str)]
    if problems:
        return problems
    kind, value = entry.get("kind", ""), entry.get("value", "")
    if kind not in MAPPING_KINDS:
        return [f"unknown kind {kind!r}; known are {', '.join(sorted(MAPPING_KINDS))}"]
    if not 0 < len(value) <= LONGEST_VALUE:
        return ["value must be a text of 1 to 1000 characters"]
    state = entry.get("state") or ("mapped" if entry.get("odoo_id") else "unmapped")
    if state == "mapped":
        problems = _mapped_problems(entry, kind)
    elif state not in {"ignored", "unmapped"}:
        problems = [f"unknown state {state!r}; known are mapped, ignored, unmapped"]
    elif entry.get("odoo_id"):
        problems = [f"it has an odoo_id, and its state is {state}: say mapped, or take the id away"]
    elif state == "ignored" and not MAPPING_KINDS[kind].may_ignore:
        problems = [f"a {kind} cannot be ignored: money depends on it"]
    if problems:
        return problems
    return (kind, value), _decision(entry, kind, value, state)


def _mapped_problems(entry: Mapping[str, str], kind: str) -> list[str]:
    problems = []
    model = MAPPING_KINDS[kind].model
    given = entry.get("odoo_id", "")
    if not _ID.fullmatch(given) or int(given) > MAX_ODOO_ID:
        problems.append(f"odoo_id {given!r} is no id of an Odoo record")
    elif given == "0" and kind != "zero_tax":
        problems.append("odoo_id 0 is for zero_tax only, where it means explicitly no tax")
    if entry.get("odoo_model", model) != model:
        problems.append(f"a {kind} is mapped to {model}, not to {entry['odoo_model']}")
    return problems


def _decision(entry: Mapping[str, str], kind: str, value: str, state: str) -> MappingDecision | None:
    if state == "unmapped":
        return None
    if state == "ignored":
        return MappingDecision(kind=kind, value=value, state="ignored")
    return MappingDecision(
        kind=kind,
        value=value,
        state="mapped",
        odoo_model=MAPPING_KINDS[kind].model,
        odoo_id=int(entry["odoo_id"]),
        odoo_label=entry.get("odoo_label") or None,
    )


def _named(entry: Any) -> str:
    if not isinstance(entry, dict) or not isinstance(entry.get("value"), str):
        return ""
    return f" ({entry.get('kind')} {entry['value']!r})"


def _sentence(problems: list[str]) -> str:
    more = len(problems) - _SHOWN_PROBLEMS
    said = "; ".join(problems[:_SHOWN_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")
    return f"Nothing of the file was taken: {said}."
