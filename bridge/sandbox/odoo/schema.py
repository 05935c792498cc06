"""The models and fields of each Odoo version, from the recorded ``fields/*`` (reduced) and a few of our own.

Models that were not recorded (mail, decimal precision, groups, tags, modules) have the fields that the bridge
and the recorded requests use.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

#: Fields that every model has.
MAGIC: dict[str, list[Any]] = {
    "id": ["integer", {"readonly": 1}],
    "display_name": ["char", {"readonly": 1, "computed": 1}],
    "create_date": ["datetime", {"readonly": 1}],
    "write_date": ["datetime", {"readonly": 1}],
    "create_uid": ["many2one", {"to": "res.users", "readonly": 1}],
    "write_uid": ["many2one", {"to": "res.users", "readonly": 1}],
}

_EXTRA: dict[str, dict[str, list[Any]]] = {
    "decimal.precision": {"name": ["char"], "digits": ["integer"]},
    "mail.message": {
        "model": ["char"],
        "res_id": ["integer"],
        "body": ["html"],
        "subject": ["char"],
        "date": ["datetime"],
        "message_type": [
            "selection",
            {
                "selection": [
                    ["email", "Incoming Email"],
                    ["comment", "Comment"],
                    ["notification", "System notification"],
                    ["user_notification", "User Specific Notification"],
                    ["auto_comment", "Automated Targeted Notification"],
                ]
            },
        ],
        "subtype_id": ["many2one", {"to": "mail.message.subtype"}],
        "author_id": ["many2one", {"to": "res.partner"}],
        "is_internal": ["boolean"],
        "parent_id": ["many2one", {"to": "mail.message"}],
    },
    "mail.activity": {
        "res_model_id": ["many2one", {"to": "ir.model"}],
        "res_model": ["char", {"readonly": 1}],
        "res_id": ["integer"],
        "res_name": ["char", {"readonly": 1, "computed": 1}],
        "activity_type_id": ["many2one", {"to": "mail.activity.type"}],
        "summary": ["char"],
        "note": ["html"],
        "date_deadline": ["date", {"required": 1}],
        "automated": ["boolean", {"readonly": 1}],
        "user_id": ["many2one", {"to": "res.users"}],
    },
    "mail.activity.type": {
        "name": ["char"],
        "active": ["boolean"],
        "decoration_type": ["selection", {"selection": [["warning", "Alert"], ["danger", "Error"]]}],
    },
    "mail.message.subtype": {"name": ["char"], "internal": ["boolean"]},
    "res.partner.category": {
        "name": ["char"],
        "color": ["integer"],
        "parent_id": ["many2one", {"to": "res.partner.category"}],
        "active": ["boolean"],
    },
    "res.groups": {"name": ["char"], "full_name": ["char"], "users": ["many2many", {"to": "res.users"}]},
    "res.users.apikeys": {
        "name": ["char"],
        "user_id": ["many2one", {"to": "res.users"}],
        "scope": ["char"],
        "expiration_date": ["datetime"],
    },
    "res.users.apikeys.description": {"name": ["char"]},
    "ir.model": {"name": ["char"], "model": ["char"]},
    "product.pricelist.item": {
        "pricelist_id": ["many2one", {"to": "product.pricelist"}],
        "product_id": ["many2one", {"to": "product.product"}],
        "product_tmpl_id": ["many2one", {"to": "product.template"}],
        "compute_price": [
            "selection",
            {"selection": [["fixed", "Fixed Price"], ["percentage", "Discount"], ["formula", "Formula"]]},
        ],
        "fixed_price": ["float"],
        "percent_price": ["float"],
        "price_discount": ["float"],
        "price_round": ["float"],
        "price_surcharge": ["float"],
        "price_min_margin": ["float"],
        "price_max_margin": ["float"],
        "applied_on": [
            "selection",
            {
                "selection": [
                    ["3_global", "All Products"],
                    ["2_product_category", "Product Category"],
                    ["1_product", "Product"],
                    ["0_product_variant", "Product Variant"],
                ]
            },
        ],
        "base": [
            "selection",
            {
                "selection": [
                    ["list_price", "Sales Price"],
                    ["standard_price", "Cost"],
                    ["pricelist", "Other Pricelist"],
                ]
            },
        ],
        "base_pricelist_id": ["many2one", {"to": "product.pricelist"}],
        "currency_id": ["many2one", {"to": "res.currency", "readonly": 1, "computed": 1}],
        "company_id": ["many2one", {"to": "res.company", "readonly": 1, "computed": 1}],
        "categ_id": ["many2one", {"to": "product.category"}],
        "min_quantity": ["float"],
        "date_start": ["datetime"],
        "date_end": ["datetime"],
    },
    "stock.picking.type": {
        "name": ["char"],
        "code": ["selection"],
        "warehouse_id": ["many2one", {"to": "stock.warehouse"}],
        "sequence": ["integer"],
        "active": ["boolean"],
        "company_id": ["many2one", {"to": "res.company"}],
    },
    "stock.move.line": {
        "move_id": ["many2one", {"to": "stock.move"}],
        "product_id": ["many2one", {"to": "product.product"}],
        "picking_id": ["many2one", {"to": "stock.picking"}],
        "location_id": ["many2one", {"to": "stock.location"}],
        "location_dest_id": ["many2one", {"to": "stock.location"}],
        "state": ["selection"],
    },
    "stock.return.picking": {
        "picking_id": ["many2one", {"to": "stock.picking"}],
        "location_id": ["many2one", {"to": "stock.location"}],
        "product_return_moves": ["one2many", {"to": "stock.return.picking.line"}],
    },
    "stock.return.picking.line": {
        "wizard_id": ["many2one", {"to": "stock.return.picking"}],
        "move_id": ["many2one", {"to": "stock.move"}],
        "product_id": ["many2one", {"to": "product.product"}],
        "quantity": ["float"],
        "to_refund": ["boolean"],
    },
    "ir.module.module": {
        "name": ["char"],
        "shortdesc": ["char"],
        "state": ["selection"],
        "latest_version": ["char"],
    },
}

#: Fields of recorded models that the reduced recordings leave out: images come in three of Odoo's sizes.
_IMAGES = {name: ["binary"] for name in ("image_1920", "image_512", "image_128")}
_PRODUCTS = {**_IMAGES, "purchase_ok": ["boolean"]}
_MORE_FIELDS: dict[str, dict[str, list[Any]]] = {
    "product.product": {**_PRODUCTS, "image_variant_1920": ["binary"]},
    "product.template": _PRODUCTS,
}

#: The language of texts that are written without one, and where a translation is missing.
SOURCE_LANGUAGE = "en_US"
#: Fields whose text may differ by language (``translate=True`` in the source of 16, 18 and 19).
TRANSLATED: dict[str, frozenset[str]] = {
    "product.attribute": frozenset({"name"}),
    "product.attribute.value": frozenset({"name"}),
    "product.template": frozenset({"name", "description", "description_sale"}),
}

#: Titles of models in error texts, where the technical name does not give them.
TITLES = {
    "account.move": "Journal Entry",
    "account.tax": "Tax",
    "ir.model.data": "Model Data",
    "mail.activity": "Activity",
    "product.category": "Product Category",
    "product.product": "Product Variant",
    "product.template": "Product",
    "res.partner": "Contact",
    "sale.order": "Sales Order",
    "sale.order.line": "Sales Order Line",
}

#: Labels of fields in error texts, where the technical name does not give them.
LABELS = {
    "color": "Color Index",
    "order_line": "Order Lines",
    "partner_id": "Customer",
    "partner_invoice_id": "Invoice Address",
    "partner_shipping_id": "Delivery Address",
    "product_uom_qty": "Quantity",
    "child_ids": "Contact",
    "price_unit": "Unit Price",
    "date_order": "Order Date",
}


@dataclass(frozen=True)
class Field:
    """One field of a model."""

    name: str
    type: str
    #: The model that a relation leads to.
    to: str | None = None
    required: bool = False
    readonly: bool = False
    #: Not stored: computed when it is read.
    is_computed: bool = False
    selection: tuple[tuple[str, str], ...] = ()

    @property
    def label(self) -> str:
        """The field's name in texts for people."""
        return LABELS.get(self.name) or self.name.removesuffix("_id").replace("_", " ").title()

    @property
    def is_x2many(self) -> bool:
        """Whether it holds a list of records."""
        return self.type in {"one2many", "many2many"}

    def describe(self) -> dict[str, Any]:
        """Return what ``fields_get`` tells about the field."""
        about: dict[str, Any] = {
            "type": self.type,
            "string": self.label,
            "required": self.required,
            "readonly": self.readonly,
            "store": not self.is_computed,
        }
        if self.to:
            about["relation"] = self.to
        if self.type == "selection":
            about["selection"] = [list(pair) for pair in self.selection]
        return about


#: The languages that are installed here; the recorded databases had one (``fields/res.partner``).
LANGUAGES = {
    "en_US": "English (US)",
    "de_DE": "German / Deutsch",
    "fr_FR": "French / Francais",
    "nl_NL": "Dutch / Nederlands",
    "it_IT": "Italian / Italiano",
    "es_ES": "Spanish / Espanol",
}

#: Fields of all models of a version by model and name.
Schema = dict[str, dict[str, Field]]


def title_of(model: str) -> str:
    """Return a model's name in texts for people."""
    return TITLES.get(model) or model.rpartition(".")[2].replace("_", " ").title()


def _field(name: str, raw: list[Any]) -> Field:
    options = raw[1] if len(raw) > 1 else {}
    if name == "lang" and raw[0] == "selection":
        options = {**options, "selection": list(LANGUAGES.items())}
    return Field(
        name=name,
        type=raw[0],
        to=options.get("to"),
        required=bool(options.get("required")),
        readonly=bool(options.get("readonly")),
        is_computed=bool(options.get("computed")),
        selection=tuple((pair[0], pair[1]) for pair in options.get("selection", ())),
    )


@cache
def load_data(name: str) -> Any:
    """Return one of the sandbox's data files for Odoo, parsed."""
    return json.loads((files("bridge.sandbox") / "data" / "odoo" / name).read_text(encoding="utf-8"))


@cache
def schema_of(major: int) -> Schema:
    """Return the models and fields of Odoo ``major`` (16, 18 or 19)."""
    models: dict[str, dict[str, list[Any]]] = {**load_data(f"fields-{major}.json"), **_EXTRA}
    magic = dict(MAGIC)
    if major < 18:
        magic["__last_update"] = ["datetime", {"readonly": 1, "computed": 1}]
    # Fields that only later versions have.
    later: dict[str, dict[str, list[Any]]] = {
        "res.users.apikeys.description": {"duration": ["selection"]},
        "mail.activity": {"active": ["boolean"]},
        "product.pricelist.item": {"price_markup": ["float", {"computed": 1}]},
    }
    earlier: dict[str, dict[str, list[Any]]] = {
        "product.pricelist.item": {"active": ["boolean", {"readonly": 1, "computed": 1}]},
    }
    return {
        model: {
            name: _field(name, raw)
            for name, raw in (
                magic
                | fields
                | _MORE_FIELDS.get(model, {})
                | (later if major >= 18 else earlier).get(model, {})
            ).items()
        }
        for model, fields in models.items()
    }


def described(fields: dict[str, dict[str, list[Any]]]) -> Schema:
    """Return the models of an app that is installed later."""
    return {
        model: {name: _field(name, raw) for name, raw in (MAGIC | own).items()}
        for model, own in fields.items()
    }
