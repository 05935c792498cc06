"""Rights: what each kind of user may do, and the recorded texts of a refusal.

Kinds: ``admin`` everything; ``sales`` sees and writes orders (all documents), no contacts, products or external
ids; ``contacts`` the same with contact creation; ``products`` with product creation too, what the bridge's user has;
``none`` an internal user without any group, who still sees contacts, products and users (``errors/access-*``).
Decimal precisions are administrators' alone, in all versions (source).
"""

from __future__ import annotations

from typing import Literal, get_args

from bridge.sandbox.odoo.fault import OdooFault
from bridge.sandbox.odoo.records import Env
from bridge.sandbox.odoo.schema import load_data, title_of

Rights = Literal["admin", "sales", "contacts", "products", "none"]
Operation = Literal["read", "write", "create", "unlink"]

RIGHTS = get_args(Rights)
OPERATIONS = get_args(Operation)

#: The group that Odoo names where no recording does.
_FALLBACK_GROUPS = ["Administration/Settings"]

_VERBS: dict[str, str] = {"read": "access", "write": "modify", "create": "create", "unlink": "delete"}

#: Deliveries and activities: from the source (``sale_stock`` and ``mail``, ``ir.model.access.csv``).
_SALES_WRITES = frozenset({"sale.order", "sale.order.line", "mail.message", "mail.activity", "stock.picking"})
_CONTACT_WRITES = frozenset({"res.partner", "res.partner.category"})
#: What the group for product creation may write (``product``, ``ir.model.access.csv``).
_PRODUCT_WRITES = frozenset(
    {
        *("product.product", "product.template", "product.category"),
        *("product.attribute", "product.attribute.value"),
        *("product.template.attribute.line", "product.template.attribute.value"),
    }
)
_HIDDEN_FROM_SALES = frozenset({"ir.model", "ir.model.data", "ir.config_parameter", "decimal.precision"})
_SEEN_BY_ALL = frozenset(
    [
        "res.partner",
        "res.users",
        "res.country",
        "res.country.state",
        "res.currency",
        "res.company",
        "res.lang",
        "product.product",
        "product.template",
        "product.category",
        "product.pricelist",
        "product.pricelist.item",
        "uom.uom",
        "res.partner.category",
        "res.groups",
        "mail.message",
        "mail.message.subtype",
    ]
)


def may(rights: Rights, model: str, operation: Operation) -> bool:
    """Return whether a user with ``rights`` may do ``operation`` on ``model``."""
    if rights == "admin":
        return True
    if rights == "none":
        return operation == "read" and model in _SEEN_BY_ALL
    if operation == "read":
        return model not in _HIDDEN_FROM_SALES
    if model in _SALES_WRITES:
        return True
    if model in _CONTACT_WRITES:
        return rights in {"contacts", "products"}
    return rights == "products" and model in _PRODUCT_WRITES


def rights_of(env: Env) -> Rights:
    """Return the rights of the user who calls."""
    rights: Rights = env.db.table("res.users").rows[env.uid].get("_rights", "admin")
    return rights


def check(env: Env, model: str, operation: Operation) -> None:
    """Raise ``AccessError`` in the version's words unless the user may."""
    if not may(rights_of(env), model, operation):
        raise refusal(env, model, operation)


def refusal(env: Env, model: str, operation: Operation) -> OdooFault:
    """Return the ``AccessError`` for an operation on a model."""
    verb = _VERBS[operation]
    recorded: dict[str, list[str]] = load_data("access.json")[str(env.dialect.major)]
    groups = recorded.get(f"{verb} {model}", _FALLBACK_GROUPS)
    text = (
        f"You are not allowed to {verb} '{title_of(model)}' ({model}) records.\n\n"
        "This operation is allowed for the following groups:\n"
        + "".join(f"\t- {group}\n" for group in groups)
        + "\nContact your administrator to request access if necessary."
    )
    return OdooFault("odoo.exceptions.AccessError", text)
