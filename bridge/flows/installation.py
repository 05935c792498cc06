"""The installation's id in Odoo: a contact tag under an external id made of the store's address (RULES 2.2).

Every key is made of the id, so it must be the same for a store whoever asks: another ledger, another worker, an instance
that was removed and added anew. Odoo says which it is. The tag is made by a create-only ``load``: of all who try, one
makes it, the others are answered its id and read there what the first has written.
"""

from __future__ import annotations

import re

from bridge.errors import ServiceUnavailable, SettingsWrong
from bridge.flows.effects import Writer
from bridge.idempotency import effect_key, store_external_id
from bridge.ledger import ANCHOR_KIND, Instance, Ledger
from bridge.odoo import LoadRequest, OdooClient

TAG_MODEL = "res.partner.category"
_TAG_NAME = "CommerceBridge installation {id} (keep)"
#: How long a tag that was just made may take to be seen everywhere.
_LAG_SECONDS = 2.0
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def fixed_installation_id(instance: Instance, *, ledger: Ledger, writer: Writer, odoo: OdooClient) -> str:
    """Return the id that Odoo has for the store; give it ours where it has none. The ledger notes it.

    Raises:
        SettingsWrong: the tag does not say an id any more; or the instance has written under another one.
    """
    key = effect_key(instance.installation_id, "installation", instance.pair)
    request = LoadRequest(
        model=TAG_MODEL,
        fields=("id", "name"),
        rows=((store_external_id(_base_url(instance)), _TAG_NAME.format(id=instance.installation_id)),),
    )
    while True:
        was_made = writer.is_done(key)
        tag_id = writer.load(odoo, key=key, kind=ANCHOR_KIND, request=request)
        found = _id_of_tag(odoo, tag_id)
        if found is not None:
            break
        if not was_made:
            # Never a guess: on 19 a replica that lags may have answered.
            raise ServiceUnavailable(
                "Odoo does not show the contact tag that it has just answered the id of.",
                system="odoo",
                retry_after=_LAG_SECONDS,
            )
        # A person has deleted it since: it is made once more, as an effect of its own.
        key = f"{key}_{tag_id}"
    ledger.instances.adopt_installation_id(instance.name, found, pair=instance.pair)
    return found


def known_installation_id(instance: Instance, odoo: OdooClient) -> str | None:
    """Return the id that Odoo has for the store, None where it has none; writes nothing.

    Raises:
        SettingsWrong: the tag does not say an id any more.
    """
    module, _, name = store_external_id(_base_url(instance)).partition(".")
    found = odoo.check_reference(module, name)
    return None if found is None else _id_of_tag(odoo, found[1])


def _base_url(instance: Instance) -> str:
    return str(instance.settings.base_url)


def _id_of_tag(odoo: OdooClient, tag_id: int) -> str | None:
    rows = odoo.read(TAG_MODEL, [tag_id], ["name"])
    if not rows:
        return None
    found = _ID.search(str(rows[0]["name"]))
    if found is None:
        raise SettingsWrong(
            f"The contact tag {rows[0]['name']!r} (id {tag_id}) in Odoo should carry this store's installation id, and "
            "its name was changed.",
            system="odoo",
            reason="installation_tag",
            tag=tag_id,
        )
    return found[0]
