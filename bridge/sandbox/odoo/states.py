"""The states of a sales order: confirm, cancel, lock, as each version answers (``orders/*``)."""

from __future__ import annotations

from typing import Any

from bridge.sandbox.odoo.fault import user_error, value_error
from bridge.sandbox.odoo.methods import Args, Method
from bridge.sandbox.odoo.order_line import OrderLine
from bridge.sandbox.odoo.records import Model
from bridge.sandbox.odoo.sale import Order
from bridge.sandbox.odoo.stock import call_off, deliver
from bridge.sandbox.odoo.tables import Row


def _set(model: Model, ids: list[int], values: Row) -> None:
    """Change orders and the state that their lines show."""
    lines = model.env["sale.order.line"]
    for one in ids:
        model.table.update(one, values | {"write_date": model.env.now(), "write_uid": model.env.uid})
        if "state" in values:
            for line in lines.table.lookup("order_id", [one]):
                lines.table.update(line, {"state": values["state"]})


def _confirm(model: Model, ids: list[int], args: Args) -> bool:
    """Confirm; ``date_order`` becomes now. A second time: 16 ``true``, later a ``UserError``."""
    model.ensure(ids)
    states = {one: model.table.rows[one]["state"] for one in ids}
    if model.env.dialect.major >= 18 and any(state not in {"draft", "sent"} for state in states.values()):
        raise user_error("Some orders are not in a state requiring confirmation.")
    if any(state in {"cancel", "done"} for state in states.values()):
        raise user_error("It is not allowed to confirm an order in the following states: cancel, done")
    lines = model.env["sale.order.line"]
    for one, state in states.items():
        if state == "sale":
            continue
        _set(model, [one], {"state": "sale", "date_order": model.env.now(), "invoice_status": "to invoice"})
        for line in lines.table.lookup("order_id", [one]):
            row = lines.table.rows[line]
            lines.table.update(
                line, {"qty_to_invoice": row.get("product_uom_qty"), "invoice_status": "to invoice"}
            )
        _announce(model, one)
        deliver(model.env, one)
    return True


def _announce(model: Model, order_id: int) -> None:
    """Leave Odoo's own message about the confirmation."""
    model.env["mail.message"].create(
        {
            "model": model.name,
            "res_id": order_id,
            "body": "",
            "message_type": "notification",
            "subtype_id": model.env.company()["_confirmed_subtype_id"],
        }
    )


def _cancel(model: Model, ids: list[int], args: Args) -> Any:
    """Cancel. 16 and 18 answer a wizard for confirmed orders, unless the context says otherwise."""
    model.ensure(ids)
    rows = [model.table.rows[one] for one in ids]
    if any(row.get("locked") for row in rows):
        raise user_error("You cannot cancel a locked order. Please unlock it first.")
    major = model.env.dialect.major
    asks = major < 19 and not model.env.context.get("disable_cancel_warning")
    if asks and any(row["state"] != "draft" for row in rows):
        return _cancel_wizard(ids[0], major)
    _set(model, ids, {"state": "cancel", "invoice_status": "no"})
    for one in ids:
        call_off(model.env, one)
    return True


def _cancel_wizard(order_id: int, major: int) -> Row:
    context: Row = {"default_use_template": True} if major < 18 else {}
    context |= {
        "default_template_id": 14,
        "default_order_id": order_id,
        "mark_so_as_canceled": True,
        "default_email_layout_xmlid": "mail.mail_notification_layout_with_responsible_signature",
        "model_description": "Sales Order",
    }
    return {
        "name": "Cancel Sales Order",
        "view_mode": "form",
        "res_model": "sale.order.cancel",
        "view_id": 983,
        "type": "ir.actions.act_window",
        "context": context,
        "target": "new",
    }


def _draft(model: Model, ids: list[int], args: Args) -> bool:
    model.ensure(ids)
    _set(
        model,
        [one for one in ids if model.table.rows[one]["state"] in {"cancel", "sent"}],
        {"state": "draft"},
    )
    return True


def _done(model: Model, ids: list[int], args: Args) -> None:
    """Lock as 16 does: by state."""
    model.ensure(ids)
    _set(model, ids, {"state": "done"})


def _lock(model: Model, ids: list[int], args: Args) -> None:
    model.ensure(ids)
    _set(model, ids, {"locked": True})


def _unlock(model: Model, ids: list[int], args: Args) -> Any:
    model.ensure(ids)
    _set(model, ids, {"locked": False} if model.env.dialect.major >= 18 else {"state": "sale"})


def _update_prices(model: Model, ids: list[int], args: Args) -> None:
    """Take the catalog prices."""
    assert isinstance(model, Order)
    model.ensure(ids)
    lines = model.env["sale.order.line"]
    assert isinstance(lines, OrderLine)
    for one in ids:
        for line in model.children(one, lines.name, "order_id"):
            lines.update_price(line)
        model.recompute(one)


def _portal_url(model: Model, ids: list[int], args: Args) -> str:
    if len(ids) != 1:
        shown = ", ".join(str(one) for one in ids)
        raise value_error(f"Expected singleton: {model.name}({shown})")
    return f"/my/orders/{ids[0]}"


def order_methods(major: int) -> dict[tuple[str, str], Method]:
    """Return the methods of ``sale.order`` in a version."""
    actions = {
        "action_confirm": _confirm,
        "action_cancel": _cancel,
        "action_draft": _draft,
        "action_unlock": _unlock,
        "action_update_prices": _update_prices,
    }
    actions["action_lock" if major >= 18 else "action_done"] = _lock if major >= 18 else _done
    methods = {
        ("sale.order", name): Method(function, {}, is_record=True, needs=("read", "write"))
        for name, function in actions.items()
    }
    methods["sale.order", "get_portal_url"] = Method(_portal_url, {}, is_record=True, needs=("read",))
    return methods
