"""What is for sale at every moment of an order's life, with a real Odoo: reserved, delivered in parts, taken back.

Not here: units that Magento cancels after the confirmation. A real Odoo makes a receipt of them beside the delivery, since the
order's date was written back after it (docs/operations.md, Cancelled after the confirmation); the sandbox leaves the delivery.
"""

from __future__ import annotations

import pytest

from tests.flows.test_export_stock_moments import (
    test_shipped_in_magento_before_odoo_delivers,
    test_warehouses_are_told_apart,
    test_what_changed_in_odoo_is_found_without_an_event_rules_5_2,
    test_what_is_for_sale_is_right_from_the_placing_to_the_return,
    version,
)

pytestmark = pytest.mark.usefixtures("new_names", "stock_keeper")
