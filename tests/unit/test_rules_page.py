"""``docs/rules.md`` names for each rule a module and a test: all of them are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
TESTS = re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)
#: Lines of the tables, without their heads.
ROWS = [
    line for line in PAGE.splitlines() if line.startswith("| ") and not re.match(r"\| (---|\||trap)", line)
]


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_test_that_the_page_names_is_there():
    missing = [
        f"{path}::{name}"
        for path, name in TESTS
        if not (ROOT / "tests" / path).is_file() or name not in functions(ROOT / "tests" / path)
    ]
    assert missing == []


def test_every_module_that_the_page_names_is_there():
    modules = re.findall(r"`(bridge/[\w/]+\.py)`", PAGE)
    assert modules
    assert [path for path in modules if not (ROOT / path).is_file()] == []


def test_every_line_names_a_test_and_every_rule_has_a_line():
    assert [row for row in ROWS if "::test_" not in row] == []
    assert {row.split("|")[1].strip() for row in ROWS if row.startswith("| 1.")} == {
        f"1.{number}" for number in range(1, 15)
    }
    named = {one for row in ROWS for one in re.findall(r"2\.\d", row.split("|")[1])}
    assert named == {f"2.{number}" for number in range(1, 7)}


def test_rules_that_the_code_names_are_on_the_page():
    named = set()
    for path in (ROOT / "bridge").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for listed in re.findall(r"RULES ((?:1\.\d+)(?:(?:, | and )1\.\d+)*)", text):
            named |= set(re.findall(r"1\.\d+", listed))
    assert named
    assert {rule for rule in named if f"| {rule} |" not in PAGE} == set()
