"""What is wrong with a setting, in plain English; never the value itself, it may be a secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: By the beginning of what pydantic calls an error; ``{ge}`` and the like are limits.
_MUST: Mapping[str, str] = {
    "literal_error": "must be {expected}",
    "bool_": "must be true or false",
    "int_": "must be a whole number",
    "decimal_max_digits": "has too many digits, at most {max_digits}",
    "decimal_max_places": "must have at most {decimal_places} decimal places",
    "decimal_": "must be a number such as 0.05",
    "float_": "must be a number",
    "finite_number": "must be a number",
    "date_": "must be a day such as 2026-11-01",
    "datetime_": "must be a time such as 2026-11-01T14:30:00",
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} or less",
    "less_than": "must be less than {lt}",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must not be empty",
    "url_scheme": "must begin with {expected_schemes}",
    "url_": "must be an address such as https://shop.example",
    "value_error": "{error}",
}


def plain_words(name: str, error: Mapping[str, Any]) -> str:
    """Return what is wrong with the setting ``name``, given one of pydantic's errors; without a stop."""
    kind = str(error["type"])
    if kind == "missing":
        return f"The setting {name} is needed"
    facts = {key: str(value) for key, value in error.get("ctx", {}).items()}
    for beginning, words in _MUST.items():
        if kind.startswith(beginning):
            return f"{name} {words.format_map(facts)}"
    return f"{name} has no value that it can have"
