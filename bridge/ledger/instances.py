"""Instances: a Magento store paired with an Odoo database, with checked settings and encrypted secrets."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import SecretStr, ValidationError

from bridge.errors import SettingsWrong
from bridge.ledger.database import Conflict, Database, Row, Session
from bridge.ledger.facts import Instance
from bridge.ledger.shapes import moment
from bridge.ledger.vault import INSTANCE_SECRETS, Vault
from bridge.setting_words import plain_words
from bridge.settings import InstanceSettings

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_COLUMNS = "name, settings, installation_id, anchored_for, secrets, created_at"
#: Kind of the effect that fixes the installation id in Odoo: the one effect that may come before it is known.
ANCHOR_KIND = "create-installation-tag"

_ADD = f"""
INSERT INTO instances (name, settings, installation_id, secrets, max_parallel_odoo, max_parallel_magento, created_at,
    updated_at)
VALUES (:name, :settings, :installation_id, :secrets, :odoo, :magento, {{now}}, {{now}})
RETURNING {_COLUMNS}
"""
_SET = f"""
UPDATE instances SET settings = :settings, secrets = :secrets, max_parallel_odoo = :odoo,
    max_parallel_magento = :magento, updated_at = {{now}}
WHERE name = :name
RETURNING {_COLUMNS}
"""
_GET = f"SELECT {_COLUMNS} FROM instances WHERE name = :name"
_LIST = f"SELECT {_COLUMNS} FROM instances ORDER BY name"
_SETTINGS = "SELECT name, settings, created_at FROM instances ORDER BY name"
_NAMES = "SELECT name FROM instances ORDER BY name"
_ADOPT = f"""
UPDATE instances SET installation_id = :installation_id, anchored_for = :pair, updated_at = {{now}} WHERE name = :name
RETURNING {_COLUMNS}
"""
_HAS_WRITTEN = """
SELECT 1 FROM effects WHERE instance = :name AND kind <> :anchor AND substr(key, 1, 36) = :installation_id LIMIT 1
"""
_NAMESAKES = f"SELECT {_COLUMNS} FROM instances WHERE installation_id = :installation_id AND name <> :name ORDER BY name"
_RUNNING = "SELECT count(*) FROM jobs WHERE instance = :name AND state = 'running'"
_CANCEL_OPEN = """
UPDATE jobs SET state = 'cancelled', waits_for = NULL, cause = NULL, finished_at = {now}
WHERE instance = :name AND state IN ('pending', 'queued', 'retry_waiting', 'blocked')
"""
#: What speaks about the pair; jobs, effects and the sync log stay as history.
_BELONGINGS = (
    *("bindings", "mappings", "explanations", "breakers", "pauses", "releases", "stores"),
    *("stock_lines", "stock_figures", "stock_safety", "stock_parts", "drift_summaries"),
)


class Instances:
    """The instances of the ledger."""

    def __init__(self, database: Database, *, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def add(self, name: str, settings: Mapping[str, Any], secrets: Mapping[str, str | SecretStr]) -> Instance:
        """Add an instance.

        Raises:
            SettingsWrong: the name is taken or unusable, or a setting is wrong; the message names it and what is allowed.
        """
        if not _NAME.fullmatch(name):
            raise SettingsWrong(
                f"{name!r} cannot be an instance's name: use small letters, digits, - and _, at most 63."
            )
        checked = checked_settings(settings)
        try:
            rows = self._database.single(
                _ADD,
                name=name,
                installation_id=str(uuid.uuid4()),
                secrets=self._sealed(secrets),
                **_setting_columns(checked),
            )
        except Conflict as exc:
            raise SettingsWrong(f"There is an instance named {name} already.") from exc
        return self._read(rows[0])

    def get(self, name: str) -> Instance:
        """Return an instance.

        Raises:
            SettingsWrong: there is none of that name.
        """
        found = self.find(name)
        if found is None:
            known = ", ".join(self.names()) or "none yet"
            raise SettingsWrong(f"There is no instance named {name!r}. Known: {known}.")
        return found

    def find(self, name: str) -> Instance | None:
        """Return an instance, or None."""
        with self._database.read() as session:
            row = session.row(_GET, name=name)
        return self._read(row) if row else None

    def names(self) -> list[str]:
        """Return every instance's name; needs no secret key."""
        with self._database.read() as session:
            return [str(name) for (name,) in session.rows(_NAMES)]

    def settings(self) -> dict[str, tuple[InstanceSettings, datetime]]:
        """Return every instance's settings, and since when it is there; needs no secret key."""
        with self._database.read() as session:
            rows = session.rows(_SETTINGS)
        return {
            str(name): (InstanceSettings.model_validate_json(settings), moment(created_at))
            for name, settings, created_at in rows
        }

    def set(
        self,
        name: str,
        changes: Mapping[str, Any],
        secrets: Mapping[str, str | SecretStr] | None = None,
    ) -> Instance:
        """Change settings and secrets; those not given stay, one given as None goes back to its default.

        Raises:
            SettingsWrong: there is no such instance, or a setting is wrong.
        """
        self.get(name)

        def work(session: Session) -> Instance:
            row = session.row(_GET + " {for_update}", name=name)
            if row is None:
                raise SettingsWrong(f"There is no instance named {name!r}.")
            current = self._read(row)
            merged = current.settings.model_dump(mode="json", exclude_unset=True) | dict(changes)
            checked = checked_settings({key: value for key, value in merged.items() if value is not None})
            rows = session.rows(
                _SET,
                name=name,
                secrets=self._sealed({**current.secrets, **(secrets or {})}),
                **_setting_columns(checked),
            )
            return self._read(rows[0])

        return self._database.write(work)

    def adopt_installation_id(self, name: str, installation_id: str, *, pair: str) -> Instance:
        """Take the installation id that Odoo has for the store, and note for which pair it was found there.

        It stands in every external id, so that a re-added instance makes nothing twice.

        Raises:
            SettingsWrong: the instance has written under another id, or another instance writes under this one into
                another Odoo database; nothing was changed.
        """

        def work(session: Session) -> Instance:
            row = session.row(_GET + " {for_update}", name=name)
            if row is None:
                raise SettingsWrong(f"There is no instance named {name!r}.")
            current = self._read(row)
            if current.installation_id != installation_id:
                self._insist_on_change(session, current, installation_id)
            return self._read(session.rows(_ADOPT, name=name, installation_id=installation_id, pair=pair)[0])

        return self._database.write(work)

    def _insist_on_change(self, session: Session, current: Instance, installation_id: str) -> None:
        written = session.row(
            _HAS_WRITTEN, name=current.name, installation_id=current.installation_id, anchor=ANCHOR_KIND
        )
        if written is not None:
            raise SettingsWrong(
                f"Odoo knows this store under the installation id {installation_id}, but instance {current.name} has "
                f"written under {current.installation_id}: under the other id everything would be made twice.",
                system="odoo",
                reason="installation_differs",
                instance=current.name,
            )
        rows = session.rows(_NAMESAKES, installation_id=installation_id, name=current.name)
        for other in map(self._read, rows):
            if other.pair != current.pair:
                raise SettingsWrong(
                    f"Odoo knows this store under the installation id of instance {other.name}, which writes into "
                    "another Odoo database: one of them is a copy of the other.",
                    system="odoo",
                    reason="installation_copied",
                    instance=current.name,
                )

    def remove(self, name: str) -> None:
        """Forget an instance with its bindings and mappings; its open jobs are cancelled, history stays.

        Raises:
            SettingsWrong: there is none of that name, or one of its jobs runs.
        """
        self.get(name)

        def work(session: Session) -> None:
            if session.value(_RUNNING, name=name):
                raise SettingsWrong(
                    f"A job of {name} is running. Wait until it ends, or cancel it, then try again."
                )
            session.run(_CANCEL_OPEN, name=name)
            for table in _BELONGINGS:
                session.run(f"DELETE FROM {table} WHERE instance = :name", name=name)
            session.run("DELETE FROM instances WHERE name = :name", name=name)

        self._database.write(work)

    def _sealed(self, secrets: Mapping[str, str | SecretStr]) -> bytes:
        plain = {
            key: value.get_secret_value() if isinstance(value, SecretStr) else value
            for key, value in secrets.items()
        }
        return self._vault.encrypt(INSTANCE_SECRETS, json.dumps(plain).encode())

    def _read(self, row: Row) -> Instance:
        name, settings, installation_id, anchored_for, sealed, created_at = row
        secrets: dict[str, str] = json.loads(self._vault.decrypt(INSTANCE_SECRETS, sealed))
        return Instance(
            name=name,
            settings=InstanceSettings.model_validate_json(settings),
            installation_id=installation_id,
            anchored_for=anchored_for,
            secrets={key: SecretStr(value) for key, value in secrets.items()},
            created_at=moment(created_at),
        )

    def list(self) -> list[Instance]:
        """Return every instance by name."""
        with self._database.read() as session:
            return [self._read(row) for row in session.rows(_LIST)]


def checked_settings(settings: Mapping[str, Any]) -> InstanceSettings:
    """Return ``settings`` as checked values.

    Raises:
        SettingsWrong: with a sentence for each setting that is wrong.
    """
    try:
        return InstanceSettings(**settings)
    except ValidationError as exc:
        raise SettingsWrong(" ".join(_sentence(error) for error in exc.errors(include_url=False))) from exc


def _sentence(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"]) or "settings"
    if error["type"] == "extra_forbidden":
        known = ", ".join(sorted(InstanceSettings.model_fields))
        return f"There is no setting {name}; known are: {known}."
    return f"{plain_words(name, error)}."


def _setting_columns(settings: InstanceSettings) -> dict[str, Any]:
    return {
        "settings": settings.model_dump_json(exclude_unset=True),
        "odoo": settings.max_parallel_odoo,
        "magento": settings.max_parallel_magento,
    }
