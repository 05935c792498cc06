"""Magento's stores: kept when they are renamed, closed when they are gone, with settings of their own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from bridge.errors import SettingsWrong
from bridge.ledger.causes import mark_released, release_cause
from bridge.ledger.database import Database, Session
from bridge.ledger.instances import checked_settings
from bridge.ledger.shapes import Shape, from_json, to_json
from bridge.ledger.store_records import (
    KnownStores,
    SeenStore,
    Store,
    StoreChange,
    StoreChangeKind,
    StoreScope,
)
from bridge.overrides import LevelScope, insist_on_overridable

#: Cause of jobs that wait for a store view to be known.
STORES_CAUSE = "stores"

_STORE = Shape(Store)
_LIST = f"SELECT {_STORE.columns} FROM stores WHERE instance = :instance ORDER BY scope DESC, magento_id"
_PUT = """
INSERT INTO stores (instance, scope, magento_id, code, name, parent_id, config, first_seen_at, changed_at)
VALUES (:instance, :scope, :magento_id, :code, :name, :parent_id, :config, {now}, {now})
ON CONFLICT (instance, scope, magento_id) DO UPDATE SET code = excluded.code, name = excluded.name,
    parent_id = excluded.parent_id, config = excluded.config, changed_at = {now}, closed_at = NULL
"""
_CLOSE = """
UPDATE stores SET closed_at = {now}, changed_at = {now}
WHERE instance = :instance AND scope = :scope AND magento_id = :magento_id
"""
_GET = f"""
SELECT {_STORE.columns} FROM stores
WHERE instance = :instance AND scope = :scope AND magento_id = :magento_id {{for_update}}
"""
_SETTINGS = "SELECT settings FROM instances WHERE name = :instance {for_share}"
_OVERRIDE = f"""
UPDATE stores SET overrides = :overrides
WHERE instance = :instance AND scope = :scope AND magento_id = :magento_id
RETURNING {_STORE.columns}
"""


class Stores:
    """The stores of the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, instance: str) -> KnownStores:
        """Return all stores of an instance, websites first, closed ones too."""
        with self._database.read() as session:
            return KnownStores(_STORE.read_all(session.rows(_LIST, instance=instance)))

    def sync(self, instance: str, seen: Sequence[SeenStore]) -> list[StoreChange]:
        """Keep what Magento has now, close what it has no more, and return what changed; one transaction.

        Jobs that waited for a store to be known go on.
        """

        def work(session: Session) -> list[StoreChange]:
            rows = _STORE.read_all(session.rows(f"{_LIST} {{for_update}}", instance=instance))
            before = {(one.scope, one.magento_id): one for one in rows}
            changes = [change for one in seen if (change := _change(before.get(_key(one)), one)) is not None]
            changed = {(one.scope, one.magento_id) for one in changes}
            session.many(_PUT, [_columns(instance, one) for one in seen if _key(one) in changed])
            there = {_key(one) for one in seen}
            gone = [one for one in rows if one.closed_at is None and _key(one) not in there]
            session.many(
                _CLOSE,
                [{"instance": instance, "scope": one.scope, "magento_id": one.magento_id} for one in gone],
            )
            mark_released(session, instance, STORES_CAUSE)
            release_cause(session, instance, STORES_CAUSE)
            return [*changes, *(_as_change("closed", one, one.overrides) for one in gone)]

        return self._database.write(work)

    def override(
        self,
        instance: str,
        scope: LevelScope,
        magento_id: int,
        values: Mapping[str, Any],
        *,
        take_back: Collection[str] = (),
    ) -> Store:
        """Give a website or store view settings of its own, or take some back; None is a value: nothing.

        Raises:
            SettingsWrong: there is no such store, a setting cannot be its own or is wrong, or there is nothing to
                take back.
        """
        insist_on_overridable([*values, *take_back])

        def work(session: Session) -> Store:
            settings = session.value(_SETTINGS, instance=instance)
            row = session.row(_GET, instance=instance, scope=scope, magento_id=magento_id)
            if settings is None or row is None:
                raise SettingsWrong(f"{instance} has no {scope} with the id {magento_id}.")
            store = _STORE.read(row)
            if missing := sorted(set(take_back) - set(store.overrides)):
                own = ", ".join(sorted(store.overrides)) or "none"
                raise SettingsWrong(
                    f"{store.title} has no value of its own for {', '.join(missing)}. Its own settings: {own}."
                )
            kept = {key: value for key, value in store.overrides.items() if key not in take_back}
            # Each value is checked as the instance's own would be.
            checked = checked_settings(from_json(settings) | kept | dict(values))
            own_values = checked.model_dump(mode="json", include={*kept, *values})
            rows = session.rows(
                _OVERRIDE,
                instance=instance,
                scope=scope,
                magento_id=magento_id,
                overrides=to_json(own_values),
            )
            return _STORE.read(rows[0])

        return self._database.write(work)


def _key(one: SeenStore | Store) -> tuple[StoreScope, int]:
    return (one.scope, one.magento_id)


def _columns(instance: str, one: SeenStore) -> dict[str, Any]:
    return {
        "instance": instance,
        "scope": one.scope,
        "magento_id": one.magento_id,
        "code": one.code,
        "name": one.name,
        "parent_id": one.parent_id,
        "config": to_json(one.config),
    }


def _change(before: Store | None, now: SeenStore) -> StoreChange | None:
    """Return what is new about a store, None where nothing is."""
    if before is None:
        return _as_change("new", now)
    was = (before.code, before.name)
    is_renamed = was != (now.code, now.name)
    if before.closed_at is not None:
        kind: StoreChangeKind = "reopened"
    elif is_renamed:
        kind = "renamed"
    elif (before.parent_id, dict(before.config)) != (now.parent_id, dict(now.config)):
        kind = "changed"
    else:
        return None
    return _as_change(kind, now, before.overrides, was=was if is_renamed else None)


def _as_change(
    kind: StoreChangeKind,
    one: SeenStore | Store,
    overrides: Mapping[str, Any] | None = None,
    *,
    was: tuple[str, str] | None = None,
) -> StoreChange:
    return StoreChange(
        kind=kind,
        scope=one.scope,
        magento_id=one.magento_id,
        code=one.code,
        name=one.name,
        was=was,
        overrides=tuple(sorted(overrides or ())),
    )
