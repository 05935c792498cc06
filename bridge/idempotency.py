"""Keys that make a repeat harmless. Each is made from a record's own identity, never from a job or attempt."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any
from urllib.parse import urlsplit

#: The module part of our external ids in Odoo. It must never be the name of an installable module,
#: or an upgrade of that module would delete the records (Odoo cleans up external ids of its modules).
XMLID_MODULE = "__commerce_bridge__"


def external_key(instance: str, kind: str, entity: str) -> str:
    """Return the collision key of a job: the same work has the same key."""
    return _digest("job", instance, kind, entity)


def effect_key(installation_id: str, kind: str, entity: str) -> str:
    """Return the key of one write; readable, since it names the record in the ledger and in markers."""
    return f"{installation_id}:{kind}:{entity}"


def external_id(installation_id: str, kind: str, entity: str) -> str:
    """Return the external id in Odoo of the record made from Magento's ``kind`` ``entity``.

    The id is ``MODULE.NAME``; NAME holds letters, digits and underscores only. A natural key (an email,
    an address) enters as a digest, so that no personal data stands in an external id.
    """
    clean = entity if re.fullmatch(r"[A-Za-z0-9_]{1,64}", entity) else _digest(entity)[:32]
    return f"{_prefix(installation_id, kind)}{clean}"


def entity_of(external_id: str, installation_id: str, kind: str) -> str | None:
    """Return the entity, or its digest, of an external id that ``external_id`` made of this kind; else None."""
    prefix = _prefix(installation_id, kind)
    return external_id.removeprefix(prefix) if external_id.startswith(prefix) else None


def _prefix(installation_id: str, kind: str) -> str:
    return f"{XMLID_MODULE}.{installation_id.replace('-', '')}_{kind}_"


def store_key(base_url: str) -> str:
    """Return a digest of a store's address, the same however it is written.

    With or without a slash or ``/rest`` at its end, over http or https, whatever the case of the host.
    """
    parts = urlsplit(base_url.strip())
    host = (parts.hostname or "").rstrip(".")
    port = "" if parts.port in {None, 80, 443} else f":{parts.port}"
    path = re.sub(r"/rest(/.*)?$", "", re.sub(r"/+", "/", parts.path).rstrip("/"))
    return _digest("store", f"{host}{port}{path}")[:32]


def store_external_id(base_url: str) -> str:
    """Return the external id in Odoo of the contact tag that carries the store's installation id."""
    return f"{XMLID_MODULE}.store_{store_key(base_url)}"


def canonical_json(value: Any) -> bytes:
    """Return ``value`` as JSON bytes that are equal whenever the values are equal."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str).encode()


def fingerprint(value: Any) -> str:
    """Return a digest of ``value`` that changes whenever a field changes."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _digest(*parts: str) -> str:
    joined = "\x1f".join(parts)
    return hashlib.sha256(joined.encode()).hexdigest()
