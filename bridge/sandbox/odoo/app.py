"""The HTTP face of the simulated Odoo: ``/jsonrpc``, ``/json/2``, the version pages; as the recordings ``auth/*``.

The application is one event loop; each call runs whole in a transaction, and calls overlap where one waits for
its commit, for a held external id, or for a fault of the network.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from bridge.sandbox.faults import Reply
from bridge.sandbox.odoo.fault import (
    SERIALIZATION_TEXT,
    OdooFault,
    access_denied,
    missing_error,
    type_error,
    wrong_database,
)
from bridge.sandbox.odoo.rpc import RPCCall
from bridge.sandbox.odoo.state import OdooState
from bridge.sandbox.odoo.transactions import run

#: Odoo refuses larger bodies, except 16 (``errors/oversized-129MiB``).
MAX_BODY_BYTES = 128 * 1024 * 1024

#: Odoo's own answers when it breaks: JSON-2's form, werkzeug's page, and a JSON-RPC fault.
ERROR_REPLIES = (
    Reply(
        500,
        "application/json; charset=utf-8",
        json.dumps(OdooFault("psycopg2.errors.SerializationFailure", SERIALIZATION_TEXT).to_json2()).encode(),
    ),
    Reply(
        500,
        "text/html; charset=utf-8",
        b"<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>\n"
        b"<h1>Internal Server Error</h1>\n<p>The server encountered an internal error and was unable to complete "
        b"your request. Either the server is overloaded or there is an error in the application.</p>\n",
    ),
)

#: How werkzeug's pages begin, and how they began in 16.
_OLD_DOCTYPE = (
    "<!doctype html>\n<html lang=en>",
    '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">',
)


def describe(method: str, path: str, body: bytes) -> str:
    """Return the operation of a request: ``sale.order.load``, ``common.version``, or the path."""
    if path.startswith("/json/2/"):
        return path.removeprefix("/json/2/").replace("/", ".")
    if path != "/jsonrpc":
        return path
    try:
        params = json.loads(body)["params"]
        if params["service"] == "object":
            return f"{params['args'][3]}.{params['args'][4]}"
        return f"{params['service']}.{params['method']}"
    except (ValueError, KeyError, IndexError, TypeError):
        return path


def build_app(state: OdooState) -> Starlette:
    """Return the application that serves ``state``."""
    site = _Site(state)
    routes = [
        Route("/jsonrpc", site.json_rpc, methods=["GET", "POST", "PUT", "DELETE", "PATCH"]),
        Route("/web/webclient/version_info", site.version_info, methods=["POST"]),
        Route("/web/dataset/call_kw", site.without_session, methods=["POST"]),
    ]
    if state.version >= 19:
        every = ["GET", "POST", "PUT", "DELETE", "PATCH"]
        routes += [
            Route("/web/version", site.version_page),
            Route("/json/version", site.version_page),
            Route("/json/2/{model}/{method}", site.json_2, methods=every),
            Route("/json/2/{rest:path}", site.json_2_lost, methods=every),
        ]
    return Starlette(routes=routes, exception_handlers={404: _not_found})


async def _not_found(request: Request, exc: Exception) -> Response:
    page = '<!DOCTYPE html>\n<html>\n    <head>\n        <meta charset="utf-8"/>\n    </head>\n</html>\n'
    return HTMLResponse(page, status_code=404, headers={"content-type": "text/html;charset=utf-8"})


def _json(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    content_type = {"content-type": "application/json; charset=utf-8"}
    return JSONResponse(body, status_code=status, headers=content_type | dict(headers or {}))


class _Site:
    def __init__(self, state: OdooState) -> None:
        self._state = state

    # Versions.

    def _version(self) -> dict[str, Any]:
        major = self._state.version
        return {
            "server_version": self._state.dialect.version_text,
            "server_version_info": [major, 0, 0, "final", 0, ""],
            "server_serie": f"{major}.0",
            "protocol_version": 1,
        }

    async def version_info(self, request: Request) -> Response:
        return _json({"jsonrpc": "2.0", "id": None, "result": self._version()})

    async def version_page(self, request: Request) -> Response:
        version = self._version()
        return _json({"version_info": version["server_version_info"], "version": version["server_version"]})

    async def without_session(self, request: Request) -> Response:
        fault = OdooFault("odoo.http.SessionExpiredException", "Session expired")
        error = {"code": 100, "message": "Odoo Session Expired", "data": fault.to_json_rpc()}
        return _json({"jsonrpc": "2.0", "id": None, "error": error})

    # JSON-RPC.

    async def json_rpc(self, request: Request) -> Response:
        if request.method != "POST" or not _is_json(request):
            return self._wrong_type("/jsonrpc", "jsonrpc" if self._state.version >= 19 else "json")
        body = await request.body()
        if len(body) > MAX_BODY_BYTES and self._state.version >= 18:
            text = "413 Request Entity Too Large: The data value transmitted exceeds the capacity limit."
            too_large = OdooFault("werkzeug.exceptions.RequestEntityTooLarge", text, arguments=[])
            return self._rpc_fault(too_large, None)
        try:
            message = json.loads(body)
        except ValueError:
            return self._unreadable()
        if not isinstance(message, dict):
            return self._not_an_object()
        number = message.get("id")
        try:
            result = await self._serve(message.get("params") or {}, request.scope)
        except OdooFault as fault:
            return self._rpc_fault(fault, number)
        answer = {"jsonrpc": "2.0", "id": number}
        # A method that returns None answers neither result nor error (FACTS 2).
        return _json(answer if result is None else answer | {"result": result})

    def _rpc_fault(self, fault: OdooFault, number: Any) -> Response:
        data = fault.to_json_rpc()
        error = {"code": self._state.dialect.error_code, "message": "Odoo Server Error", "data": data}
        return _json({"jsonrpc": "2.0", "id": number, "error": error})

    def _unreadable(self) -> Response:
        if self._state.version >= 18:
            return PlainTextResponse("Invalid JSON data", status_code=400, media_type="text/html")
        text = "400 Bad Request: Invalid JSON data"
        return self._rpc_fault(OdooFault("werkzeug.exceptions.BadRequest", text, arguments=[]), None)

    def _not_an_object(self) -> Response:
        if self._state.version >= 18:
            return PlainTextResponse("Invalid JSON-RPC data", status_code=400, media_type="text/html")
        page = ERROR_REPLIES[1].body.decode().replace(*_OLD_DOCTYPE)
        return HTMLResponse(page, status_code=500)

    def _wrong_type(self, path: str, kind: str) -> Response:
        if self._state.version >= 19:
            title, status = "Unsupported Media Type", 415
            known = "[&#39;http&#39;, &#39;json2&#39;]" if kind == "jsonrpc" else "[&#39;http&#39;]"
            hint = "<br><br>Please verify the Content-Type request header and try again."
        else:
            title, status, known, hint = "Bad Request", 400, "[&#39;http&#39;]", ""
        page = (
            f"<!doctype html>\n<html lang=en>\n<title>{status} {title}</title>\n<h1>{title}</h1>\n"
            f"<p>Request inferred type is compatible with {known} but &#39;{path}&#39; is "
            f"type=&#39;{kind}&#39;.{hint}</p>\n"
        )
        if self._state.version < 18:
            page = page.replace("&#39;", "&#x27;").replace(*_OLD_DOCTYPE)
        return HTMLResponse(page, status_code=status)

    async def _serve(self, params: Mapping[str, Any], scope: Scope) -> Any:
        missing = [name for name in ("service", "method", "args") if name not in params]
        if missing:
            site = "JSONRPC" if self._state.version >= 19 else "RPC"
            shown = ", ".join(f"'{name}'" for name in missing[:-1]) + f", and '{missing[-1]}'"
            raise type_error(
                f"{site}.jsonrpc() missing {len(missing)} required positional arguments: {shown}"
            )
        service, method, args = params["service"], params["method"], params["args"]
        if service == "common":
            return self._common(method, args)
        if service == "db" and method == "list":
            return [self._state.database]
        if service != "object":
            raise OdooFault("builtins.KeyError", service)
        return await run(self._state, self._rpc_call(args, scope), scope)

    def _common(self, method: str, args: list[Any]) -> Any:
        if method == "version":
            if args:
                counted = "1 was" if len(args) == 1 else f"{len(args)} were"
                raise type_error(f"exp_version() takes 0 positional arguments but {counted} given")
            return self._version()
        if method in {"authenticate", "login"}:
            self._check_database(args[0])
            return self._state.authenticate(args[1], args[2]) or False
        raise OdooFault("builtins.KeyError", method)

    def _check_database(self, name: str) -> None:
        if name != self._state.database:
            raise wrong_database(name)

    def _rpc_call(self, args: list[Any], scope: Scope) -> RPCCall:
        database, uid, secret, model, method = args[:5]
        self._check_database(database)
        if not isinstance(uid, int) or uid not in self._state.database_of_rows.table("res.users").rows:
            raise missing_error("res.users", uid, uid=uid)
        if not self._state.accepts(uid, str(secret)):
            raise access_denied()
        keywords = dict(args[6]) if len(args) > 6 else {}
        return RPCCall(
            uid=uid,
            model=model,
            method=method,
            positional=args[5] if len(args) > 5 else [],
            context=keywords.pop("context", None) or {},
            keywords=keywords,
            is_stale=bool(scope.get("sandbox.stale")),
        )

    # JSON-2.

    async def json_2_lost(self, request: Request) -> Response:
        return self._json_2_fault(_not_found_fault("Did you mean POST /json/2/<model>/<method>?"))

    async def json_2(self, request: Request) -> Response:
        if request.method != "POST":
            return await self.json_2_lost(request)
        if not _is_json(request):
            return self._wrong_type("/json/2/&lt;__model__&gt;/&lt;__method__&gt;", "json2")
        if request.headers.get("x-odoo-database", self._state.database) != self._state.database:
            page = (
                "<!DOCTYPE html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>No database is selected and "
                "the requested URL was not found in the server-wide controllers.</p>\n<p>Please verify the hostname, "
                "<a href=/web/login>login</a> and try again.</p>\n\n"
                "<!-- Alternatively, use the X-Odoo-Database header. -->\n"
            )
            return HTMLResponse(page, status_code=404)
        try:
            result = await run(self._state, self._json_2_call(request, await request.body()), request.scope)
        except OdooFault as fault:
            return self._json_2_fault(fault)
        if request.path_params["method"] == "create" and isinstance(result, int):
            result = [result]
        return _json(result)

    def _json_2_fault(self, fault: OdooFault) -> Response:
        headers = {"www-authenticate": "Bearer"} if fault.status == 401 else {}
        return _json(fault.to_json2(), status=fault.status, headers=headers)

    def _json_2_call(self, request: Request, body: bytes) -> RPCCall:
        uid = self._bearer(request)
        try:
            named = json.loads(body) if body else {}
        except ValueError as exc:
            text = f"could not parse the body as json: {exc}"
            raise OdooFault("werkzeug.exceptions.BadRequest", text, arguments=[text, 400]) from exc
        keywords = dict(named) if isinstance(named, dict) else {}
        return RPCCall(
            uid=uid,
            model=request.path_params["model"],
            method=request.path_params["method"],
            positional=None,
            context=keywords.pop("context", None) or {},
            keywords=keywords,
            is_stale=bool(request.scope.get("sandbox.stale")),
        )

    def _bearer(self, request: Request) -> int:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        text = "User not authenticated, use an API Key with a Bearer Authorization header."
        if scheme.lower() == "bearer":
            uid = self._state.user_of_key(key.strip())
            if uid is not None:
                return uid
            text = "Invalid apikey"
        raise OdooFault("werkzeug.exceptions.Unauthorized", text, arguments=[text, 401])


def _not_found_fault(text: str) -> OdooFault:
    return OdooFault("werkzeug.exceptions.NotFound", text, arguments=[text, 404])


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip() == "application/json"


__all__ = ["ERROR_REPLIES", "build_app", "describe"]
