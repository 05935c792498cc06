"""The known failures. The first entry that fits is taken, so the narrow ones stand before the wide ones.

Grounds: the recordings' facts on authentication and errors, and what users of such bridges ran into.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.advice.entries import Entry

_INTEGRATION = "Magento admin: System > Integrations > the bridge's integration > API"
_BEARER = (
    "Magento admin: Stores > Configuration > Services > OAuth > Consumer Settings > Allow OAuth Access Tokens to "
    "be used as standalone Bearer tokens"
)
_KEYS = "bridge instance set NAME --magento-oauth @FILE"
_ODOO_KEY = "Odoo: the bridge's user > Preferences > Account Security > API Keys; then bridge instance set NAME --odoo-key @FILE"

CATALOGUE: Sequence[Entry] = (
    # The three meanings of Magento's 401.
    Entry(
        code="access_missing",
        system="magento",
        happened="Magento's integration lacks a resource: {resources}.",
        to_do="Tick the resources {resources} for the bridge's integration, save, and activate it again. "
        "Saving may make new keys: then set them here.",
        where=_INTEGRATION,
        who="Magento admin",
    ),
    Entry(
        code="credentials_refused",
        system="magento",
        reason="bearer_or_token",
        happened="Magento refused the access token for everything the bridge tried. It answers the same for two "
        "causes: the token is wrong or expired, or tokens alone are switched off, as they are by default.",
        to_do="Give the four OAuth keys instead (safer), or switch on standalone bearer tokens; if that is on, "
        "the token itself is wrong: copy it again.",
        where=f"{_KEYS}, or {_BEARER}",
        who="integrator",
    ),
    Entry(
        code="credentials_refused",
        system="magento",
        reason="no_resource",
        happened="Magento refused everything the bridge tried, although the keys were signed for.",
        to_do="Give the integration its resources. If it has them, the web server drops the Authorization header "
        "before Magento sees it: let it pass the header on.",
        where=_INTEGRATION,
        who="Magento admin",
    ),
    Entry(
        code="credentials_refused",
        system="magento",
        reason="signature",
        happened="Magento finds the OAuth signature invalid.",
        to_do="Copy the two secrets again. If they are right, a proxy changes host, port or https on the way: "
        "base_url must be the address that Magento itself sees.",
        where=_KEYS,
        who="integrator",
    ),
    Entry(
        code="credentials_refused",
        system="magento",
        happened="Magento refused the credentials: {message}",
        to_do="Copy the four keys of the integration again and set them; if the integration was deleted or "
        "activated anew, its old keys are dead.",
        where=_KEYS,
        who="integrator",
    ),
    Entry(
        code="settings_wrong",
        reason="clock",
        happened="This machine's clock runs ahead of Magento's by {ahead_seconds} s, so Magento refuses each call.",
        to_do="Set both machines' clocks by a time server (NTP), then retry.",
        where="this machine and the Magento server: timedatectl",
        who="server admin",
    ),
    # Addresses and certificates, of both systems.
    Entry(
        reason="tls",
        happened="The TLS certificate of {system} is not trusted by this machine.",
        to_do="Install a valid certificate, or add the authority that signed it to this machine's trusted ones. "
        "verify_ssl=false switches the check off: only for a test shop.",
        where="the web server of {system}; bridge instance set NAME --set verify_ssl=false",
        who="server admin",
    ),
    Entry(
        reason="unreachable",
        happened="{system} cannot be reached from this machine.",
        to_do="Check that the address is right and that the server is up and lets this machine in. The bridge goes "
        "on by itself when it answers again.",
        where="bridge instance show NAME, bridge run test-connection",
        who="server admin",
    ),
    Entry(
        reason="timeout",
        happened="{system} did not answer in time.",
        to_do="Nothing needs to be done: the bridge looks whether the call took effect and goes on by itself. If it "
        "lasts, look at that server's load.",
        who="nobody",
    ),
    Entry(
        code="settings_wrong",
        reason="redirect",
        happened="{message}",
        to_do="Set the address that the server really uses.",
        where="bridge instance set NAME --set base_url=https://...",
        who="integrator",
    ),
    Entry(
        code="settings_wrong",
        reason="not_magento",
        happened="There is no Magento REST API at this address.",
        to_do="Set base_url to the shop's own address, without /rest at its end.",
        where="bridge instance set NAME --set base_url=https://...",
        who="integrator",
    ),
    Entry(
        code="settings_wrong",
        reason="store_code",
        happened="Magento has no store view with the code in the settings.",
        to_do="Set store_code to the code of a store view, or to all.",
        where="bridge instance set NAME --set store_code=all",
        who="integrator",
    ),
    Entry(
        code="settings_wrong",
        reason="wrong_database",
        happened="The Odoo server has no database {database}.",
        to_do="Correct the database's name.",
        where="bridge instance set NAME --set odoo_db=...",
        who="integrator",
    ),
    Entry(
        code="settings_wrong",
        reason="unknown_model",
        happened="An app that the bridge needs is not installed in Odoo: {message}",
        to_do="Install Sales, Inventory and Invoicing in Odoo, then retry.",
        where="Odoo: Apps",
        who="Odoo admin",
    ),
    # Odoo's user.
    Entry(
        code="credentials_refused",
        system="odoo",
        happened="Odoo refused the bridge's user or key. Keys of ordinary users expire after 90 days at most.",
        to_do="Make a new API key for the bridge's user and set it.",
        where=_ODOO_KEY,
        who="Odoo admin",
    ),
    Entry(
        code="access_missing",
        system="odoo",
        happened="{message}",
        to_do="Give the bridge's user the rights: Sales: all documents; Invoicing; Contact creation.",
        where="Odoo: Settings > Users & Companies > Users",
        who="Odoo admin",
    ),
    # Records and mappings.
    Entry(
        code="mapping_missing",
        happened="Nothing in Odoo is mapped to Magento's {kind} {value}.",
        to_do="Map it, or mark it as ignored where that is allowed; the jobs that wait for it go on by themselves.",
        where="bridge mappings set {kind} '{value}' ODOO_ID",
    ),
    Entry(
        code="total_differs",
        happened="The order's total in Odoo would differ from what the customer paid in Magento.",
        to_do="See the difference line by line. A tax that is mapped wrongly, or too few digits of Product Price, is "
        "the usual cause. To let small differences pass, set order_total_tolerance or order_total_policy.",
        where="bridge explain order {increment_id}",
    ),
    Entry(
        code="duplicate_record",
        reason="sku",
        happened="Several Odoo products have the SKU {sku}.",
        to_do="Leave the internal reference on one of them only, or bind the right one; then retry.",
        where="Odoo: Sales > Products > Product Variants, filter by internal reference",
    ),
    Entry(
        code="product_unknown",
        happened="Odoo has no product with the SKU {sku}.",
        to_do="Create it in Odoo with this internal reference, or set auto_create_products to on; then retry.",
        where="Odoo: Sales > Products; bridge instance set NAME --set auto_create_products=true",
    ),
    Entry(
        code="duplicate_record",
        happened="{message}",
        to_do="Leave exactly one that fits, or say which is meant; then retry.",
        where="bridge jobs show ID",
    ),
    Entry(
        code="bound_record_gone",
        happened="{message}",
        to_do="Restore the record in the other system; or, if it was deleted on purpose, cancel the job. The bridge "
        "never makes it again by itself.",
        where="bridge bindings list",
    ),
    Entry(
        code="record_missing",
        system="magento",
        happened="Magento has no such record: {message}",
        to_do="It was deleted in Magento, or the number is wrong. Check it there; nothing was written.",
        where="Magento admin: Sales > Orders",
    ),
    Entry(
        code="record_missing",
        system="odoo",
        happened="A record is gone in Odoo: {message}",
        to_do="Restore it or map another one, then retry.",
        where="Odoo",
    ),
    Entry(
        code="order_unclear",
        happened="{message}",
        to_do="The bridge does not guess about money. Look at the order in Magento; map or correct what the message "
        "names, then retry.",
        where="bridge preview order {increment_id}",
    ),
    Entry(
        code="invalid_record",
        happened="Magento sent something that cannot be read: {message}",
        to_do="Usually an extension changes the answer. Look at the exchange, and at the extension.",
        where="bridge logs list --job ID",
        who="integrator",
    ),
    Entry(
        code="effect_unclear",
        happened="{message}",
        to_do="Look in the other system whether it happened. If so, cancel the job; if not, retry it.",
        where="bridge jobs show ID",
    ),
    Entry(
        code="service_rejected",
        system="odoo",
        reason="load",
        happened="{message}",
        to_do="Odoo named what it does not accept: correct the record or the setting behind it, then retry.",
        where="bridge logs list --job ID",
    ),
    Entry(
        code="service_rejected",
        system="odoo",
        happened="{message}",
        to_do="Correct what Odoo names, then retry.",
        where="bridge logs list --job ID",
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
        system="magento",
        happened="{message}",
        to_do="Correct what Magento names, then retry.",
        where="bridge logs list --job ID",
    ),
    # What mends itself.
    Entry(
        code="rate_limited",
        happened="{system} asked for fewer calls.",
        to_do="Nothing needs to be done: the bridge waits as long as it was asked to.",
        who="nobody",
    ),
    Entry(
        code="doubtful_effect",
        happened="{message}",
        to_do="Nothing needs to be done: the bridge waits until the answer cannot come any more, looks, and goes on. "
        "This wait cannot be shortened, or the write could happen twice.",
        who="nobody",
    ),
)
