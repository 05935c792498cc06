"""``bridge sandbox``: a simulated Magento and Odoo to try the bridge with, without touching a shop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.app import App, pass_app
from bridge.cli.output import print_table, print_text
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from bridge.sandbox import Sandbox

Raw = Mapping[str, Any]

#: With faults, who tries the bridge should not wait minutes for the end of a doubt: no request here lasts so long.
HURRIED_DOUBTS = {"odoo_doubt_seconds": 4.0, "magento_doubt_seconds": [1.0, 2.0, 4.0]}


@click.command()
@click.option("--instance", "name", metavar="NAME", default="sandbox", show_default=True)
@click.option(
    "--orders",
    type=click.IntRange(31, 20_000),
    default=60,
    show_default=True,
    help="How many; 31 of them were recorded from a real shop.",
)
@click.option(
    "--odoo", "odoo_version", type=click.Choice(["16", "18", "19"]), default="18", show_default=True
)
@click.option("--magento-port", type=click.IntRange(1, 65535), default=8611, show_default=True)
@click.option("--odoo-port", type=click.IntRange(1, 65535), default=8612, show_default=True)
@click.option("--faults", is_flag=True, help="Cut connections, 5xx, 429, stale reads.")
@click.option("--unmapped", is_flag=True, help="Leave taxes and services for you to map, as in a new shop.")
@pass_app
def sandbox(
    app: App,
    *,
    name: str,
    orders: int,
    odoo_version: str,
    magento_port: int,
    odoo_port: int,
    faults: bool,
    unmapped: bool,
) -> int:
    """Run a simulated Magento and Odoo until told to end, as an instance of this ledger.

    Use it from another terminal in the same folder. All that it holds is in memory: when it ends, the instance is
    removed from the ledger, too.
    """
    # It brings in the sandbox, which no other command should wait for.
    from bridge.showcase import FAULTS, add_instance, map_all, seed_products  # noqa: PLC0415

    with _servers(odoo_version, magento_port, odoo_port) as box:
        _take_name(app, name, url=box.magento.url)
        box.odoo.set_price_precision(6)
        raws = box.magento.generate_orders(orders)
        add_instance(app.ledger, box, name=name, settings=HURRIED_DOUBTS if faults else {})
        if unmapped:
            seed_products(box, raws)
        else:
            map_all(app.ledger, box, raws, name=name)
        if faults:
            box.magento.faults.set(**FAULTS["magento"])
            box.odoo.faults.set(**FAULTS["odoo"])
        ended = threading.Event()
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, lambda *_: ended.set())
        _show(box, raws, name=name, odoo_version=odoo_version, unmapped=unmapped)
        ended.wait()
    _leave(app, name)
    return 0


@contextmanager
def _servers(odoo_version: str, magento_port: int, odoo_port: int) -> Iterator[Sandbox]:
    from bridge.sandbox import Sandbox  # noqa: PLC0415  # as above

    try:
        box = Sandbox.start(odoo_version=int(odoo_version), magento_port=magento_port, odoo_port=odoo_port)
    except OSError as exc:
        raise click.UsageError(
            f"The port {magento_port} or {odoo_port} is taken (is another sandbox running?). Choose others with "
            "--magento-port and --odoo-port."
        ) from exc
    with box:
        yield box


def _take_name(app: App, name: str, *, url: str) -> None:
    """Make room for the instance: one of an earlier sandbox that could not clean up goes, no other."""
    known = app.ledger.instances.find(name)
    if known is None:
        return
    if known.settings.base_url != url:
        raise click.UsageError(
            f"There is an instance {name} already, and it is no sandbox at {url}. Choose another name with --instance."
        )
    app.ledger.instances.remove(name)


def _leave(app: App, name: str) -> None:
    try:
        app.ledger.instances.remove(name)
    except BridgeError as exc:
        print_text(f"The instance {name} is left in the ledger: {exc.message}", err=True)
    else:
        print_text(f"The sandbox has ended, and the instance {name} is removed.", err=True)


def _show(box: Sandbox, raws: Sequence[Raw], *, name: str, odoo_version: str, unmapped: bool) -> None:
    number = str(raws[-1]["increment_id"])
    print_text(
        f"A simulated Magento with {len(raws)} orders runs at {box.magento.url}, a simulated Odoo {odoo_version} at "
        f"{box.odoo.url}.\nThey are the instance {name} of this ledger. In another terminal, in this folder:\n"
    )
    for command in (
        "run test-connection",
        f"preview order {number}",
        f"run import-order {number} --wait",
        f"explain order {number}",
        "run import-orders --wait",
        "jobs list",
    ):
        print_text(f"    bridge {command}")
    if unmapped:
        _show_taxes(box)
    print_text("\nCtrl-C ends it.")


def _show_taxes(box: Sandbox) -> None:
    print_text(
        "\nOrders wait until you have mapped their taxes, as `bridge jobs list --state blocked` says. Odoo has:\n"
    )
    field = "price_include" if box.odoo.version < 18 else "price_include_override"
    print_table(
        ("ID", "TAX", "PERCENT", "IN THE PRICE"),
        [
            (
                row["id"],
                row["name"],
                row["amount"],
                "yes" if row.get(field) in {True, "tax_included"} else "no",
            )
            for row in box.odoo.records("account.tax")
            if row["type_tax_use"] == "sale"
        ],
        empty="",
    )
