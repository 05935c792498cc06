"""What the bridge must know of an Odoo database before it translates: company, currency, rounding, precision, apps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bridge.errors import AccessMissing, SettingsWrong
from bridge.odoo.versions import OdooVersion

RoundingMethod = Literal["round_per_line", "round_globally"]
AppState = Literal["usable", "no_right", "not_installed"]

#: The apps that the bridge needs, and a model that each brings. An ordinary user may not read the list of apps,
#: but any model can be tried (``auth/unknown-model``, ``errors/access-error-model``).
APP_MODELS: Mapping[str, str] = {"sale": "sale.order", "stock": "stock.picking", "account": "account.move"}

#: The fields of an order line whose digits decide what becomes of a number that is written. The precisions behind
#: them (``decimal.precision``) may be read by administrators only, the description of a field by anybody.
_LINE_FIELDS = ("price_unit", "product_uom_qty", "discount")
#: Digits where the app that has the fields is not there.
_DEFAULT_DIGITS = 2
#: Digits where a field is not cut: prices in 19. More than a float of a price holds exactly would be no use.
_UNCUT_DIGITS = 8

#: Reads rows by id: model, ids, fields.
Read = Callable[[str, list[int], list[str]], list[dict[str, Any]]]
#: Describes fields of a model: model, fields, attributes.
Describe = Callable[[str, list[str], list[str]], Mapping[str, Mapping[str, Any]]]
#: Searches one row of a model.
Try = Callable[[str], object]


@dataclass(frozen=True, kw_only=True)
class ServerProfile:
    """One Odoo database, as the bridge's user sees it."""

    version: OdooVersion
    #: The bridge's user.
    uid: int
    #: Whether that user has an e-mail address: without one ``reconcile`` fails (RULES 2.3).
    user_has_email: bool
    company_id: int
    currency_id: int
    #: ISO code, ``EUR``.
    currency: str
    #: Decimal places of the company's currency.
    currency_digits: int
    #: How taxes are rounded; None where the accounting app is not installed.
    rounding_method: RoundingMethod | None
    #: Digits that a price keeps: in 16 and 18 those of the precision *Product Price*, 19 cuts none.
    price_digits: int
    #: Digits of the precision for quantities (*Product Unit of Measure*; in 19 *Product Unit*).
    quantity_digits: int
    #: Digits of the precision *Discount*.
    discount_digits: int
    #: Each app the bridge needs, and whether this user can use it.
    apps: Mapping[str, AppState]


def read_profile(
    version: OdooVersion, uid: int, *, read: Read, describe: Describe, attempt: Try
) -> ServerProfile:
    """Read the profile.

    Raises:
        AccessMissing: the user may not even read the company.
    """
    apps = {app: _app_state(attempt, model) for app, model in APP_MODELS.items()}
    user = _one(read, "res.users", uid, ["company_id", "email"])
    company_id = int(user["company_id"][0])
    has_accounting = apps["account"] != "not_installed"
    rounding = ["tax_calculation_rounding_method"] if has_accounting else []
    company = _one(read, "res.company", company_id, ["currency_id", *rounding])
    currency_id = int(company["currency_id"][0])
    currency = _one(read, "res.currency", currency_id, ["name", "decimal_places"])
    digits = dict.fromkeys(_LINE_FIELDS, _DEFAULT_DIGITS)
    if apps["sale"] != "not_installed":
        digits = _digits(describe("sale.order.line", list(_LINE_FIELDS), ["digits"]))
    return ServerProfile(
        version=version,
        uid=uid,
        user_has_email=bool(user.get("email")),
        company_id=company_id,
        currency_id=currency_id,
        currency=str(currency["name"]),
        currency_digits=int(currency["decimal_places"]),
        rounding_method=company.get("tax_calculation_rounding_method") or None,
        price_digits=digits["price_unit"],
        quantity_digits=digits["product_uom_qty"],
        discount_digits=digits["discount"],
        apps=apps,
    )


def _digits(described: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Return the digits after the point of each field; ``digits`` is (all, after the point), or false where it is not cut.

    As an ordinary user is told (``orders/line-digits``).
    """
    found = {name: described.get(name, {}).get("digits") for name in _LINE_FIELDS}
    return {name: int(pair[1]) if pair else _UNCUT_DIGITS for name, pair in found.items()}


def _app_state(attempt: Try, model: str) -> AppState:
    try:
        attempt(model)
    except AccessMissing:
        return "no_right"
    except SettingsWrong as error:
        if error.details.get("reason") != "unknown_model":
            raise
        return "not_installed"
    return "usable"


def _one(read: Read, model: str, record_id: int, fields: list[str]) -> dict[str, Any]:
    rows = read(model, [record_id], fields)
    if not rows:
        raise AccessMissing(
            f"The bridge's Odoo user cannot read its own {model} record.",
            system="odoo",
            model=model,
            reason="access",
        )
    return rows[0]
