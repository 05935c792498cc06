"""Known failures that pass by themselves, or that concern the bridge's own servers."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.advice.entries import Entry, because

PASSING: Sequence[Entry] = (
    Entry(
        code="ledger_unavailable",
        happened="{message}",
        to_do="Start the database, or correct BRIDGE_DATABASE_URL. The bridge goes on by itself when it answers again.",
        where="bridge doctor",
        who="server admin",
    ),
    Entry(
        code="publish_unroutable",
        happened="{message}",
        to_do="A worker makes the queues when it starts.",
        where="bridge worker",
        who="integrator",
    ),
    Entry(
        code="publish_failed",
        happened="{message}",
        to_do="Start RabbitMQ, or correct BRIDGE_BROKER_URL.",
        where="bridge doctor",
        who="server admin",
    ),
    Entry(
        code="rate_limited",
        happened="{system} asked for fewer calls.",
        to_do="Nothing needs to be done: the bridge waits as long as it was asked to. If it lasts, lower max_parallel_odoo "
        "or max_parallel_magento.",
        who="nobody",
    ),
    Entry(
        code="doubtful_effect",
        happened="{message}",
        to_do="Nothing needs to be done: the bridge waits until the answer cannot come any more, looks, and goes on. "
        "This wait cannot be shortened, or the write could happen twice.",
        who="nobody",
    ),
    Entry(
        code="stale_read",
        happened="{message}",
        to_do="Nothing needs to be done: the record is read again in a few seconds.",
        who="nobody",
    ),
    Entry(
        code="picture_unreachable",
        happened="{message}",
        to_do="Nothing needs to be done: the products are imported, and their pictures follow when the server answers. If "
        "it lasts, see whether the bridge may reach the address of pictures that Magento names; without pictures, set "
        "import_images to off.",
        where="Magento admin: Stores > Configuration > General > Web, Base URL for User Media Files",
        who="server admin",
    ),
    Entry(
        reasons=because("timeout"),
        happened="{system} did not answer in time.",
        to_do="Nothing needs to be done: the bridge looks whether the call took effect and goes on by itself. If it "
        "lasts, look at that server's load, or raise call_deadline_seconds.",
        who="nobody",
    ),
    Entry(
        system="magento",
        reasons=because("internal_error", "error_page", "uncaught"),
        happened="{message}",
        to_do="The bridge tries again by itself. If it lasts, look into Magento's logs: var/log/exception.log and "
        "var/report.",
        where="the Magento server",
        who="Magento admin",
    ),
    Entry(
        system="magento",
        reasons=because("web_page", "empty", "xml", "not_json"),
        happened="{message}",
        to_do="The bridge tries again by itself. If the shop is not in maintenance, base_url is wrong, or something in "
        "front of Magento answers in its place.",
        where="bridge instance show {instance}, bridge logs list --errors",
        who="integrator",
    ),
    Entry(
        code="record_missing",
        happened="{message}",
        to_do="Check the number: bridge jobs list shows those that there are.",
    ),
)
