"""Files of Magento's media folder: the pictures of products, at the address that the store's configuration names.

The folder is open to anybody, perhaps on another host: no credentials are sent there, and nowhere else is followed to.
"""

from __future__ import annotations

from urllib.parse import quote

from bridge.errors import OperatorError, ServiceRejected, ServiceUnavailable, SettingsWrong
from bridge.wire import NoAnswer, Recorder, Wire

#: Larger pictures are left where they are; Odoo keeps none above 1,920 pixels a side anyway.
MAX_PICTURE_BYTES = 8 * 1024 * 1024
#: Total time for one picture, within the call's own deadline.
PICTURE_SECONDS = 15.0
#: Folder of product pictures below the media folder.
_PRODUCTS = "/catalog/product"
_GONE = frozenset({404, 410})
_CLOSED = frozenset({401, 403})
_BUSY = frozenset({408, 425, 429})


class PictureUnusable(OperatorError):
    """A picture of Magento cannot be brought to Odoo."""

    code = "picture_unusable"


class PictureUnreachable(ServiceUnavailable):
    """Magento's media folder does not answer; its REST API may be well all the same."""

    code = "picture_unreachable"


class Media:
    """Reads the media folder of one store."""

    def __init__(self, wire: Wire, *, record: Recorder | None) -> None:
        self._wire = wire
        self._record = record

    @classmethod
    def at(cls, url: str, wire: Wire, *, record: Recorder | None) -> Media:
        """Return the reader of the folder at ``url``, which shares connections with ``wire``.

        Raises:
            PictureUnusable: the address is not a plain ``http`` or ``https`` one.
        """
        try:
            return cls(wire.elsewhere(url, max_response_bytes=MAX_PICTURE_BYTES), record=record)
        except SettingsWrong as error:
            raise PictureUnusable(
                "Magento's address of pictures (Base URL for User Media Files) cannot be used.",
                reason="address",
            ) from error

    def product_picture(self, file: str) -> bytes:
        """Return the file of a picture, as a product's gallery names it: ``/f/r/front.png``.

        Raises:
            PictureUnusable: it is not there, is too large, or the server does not give it (``reason``).
            PictureUnreachable: the server does not answer, or not now.
        """
        parts = [part for part in file.split("/") if part]
        if not parts or {".", ".."} & set(parts):
            raise PictureUnusable(f"{file} is no name of a picture.", reason="missing", file=file)
        path = "".join(f"/{quote(part, safe='')}" for part in parts)
        try:
            answer = self._wire.request(
                "GET",
                f"{_PRODUCTS}{path}",
                headers={"Accept": "image/*"},
                deadline_seconds=min(PICTURE_SECONDS, self._wire.deadline_seconds),
                record=self._record,
                records_body=False,
            )
        except NoAnswer as error:
            raise PictureUnreachable(error.message, reason=error.details.get("reason")) from error
        except ServiceRejected as error:
            is_large = error.details.get("reason") == "too_large"
            limit = f"is larger than {MAX_PICTURE_BYTES // 1024 // 1024} MB"
            raise PictureUnusable(
                f"The file {file} {limit if is_large else 'came in a form that was not asked for'}.",
                reason="too_large" if is_large else "refused",
                file=file,
            ) from error
        except SettingsWrong as error:
            raise PictureUnusable(error.message, reason="address") from error
        if answer.status != 200:
            raise _refusal(file, answer.status)
        return answer.body


def _refusal(file: str, status: int) -> PictureUnusable | PictureUnreachable:
    if status in _BUSY or status >= 500:
        return PictureUnreachable(
            f"The server of Magento's pictures answered {status} for {file}.", status=status, reason="status"
        )
    if status in _GONE:
        said, reason = "is not on Magento's server", "missing"
    elif status in _CLOSED:
        said, reason = "may not be read without a login", "closed"
    elif 300 <= status < 400:
        said, reason = "is somewhere else by now, and the bridge does not follow there", "elsewhere"
    else:
        said, reason = f"was refused with the status {status}", "refused"
    return PictureUnusable(f"The file {file} {said}.", reason=reason, status=status, file=file)
