"""Odoo's search domains: parsed with the faults of each version, and matched against rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from bridge.sandbox.odoo.fault import Dialect, OdooFault, type_error, value_error

#: A parsed domain: ``("&", left, right)``, ``("|", left, right)``, ``("!", part)``, a leaf, or true.
Node = tuple[Any, ...]
Leaf = tuple[str, str, Any]

OPERATORS = frozenset(
    {
        *("=", "!=", "<", ">", "<=", ">=", "=?", "in", "not in", "child_of", "parent_of"),
        *("like", "ilike", "not like", "not ilike", "=like", "=ilike"),
    }
)
TRUE: Node = ("true",)
#: What is no plain sign in a pattern of ``like``.
_SIGNS = re.compile(r"(\\.|[%_])", re.DOTALL)


def parse(domain: Any, dialect: Dialect) -> Node:
    """Return the tree of ``domain``, or raise the fault of the version (``errors/bad-domain-*``)."""
    if not isinstance(domain, list | tuple):
        if dialect.major >= 19:
            raise type_error(f"Domain() invalid argument type for domain: {domain!r}")
        text = "Domains to normalize must have a 'domain' form: a list or tuple of domain components"
        raise OdooFault("builtins.AssertionError", text)
    stack: list[Node] = []
    for item in reversed(domain):
        if isinstance(item, str) and item in {"&", "|"}:
            if len(stack) < 2:
                raise _dangling(domain, dialect)
            stack.append((item, stack.pop(), stack.pop()))
        elif item == "!":
            if not stack:
                raise _dangling(domain, dialect)
            stack.append(("!", stack.pop()))
        else:
            stack.append(("leaf", _leaf(item, dialect)))
    node = TRUE
    for part in stack:
        node = part if node is TRUE else ("&", node, part)
    return node


def _dangling(domain: Any, dialect: Dialect) -> OdooFault:
    if dialect.major >= 19:
        return value_error(f"Domain() malformed domain {list(domain)!r}")
    if dialect.major >= 18:
        return value_error(f"Domain {list(domain)!r} is syntactically not correct.")
    text = f"This domain is syntactically not correct: {list(domain)!r}"
    return OdooFault("builtins.AssertionError", text)


def _leaf(item: Any, dialect: Dialect) -> Leaf:
    if not isinstance(item, list | tuple) or len(item) != 3:
        if dialect.major >= 19:
            raise value_error(f"Domain() invalid item in domain: {item!r}")
        if dialect.major >= 18 and isinstance(item, list | tuple):
            raise value_error(f"not enough values to unpack (expected 3, got {len(item)})")
        shown = tuple(item) if isinstance(item, list) else item
        raise value_error(f"Invalid leaf {shown!r}")
    field, operator, value = item
    leaf = (field, operator, value)
    if field in {0, 1} and not isinstance(field, bool):
        return ("id", "!=" if field == 1 else "=", False)
    if operator not in OPERATORS:
        if dialect.major >= 19:
            raise value_error(f"Invalid operator in condition {leaf!r}")
        raise value_error(f"Invalid leaf {leaf!r}")
    if operator in {"in", "not in"} and not isinstance(value, list | tuple | bool):
        if dialect.major < 19:
            raise value_error(f"Invalid domain term {leaf!r}")
        return (field, operator, [value])
    return leaf


def leaves(node: Node) -> list[Leaf]:
    """Return all leaves of a parsed domain."""
    if node[0] == "leaf":
        return [node[1]]
    return [leaf for part in node[1:] for leaf in leaves(part)]


def required_groups(node: Node) -> list[list[Leaf]]:
    """Return groups of leaves of each of which every match satisfies at least one: those that an index may use."""
    if node[0] == "&":
        return required_groups(node[1]) + required_groups(node[2])
    group = _alternatives(node)
    return [group] if group else []


def _alternatives(node: Node) -> list[Leaf]:
    """Return the leaves of a leaf or of ``|`` between leaves; none of anything else."""
    if node[0] == "leaf":
        return [node[1]]
    if node[0] != "|":
        return []
    parts = [_alternatives(part) for part in node[1:]]
    return [leaf for part in parts for leaf in part] if all(parts) else []


def matches(node: Node, test: Callable[[Leaf], bool]) -> bool:
    """Return whether ``node`` holds, given a test for leaves."""
    kind = node[0]
    if kind == "leaf":
        return test(node[1])
    if kind == "&":
        return matches(node[1], test) and matches(node[2], test)
    if kind == "|":
        return matches(node[1], test) or matches(node[2], test)
    if kind == "!":
        return not matches(node[1], test)
    return True


def compare(operator: str, have: Any, want: Any) -> bool:
    """Return whether the stored value ``have`` (a list for x2many fields) fits ``want``."""
    if isinstance(have, list):
        return _compare_many(operator, have, want)
    have = None if have is False else have
    if operator in {"in", "not in"}:
        wanted = {None if one is False else one for one in want} if isinstance(want, list | tuple) else {want}
        return (have in wanted) == (operator == "in")
    if operator.endswith("like"):
        return _like(operator, have, want)
    want = None if want is False or want is None else want
    if operator in {"=", "=?"}:
        return have == want or (operator == "=?" and want is None) or (not have and want is None)
    if operator == "!=":
        return have != want and not (not have and want is None)
    if have is None or want is None:
        return False
    if operator == "<":
        return bool(have < want)
    if operator == ">":
        return bool(have > want)
    return bool(have <= want) if operator == "<=" else bool(have >= want)


def _compare_many(operator: str, have: list[Any], want: Any) -> bool:
    wanted = set(want) if isinstance(want, list | tuple) else {want}
    if operator in {"=", "in", "child_of", "ilike"}:
        return not have if wanted in ({False}, {None}) else bool(wanted & set(have))
    return bool(have) if wanted in ({False}, {None}) else not wanted & set(have)


def _like(operator: str, have: Any, want: Any) -> bool:
    is_negative = operator.startswith("not ")
    if have is None:
        return is_negative
    pattern = _pattern(str(want), operator.removeprefix("not "))
    return (pattern.fullmatch(str(have)) is not None) != is_negative


def literal_of(want: str) -> str | None:
    """Return the only text that ``=like want`` finds; None where a wildcard makes them several."""
    parts = _SIGNS.split(want)
    return None if {"%", "_"} & set(parts) else "".join(part.removeprefix("\\") for part in parts)


@lru_cache(maxsize=512)
def _pattern(want: str, operator: str) -> re.Pattern[str]:
    text = want if operator.startswith("=") else f"%{want}%"
    parts = _SIGNS.split(text)
    body = "".join({"%": ".*", "_": "."}.get(part, re.escape(part.removeprefix("\\"))) for part in parts)
    return re.compile(body, re.DOTALL | (re.IGNORECASE if "ilike" in operator else 0))
