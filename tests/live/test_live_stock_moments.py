"""What is for sale at every moment of an order's life, with a real Odoo: reserved, delivered in parts, cancelled, taken back."""

from __future__ import annotations

import pytest

from tests.flows.test_export_stock_moments import (
    test_cancelled_in_magento_is_for_sale_again_in_both,
    test_shipped_in_magento_before_odoo_delivers,
    test_warehouses_are_told_apart,
    test_what_changed_in_odoo_is_found_without_an_event_rules_5_2,
    test_what_is_for_sale_is_right_from_the_placing_to_the_return,
    version,
)

pytestmark = pytest.mark.usefixtures("new_names", "stock_keeper")
