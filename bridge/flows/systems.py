"""The two systems of an instance: clients made once per process, shared between threads."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from bridge.errors import SettingsWrong
from bridge.idempotency import fingerprint
from bridge.ledger import Instance
from bridge.magento import MagentoClient, parse_secret
from bridge.odoo import OdooClient

#: Names of an instance's secrets in the ledger.
MAGENTO_SECRET = "magento"  # noqa: S105  # a name, not a secret
ODOO_SECRET = "odoo"  # noqa: S105  # a name, not a secret


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The clients of one instance."""

    magento: MagentoClient
    odoo: OdooClient


class Systems:
    """Hands out the clients of instances and makes them anew when an instance's settings or secrets change."""

    def __init__(self, *, longest_call_seconds: float = 30.0) -> None:
        self._longest_call_seconds = longest_call_seconds
        self._lock = threading.Lock()
        self._pairs: dict[str, tuple[Instance, str, Pair]] = {}

    def deadline_seconds(self, instance: Instance) -> float:
        """Return how long one call to a system of ``instance`` may last, as a whole."""
        return min(instance.settings.call_deadline_seconds, self._longest_call_seconds)

    def of(self, instance: Instance) -> Pair:
        """Return the clients of ``instance``.

        Raises:
            SettingsWrong: a secret is missing or of the wrong form.
        """
        with self._lock:
            known = self._pairs.get(instance.name)
        if known is not None and known[0] is instance:
            return known[2]
        mark = fingerprint(
            [
                instance.settings.model_dump(mode="json"),
                {name: secret.get_secret_value() for name, secret in instance.secrets.items()},
            ]
        )
        with self._lock:
            known = self._pairs.get(instance.name)
            # Jobs that still run with an old pair keep it; its sockets close with the last of them.
            is_same = known is not None and known[1] == mark
            pair = known[2] if known and is_same else connect(instance, self.deadline_seconds(instance))
            self._pairs[instance.name] = (instance, mark, pair)
            return pair

    def close(self) -> None:
        """Close all connection pools."""
        with self._lock:
            for _, _, pair in self._pairs.values():
                pair.magento.close()
                pair.odoo.close()
            self._pairs.clear()


def connect(instance: Instance, deadline_seconds: float | None = None) -> Pair:
    """Return new clients for ``instance``; nothing is sent yet."""
    settings = instance.settings
    deadline_seconds = deadline_seconds or settings.call_deadline_seconds
    secret = instance.secrets.get(MAGENTO_SECRET)
    key = instance.secrets.get(ODOO_SECRET)
    if secret is None or key is None:
        missing = "Magento token" if secret is None else "Odoo API key"
        raise SettingsWrong(f"The {missing} of instance {instance.name} is not set.", reason="secret")
    magento = MagentoClient.connect(
        base_url=str(settings.base_url),
        secret=parse_secret(secret.get_secret_value()),
        store_code=settings.store_code,
        verify_ssl=settings.verify_ssl,
        deadline_seconds=deadline_seconds,
    )
    odoo = OdooClient.connect(
        url=str(settings.odoo_url),
        db=settings.odoo_db,
        user=settings.odoo_user,
        key=key.get_secret_value(),
        verify_ssl=settings.verify_ssl,
        deadline_seconds=deadline_seconds,
    )
    return Pair(magento=magento, odoo=odoo)
