"""``bridge explain order`` and ``bridge preview order``: every cent, before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import click

from bridge.cli.app import App, pass_app
from bridge.cli.groups import Commands
from bridge.cli.output import json_option, print_fields, print_json, print_table, print_text
from bridge.engine import preview_context
from bridge.errors import BridgeError, RecordMissing, ServiceUnavailable
from bridge.flows.accept_order import ACCEPTED
from bridge.flows.preview_order import preview as preview_flow
from bridge.flows.systems import connect
from bridge.ledger import Binding, Explanation, Instance

#: Kind of the bindings and explanations of orders.
ORDER = "order"
_PAGE = 1000
_LONGEST_NUMBER = 50


class OrderNumber(click.ParamType[str]):
    """An order's number as Magento shows it."""

    name = "number"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the number without spaces around it."""
        number = value.strip()
        if not number or len(number) > _LONGEST_NUMBER or not number.isprintable():
            self.fail("it is the order's number as Magento shows it, such as 000000042.", param, ctx)
        return number


@click.group(cls=Commands)
def explain() -> None:
    """Say why the total of an order, or a figure of stock, is what it is."""


@click.group(cls=Commands)
def preview() -> None:
    """Say what would be written, without writing it."""


@explain.command(name="order")
@click.argument("increment_id", type=OrderNumber())
@click.option("--instance", "instance_name", metavar="NAME", help="May be left out where there is only one.")
@click.option("--store-id", type=click.IntRange(0), help="Where several store views have the number.")
@json_option
@pass_app
def explain_order(
    app: App, increment_id: str, *, instance_name: str | None, store_id: int | None, as_json: bool
) -> int:
    """Compare the order INCREMENT_ID in Magento and in Odoo, component by component, to the cent."""
    instance = app.instance(instance_name)
    found = _explained(app, instance, increment_id, store_id=store_id)
    if as_json:
        print_json(
            {
                "instance": instance.name,
                "is_imported": found.is_imported,
                "is_kept": found.is_kept,
                "explained_at": found.at,
                "problems": found.problems,
                "explanation": found.content,
            }
        )
    else:
        _show_explained(found)
    return 0 if found.content and not found.problems else 1


@preview.command(name="order")
@click.argument("increment_id", type=OrderNumber())
@click.option("--instance", "instance_name", metavar="NAME", help="May be left out where there is only one.")
@json_option
@pass_app
def preview_order(app: App, increment_id: str, *, instance_name: str | None, as_json: bool) -> int:
    """Show what an import of the order INCREMENT_ID would write, without writing anything."""
    shown = preview_flow(preview_context(app.runtime, app.instance(instance_name).name), increment_id)
    if as_json:
        print_json(shown)
    else:
        _show_preview(shown)
    return 1 if shown.get("problems") else 0


@dataclass(frozen=True, kw_only=True)
class _Explained:
    content: Mapping[str, Any] | None
    #: Whether the order is in Odoo; else this is what an import would come to.
    is_imported: bool
    at: datetime | None = None
    sale_order: str | None = None
    #: Whether the ledger knows what the import came to.
    is_kept: bool = False
    problems: Sequence[Mapping[str, Any]] = ()


def _explained(app: App, instance: Instance, increment_id: str, *, store_id: int | None) -> _Explained:
    entity = entity_of(app, instance, increment_id, store_id=store_id)
    kept = None if entity is None else app.ledger.explanations.get(instance.name, ORDER, entity)
    binding = None if entity is None else app.ledger.bindings.get(instance.name, ORDER, entity)
    if kept is not None and "parts" in kept.content:
        return _as_kept(kept, binding)
    shown = preview_flow(preview_context(app.runtime, instance.name), increment_id)
    return _Explained(
        content=shown.get("explanation"),
        is_imported=binding is not None,
        sale_order=None if binding is None else binding.odoo_label,
        problems=shown.get("problems") or (),
    )


def _as_kept(kept: Explanation, binding: Binding | None) -> _Explained:
    # What the import needs for later comparisons is not part of the explanation.
    content = {name: value for name, value in kept.content.items() if name != "snapshot"}
    label = None if binding is None else binding.odoo_label
    return _Explained(
        content=content, is_imported=binding is not None, at=kept.updated_at, sale_order=label, is_kept=True
    )


def entity_of(app: App, instance: Instance, increment_id: str, *, store_id: int | None) -> str | None:
    """Return the order's entity id: Magento is asked, and the ledger where Magento cannot answer."""
    pair = connect(instance)
    try:
        row = pair.magento.find_order(increment_id, store_id=store_id)
    except ServiceUnavailable as exc:
        entity = _entity_in_ledger(app, instance.name, increment_id)
        if entity is None:
            raise
        print_text(f"{exc.message} This is from the ledger.", err=True)
        return entity
    except BridgeError:
        entity = _entity_in_ledger(app, instance.name, increment_id)
        if entity is None:
            raise
        return entity
    finally:
        pair.magento.close()
        pair.odoo.close()
    if row is None:
        entity = _entity_in_ledger(app, instance.name, increment_id)
        if entity is None:
            raise RecordMissing(
                f"Magento has no order with the number {increment_id}.", system="magento", number=increment_id
            )
        return entity
    return str(row["entity_id"])


def _entity_in_ledger(app: App, instance_name: str, increment_id: str) -> str | None:
    after: str | None = None
    while page := app.ledger.bindings.list(instance_name, kind=ORDER, after=after, limit=_PAGE):
        for binding in page:
            if binding.magento_label == increment_id:
                return binding.magento_id
        after = page[-1].magento_id
    return None


def _show_explained(found: _Explained) -> None:
    for problem in found.problems:
        print_text(f"Problem: {problem['message']}", err=True)
    if found.content is None:
        return
    if found.is_imported:
        print_text(f"Order {found.content['increment_id']} is {found.sale_order or 'imported'} in Odoo.")
        if not found.is_kept:
            print_text(
                "What its import came to is not in this ledger any more; this is what an import would come to now."
            )
    else:
        print_text(
            f"Order {found.content['increment_id']} is not in Odoo; this is what an import would come to."
        )
    show_explanation(found.content)
    for one in found.content.get(ACCEPTED, ()):
        print_text(
            f"Accepted as it was on {one['at'][:16].replace('T', ' ')} UTC by {one['by']}: {one['why']} "
            f"(Magento {one['magento_total']}, Odoo {one['odoo_total']})."
        )


def show_explanation(content: Mapping[str, Any]) -> None:
    """Print an explanation: a table of the components, the total, and the reasons."""
    rows = [
        (part["label"], part["magento"], part["odoo"], part["difference"], part["reason"])
        for part in content["parts"]
    ]
    odoo = content["confirmed_total"] or content["odoo_total"]
    difference = _difference(content["magento_total"], odoo)
    rows.append(
        ("Total", content["magento_total"], odoo, difference, f"{content['currency']}, {content['outcome']}")
    )
    print_table(
        ("COMPONENT", "MAGENTO", "ODOO", "DIFFERENCE", "WHY"),
        rows,
        empty="",
        fold=("COMPONENT", "WHY"),
        right=("MAGENTO", "ODOO", "DIFFERENCE"),
    )
    for reason in content["reasons"]:
        print_text(reason)


def _show_preview(shown: Mapping[str, Any]) -> None:
    for problem in shown.get("problems") or ():
        print_text(f"Problem: {problem['message']}", err=True)
    print_fields({"order": shown.get("increment_id"), "grand total": shown.get("grand_total")})
    if shown.get("head"):
        print_text("\nThe sales order's fields")
        print_fields(shown["head"])
    if shown.get("partners"):
        print_text("\nPartners")
        print_fields(shown["partners"])
    if shown.get("lines"):
        print_text("")
        print_table(
            ("ROLE", "PRODUCT", "QUANTITY", "PRICE", "TAXES", "NAME"),
            [
                (
                    line["role"],
                    line["product_id"],
                    line["quantity"],
                    line["price_unit"],
                    ", ".join(str(tax) for tax in line["tax_ids"]) or "none",
                    line["name"],
                )
                for line in shown["lines"]
            ],
            empty="",
            right=("PRODUCT", "QUANTITY", "PRICE"),
        )
    if shown.get("totals"):
        print_fields(shown["totals"])
    if shown.get("explanation"):
        print_text("")
        show_explanation(shown["explanation"])


def _difference(magento: str, odoo: str) -> str:
    return str(Decimal(magento) - Decimal(odoo))
