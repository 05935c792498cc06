"""The simulated Magento REST API as an ASGI application: routes, rights, formats, errors.

The order of the checks is Magento's: method, store code, route, credentials and right, then the request's
own content (recordings ``errors/*``, ``auth/020-no-auth-unknown-entity``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.sandbox.faults import Reply
from bridge.sandbox.magento import (
    bulk_api,
    catalog_api,
    category_api,
    fulfil_api,
    inventory_api,
    orders_api,
    prices_api,
    product_parts,
    product_writes,
    salable_api,
    shop_api,
    source_items_api,
    tier_prices_api,
)
from bridge.sandbox.magento.ask import Ask, Endpoint
from bridge.sandbox.magento.fields import only_fields
from bridge.sandbox.magento.media import FOLDER
from bridge.sandbox.magento.rest import INTERNAL_ERROR, RestError, no_route, not_authorized, not_found_page
from bridge.sandbox.magento.state import MagentoState

_METHODS = ("GET", "POST", "PUT", "DELETE")
_JSON = "application/json; charset=utf-8"
_ENDPOINTS = (
    *orders_api.ENDPOINTS,
    # Before the products: theirs is the path with a SKU in it.
    *category_api.ENDPOINTS,
    *prices_api.ENDPOINTS,
    *tier_prices_api.ENDPOINTS,
    *catalog_api.ENDPOINTS,
    *product_writes.ENDPOINTS,
    *product_parts.ENDPOINTS,
    *inventory_api.ENDPOINTS,
    *source_items_api.ENDPOINTS,
    *salable_api.ENDPOINTS,
    *bulk_api.ENDPOINTS,
    *fulfil_api.ENDPOINTS,
    *shop_api.ENDPOINTS,
)

_ERROR_PAGE = b"""<!doctype html>
<html xmlns="http://www.w3.org/1999/xhtml" >
<head>
    <title>There has been an error processing your request</title>
</head>
<body>
    <main class="page-main">
<h1>There has been an error processing your request</h1>
    <p><em>Exception printing is disabled by default for security reasons.</em></p>
    </main>
</body>
</html>
"""

#: Magento's own 500 in its three forms: JSON, plain text, HTML (``errors/022``, ``023``, ``019``).
ERROR_REPLIES = (
    Reply(500, _JSON, json.dumps({"message": INTERNAL_ERROR}).encode()),
    Reply(
        500,
        "text/html; charset=UTF-8",
        b"An error has happened during application run. See exception log for details.\n",
    ),
    Reply(500, "text/html; charset=UTF-8", _ERROR_PAGE),
)


def build_app(state: MagentoState) -> Starlette:
    """Return the ASGI application of one simulated shop."""

    async def serve(request: Request) -> Response:
        raw_path = request.scope["raw_path"].decode("latin-1")
        if raw_path.startswith(f"{FOLDER}/"):
            file = state.media.answer(raw_path)
            return Response(file.body, file.status, media_type=file.content_type)
        body = await request.body()
        accept = request.headers.get("accept", "*/*")
        if not any(kind in accept for kind in ("application/json", "application/xml", "*/*")):
            return Response(_ERROR_PAGE, 500, media_type="text/html")
        try:
            status, answer = _answer(state, request, body)
        except RestError as error:
            if error.is_plain:
                return Response(error.body["message"], error.status, media_type="text/html")
            status, answer = error.status, error.body
        if "application/xml" in accept and "json" not in accept:
            return Response(_as_xml(answer), status, media_type="application/xml")
        return Response(json.dumps(answer, separators=(",", ":")), status, headers={"content-type": _JSON})

    every_method = [*_METHODS, "PATCH", "OPTIONS", "HEAD"]
    return Starlette(routes=[Route("/{path:path}", serve, methods=every_method)])


def describe(method: str, path: str, body: bytes) -> str:
    """Return the operation of a request: its path without the store code, numbers and SKUs as ``{id}``."""
    del body
    _, parts = _split(path)
    route = _match(method, parts) if parts is not None else None
    if route is None:
        return path
    return "/V1/" + re.sub(r":\w+", "{id}", route[0].pattern)


def _answer(state: MagentoState, request: Request, body: bytes) -> tuple[int, Any]:
    raw_path = request.scope["raw_path"].decode("latin-1")
    query = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    if request.method not in _METHODS:
        raise RestError(405, f"The {request.method} HTTP method is not supported.")
    store_code, parts = _split(raw_path)
    if state.switches.refuses_slashes and "%2f" in raw_path.lower():
        raise not_found_page()
    if parts is None:
        raise no_route()
    if store_code and store_code not in state.store_codes():
        raise RestError(400, "Specified request cannot be processed.")
    match = _match(request.method, parts)
    if match is None or ("inventory" in parts[:3] and not state.switches.has_inventory):
        raise no_route()
    endpoint, path = match
    if endpoint.resource is not None:
        _check_rights(state, request, query, raw_path, endpoint.resource)
    ask = Ask(
        state=state,
        query=query,
        path=path,
        headers=request.headers,
        body=body,
        is_stale=bool(request.scope.get("sandbox.stale")),
        store_code=store_code,
    )
    answer = endpoint.handler(ask)
    fields = next((value for name, value in query if name == "fields"), "")
    return endpoint.status, only_fields(answer, fields) if fields else answer


def _check_rights(
    state: MagentoState,
    request: Request,
    query: Sequence[tuple[str, str]],
    raw_path: str,
    resource: str,
) -> None:
    # The signed URL is what PHP sees: its scheme, the Host header, the path as sent.
    url = f"{request.scope['scheme']}://{request.headers.get('host', '')}{raw_path}"
    is_permitted = state.guard.permits(
        authorization=request.headers.get("authorization", ""),
        method=request.method,
        url=url,
        query=query,
        resource=resource,
    )
    if not is_permitted:
        raise not_authorized(resource)


def _split(raw_path: str) -> tuple[str, list[str] | None]:
    """Return the store code ("" if none) and the parts after ``V1``, or None where the path is no such path."""
    parts = [part for part in raw_path.split("/") if part]
    if not parts or parts[0] != "rest":
        return "", None
    if len(parts) > 1 and parts[1] == "V1":
        return "", parts[2:]
    # Bulk calls have the words before the version (``async/006``, ``async/014``): after it as a pattern has them.
    for code, rest in (("", parts[1:]), (unquote(parts[1]) if len(parts) > 1 else "", parts[2:])):
        if rest[:3] == ["async", "bulk", "V1"]:
            return code, ["async", "bulk", *rest[3:]]
    if len(parts) > 2 and parts[2] == "V1":
        return unquote(parts[1]), parts[3:]
    return "", None


def _match(method: str, parts: Sequence[str]) -> tuple[Endpoint, Mapping[str, str]] | None:
    for endpoint, pattern in _PATTERNS.get((method, len(parts)), ()):
        path: dict[str, str] = {}
        for wanted, part in zip(pattern, parts, strict=True):
            if wanted.startswith(":"):
                path[wanted[1:]] = unquote(part)
            elif wanted != part:
                break
        else:
            return endpoint, path
    return None


def _by_shape() -> dict[tuple[str, int], list[tuple[Endpoint, list[str]]]]:
    shapes: dict[tuple[str, int], list[tuple[Endpoint, list[str]]]] = {}
    for endpoint in _ENDPOINTS:
        pattern = endpoint.pattern.split("/")
        shapes.setdefault((endpoint.method, len(pattern)), []).append((endpoint, pattern))
    return shapes


_PATTERNS = _by_shape()


def _as_xml(answer: Any) -> str:
    """Return the XML form, which a client gets that asks for it (``errors/018-accept-xml``)."""
    return f'<?xml version="1.0"?>\n<response>\n{_xml_rows(answer, 1)}</response>\n'


def _xml_rows(value: Any, depth: int) -> str:
    pairs = value.items() if isinstance(value, dict) else (("item", row) for row in value)
    return "".join(_xml_row(name, row, depth) for name, row in pairs)


def _xml_row(name: str, value: Any, depth: int) -> str:
    indent = "  " * depth
    if isinstance(value, dict | list):
        return f"{indent}<{name}>\n{_xml_rows(value, depth + 1)}{indent}</{name}>\n"
    return f"{indent}<{name}>{escape('' if value is None else str(value))}</{name}>\n"
