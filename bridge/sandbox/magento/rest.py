"""Errors of the simulated Magento, in Magento's words.

Error bodies are ``{"message": ..., "parameters": ...}`` with the placeholders left unfilled, as Magento
answers (recordings ``errors/*``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: An order, a product, a customer: JSON as Magento answers it.
Raw = dict[str, Any]

INTERNAL_ERROR = "Internal Error. Details are available in Magento log file. Report ID: webapi-6b04605bc376e"


class RestError(Exception):
    """An answer that is not 200, in Magento's shape."""

    def __init__(
        self, status: int, message: str, parameters: Mapping[str, Any] | Sequence[Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: Raw = {"message": message}
        #: Whether the answer is the bare text, not JSON.
        self.is_plain = False
        if parameters is not None:
            self.body["parameters"] = parameters


def field_required(name: str) -> RestError:
    """400: a top-level field is missing (``errors/009-400-missing-parameter``)."""
    return RestError(400, '"%fieldName" is required. Enter and try again.', {"fieldName": name})


def wrong_type(value: str, wanted: str, field: str | None = None) -> RestError:
    """400: a value cannot be read as its type (``errors/026-400-page-string``, ``orders/069-get-not-int``)."""
    text = f'The "{value}" value\'s type is invalid. The "{wanted}" type was expected. Verify and try again.'
    return RestError(400, f'Error occurred during "{field}" processing. {text}' if field else text)


def no_route() -> RestError:
    """404: no such endpoint (``errors/006-404-route``)."""
    return RestError(404, "Request does not match any route.")


def not_authorized(resource: str) -> RestError:
    """401: Magento's one answer for no token, a wrong one and a missing right (``auth/015-...``)."""
    return RestError(401, "The consumer isn't authorized to access %resources.", {"resources": resource})


def validation_failed(head: str, message: str, fields: Sequence[str]) -> RestError:
    """400: inventory's own form, with one entry per rule that was broken (``inventory/026``, ``071``)."""
    error = RestError(400, head)
    error.body["errors"] = [{"message": message, "parameters": {"field": field}} for field in fields]
    return error


def _uncaught() -> RestError:
    error = RestError(500, "An error has happened during application run. See exception log for details.\n")
    error.is_plain = True
    return error


def not_found_page() -> RestError:
    """Return the web server's own 404: the request never came to Magento."""
    error = RestError(404, "<html><head><title>404 Not Found</title></head><body>Not Found</body></html>")
    error.is_plain = True
    return error


#: 500 as plain text: PHP fell over (``errors/023-500-uncaught``, ``inventory/052``).
UNCAUGHT = _uncaught()
