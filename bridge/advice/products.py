"""Known failures of the catalog: products, their prices and pictures, and what both sides say of one field."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.advice.entries import Entry, because

_CALLS = "bridge logs list --job ID"

PRODUCTS: Sequence[Entry] = (
    Entry(
        code="product_unknown",
        happened="Odoo has no product with the SKU {sku}.",
        to_do="Create it in Odoo with this internal reference, or set auto_create_products to on; then retry.",
        where="Odoo: Sales > Products; bridge instance set {instance} --set auto_create_products=true",
    ),
    Entry(
        code="product_unclear",
        reasons=because("sku_taken"),
        happened="{message}",
        to_do="Two products of Odoo have this SKU: give one of them another internal reference, or archive it; then retry.",
        where="Odoo: Sales > Products > Product Variants",
    ),
    Entry(
        code="product_unclear",
        happened="{message}",
        to_do="Correct the product in Magento, then retry.",
        where="Magento admin: Catalog > Products",
        who="Magento admin",
    ),
    Entry(
        code="product_refused",
        pattern=r"barcode",
        happened="{message}",
        to_do="Two products cannot have one barcode in Odoo. Take it off one of them, in Magento or in Odoo; then retry.",
        where="Odoo: Sales > Products > Product Variants, filter by barcode",
    ),
    Entry(
        code="product_refused",
        reasons=because("magento"),
        happened="{message}",
        to_do="Magento named what it does not accept: correct the product in Odoo, or the setting in Magento, then retry.",
        where=_CALLS,
    ),
    Entry(
        code="attribute_unmapped",
        happened="{message}",
        to_do="Say which of Magento's attributes it is, by its code, then retry. The attribute must be one with choices "
        "that the attribute set has; the bridge adds the choices.",
        where="bridge mappings set attribute CODE {odoo_id}; bridge jobs retry ID",
    ),
    Entry(
        code="conflict_unwritable",
        happened="{message}",
        to_do="Change it in Magento by hand, or decide for Magento's value. A SKU cannot be renamed over Magento's API; "
        "taxes need a mapping of their tax class, a barcode the attribute barcode.",
        where="bridge conflicts resolve ID --use magento; bridge mappings list --kind tax_class",
    ),
    Entry(
        code="picture_unwritable",
        happened="{message}",
        to_do="Give the product the picture that is meant by hand, a PNG, JPEG or GIF, or decide for the other one.",
        where="Magento admin: Catalog > Products > Images And Videos; Odoo: Sales > Products; bridge conflicts resolve ID",
    ),
    Entry(
        code="price_unwritable",
        reasons=because("odoo"),
        happened="{message}",
        to_do="It comes from a pricelist, or is that of one of several variants: change the rule, or the price, in Odoo by "
        "hand, or decide for Odoo's price.",
        where="Odoo: Sales > Products > Pricelists; bridge conflicts resolve ID --use odoo",
    ),
    Entry(
        code="price_unwritable",
        happened="{message}",
        to_do="Prices there are above 0, and the variants of a configurable have prices of their own: change them in Magento "
        "by hand, or decide for Magento's price.",
        where="Magento admin: Catalog > Products; bridge conflicts resolve ID --use magento",
    ),
    Entry(
        code="product_refused",
        happened="{message}",
        to_do="Odoo named what it does not accept: correct the product in Magento, or the setting in Odoo, then retry.",
        where=_CALLS,
    ),
    Entry(
        code="price_unclear",
        reasons=because("amount"),
        happened="{message}",
        to_do="Give it a price above 0 in Odoo, or mend the pricelist rule; then retry.",
        where="Odoo: Sales > Products, or Sales > Products > Pricelists",
    ),
    Entry(
        code="price_unclear",
        reasons=because("conversion"),
        happened="{message} It would be another price each day, so it is not exported.",
        to_do="Give the pricelist fixed prices, or take one in the currency of Magento's prices; then retry.",
        where="Odoo: Sales > Products > Pricelists",
    ),
    Entry(
        code="price_unclear",
        reasons=because("currency"),
        happened="{message} Nothing was exported.",
        to_do="Name a pricelist in Magento's base currency: pricelist_id for the instance or the website, a mapping for a "
        "customer group. Then start the run again.",
        where="bridge instance set {instance} --set pricelist_id=ID; bridge mappings list --kind customer_group_pricelist",
    ),
    Entry(
        code="price_unclear",
        reasons=because("pricelist"),
        happened="{message}",
        to_do="Take another pricelist, or take this one out of the archive; then retry.",
        where="bridge instance set {instance} --set pricelist_id=ID; Odoo: Sales > Products > Pricelists",
    ),
    Entry(
        code="price_unclear",
        reasons=because("not_bound"),
        happened="{message}",
        to_do="Import the product first, then start the export again.",
        where="bridge run import-product SKU",
    ),
    Entry(
        code="price_refused",
        happened="{message}",
        to_do="Correct the price or its rule in Odoo, or the product, customer group or website in Magento; then retry. The "
        "other products of the call were written.",
        where=_CALLS,
    ),
    Entry(
        code="settings_wrong",
        reasons=because("no_stores"),
        happened="{message}",
        to_do="Read Magento's stores first, then start the run again.",
        where="bridge run import-stores",
    ),
    Entry(
        code="picture_unusable",
        reasons=because("address"),
        happened="{message}",
        to_do="Correct the address in Magento, or the certificate of its server; then retry. Products are imported all "
        "the same. Without pictures, set import_images to off.",
        where="Magento admin: Stores > Configuration > General > Web, Base URL for User Media Files",
        who="Magento admin",
    ),
    Entry(
        code="picture_unusable",
        reasons=because("closed", "elsewhere"),
        happened="{message}",
        to_do="The product itself is imported. Let the bridge fetch files at the address that Magento names for them, "
        "without a login and without being sent elsewhere; then retry.",
        where="Magento admin: Stores > Configuration > General > Web; the web server of Magento's media folder",
        who="server admin",
    ),
    Entry(
        code="picture_unusable",
        happened="{message}",
        to_do="The product itself is imported. Give it another picture in Magento, and the next import brings it; or "
        "retry when the file is there. Cancel the job to do without.",
        where="Magento admin: Catalog > Products > Images And Videos; bridge jobs retry ID, or bridge jobs cancel ID",
        who="Magento admin",
    ),
)
