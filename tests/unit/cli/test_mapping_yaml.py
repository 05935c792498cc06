"""Mappings as YAML: nothing of a value is lost or read as something else, and nothing wrong is taken."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bridge.cli.mapping_yaml import BadFile, read_file, write_file
from bridge.flows.kinds import MAPPING_KINDS
from bridge.ledger import MappingRow

NOW = datetime(2026, 11, 26, tzinfo=UTC)
HEAD = "format: 1\nmappings:\n"
#: Values that YAML's own types would change, or that its syntax uses.
HARD = [
    *("007", "08", "0x1F", "0o17", "1e3", "1_000", "12:30:45", "19.0", ".5", "-1", "+49", "2026-11-01"),
    *("yes", "no", "on", "off", "true", "False", "null", "~", "NaN", ".inf", "=", "<<", "y", "N"),
    *("a: b", "key:", ": x", "- item", "# no comment", "x # y", "'quoted'", '"double"', "it's", "\\n", "\\"),
    *(
        "&anchor",
        "*alias",
        "!tag",
        "| text",
        "> text",
        "%percent",
        "@at",
        "`tick",
        "{a: 1}",
        "[1, 2]",
        "?",
        "? x",
    ),
    *(" leading", "trailing ", "\ttab", "two\nlines", "line\r\nfeed", "\n", "\x85", "\u2028", "\ufeff"),
    *("Grün", "日本語", "🛒 cart", "עברית", "\u202eturned", "e\u0301", "DE-19|19", "x" * 900),
]


def row(
    value: str,
    *,
    kind: str = "tax",
    odoo_id: int | None = 12,
    state: str = "mapped",
    label: str | None = None,
):
    return MappingRow(
        instance="shop",
        kind=kind,
        value=value,
        label=label,
        example="order 1",
        state=state,
        odoo_model=MAPPING_KINDS[kind].model if state == "mapped" else None,
        odoo_id=odoo_id if state == "mapped" else None,
        odoo_label=label if state == "mapped" else None,
        version=1,
        data={},
        seen_count=1,
        first_seen_at=NOW,
        last_seen_at=NOW,
        updated_by="anna",
        updated_at=NOW,
    )


@pytest.mark.parametrize("is_unicode", [True, False])
def test_every_value_comes_back_as_it_was(is_unicode: bool) -> None:
    rows = [row(value, label=value) for value in HARD]
    text = write_file("007", rows, is_unicode=is_unicode)
    found = read_file(text)
    assert found.instance == "007"
    assert [(one.value, one.odoo_label, one.odoo_id) for one in found.decisions] == [
        (value, value, 12) for value in HARD
    ]
    # Any other reader, with YAML's own types, takes the same.
    assert [one["value"] for one in yaml.safe_load(text)["mappings"]] == HARD
    assert text.isascii() or is_unicode
    assert not set(text) & {"\u202e", "\x85", "\u2028"}


@given(
    st.lists(st.text(min_size=1, max_size=40).filter(lambda text: "\0" not in text), unique=True, max_size=5)
)
def test_any_text_comes_back(values: list[str]) -> None:
    kept = [value.encode("utf-8", "replace").decode() for value in values]
    kept = list(dict.fromkeys(kept))
    found = read_file(write_file("shop", [row(value) for value in kept]))
    assert [one.value for one in found.decisions] == kept


def test_every_state_and_kind_comes_back() -> None:
    rows = [
        row("CH|novat|0", kind="zero_tax", odoo_id=0, label="no tax"),
        row("pick up", kind="shipping_method", state="ignored"),
        row("new", kind="store", state="unmapped", label="A store"),
        *(row("x", kind=kind, odoo_id=7) for kind in MAPPING_KINDS),
    ]
    found = read_file(write_file("shop", rows))
    assert [(one.kind, one.state, one.odoo_model, one.odoo_id) for one in found.decisions] == [
        ("zero_tax", "mapped", "account.tax", 0),
        ("shipping_method", "ignored", None, None),
        *((kind, "mapped", known.model, 7) for kind, known in MAPPING_KINDS.items()),
    ]
    assert found.undecided == 1
    assert read_file(write_file("shop", [])).decisions == []


def test_what_a_person_writes_is_taken_as_it_stands() -> None:
    found = read_file(
        HEAD + "  - {kind: service, value: 007, odoo_id: 5}\n"
        "  - kind: service\n    value: no\n    odoo_id: '6'\n    state: mapped\n    label: whatever\n"
        "  - {kind: store, value: 3}\n  - {kind: store, value: 4, state: ignored}\n"
    )
    assert [(one.value, one.odoo_id, one.state) for one in found.decisions] == [
        ("007", 5, "mapped"),
        ("no", 6, "mapped"),
        ("4", None, "ignored"),
    ]
    assert (found.instance, found.undecided) == (None, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no mapping file"),
        ("- a", "no mapping file"),
        ("just text", "no mapping file"),
        ("mappings: []", "`format: 1` is needed"),
        ("format: 2\nmappings: []", "`format: 1` is needed"),
        ("format: 1", "`mappings:` must be a list"),
        ("format: 1\nmappings: {}", "`mappings:` must be a list"),
        ("format: 1\nmapping: []\nmappings: []", "unknown field 'mapping' at the top"),
        (HEAD + "  - x", "entry 1: must have the fields"),
        (HEAD + "  - {kind: taxes, value: x, odoo_id: 1}", "unknown kind 'taxes'; known are attribute,"),
        (HEAD + "  - {kind: tax, value: x, id: 1}", "unknown field 'id'"),
        (HEAD + "  - {kind: tax, value: [x], odoo_id: 1}", "value must be a text"),
        (HEAD + "  - {kind: tax, odoo_id: 1}", "value must be a text of 1"),
        (HEAD + "  - {kind: tax, value: x, odoo_id: x}", "entry 1 (tax 'x'): odoo_id 'x' is no id"),
        (HEAD + "  - {kind: tax, value: x, odoo_id: 1.0}", "is no id"),
        (HEAD + "  - {kind: tax, value: x, odoo_id: -1}", "is no id"),
        (HEAD + "  - {kind: tax, value: x, odoo_id: 012}", "is no id"),
        (HEAD + "  - {kind: tax, value: x, odoo_id: 2147483648}", "is no id"),
        (HEAD + "  - {kind: tax, value: x, odoo_id: \u0661}", "is no id"),
        (HEAD + "  - {kind: tax, value: x, state: mapped}", "odoo_id '' is no id"),
        (HEAD + "  - {kind: tax, value: x, odoo_id: 0}", "odoo_id 0 is for zero_tax only"),
        (HEAD + "  - {kind: tax, value: x, odoo_id: 1, odoo_model: crm.team}", "is mapped to account.tax"),
        (HEAD + "  - {kind: tax, value: x, state: ignored}", "cannot be ignored"),
        (HEAD + "  - {kind: store, value: x, odoo_id: 1, state: ignored}", "say mapped, or take the id away"),
        (HEAD + "  - {kind: store, value: x, state: done}", "unknown state 'done'"),
        (
            HEAD + "  - {kind: tax, value: x, odoo_id: 1}\n  - {kind: tax, value: 'x', odoo_id: 2}",
            "entry 2 (tax 'x'): this value stands twice",
        ),
        (HEAD + "  - {kind: tax, value: x, value: y, odoo_id: 1}", "the key 'value' stands twice"),
        ("format: 1\nformat: 1\nmappings: []", "the key 'format' stands twice"),
        (HEAD + "  - &a {kind: tax, value: x, odoo_id: 1}\n  - *a", "aliases"),
        (HEAD + "  - {kind: tax, value: x, <<: {odoo_id: 1}}", "unknown field '<<'"),
        (HEAD + "  - {[a]: b}", "no YAML"),
        (HEAD + "  - {kind: tax", "no YAML in line"),
        (HEAD + " \t- x: [", "no YAML"),
        ("format: 1\nmappings: [\x07]", "no YAML"),
        ("[" * 5000, "nested too deeply"),
        ("format: 1\n--- \nformat: 1", "no YAML"),
        ("!!python/object/apply:os.system ['true']", "no mapping file"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_taken(text: str, words: str) -> None:
    with pytest.raises(BadFile) as caught:
        read_file(text)
    assert words in caught.value.message


def test_everything_that_is_wrong_is_said_at_once() -> None:
    text = HEAD + "".join(f"  - {{kind: nope, value: v{number}}}\n" for number in range(25))
    with pytest.raises(BadFile) as caught:
        read_file(text)
    assert caught.value.message.count("unknown kind") == 20
    assert caught.value.message.endswith("; and 5 more.")
