"""Known failures of getting in: credentials, rights, addresses, certificates, clocks.

Grounds: the recordings' facts on authentication and errors (``recordings/magento/auth``, ``recordings/odoo/*/auth``),
and what users of such bridges ran into.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.advice.entries import Entry, because

_INTEGRATION = "Magento admin: System > Integrations > the bridge's integration > API"
_BEARER = (
    "Magento admin: Stores > Configuration > Services > OAuth > Consumer Settings > Allow OAuth Access Tokens to "
    "be used as standalone Bearer tokens"
)
_KEYS = "bridge instance set {instance} --magento-oauth @FILE"
_BASE_URL = "bridge instance set {instance} --set base_url=https://HOST"
_ODOO_URL = "bridge instance set {instance} --set odoo_url=https://HOST"
_ODOO_KEY = "Odoo: the bridge's user > Preferences > Account Security > API Keys; then bridge instance set {instance} --odoo-key @FILE"

_MAGENTO_KEYS = (
    # The three meanings of Magento's 401.
    Entry(
        code="access_missing",
        system="magento",
        happened="Magento's integration lacks a resource: {resources}.",
        to_do="Tick {resources} for the bridge's integration, save, and activate it again. Saving may make new keys: "
        "then set them here.",
        where=_INTEGRATION,
        who="Magento admin",
    ),
    Entry(
        code="credentials_refused",
        system="magento",
        reasons=because("bearer_or_token"),
        happened="Magento refused the access token for everything the bridge tried. It answers the same for two "
        "causes: the token is wrong or expired, or tokens alone are switched off, as they are by default since 2.4.4.",
        to_do="Give the four OAuth keys instead (safer), or switch on standalone bearer tokens; if that is on, "
        "the token itself is wrong: copy it again.",
        where=f"{_KEYS}, or {_BEARER}",
        who="integrator",
    ),
    Entry(
        code="credentials_refused",
        system="magento",
        reasons=because("no_resource"),
        happened="Magento refused everything the bridge tried, although the keys were signed for.",
        to_do="Give the integration its resources. If it has them, the web server drops the Authorization header "
        "before Magento sees it: let it pass the header on.",
        where=_INTEGRATION,
        who="Magento admin",
    ),
    Entry(
        code="credentials_refused",
        system="magento",
        reasons=because("signature", "signature_method"),
        happened="Magento finds the OAuth signature invalid.",
        to_do="Copy the two secrets again. If they are right, a proxy changes host, port or https on the way: "
        "base_url must be the address that Magento itself sees.",
        where=_KEYS,
        who="integrator",
    ),
    Entry(
        code="credentials_refused",
        system="magento",
        status=403,
        happened="Something in front of Magento (a firewall, the web server) forbade the call.",
        to_do="Let this machine's address and the path /rest through there.",
        where="the firewall or web server of Magento",
        who="server admin",
    ),
    Entry(
        code="credentials_refused",
        system="magento",
        happened="{message}",
        to_do="Copy the four keys of the integration again and set them; if the integration was deleted or "
        "activated anew, its old keys are dead.",
        where=_KEYS,
        who="integrator",
    ),
    Entry(
        code="settings_wrong",
        system="magento",
        reasons=because("clock"),
        happened="{message}",
        to_do="Set both machines' clocks by a time server (NTP), then retry.",
        where="this machine and the Magento server: timedatectl",
        who="server admin",
    ),
)

_ODOO_USER = (
    Entry(
        code="credentials_refused",
        system="odoo",
        reasons=because("proxy"),
        happened="{message}",
        to_do="Let this machine through the proxy or firewall before Odoo without a login of its own.",
        where="the web server or proxy of Odoo",
        who="server admin",
    ),
    Entry(
        code="credentials_refused",
        system="odoo",
        reasons=because("user_gone"),
        happened="The bridge's user was deleted in Odoo.",
        to_do="Restore the user or make a new one with the same rights, make an API key for it, and set both.",
        where=_ODOO_KEY,
        who="Odoo admin",
    ),
    Entry(
        code="credentials_refused",
        system="odoo",
        happened="Odoo refused the bridge's user or key: one of them is wrong, or the key has expired. Keys of ordinary "
        "users last 90 days at most.",
        to_do="Make a new API key for the bridge's user and set it.",
        where=_ODOO_KEY,
        who="Odoo admin",
    ),
    Entry(
        code="access_missing",
        system="odoo",
        happened="{message}",
        to_do="Give the bridge's user these rights: Sales (all documents), Invoicing, Contact creation, Product creation "
        "(in 16: Sales administrator); or one of the groups that Odoo names. Then retry.",
        where="Odoo: Settings > Users & Companies > Users",
        who="Odoo admin",
    ),
)

_ADDRESSES = (
    Entry(
        reasons=because("tls"),
        happened="The TLS certificate of {system} is not trusted by this machine.",
        to_do="Install a valid certificate, or add the authority that signed it to this machine's trusted ones. "
        "verify_ssl=false switches the check off: only for a test shop.",
        where="the web server of {system}; bridge instance set {instance} --set verify_ssl=false",
        who="server admin",
    ),
    Entry(
        reasons=because("tls_protocol"),
        happened="The server at {system}'s address does not speak TLS as it should.",
        to_do="Check whether the address needs http:// instead of https://, or another port; else bring the server's "
        "TLS up to date.",
        where="bridge instance show {instance}",
        who="integrator",
    ),
    Entry(
        reasons=because("dns"),
        happened="The host name of {system}'s address is not known.",
        to_do="Correct the address, or this machine's name service. The bridge goes on by itself when the name is found.",
        where="bridge instance show {instance}",
        who="integrator",
    ),
    Entry(
        reasons=because("unreachable", "connect_timeout"),
        happened="{system} cannot be reached from this machine.",
        to_do="Check that the address is right and that the server is up and lets this machine in. The bridge goes "
        "on by itself when it answers again.",
        where="bridge instance show {instance}, bridge run test-connection",
        who="server admin",
    ),
    Entry(
        reasons=because("url", "characters"),
        happened="{message}",
        to_do="Set an address of the form https://host or https://host/path, and keys without blanks or foreign letters.",
        where="bridge instance set {instance} --set base_url=URL or --set odoo_url=URL",
        who="integrator",
    ),
    Entry(
        code="settings_wrong",
        reasons=because("secret"),
        happened="{message}",
        to_do="Set the secret; it is read from a file, the environment or standard input.",
        where="bridge instance set {instance} --magento-oauth @FILE, --magento-token @FILE, --odoo-key @FILE",
        who="integrator",
    ),
    Entry(
        code="settings_wrong",
        system="magento",
        reasons=because("redirect"),
        happened="{message}",
        to_do="Set the address that the server really uses: https instead of http, with or without www.",
        where=_BASE_URL,
        who="integrator",
    ),
    Entry(
        code="settings_wrong",
        system="magento",
        reasons=because("not_magento"),
        happened="There is no Magento REST API at this address.",
        to_do="Set base_url to the shop's own address, without /rest at its end.",
        where=_BASE_URL,
        who="integrator",
    ),
    Entry(
        code="settings_wrong",
        system="magento",
        reasons=because("route"),
        happened="This Magento has no such endpoint.",
        to_do="Switch on the module that brings it (for stock by sources: the Inventory modules), or correct base_url.",
        where="Magento server: bin/magento module:status",
        who="Magento admin",
    ),
    Entry(
        code="settings_wrong",
        system="magento",
        reasons=because("store_code"),
        happened="Magento has no store view with the code in the settings.",
        to_do="Set store_code to the code of a store view, or to all.",
        where="bridge instance set {instance} --set store_code=all",
        who="integrator",
    ),
    Entry(
        code="settings_wrong",
        system="odoo",
        reasons=because("redirect", "not_odoo"),
        happened="{message}",
        to_do="Set odoo_url to Odoo's own address, without /web or /odoo at its end.",
        where=_ODOO_URL,
        who="integrator",
    ),
    Entry(
        code="settings_wrong",
        system="odoo",
        reasons=because("version"),
        happened="{message}",
        to_do="Upgrade Odoo to 16 or newer, or set the address of one that is.",
        where=_ODOO_URL,
        who="Odoo admin",
    ),
    Entry(
        code="settings_wrong",
        system="odoo",
        reasons=because("wrong_database"),
        happened="The Odoo server has no database {database}.",
        to_do="Correct the database's name.",
        where="bridge instance set {instance} --set odoo_db=DATABASE",
        who="integrator",
    ),
    Entry(
        code="settings_wrong",
        system="odoo",
        reasons=because("unknown_model"),
        happened="{message}",
        to_do="Install Sales, Inventory and Invoicing in Odoo, then retry.",
        where="Odoo: Apps",
        who="Odoo admin",
    ),
)

ACCESS: Sequence[Entry] = (*_MAGENTO_KEYS, *_ODOO_USER, *_ADDRESSES)
