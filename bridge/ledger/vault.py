"""Encrypts what the ledger must not show: secrets of instances, requests of effects.

Each purpose has a key of its own, derived by HKDF, so that a text made for one cannot be passed off as another. The first
key of ``BRIDGE_SECRET_KEY`` encrypts, every one decrypts: that is how a key is changed without a stop.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from bridge.errors import ConfigurationError
from bridge.ledger.database import Database

#: Purposes.
INSTANCE_SECRETS = "instance-secrets"
EFFECT_REQUESTS = "effect-requests"
_CHECK = "key-check"
_CHECK_TEXT = b"commercebridge"
#: A shorter key could be guessed: HKDF does not slow a guesser down.
MIN_KEY_LENGTH = 16


class Vault:
    """Encrypts and decrypts for named purposes."""

    def __init__(self, secret_key: SecretStr | str | None) -> None:
        text = secret_key.get_secret_value() if isinstance(secret_key, SecretStr) else secret_key
        self._keys = tuple(key for part in (text or "").split(",") if (key := part.strip()))
        if any(len(key) < MIN_KEY_LENGTH for key in self._keys):
            raise ConfigurationError(
                f"BRIDGE_SECRET_KEY is too short: each key needs at least {MIN_KEY_LENGTH} characters."
            )
        self._by_purpose: dict[str, MultiFernet] = {}

    @property
    def has_key(self) -> bool:
        """Whether anything can be encrypted at all."""
        return bool(self._keys)

    def encrypt(self, purpose: str, plain: bytes) -> bytes:
        """Return ``plain`` encrypted with the first key."""
        return self._fernet(purpose).encrypt(plain)

    def decrypt(self, purpose: str, token: bytes) -> bytes:
        """Return what ``encrypt`` took, whichever of the keys made it.

        Raises:
            ConfigurationError: none of the keys fits.
        """
        try:
            return self._fernet(purpose).decrypt(bytes(token))
        except InvalidToken:
            raise _wrong_key() from None

    def rotate(self, purpose: str, token: bytes) -> bytes:
        """Return ``token`` encrypted anew with the first key."""
        return self.encrypt(purpose, self.decrypt(purpose, token))

    def check(self, database: Database) -> None:
        """Refuse a key that is not the ledger's; the first key that comes becomes it.

        Raises:
            ConfigurationError: none of the keys fits.
        """
        if not self._keys:
            return
        stored = self._stored_check(database)
        if stored is None:
            database.command(
                "INSERT INTO key_checks (name, value) VALUES ('key', :value) ON CONFLICT (name) DO NOTHING",
                value=self.encrypt(_CHECK, _CHECK_TEXT),
            )
            stored = self._stored_check(database) or b""
        self.decrypt(_CHECK, stored)

    def rotate_check(self) -> bytes:
        """Return a check value of the first key."""
        return self.encrypt(_CHECK, _CHECK_TEXT)

    def _stored_check(self, database: Database) -> bytes | None:
        with database.read() as session:
            stored = session.value("SELECT value FROM key_checks WHERE name = 'key'")
        return None if stored is None else bytes(stored)

    def _fernet(self, purpose: str) -> MultiFernet:
        if not self._keys:
            raise ConfigurationError("BRIDGE_SECRET_KEY is not set: secrets can be neither kept nor read.")
        found = self._by_purpose.get(purpose)
        if found is None:
            found = MultiFernet([Fernet(_derived(key, purpose)) for key in self._keys])
            self._by_purpose[purpose] = found
        return found


def _derived(key: str, purpose: str) -> bytes:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"commercebridge/{purpose}".encode())
    return base64.urlsafe_b64encode(kdf.derive(key.encode()))


def _wrong_key() -> ConfigurationError:
    return ConfigurationError(
        "BRIDGE_SECRET_KEY is not the key of this ledger. Set the key that it was made with; to change it,"
        " put the new key in front of the old one, with a comma between them."
    )
