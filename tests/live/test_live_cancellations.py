"""Units that Magento cancels after the confirmation, with a real Odoo: its delivery gets lower, and nothing stands beside it."""

from __future__ import annotations

import pytest

from tests.flows.test_import_order_cancellations import (
    test_a_date_that_is_written_after_the_confirmation_lets_odoo_make_a_receipt,
    test_a_delivery_of_several_steps_moves_less_in_each,
    test_an_order_that_is_cancelled_whole_delivers_nothing,
    test_lead_times_and_promised_dates_do_not_matter,
    test_units_cancelled_after_the_confirmation_are_taken_off_the_delivery,
    test_what_is_delivered_stays_and_the_rest_is_taken_off,
    version,
)

pytestmark = pytest.mark.usefixtures("new_names", "stock_keeper")
