"""What is read of each model of a real Odoo; names that a version does not know are left out."""

from __future__ import annotations

from collections.abc import Mapping

_PRODUCT = (
    *("name", "default_code", "type", "taxes_id", "active", "list_price", "weight", "barcode", "sale_ok"),
    *("categ_id", "description", "description_sale", "tracking"),
)
FIELDS: Mapping[str, tuple[str, ...]] = {
    "sale.order": (
        *("name", "state", "client_order_ref", "date_order", "amount_untaxed", "amount_tax", "amount_total"),
        *("partner_id", "partner_invoice_id", "partner_shipping_id", "pricelist_id", "currency_id"),
        *("order_line", "warehouse_id"),
    ),
    "sale.order.line": (
        *("order_id", "product_id", "name", "product_uom_qty", "price_unit", "discount", "price_tax"),
        *("price_subtotal", "price_total", "tax_id", "tax_ids", "customer_lead"),
    ),
    "mail.message": ("model", "res_id", "body", "message_type", "subtype_id", "is_internal"),
    "mail.activity": ("res_model", "res_id", "summary"),
    "stock.picking": ("sale_id", "partner_id", "state"),
    "stock.move": (
        *("sale_line_id", "product_id", "product_uom_qty", "state", "is_inventory"),
        *("location_id", "picking_id"),
    ),
    "stock.quant": (
        *("product_id", "location_id", "quantity", "reserved_quantity"),
        *("inventory_quantity", "inventory_quantity_set"),
    ),
    "stock.warehouse": ("name", "code", "lot_stock_id", "view_location_id", "active"),
    "stock.location": ("name", "usage", "location_id"),
    "res.partner": (
        *("name", "email", "parent_id", "type", "street", "street2", "zip", "city", "phone", "country_id"),
        *("state_id", "vat", "is_company", "lang", "active", "comment", "category_id"),
        *("property_product_pricelist", "specific_property_product_pricelist"),
    ),
    "res.partner.category": ("name",),
    "res.currency": ("name",),
    "product.product": (*_PRODUCT, "product_tmpl_id", "product_template_attribute_value_ids"),
    "product.template": _PRODUCT,
    "product.template.attribute.line": ("product_tmpl_id", "attribute_id", "value_ids"),
    "product.pricelist": ("name", "currency_id"),
    "product.pricelist.item": ("pricelist_id", "product_tmpl_id", "product_id", "compute_price"),
    "account.tax": ("name", "amount", "type_tax_use", "price_include", "price_include_override"),
}
#: Models of which only what was made since the start is looked at: the database may hold much else.
OURS = frozenset(
    {
        *("sale.order", "sale.order.line", "mail.message", "mail.activity", "res.partner"),
        *("res.partner.category", "stock.picking", "stock.move", "stock.quant", "product.pricelist"),
        *("product.pricelist.item", "product.template.attribute.line"),
    }
)
