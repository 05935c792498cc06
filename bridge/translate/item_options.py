"""Options and choices of an order line, as text for the line in Odoo (RULES 1.7)."""

from __future__ import annotations

from bridge.translate.raw_fields import Fields, clean_text


def item_options(row: Fields) -> tuple[tuple[str, ...], bool]:
    """Return the texts of a line's options, and whether it has custom options.

    REST gives ids, not labels, except where the customer typed something (``orders/019``). Ids of choices
    that the SKU names anyway (configurable, bundle) are left out.
    """
    extension = row.child("product_option").child("extension_attributes")
    texts = []
    custom = extension.children("custom_options")
    for option in custom:
        value = option.raw("option_value")
        parts = [clean_text(part) for part in value] if isinstance(value, list) else [clean_text(value)]
        label = option.text("option_title") or f"Option {option.text('option_id')}"
        texts.append(f"{label}: {', '.join(part for part in parts if part)}")
    gift_card = extension.child("giftcard_item_option")
    for field, label in (
        ("giftcard_recipient_name", "Recipient"),
        ("giftcard_sender_name", "Sender"),
        ("giftcard_message", "Message"),
    ):
        if text := gift_card.text(field):
            texts.append(f"{label}: {text}")
    return tuple(texts), bool(custom)
