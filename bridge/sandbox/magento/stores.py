"""Changes that an administrator makes to the simulated shop's stores: rename, remove, add, configure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.sandbox.magento.rest import Raw


class StoreAdmin:
    """Changes the lists that ``/store/...`` answers. Each list is put in place as a whole: readers see one or the other."""

    def __init__(self, lists: dict[str, Any]) -> None:
        self._lists = lists
        names = ("websites", "storeGroups", "storeViews")
        #: The highest id that was ever given: one of what is gone is not given again.
        self._last = {name: max(int(row["id"]) for row in lists[name]) for name in names}

    def rename_website(self, code: str, *, name: str | None = None, new_code: str | None = None) -> None:
        """Give a website another name or code; its id stays."""
        self._rename("websites", code, name, new_code)

    def rename_view(self, code: str, *, name: str | None = None, new_code: str | None = None) -> None:
        """Give a store view another name or code; its id stays."""
        self._rename("storeViews", code, name, new_code)
        if new_code is not None:
            self._change("storeConfigs", lambda row: row["code"] == code, {"code": new_code})

    def configure(self, code: str, **values: Any) -> None:
        """Change the configuration of a store view: ``timezone``, ``locale``, ``weight_unit``, ..."""
        self._change("storeConfigs", lambda row: row["code"] == code, values)

    def remove_view(self, code: str) -> Raw:
        """Delete a store view; returns what it was."""
        view = self._one("storeViews", code)
        self._drop(lambda name, row: name in {"storeViews", "storeConfigs"} and row["id"] == view["id"])
        return view

    def remove_website(self, code: str) -> None:
        """Delete a website; its groups and views go with it."""
        website_id = self._one("websites", code)["id"]
        self._drop(lambda name, row: (row["id"] if name == "websites" else row["website_id"]) == website_id)

    def add_website(self, code: str, *, name: str) -> int:
        """Add a website with a store group of its own, without views; returns its id."""
        website_id, group_id = self._next("websites"), self._next("storeGroups")
        self._add("websites", {"id": website_id, "code": code, "name": name, "default_group_id": group_id})
        group = {"id": group_id, "website_id": website_id, "root_category_id": 2, "default_store_id": 0}
        self._add("storeGroups", {**group, "name": f"{name} Store", "code": f"{code}_store"})
        return website_id

    def add_view(self, code: str, *, name: str, website: str = "base") -> int:
        """Add a store view to the first store group of a website; returns its id."""
        website_id = self._one("websites", website)["id"]
        group = next(row for row in self._lists["storeGroups"] if row["website_id"] == website_id)
        view_id = self._next("storeViews")
        own = {"id": view_id, "code": code}
        where = {"website_id": website_id, "store_group_id": group["id"]}
        self._add("storeViews", {**own, "name": name, **where, "is_active": 1})
        self._add("storeConfigs", {**self._lists["storeConfigs"][0], **own, "website_id": website_id})
        return view_id

    def restore(self, row: Raw) -> None:
        """Put a store view back that was removed, as a restored backup does; its configuration is a new one."""
        self._add("storeViews", row)
        own = {"id": row["id"], "code": row["code"], "website_id": row["website_id"]}
        self._add("storeConfigs", {**self._lists["storeConfigs"][0], **own})

    def _rename(self, name: str, code: str, label: str | None, new_code: str | None) -> None:
        self._one(name, code)
        values = {"name": label, "code": new_code}
        given = {key: value for key, value in values.items() if value is not None}
        self._change(name, lambda row: row["code"] == code, given)

    def _one(self, name: str, code: str) -> Raw:
        return next(row for row in self._lists[name] if row["code"] == code)

    def _next(self, name: str) -> int:
        self._last[name] += 1
        return self._last[name]

    def _add(self, name: str, row: Raw) -> None:
        self._lists[name] = [*self._lists[name], row]

    def _change(self, name: str, fits: Callable[[Raw], bool], values: Raw) -> None:
        self._lists[name] = [{**row, **values} if fits(row) else row for row in self._lists[name]]

    def _drop(self, fits: Callable[[str, Raw], bool]) -> None:
        for name in ("storeViews", "storeConfigs", "storeGroups", "websites"):
            self._lists[name] = [row for row in self._lists[name] if not fits(name, row)]
