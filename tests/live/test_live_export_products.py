"""The sandbox's own tests of products from Odoo to Magento, with a real Odoo in its place."""

from __future__ import annotations

from tests.flows.test_export_families import (
    outward,
    test_a_configurable_of_magento_is_bound_by_its_variants,
    test_a_new_variant_becomes_a_child_and_a_change_goes_to_its_own_product,
    test_a_template_becomes_a_configurable_with_its_children,
)
from tests.flows.test_export_products import (
    german,
    test_a_product_is_made_once_whatever_its_sku,
    test_a_product_that_magento_has_is_bound_and_keeps_what_it_has,
    test_a_tax_goes_by_the_mapping_of_its_class_and_what_has_no_place_is_told,
    test_an_archived_product_is_disabled_and_comes_back,
    test_only_what_changed_is_written_and_at_the_global_scope,
    test_products_without_a_sku_services_of_the_bridge_and_what_is_not_for_sale_stay,
    test_texts_of_a_store_view_follow_where_it_has_its_own_and_use_default_stays,
    test_what_magento_refuses_is_a_job_of_its_own_and_keeps_none_back,
)
from tests.flows.test_no_echo import (
    test_a_product_made_by_the_export_does_not_come_back,
    test_a_product_made_by_the_import_does_not_come_back,
    test_changes_of_either_side_cross_once_and_edits_right_after_them_too,
)
from tests.flows.test_product_conflicts import (
    known,
    test_a_person_decides_and_both_sides_have_it,
    test_an_edit_in_magento_of_what_odoo_is_master_of_is_shown_stays_and_is_kept,
    test_an_edit_in_odoo_of_what_magento_is_master_of_is_shown_and_stays,
    test_an_edit_that_the_master_overwrites_is_kept,
    test_the_edit_of_a_formatting_is_seen_once_odoo_was_read,
    test_what_odoo_makes_of_html_and_numbers_is_no_edit,
)
