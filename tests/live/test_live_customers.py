"""The sandbox's own tests of accounts and buyers, with a real Odoo in its place."""

from __future__ import annotations

from tests.flows.test_import_customers import (
    test_a_company_has_the_vat_id_and_its_buyer_is_a_contact,
    test_a_group_gives_the_pricelist_that_it_is_mapped_to_and_what_a_person_chose_stays,
    test_a_group_gives_the_tag_that_it_is_mapped_to_and_takes_its_own_one_away,
    test_a_partner_that_was_deleted_in_odoo_blocks_and_is_not_made_again,
    test_a_partner_that_was_there_before_keeps_the_pricelist_that_it_has,
    test_addresses_are_added_and_never_taken_away,
    test_an_account_becomes_one_partner_and_its_orders_have_it,
    test_odd_texts_are_cleaned_and_kept,
    test_the_account_of_a_merged_partner_goes_on_with_what_it_became,
    test_what_changed_in_magento_is_written_and_what_a_person_changed_in_odoo_stays,
)
from tests.flows.test_import_order_customers import (
    test_a_merged_partner_is_followed_to_what_it_became,
    test_one_account_that_buys_for_a_company_too_has_two_partners_and_each_is_found_by_its_binding,
)
