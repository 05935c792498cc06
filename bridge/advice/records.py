"""Known failures of records: orders, products, mappings, and what the other system refuses to store."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.advice.entries import Entry, because

_RETRY = "bridge jobs retry ID"
_CALLS = "bridge logs list --job ID"

_MAPPINGS = (
    Entry(
        code="mapping_missing",
        facts={"kind": "product"},
        happened="{message}",
        to_do="Create the product in Odoo with this internal reference, or set auto_create_products to on; then retry.",
        where="Odoo: Sales > Products; bridge instance set {instance} --set auto_create_products=true",
    ),
    Entry(
        code="mapping_missing",
        facts={"kind": "zero_tax"},
        happened="A line bears no tax in Magento, and what that means in Odoo is not decided: {value} (country, VAT id, "
        "tax class).",
        to_do="Map it to Odoo's tax of 0 % for this case, or to 0, which means no tax at all; the jobs that wait for it "
        "go on by themselves.",
        where="bridge mappings set zero_tax {quoted_value} ODOO_ID",
    ),
    Entry(
        code="mapping_missing",
        facts={"kind": "tax"},
        happened="No Odoo tax is mapped to Magento's tax {value}.",
        to_do="Map it to the Odoo sales tax of the same percentage; the jobs that wait for it go on by themselves.",
        where="bridge mappings set tax {quoted_value} ODOO_ID",
    ),
    Entry(
        code="mapping_missing",
        happened="{message}",
        to_do="Map it; the jobs that wait for it go on by themselves.",
        where="bridge mappings set {kind} {quoted_value} ODOO_ID",
    ),
    Entry(
        code="mapping_wrong",
        happened="{message}",
        to_do="Change the mapping; the jobs that wait for it go on by themselves.",
        where="bridge mappings set {kind} {quoted_value} ODOO_ID",
    ),
    Entry(
        code="order_unclear",
        reasons=because("tax_kind", "tax_mixed"),
        happened="{message}",
        to_do="Change the mapping as the message says, then retry.",
        where="bridge mappings list --kind tax",
    ),
)

_ORDERS = (
    Entry(
        code="total_differs",
        reasons=because("surprise"),
        happened="{message}",
        to_do="An app or an automation in Odoo changed the order when it was stored. Compare them line by line; then "
        "confirm the quotation by hand, or correct it.",
        where="bridge explain order {increment_id}",
    ),
    Entry(
        code="total_differs",
        happened="{message}",
        to_do="See the difference line by line. A tax that is mapped wrongly, or too few digits of Product Price, is "
        "the usual cause. To let small differences pass, set order_total_tolerance or order_total_policy; then retry.",
        where="bridge explain order {increment_id}",
    ),
    Entry(
        code="order_unclear",
        reasons=because("quantity_digits"),
        happened="{message}",
        to_do="Raise the digits of the units of measure in Odoo, then retry.",
        where="Odoo: Settings > Technical > Decimal Accuracy",
        who="Odoo admin",
    ),
    Entry(
        code="order_unclear",
        happened="{message}",
        to_do="The bridge does not guess about money. Look at the order in Magento; map or correct what the message "
        "names, then retry.",
        where="bridge preview order {increment_id}",
    ),
    Entry(
        code="order_changed_meanwhile",
        happened="{message}",
        to_do="See what differs now, and say again that it is right.",
        where="bridge orders accept {increment_id} --dry-run",
    ),
    Entry(
        code="order_not_imported",
        happened="{message}",
        to_do="Import it first.",
        where="bridge run import-order {increment_id}",
    ),
    Entry(
        code="order_changed",
        happened="{message}",
        to_do="Lines, prices, taxes and the buyer of an imported order are never carried over. Change the order back in "
        "Magento, then retry; or make the change in Odoo by hand and say that both are right now: what differs then is "
        "agreed, and later changes count from there.",
        where="bridge orders accept {increment_id} --why REASON, or bridge jobs retry ID",
    ),
    Entry(
        code="settings_wrong",
        system="odoo",
        reasons=because("currency"),
        happened="The currency {currency} is not active in Odoo.",
        to_do="Activate it, and make a pricelist in it; then retry.",
        where="Odoo: Invoicing > Configuration > Currencies",
        who="Odoo admin",
    ),
    Entry(
        code="settings_wrong",
        system="odoo",
        reasons=because("pricelist"),
        happened="Odoo has no pricelist in {currency}: an Odoo order takes its currency from the pricelist.",
        to_do="Switch pricelists on and make one in this currency; then retry.",
        where="Odoo: Sales > Products > Pricelists",
        who="Odoo admin",
    ),
    Entry(
        code="settings_wrong",
        system="odoo",
        reasons=because("installation_differs"),
        happened="{message}",
        to_do="If Odoo's id is the right one, remove the instance and add it anew: it takes over Odoo's id, and "
        "bridge bindings rebuild finds what was imported. If this is the wrong Odoo database, set the right one; then retry.",
        where="bridge instance show {instance}; Odoo: Contacts > Configuration > Contact Tags",
        who="integrator",
    ),
    Entry(
        code="settings_wrong",
        system="odoo",
        reasons=because("installation_copied"),
        happened="{message}",
        to_do="Give the copy a ledger of its own (another BRIDGE_DATABASE_URL), or remove the instance of the other "
        "database; then retry.",
        where="bridge instance list",
        who="integrator",
    ),
    Entry(
        code="settings_wrong",
        system="odoo",
        reasons=because("installation_tag"),
        happened="{message}",
        to_do="Write the id into the tag's name again; bridge instance show says it where this ledger has written "
        "before. Then retry.",
        where="Odoo: Contacts > Configuration > Contact Tags",
        who="Odoo admin",
    ),
    Entry(
        code="invalid_record",
        happened="Magento sent something that cannot be read: {message}",
        to_do="Usually an extension changes the answer. Look at the call, and at the extension.",
        where=_CALLS,
        who="integrator",
    ),
)

_STORES = (
    Entry(
        code="stores_unclear",
        happened="{message}",
        to_do="Usually an extension changes the answer, or the stores were being changed just then: retry once. If it "
        "stays so, look at the call, and at the extension.",
        where=_CALLS,
        who="integrator",
    ),
    Entry(
        code="store_view_unknown",
        happened="{message}",
        to_do="Read Magento's stores; the jobs that wait for it go on by themselves.",
        where="bridge run import-stores --instance {instance}",
    ),
    Entry(
        code="settings_wrong",
        reasons=because("override"),
        happened="{message}",
        to_do="Set the setting anew for that website or store view, or take it back; then retry.",
        where="bridge instance set {instance} --store CODE --unset KEY, or --website CODE",
    ),
)

_RECORDS_IN_BOTH = (
    Entry(
        code="store_unknown",
        happened="{message}",
        to_do="If base_url and odoo_db are right, the tag was deleted or nothing was ever imported here. Make the tag anew "
        "with the id that a backup of the ledger names, if there is one; then start the rebuild again.",
        where="bridge instance show {instance}; Odoo: Contacts > Configuration > Contact Tags",
        who="integrator",
    ),
    Entry(
        code="duplicate_record",
        system="odoo",
        reasons=because("sku"),
        happened="Several Odoo products have the SKU {sku}.",
        to_do="Leave the internal reference on one of them only; then retry.",
        where="Odoo: Sales > Products > Product Variants, filter by internal reference",
    ),
    Entry(
        code="duplicate_record",
        system="magento",
        reasons=because("sku"),
        happened="{message}",
        to_do="Odoo knows a product by its SKU, so only one of them can be brought over. Give the other another SKU in "
        "Magento, or delete it there; then retry.",
        where="Magento admin: Catalog > Products",
        who="Magento admin",
    ),
    Entry(
        code="duplicate_record",
        system="magento",
        reasons=because("increment_id"),
        happened="{message}",
        to_do="Say which one by its store view: {stores}.",
        where="bridge run import-order {increment_id} --store-id ID",
    ),
    Entry(
        code="duplicate_record",
        happened="{message}",
        to_do="Leave exactly one that fits; then retry.",
        where=_RETRY,
    ),
    Entry(
        code="catalog_unclear",
        happened="{message}",
        to_do="Correct it in Magento, then retry. Nothing was written.",
        where="Magento admin: Catalog > Categories",
        who="Magento admin",
    ),
    Entry(
        code="bound_record_gone",
        facts={"model": "product.category"},
        happened="{message}",
        to_do="Make categories of these names at the same places in Odoo, then retry: the bridge takes them. It never "
        "makes them again by itself.",
        where="Odoo: Sales > Configuration > Product Categories; bridge jobs retry ID",
    ),
    Entry(
        code="bound_record_gone",
        system="magento",
        happened="{message}",
        to_do="If it was deleted on purpose, archive the product in Odoo and cancel the job; or make it in Magento with the "
        "same SKU and bind it anew. The bridge never makes it again by itself.",
        where="bridge jobs cancel ID, or bridge jobs retry ID",
    ),
    Entry(
        code="bound_record_gone",
        happened="{message}",
        to_do="Restore the record in Odoo; or, if it was deleted on purpose, cancel the job. The bridge never makes it "
        "again by itself.",
        where="bridge jobs retry ID, or bridge jobs cancel ID",
    ),
    Entry(
        code="record_missing",
        system="magento",
        facts={"entity": "product"},
        happened="{message}",
        to_do="It was deleted in Magento, or the SKU is wrong. Check it there; nothing was written.",
        where="Magento admin: Catalog > Products",
    ),
    Entry(
        code="record_missing",
        system="magento",
        happened="{message}",
        to_do="It was deleted in Magento, or the number is wrong. Check it there; nothing was written.",
        where="Magento admin: Sales > Orders",
    ),
    Entry(
        code="record_missing",
        system="odoo",
        facts={"entity": "product"},
        happened="{message}",
        to_do="Check the internal reference in Odoo, capitals and all; it may be archived or another one. Nothing was written.",
        where="Odoo: Sales > Products",
    ),
    Entry(
        code="record_missing",
        system="odoo",
        happened="{message}",
        to_do="Restore it, or map another one; then retry.",
        where=_RETRY,
    ),
    Entry(
        code="effect_unclear",
        happened="{message}",
        to_do="Look in the other system whether it happened. If so, cancel the job; if not, retry it.",
        where="bridge jobs show ID",
    ),
)

_REFUSED = (
    Entry(
        code="service_rejected",
        system="odoo",
        reasons=because("unknown_field", "unknown_method", "private_method", "unexpected_answer"),
        happened="{message}",
        to_do="This Odoo differs from those that the bridge knows: an upgrade, or an app that changes models. Report the "
        "message and Odoo's version; a retry helps only after one of the two was updated.",
        where=_CALLS,
        who="integrator",
    ),
    Entry(
        code="service_rejected",
        system="odoo",
        reasons=because("constraint", "validation", "user_error", "load"),
        happened="{message}",
        to_do="Odoo named what it does not accept: correct the record or the setting behind it, then retry.",
        where=_CALLS,
    ),
    Entry(
        code="service_rejected",
        reasons=because("too_large", "page_size", "array_size", "encoding"),
        happened="{message}",
        to_do="Raise the limit of the server in front of {system}, or of {system} itself; then retry.",
        where="the web server of {system}",
        who="server admin",
    ),
    Entry(
        code="service_rejected",
        system="magento",
        pattern=r"URL key for specified store already exists",
        happened="Magento has another product with the same URL key.",
        to_do="Give one of the two another URL key, then retry.",
        where="Magento admin: Catalog > Products > Search Engine Optimization",
        who="Magento admin",
    ),
    Entry(
        code="service_rejected",
        happened="{message}",
        to_do="Correct what {system} names, then retry.",
        where=_CALLS,
    ),
)

RECORDS: Sequence[Entry] = (*_MAPPINGS, *_ORDERS, *_STORES, *_RECORDS_IN_BOTH, *_REFUSED)
