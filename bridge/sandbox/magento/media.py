"""The media folder of the simulated shop: files that anybody may fetch, and the galleries that name them."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import unquote

from bridge.sandbox.faults import Reply
from bridge.sandbox.magento.catalog_state import Catalog
from bridge.sandbox.magento.rest import Raw

#: Where the folder is below the shop's address (``stores/012-storeconfigs``).
FOLDER = "/media"
_PRODUCTS = f"{FOLDER}/catalog/product"
_ROLES = ("image", "small_image", "thumbnail")
_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif"}
_NO_FILE = Reply(404, "text/html", b"<html>\n<head><title>404 Not Found</title></head>\n</html>\n")


def next_entry_id(catalog: Catalog) -> int:
    """Return the id of the next entry of a gallery: no two entries of a shop have one."""
    rows = (row for raw in catalog.all() for row in raw.get("media_gallery_entries") or ())
    return 1 + max((int(row["id"]) for row in rows), default=0)


@dataclass
class MediaFolder:
    """The files of product pictures, by their path in the gallery: ``/f/r/front.png``."""

    files: dict[str, bytes] = field(default_factory=dict)
    #: Statuses that the web server answers in place of a file.
    statuses: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, content: bytes) -> str:
        """Keep a file and return its path; a name that is taken gets a number (``catalog/111``)."""
        stem, ending = PurePosixPath(name).stem, PurePosixPath(name).suffix
        folder = "/".join(letter.lower() for letter in stem[:2].ljust(2, "_"))
        path, number = f"/{folder}/{stem}{ending}", 0
        while path in self.files:
            number += 1
            path = f"/{folder}/{stem}_{number}{ending}"
        self.files[path] = content
        return path

    def attach(self, catalog: Catalog, sku: str, path: str, *, is_base: bool = True) -> Raw:
        """Put a file into a product's gallery; as its picture of all roles it takes those from the others."""
        raw = catalog.by_sku(sku)
        entries: list[Raw] = copy.deepcopy(raw["media_gallery_entries"]) if raw is not None else []
        entry = {
            "id": next_entry_id(catalog),
            "media_type": "image",
            "label": "",
            "position": len(entries) + 1,
            "disabled": False,
            "types": list(_ROLES) if is_base else [],
            "file": path,
        }
        if is_base:
            entries = [{**one, "types": []} for one in entries]
        roles = dict.fromkeys(_ROLES, path) if is_base else {}
        catalog.change(sku, {"media_gallery_entries": [*entries, entry], **roles})
        return entry

    def answer(self, raw_path: str) -> Reply:
        """Return the file of a request, or the web server's page where there is none."""
        path = unquote(raw_path).removeprefix(_PRODUCTS)
        if path in self.statuses:
            return Reply(self.statuses[path], "text/html", b"<html></html>")
        content = self.files.get(path)
        if content is None:
            return _NO_FILE
        return Reply(200, _TYPES.get(PurePosixPath(path).suffix, "application/octet-stream"), content)
