"""Known failures of the export of stock."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.advice.entries import Entry, because

_RETRY = "bridge jobs retry ID"

STOCK: Sequence[Entry] = (
    Entry(
        code="stock_not_bound",
        happened="{message}",
        to_do="Import the product: that binds it to the Odoo product with the same SKU.",
        where="bridge run import-product {sku}",
    ),
    Entry(
        code="stock_unclear",
        reasons=because("gone"),
        happened="{message}",
        to_do="Bind the Magento product to another product of Odoo (give one of Odoo's this SKU and import the product "
        "again), or disable it in Magento; then retry. Until then Magento keeps the quantity it has.",
        where="bridge run import-product {sku}",
    ),
    Entry(
        code="stock_unclear",
        reasons=because("archived"),
        happened="{message}",
        to_do="Unarchive the product in Odoo, or disable it in Magento: until then it keeps the quantity it has there, "
        "and can be bought. Then retry.",
        where="Odoo: Inventory > Products, filter Archived",
    ),
    Entry(
        code="stock_unclear",
        reasons=because("quantity"),
        happened="{message}",
        to_do="Correct the quantity on hand by an inventory adjustment, then retry. Magento keeps quantities below "
        "100,000,000.",
        where="Odoo: Inventory > Operations > Physical Inventory",
    ),
    Entry(
        code="stock_unclear",
        reasons=because("unknown_sku"),
        happened="{message}",
        to_do="If the product was deleted in Magento for good, cancel this job; else make it again in Magento with this "
        "SKU and import it. Nothing was sent: Magento would keep a quantity for any SKU without a word.",
        where="bridge run import-product {sku}",
    ),
    Entry(
        code="stock_unclear",
        reasons=because("refused"),
        pattern=r"bundle|ship",
        happened="{message}",
        to_do="A bundle that is shipped together may have its parts in one source only. Set the bundle to ship "
        "separately, or take the part out of the other source; then retry. All others went out.",
        where="Magento: Catalog > Products, the bundle's Ship Bundle Items",
        who="Magento admin",
    ),
    Entry(
        code="stock_unclear",
        reasons=because("refused"),
        happened="{message}",
        to_do="Magento refuses this row and takes all others. Open the product in Magento, save its quantity in this "
        "source by hand and see what it says; then retry.",
        where="Magento: Catalog > Products, Sources",
        who="Magento admin",
    ),
    Entry(
        code="stock_unclear",
        reasons=because("slash"),
        happened="{message}",
        to_do="Let the web server pass encoded slashes on (Apache: AllowEncodedSlashes NoDecode), or set "
        "stock_api_mode=msi, which names no SKU in an address; or give the product a SKU without a slash. Then retry.",
        where="the web server before Magento; bridge instance set {instance} --set stock_api_mode=msi",
        who="server admin",
    ),
    Entry(
        code="stock_not_previewed",
        happened="{message}",
        to_do="Make a preview, look at what it would count, then run the import again: it counts what the preview "
        "showed and nobody has changed in Odoo since.",
        where="bridge run import-stock --preview",
    ),
    Entry(
        code="settings_wrong",
        reasons=because("import_stock"),
        happened="{message}",
        to_do="If Odoo's stock shall be counted from Magento's quantities, as for a first load, turn it on and retry; "
        "turn it off again afterwards.",
        where="bridge instance set {instance} --set import_stock=true",
    ),
    Entry(
        code="settings_wrong",
        reasons=because("import_stock_warehouse"),
        happened="{message}",
        to_do="Map the source to the one warehouse where its goods lie, or say it in stock_routes; then retry. Nothing "
        "was counted.",
        where="bridge mappings set source {source} WAREHOUSE_ID",
    ),
    Entry(
        code="stock_source_unknown",
        happened="{message}",
        to_do="Make the source in Magento, or correct its code in the mapping, in stock_source_code or in "
        "stock_routes; then retry. Nothing is lost: its figures wait.",
        where="bridge mappings list --kind source; bridge instance show {instance}",
    ),
    Entry(
        code="stock_bulk_waits",
        happened="{message}",
        to_do="Let Magento's queue run: its cron, or bin/magento queue:consumers:start async.operations.all; then retry. "
        "Newer figures of this source wait, so that the queue does not write old ones over them. To do without the queue "
        "turn stock_bulk off and retry: figures are then written directly, and should the queue run after all, the next "
        "export puts right what it wrote.",
        where="the Magento server; bridge instance set {instance} --set stock_bulk=false",
        who="server admin",
    ),
    Entry(
        code="settings_wrong",
        reasons=because("stock_source"),
        happened="{message}",
        to_do="If that is meant, cancel the job. Else map the source to a warehouse, or name it in stock_source_code "
        "or stock_routes; then retry.",
        where="bridge mappings set source {source} WAREHOUSE_ID",
    ),
    Entry(
        code="settings_wrong",
        reasons=because("stock_shared_warehouse"),
        happened="{message}",
        to_do="Say in stock_routes how they share it, then retry: each source with its warehouses, such as "
        "stock_routes='berlin={warehouse}*60%; munich={warehouse}*rest'.",
        where="bridge instance set {instance} --set stock_routes=...",
    ),
)
