"""What the bridge must know of an Odoo database before it translates: company, currency, rounding, precision, apps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bridge.errors import AccessMissing, SettingsWrong
from bridge.odoo.versions import OdooVersion, names_of

RoundingMethod = Literal["round_per_line", "round_globally"]
AppState = Literal["usable", "no_right", "not_installed"]

#: The apps that the bridge needs, and a model that each brings. An ordinary user may not read the list of apps,
#: but any model can be tried (``auth/unknown-model``, ``errors/access-error-model``).
APP_MODELS: Mapping[str, str] = {"sale": "sale.order", "stock": "stock.picking", "account": "account.move"}

#: Odoo's own digits where a precision's record was deleted.
_DEFAULT_DIGITS = 2

#: Reads rows by id: model, ids, fields.
Read = Callable[[str, list[int], list[str]], list[dict[str, Any]]]
#: Reads the rows of a model that match a domain: model, domain, fields.
SearchRead = Callable[[str, list[Any], list[str]], list[dict[str, Any]]]
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
    #: Digits of the precision *Product Price*. 16 and 18 cut ``price_unit`` to them, 19 does not.
    price_digits: int
    #: Digits of the precision for quantities (*Product Unit of Measure*; in 19 *Product Unit*).
    quantity_digits: int
    #: Digits of the precision *Discount*.
    discount_digits: int
    #: Each app the bridge needs, and whether this user can use it.
    apps: Mapping[str, AppState]


def read_profile(
    version: OdooVersion, uid: int, *, read: Read, search_read: SearchRead, attempt: Try
) -> ServerProfile:
    """Read the profile.

    Raises:
        AccessMissing: the user may not even read the company or the precisions.
    """
    apps = {app: _app_state(attempt, model) for app, model in APP_MODELS.items()}
    user = _one(read, "res.users", uid, ["company_id", "email"])
    company_id = int(user["company_id"][0])
    has_accounting = apps["account"] != "not_installed"
    rounding = ["tax_calculation_rounding_method"] if has_accounting else []
    company = _one(read, "res.company", company_id, ["currency_id", *rounding])
    currency_id = int(company["currency_id"][0])
    currency = _one(read, "res.currency", currency_id, ["name", "decimal_places"])
    quantity = names_of(version).quantity_precision
    wanted = ["Product Price", quantity, "Discount"]
    rows = search_read("decimal.precision", [["name", "in", wanted]], ["name", "digits"])
    digits = {str(row["name"]): int(row["digits"]) for row in rows}
    return ServerProfile(
        version=version,
        uid=uid,
        user_has_email=bool(user.get("email")),
        company_id=company_id,
        currency_id=currency_id,
        currency=str(currency["name"]),
        currency_digits=int(currency["decimal_places"]),
        rounding_method=company.get("tax_calculation_rounding_method") or None,
        price_digits=digits.get("Product Price", _DEFAULT_DIGITS),
        quantity_digits=digits.get(quantity, _DEFAULT_DIGITS),
        discount_digits=digits.get("Discount", _DEFAULT_DIGITS),
        apps=apps,
    )


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
