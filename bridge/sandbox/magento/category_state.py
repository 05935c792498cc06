"""The attributes and categories of the simulated shop, in the shape of the REST API."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from bridge.sandbox.magento.data import TIME_FORMAT, moved
from bridge.sandbox.magento.rest import Raw


class Attributes:
    """The product attributes by code, with their options."""

    def __init__(self, attributes: Iterable[Raw]) -> None:
        self._rows: dict[str, Raw] = {raw["attribute_code"]: raw for raw in attributes}
        self._next_option = 1 + max(
            int(option["value"])
            for raw in self._rows.values()
            for option in raw["options"]
            if str(option["value"]).isdigit()
        )

    def get(self, code: str) -> Raw | None:
        """Return an attribute, or None."""
        return self._rows.get(code)

    def all(self) -> list[Raw]:
        """Return all attributes in the order of their ids."""
        return sorted(self._rows.values(), key=lambda raw: int(raw["attribute_id"]))

    def add(
        self, code: str, labels: Iterable[str] = (), *, frontend_input: str = "select", **more: Any
    ) -> Raw:
        """Add an attribute with options of these labels; all else is as that of the recorded size."""
        raw: Raw = copy.deepcopy(self._rows["size"])
        number = 1 + max(one["attribute_id"] for one in self._rows.values())
        raw |= {"attribute_id": number, "attribute_code": code, "frontend_input": frontend_input}
        raw |= {"default_frontend_label": code.title(), "options": raw["options"][:1], **more}
        self._rows[code] = raw
        for label in labels:
            self.add_option(code, label)
        return raw

    def add_option(self, code: str, label: str) -> str:
        """Add an option and return its id."""
        value = str(self._next_option)
        self._next_option += 1
        self._rows[code]["options"].append({"label": label, "value": value})
        return value

    def change_option(self, code: str, value: str, label: str) -> None:
        """Give an option another label."""
        for option in self._rows[code]["options"]:
            if option["value"] == value:
                option["label"] = label

    def remove_option(self, code: str, value: str) -> None:
        """Delete an option: products keep its id, which then names nothing."""
        raw = self._rows[code]
        raw["options"] = [option for option in raw["options"] if option["value"] != value]


class Categories:
    """The categories, by id."""

    def __init__(self, categories: Iterable[Raw]) -> None:
        self._rows: dict[int, Raw] = {raw["id"]: raw for raw in categories}

    def get(self, category_id: int) -> Raw | None:
        """Return a category in the shape of ``GET /V1/categories/ID``, or None."""
        return self._rows.get(category_id)

    def all(self) -> list[Raw]:
        """Return all categories in the order of their ids, the root of all among them."""
        return [self._rows[one] for one in sorted(self._rows)]

    def children(self, category_id: int) -> list[Raw]:
        """Return the categories right below one, by position."""
        found = [raw for raw in self._rows.values() if raw["parent_id"] == category_id]
        return sorted(found, key=lambda raw: (raw["position"], raw["id"]))

    def add(self, name: str, parent_id: int = 2, **more: Any) -> int:
        """Add a category and return its id."""
        category_id: int = more.pop("id", None) or 1 + max(self._rows)
        now = datetime.now(UTC).strftime(TIME_FORMAT)
        self._rows[category_id] = {
            "id": category_id,
            "parent_id": parent_id,
            "name": name,
            "is_active": True,
            "position": 1 + len(self.children(parent_id)),
            "level": 0,
            "children": "",
            "created_at": now,
            "updated_at": now,
            "path": "",
            "include_in_menu": True,
            "custom_attributes": [
                {"attribute_code": "is_anchor", "value": "1"},
                {"attribute_code": "path", "value": ""},
                {"attribute_code": "children_count", "value": "0"},
                {"attribute_code": "url_key", "value": f"category-{category_id}"},
                {"attribute_code": "url_path", "value": f"category-{category_id}"},
            ],
        } | more
        self._settle()
        return category_id

    def change(self, category_id: int, **values: Any) -> None:
        """Rename a category, move it, or damage it."""
        raw = self._rows[category_id]
        self._rows[category_id] = {**raw, **values, "updated_at": moved(raw["updated_at"])}
        self._settle()

    def remove(self, category_id: int) -> None:
        """Delete a category with all below it, as Magento does."""
        for child in self.children(category_id):
            self.remove(child["id"])
        self._rows.pop(category_id, None)
        self._settle()

    def restore(self, categories: Iterable[Raw]) -> None:
        """Put these categories in the place of all that are there."""
        self._rows = {raw["id"]: raw for raw in copy.deepcopy(list(categories))}

    def _settle(self) -> None:
        """Compute what follows from the parents: level, path, children."""
        for raw in self._rows.values():
            path = [raw["id"]]
            while (above := self._rows.get(path[0], {}).get("parent_id")) in self._rows and above not in path:
                path.insert(0, above)
            raw["level"], raw["path"] = len(path) - 1, "/".join(map(str, path))
        for raw in self._rows.values():
            below = self.children(raw["id"])
            raw["children"] = ",".join(str(one["id"]) for one in below)
            prefix = f"{raw['path']}/"
            count = sum(str(one.get("path", "")).startswith(prefix) for one in self._rows.values())
            for row in raw["custom_attributes"]:
                settled = {"path": raw["path"], "children_count": str(count)}.get(row["attribute_code"])
                row["value"] = row["value"] if settled is None else settled
