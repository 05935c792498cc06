"""What a fresh simulated Odoo holds: company, currencies, countries, taxes, pricelists, services, users."""

from __future__ import annotations

from typing import Any

from bridge.sandbox.odoo.records import Env
from bridge.sandbox.odoo.schema import LANGUAGES, load_data
from bridge.sandbox.odoo.warehouse import seed_places

ADMIN_UID = 2
BOT_UID = 1

#: Currency codes with their decimals; EUR and USD have the ids of the recordings, see ``_currency_ids``.
CURRENCIES = {
    "USD": 2, "EUR": 2, "GBP": 2, "CHF": 2, "SEK": 2, "NOK": 2, "DKK": 2, "PLN": 2, "CZK": 2, "HUF": 2,
    "CAD": 2, "AUD": 2, "NZD": 2, "CNY": 2, "INR": 2, "BRL": 2, "MXN": 2, "TRY": 2, "ZAR": 2, "AED": 2,
    "JPY": 0, "KRW": 0, "CLP": 0, "KWD": 3, "BHD": 3,
}  # fmt: skip

#: Percentages of the sales taxes by name; each comes on top of the price and, with " incl", inside it.
TAXES = {"DE-19": 19.0, "DE-7": 7.0, "FR-20": 20.0, "US-NY": 8.375, "0%": 0.0}

#: Services an order needs beside goods, by ``default_code``; they have no taxes of their own.
SERVICES = {
    "SHIPPING": "Shipping",
    "DISCOUNT": "Discount",
    "ADJUSTMENT": "Rounding adjustment",
    "CREDIT": "Store credit",
    "FEE": "Fee",
    "BUNDLE": "Bundle",
}

#: US states and territories in Odoo's order: California has the recorded id 13.
US_STATES = [
    "AL Alabama",
    "AK Alaska",
    "AS American Samoa",
    "AZ Arizona",
    "AR Arkansas",
    "AA Armed Forces Americas",
    "AE Armed Forces Europe",
    "AP Armed Forces Pacific",
    "FM Federated States of Micronesia",
    "GU Guam",
    "MH Marshall Islands",
    "MP Northern Mariana Islands",
    "CA California",
    "CO Colorado",
    "CT Connecticut",
    "DE Delaware",
    "DC District of Columbia",
    "FL Florida",
    "GA Georgia",
    "HI Hawaii",
    "ID Idaho",
    "IL Illinois",
    "IN Indiana",
    "IA Iowa",
    "KS Kansas",
    "KY Kentucky",
    "LA Louisiana",
    "ME Maine",
    "MD Maryland",
    "MA Massachusetts",
    "MI Michigan",
    "MN Minnesota",
    "MS Mississippi",
    "MO Missouri",
    "MT Montana",
    "NE Nebraska",
    "NV Nevada",
    "NH New Hampshire",
    "NJ New Jersey",
    "NM New Mexico",
    "NY New York",
    "NC North Carolina",
    "ND North Dakota",
    "OH Ohio",
    "OK Oklahoma",
    "OR Oregon",
    "PW Palau",
    "PA Pennsylvania",
    "PR Puerto Rico",
    "RI Rhode Island",
    "SC South Carolina",
    "SD South Dakota",
    "TN Tennessee",
    "TX Texas",
    "UT Utah",
    "VT Vermont",
    "VI Virgin Islands",
    "VA Virginia",
    "WA Washington",
    "WV West Virginia",
    "WI Wisconsin",
    "WY Wyoming",
]

OTHER_STATES = {
    "AU": "ACT Australian Capital Territory|NSW New South Wales|NT Northern Territory|QLD Queensland|"
    "SA South Australia|TAS Tasmania|VIC Victoria|WA Western Australia",
    "CA": "AB Alberta|BC British Columbia|MB Manitoba|NB New Brunswick|NL Newfoundland and Labrador|"
    "NT Northwest Territories|NS Nova Scotia|NU Nunavut|ON Ontario|PE Prince Edward Island|QC Quebec|"
    "SK Saskatchewan|YT Yukon",
    "DE": "BW Baden-Wuerttemberg|BY Bavaria|BE Berlin|BB Brandenburg|HB Bremen|HH Hamburg|HE Hesse|"
    "MV Mecklenburg-Vorpommern|NI Lower Saxony|NW North Rhine-Westphalia|RP Rhineland-Palatinate|SL Saarland|"
    "SN Saxony|ST Saxony-Anhalt|SH Schleswig-Holstein|TH Thuringia",
}

PAYMENT_TERMS = {
    16: "Immediate Payment|15 Days|21 Days|30 Days|45 Days|2 Months|End of Following Month|"
    "30 days End of Month on the 10th|30% Now, Balance 60 Days|2/7 Net 30",
    18: "Immediate Payment|15 Days|21 Days|30 Days|45 Days|End of Following Month|10 Days after End of Next Month|"
    "30% Now, Balance 60 Days|2/7 Net 30|90 days, on the 10th",
}

PRECISIONS = {
    16: "Percentage Analytic 2|Product Price 2|Discount 2|Stock Weight 2|Volume 2|Product Unit of Measure 2|"
    "Payment Terms 6",
    18: "Percentage Analytic 2|Product Price 2|Discount 2|Stock Weight 2|Volume 2|Product Unit of Measure 2|"
    "Payment Terms 6",
    19: "Product Unit 2|Percentage Analytic 2|Product Price 2|Discount 2|Stock Weight 2|Volume 2|Payment Terms 6",
}

MODULES = ("base", "mail", "sale", "sale_management", "stock", "account", "sale_stock", "delivery")


def seed(env: Env, *, company_currency: str) -> None:
    """Fill an empty database."""
    major = env.dialect.major
    _places(env)
    _currencies(env, major)
    currency = _one(env, "res.currency", name=company_currency)
    _company(env, major, currency)
    _users(env)
    _products(env, major)
    _taxes(env, major)
    _pricelists(env, company_currency)
    _sales(env, major)
    _services(env)


def _put(env: Env, model: str, values: dict[str, Any], key: str | None = None) -> int:
    """Store a row as it is; ``key`` is its external id."""
    now = env.now()
    stamp = {"create_date": now, "write_date": now, "create_uid": BOT_UID, "write_uid": BOT_UID}
    active = {"active": True} if "active" in env.schema[model] else {}
    record_id = env.db.table(model).insert(active | stamp | values)
    if key:
        module, _, name = key.partition(".")
        values = {"module": module, "name": name, "model": model, "res_id": record_id, "noupdate": True}
        env.db.table("ir.model.data").insert(values | stamp)
    return record_id


def _one(env: Env, model: str, **equal: Any) -> int:
    rows = env.db.table(model).rows.values()
    return next(
        int(row["id"]) for row in rows if all(row.get(name) == value for name, value in equal.items())
    )


def _places(env: Env) -> None:
    countries: dict[str, str] = load_data("countries.json")
    ids = {
        code: _put(env, "res.country", {"name": name, "code": code}, f"base.{code.lower()}")
        for code, name in countries.items()
    }
    states = [("US", text) for text in US_STATES]
    for country, text in [
        *states,
        *((code, one) for code, all_ in OTHER_STATES.items() for one in all_.split("|")),
    ]:
        code, _, name = text.partition(" ")
        _put(env, "res.country.state", {"name": name, "code": code, "country_id": ids[country]})


def _currencies(env: Env, major: int) -> None:
    fixed = {16: {"EUR": 1, "USD": 2}, 18: {"USD": 1, "EUR": 125}, 19: {"USD": 1, "EUR": 126}}[major]
    for code in sorted(CURRENCIES, key=lambda code: fixed.get(code, 1000)):
        values = {
            "name": code,
            "symbol": code,
            "decimal_places": CURRENCIES[code],
            "rounding": 10.0 ** -CURRENCIES[code],
            "active": code in {"EUR", "USD"},
        }
        _put(env, "res.currency", values | ({"id": fixed[code]} if code in fixed else {}), f"base.{code}")


def _company(env: Env, major: int, currency: int) -> None:
    country = None if major < 18 else _one(env, "res.country", code="US")
    partner = _put(env, "res.partner", {"name": "My Company", "is_company": True, "type": "contact"})
    values = {
        "name": "My Company",
        "partner_id": partner,
        "currency_id": currency,
        "country_id": country,
        "tax_calculation_rounding_method": "round_globally" if major >= 19 else "round_per_line",
        "_fiscal_country_id": _one(env, "res.country", code="US"),
        "_next_order": 1,
        "_sale_tax_ids": [],
        "_pricelist_id": None,
        "_note_subtype_id": None,
        "_confirmed_subtype_id": None,
    }
    if major >= 18:
        values["account_price_include"] = "tax_excluded"
    _put(env, "res.company", values, "base.main_company")


def _users(env: Env) -> None:
    bot = _put(env, "res.partner", {"name": "OdooBot", "type": "contact", "active": False})
    common = {"company_id": 1, "lang": "en_US", "_keys": [], "_password": None, "_rights": "admin"}
    robot = {"id": BOT_UID, "name": "OdooBot", "login": "__system__", "partner_id": bot, "active": False}
    _put(env, "res.users", common | robot)
    admin = _put(
        env, "res.partner", {"name": "Administrator", "type": "contact", "email": "admin@example.com"}
    )
    _put(
        env,
        "res.users",
        common | {"id": ADMIN_UID, "name": "Administrator", "login": "admin", "partner_id": admin},
        "base.user_admin",
    )
    for name in ("Sales / Administrator", "Sales / User: All Documents", "Sales / User: Own Documents Only"):
        _put(env, "res.groups", {"name": name.partition(" / ")[2], "full_name": name})
    for code, name in LANGUAGES.items():
        _put(env, "res.lang", {"code": code, "name": name, "iso_code": code[:2]})


def _products(env: Env, major: int) -> None:
    _put(env, "product.category", {"name": "Goods" if major >= 19 else "All"}, "product.product_category_all")
    _put(env, "uom.uom", {"name": "Units", "factor": 1.0}, "uom.product_uom_unit")
    # 19 keeps how many first units a unit is, 16 and 18 how many of it the first one is (``kits/units-read``).
    _put(
        env, "uom.uom", {"name": "Dozens", "factor": 12.0 if major >= 19 else 1 / 12}, "uom.product_uom_dozen"
    )
    for text in PRECISIONS[major].split("|"):
        name, _, digits = text.rpartition(" ")
        _put(env, "decimal.precision", {"name": name, "digits": int(digits)})


def _taxes(env: Env, major: int) -> None:
    if major < 18:
        _put(env, "account.tax.group", {"name": "Taxes"})
    group = _put(env, "account.tax.group", {"name": "Tax 15%"})
    default = _tax(env, major, "15%" if major >= 18 else "Tax 15%", 15.0, is_inside=None, group=group)
    env.db.table("res.company").update(1, {"_sale_tax_ids": [default]})
    purchase = _tax(env, major, "15%" if major >= 18 else "Purchase 15%", 15.0, is_inside=None, group=group)
    env.db.table("account.tax").update(purchase, {"type_tax_use": "purchase"})
    for name, amount in TAXES.items():
        _tax(env, major, name, amount, is_inside=False, group=group)
        _tax(env, major, f"{name} incl", amount, is_inside=True, group=group)


def _tax(env: Env, major: int, name: str, amount: float, *, is_inside: bool | None, group: int) -> int:
    values: dict[str, Any] = {"name": name, "amount": amount, "type_tax_use": "sale", "tax_group_id": group}
    if major < 18:
        values["price_include"] = bool(is_inside)
    elif is_inside is not None:
        values["price_include_override"] = "tax_included" if is_inside else "tax_excluded"
    return env["account.tax"].create(values)


def _pricelists(env: Env, company_currency: str) -> None:
    name = "Public Pricelist" if env.dialect.major < 18 else "Default"
    own = _one(env, "res.currency", name=company_currency)
    default = _put(env, "product.pricelist", {"name": name, "currency_id": own, "company_id": None})
    env.db.table("res.company").update(1, {"_pricelist_id": default})
    for code in ("EUR", "USD"):
        _put(
            env,
            "product.pricelist",
            {"name": f"Web {code}", "currency_id": _one(env, "res.currency", name=code)},
        )


def _sales(env: Env, major: int) -> None:
    _put(env, "crm.team", {"name": "Sales"}, "sales_team.team_sales_department")
    first = {"name": "My Company", "code": "WH", "company_id": 1}
    seed_places(env, _put(env, "stock.warehouse", first, "stock.warehouse0"))
    for name in PAYMENT_TERMS[16 if major < 18 else 18].split("|"):
        _put(env, "account.payment.term", {"name": name})
    if major >= 19:
        home = _one(env, "res.country", code="US")
        _put(env, "account.fiscal.position", {"name": "Domestic", "auto_apply": True, "country_id": home})
        _put(env, "account.fiscal.position", {"name": "Foreign Trade", "auto_apply": True})
    subtypes = {
        name: _put(env, "mail.message.subtype", {"name": name}, key)
        for name, key in {
            "Discussions": "mail.mt_comment",
            "Note": "mail.mt_note",
            "Activities": "mail.mt_activities",
            "Sales Order Confirmed": "sale.mt_order_confirmed",
        }.items()
    }
    env.db.table("res.company").update(
        1,
        {"_note_subtype_id": subtypes["Note"], "_confirmed_subtype_id": subtypes["Sales Order Confirmed"]},
    )
    for code, name in {"4000": "Sales", "2300": "Store credit and gift cards"}.items():
        kind = "income" if code == "4000" else "liability_current"
        _put(env, "account.account", {"code": code, "name": name, "account_type": kind})
    _put(env, "mail.activity.type", {"name": "To-Do"}, "mail.mail_activity_data_todo")
    # Inactive, and used all the same: Odoo puts it on deliveries whose order changes.
    warning = {"name": "Exception", "decoration_type": "warning", "active": False}
    _put(env, "mail.activity.type", warning, "mail.mail_activity_data_warning")
    for model, key in {
        "sale.order": "sale.model_sale_order",
        "stock.picking": "stock.model_stock_picking",
    }.items():
        _put(env, "ir.model", {"name": model, "model": model}, key)
    for name in MODULES:
        _put(env, "ir.module.module", {"name": name, "shortdesc": name, "state": "installed"})


def _services(env: Env) -> None:
    for code, name in SERVICES.items():
        env["product.product"].create(
            {
                "name": name,
                "default_code": code,
                "type": "service",
                "invoice_policy": "order",
                "list_price": 0.0,
                "taxes_id": [[6, 0, []]],
            }
        )
