"""Odoo's versions and everything that differs between them, in one place.

Proven are 16, 18 and 19 (``recordings/odoo/FACTS.md``, sections 1 and 3). 17 is taken as 18, 20 and later as
19; ``OdooVersion.is_proven`` says so, and readiness tells the operator.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from bridge.errors import SettingsWrong

Protocol = Literal["jsonrpc", "json2"]
Family = Literal[16, 18, 19]

#: The oldest version that the bridge speaks to.
OLDEST_MAJOR = 16
_PROVEN = frozenset({16, 18, 19})


@dataclass(frozen=True, kw_only=True)
class OdooVersion:
    """The version that a server says it is."""

    #: 16, 17, 18, ...; of ``saas~18.3`` it is 18.
    major: int
    #: The version as the server writes it: ``18.0-20250421``.
    text: str

    @property
    def family(self) -> Family:
        """The proven version whose ways this one is taken to follow."""
        if self.major >= 19:
            return 19
        return 18 if self.major >= 17 else 16

    @property
    def is_proven(self) -> bool:
        """Whether the bridge was tried on a real server of this version."""
        return self.major in _PROVEN and not self.text.startswith("saas")

    @property
    def protocol(self) -> Protocol:
        """JSON-2 from 19, where JSON-RPC is deprecated; JSON-RPC before."""
        return "json2" if self.major >= 19 else "jsonrpc"


@dataclass(frozen=True, kw_only=True)
class Names:
    """Field, method and record names that differ between versions (FACTS, section 3)."""

    #: ``sale.order.line``: its taxes.
    order_line_tax: str
    #: ``sale.order.line``: its unit of measure.
    order_line_uom: str
    #: ``account.payment``: its free text.
    payment_text: str
    #: ``stock.move``: the quantity done.
    move_done: str
    #: ``stock.move.line``: the quantity done.
    move_line_done: str
    #: Whether ``picked`` must be set beside the quantity for it to count as done.
    has_picked: bool
    #: ``stock.picking``: the field that ties the pickings of one procurement together.
    picking_group: str
    #: ``stock.return.picking``: the method that makes the return.
    return_method: str
    #: ``account.move``: its credit notes.
    credit_notes: str
    #: ``account.move.reversal``: the methods that reverse.
    reversal_method: str
    #: ``account.tax``: the field to write for "included in the price".
    tax_included: str
    #: ``res.users``: their groups.
    user_groups: str
    #: ``product.template``: values that make a product storable.
    storable: Mapping[str, Any]
    #: ``res.partner``: the mobile number, or None where there is no such field.
    partner_mobile: str | None
    #: ``sale.order``: the field that says an order is locked, or None where the state ``done`` says it.
    order_locked: str | None
    #: Whether ``technical_price_unit: 0`` on an order line keeps its price through later quantity changes.
    has_technical_price: bool
    #: Whether ``res.company`` has ``account_price_include``.
    has_company_price_include: bool
    #: Whether ``uom.uom.factor`` is how many first units of its kind a unit is; else how many of it the first one is.
    has_absolute_units: bool

    @staticmethod
    def warehouse_context(warehouse_id: int) -> dict[str, int]:
        """Return the context for quantities of one warehouse, in every version.

        The other version's key is ignored and the total of all warehouses comes back
        (``stock/qty-context-warehouse``), so both are sent.
        """
        return {"warehouse": warehouse_id, "warehouse_id": warehouse_id}


_16 = Names(
    order_line_tax="tax_id",
    order_line_uom="product_uom",
    payment_text="ref",
    move_done="quantity_done",
    move_line_done="qty_done",
    has_picked=False,
    picking_group="group_id",
    return_method="create_returns",
    credit_notes="reversal_move_id",
    reversal_method="reverse_moves",
    tax_included="price_include",
    user_groups="groups_id",
    storable=MappingProxyType({"detailed_type": "product"}),
    partner_mobile="mobile",
    order_locked=None,
    has_technical_price=False,
    has_company_price_include=False,
    has_absolute_units=False,
)
_18 = Names(
    order_line_tax="tax_id",
    order_line_uom="product_uom",
    payment_text="memo",
    move_done="quantity",
    move_line_done="quantity",
    has_picked=True,
    picking_group="group_id",
    return_method="action_create_returns",
    credit_notes="reversal_move_ids",
    reversal_method="refund_moves",
    tax_included="price_include_override",
    user_groups="groups_id",
    storable=MappingProxyType({"type": "consu", "is_storable": True}),
    partner_mobile="mobile",
    order_locked="locked",
    has_technical_price=True,
    has_company_price_include=True,
    has_absolute_units=False,
)
_19 = Names(
    order_line_tax="tax_ids",
    order_line_uom="product_uom_id",
    payment_text="memo",
    move_done="quantity",
    move_line_done="quantity",
    has_picked=True,
    picking_group="reference_ids",
    return_method="action_create_returns",
    credit_notes="reversal_move_ids",
    reversal_method="refund_moves",
    tax_included="price_include_override",
    user_groups="group_ids",
    storable=MappingProxyType({"type": "consu", "is_storable": True}),
    partner_mobile=None,
    order_locked="locked",
    has_technical_price=True,
    has_company_price_include=True,
    has_absolute_units=True,
)
_NAMES: Mapping[Family, Names] = MappingProxyType({16: _16, 18: _18, 19: _19})


def names_of(version: OdooVersion) -> Names:
    """Return the names that hold in ``version``."""
    return _NAMES[version.family]


def onchange_spec(version: OdooVersion) -> dict[str, Any]:
    """Return the third argument of ``sale.order.onchange``: what of the order to compute.

    Flat in 16, nested from 18; it must name ``order_line``, else 18 and 19 answer a KeyError (RULES, appendix).
    """
    if version.family == 16:
        return {"amount_untaxed": "", "amount_tax": "", "amount_total": "", "order_line": "1"}
    return {"amount_untaxed": {}, "amount_tax": {}, "amount_total": {}, "order_line": {"fields": {}}}


def onchange_argument_names(version: OdooVersion) -> tuple[str, str, str]:
    """Return the names of the arguments of ``onchange``, in order."""
    if version.family == 16:
        return ("values", "field_name", "field_onchange")
    return ("values", "field_names", "fields_spec")


def parse_version(answer: Any) -> OdooVersion | None:
    """Read the answer of ``/web/version`` (19) or of ``/web/webclient/version_info`` (16, 18); None if it is neither.

    Facts: ``auth/web-version``. Odoo Online writes ``saas~18.3`` where others have 18.

    Raises:
        SettingsWrong: the server is older than the bridge speaks to.
    """
    if not isinstance(answer, Mapping):
        return None
    inner = answer.get("result")
    facts: Mapping[str, Any] = inner if isinstance(inner, Mapping) else answer
    text = facts.get("server_version", facts.get("version"))
    parts = facts.get("server_version_info", facts.get("version_info"))
    first = parts[0] if isinstance(parts, list) and parts else text
    digits = re.search(r"\d+", str(first))
    if not isinstance(text, str) or digits is None:
        return None
    version = OdooVersion(major=int(digits.group()), text=text)
    if version.major < OLDEST_MAJOR:
        raise SettingsWrong(
            f"This Odoo is version {text}. CommerceBridge needs Odoo {OLDEST_MAJOR} or newer.",
            system="odoo",
            reason="version",
            version=text,
        )
    return version
