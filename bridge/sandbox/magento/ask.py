"""One request to the simulated Magento, parsed as far as all endpoints need it, and what an endpoint is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.sandbox.magento.rest import Raw, RestError, field_required, wrong_type
from bridge.sandbox.magento.state import MagentoState


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request, parsed as far as all endpoints need it."""

    state: MagentoState
    #: Query parameters in their order, decoded.
    query: Sequence[tuple[str, str]]
    #: The variable parts of the path, decoded.
    path: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    #: The replica is behind: answer the older version of a record, if there is one.
    is_stale: bool
    #: The store code in the path, empty where there is none.
    store_code: str = ""

    def integer(self, name: str) -> int:
        """Return a part of the path as an integer, or refuse it as Magento does."""
        text = self.path[name]
        try:
            return int(text)
        except ValueError:
            raise wrong_type(text, "int") from None

    def content(self) -> Raw:
        """Return the JSON body (``errors/010`` to ``017``, ``errors/021``); what is no object counts as empty."""
        content = self._decoded()
        return content if isinstance(content, dict) else {}

    def operations(self) -> list[Any] | None:
        """Return the list that a bulk call's body is, None where it is none (``async/011``)."""
        content = self._decoded()
        return content if isinstance(content, list) else None

    def document(self, name: str) -> Raw:
        """Return the object under ``name`` in the JSON body, which must be there (``errors/009``)."""
        content = self.content()
        if name not in content:
            raise field_required(name)
        document = content[name]
        if not isinstance(document, dict):
            raise wrong_type(str(document), "object", name)
        return document

    def _decoded(self) -> Any:
        content_type = self.headers.get("content-type", "")
        if not content_type:
            raise RestError(400, "Content-Type header is empty.")
        media_type = content_type.split(";")[0].strip().lower()
        if media_type != "application/json":
            raise RestError(400, f"Server cannot understand Content-Type HTTP header media type {media_type}")
        if not self.body.strip():
            return {}
        try:
            content = json.loads(self.body)
            json.dumps(content, ensure_ascii=False).encode()
        except ValueError:
            raise RestError(400, "Decoding error.") from None
        return content


Handler = Callable[[Ask], Any]


@dataclass(frozen=True)
class Endpoint:
    """An endpoint: method, path below ``/V1`` (``:name`` is variable), ACL resource, handler."""

    method: str
    pattern: str
    #: The ACL resource; None means that anybody may ask.
    resource: str | None
    handler: Handler
    #: The status of a good answer.
    status: int = 200
