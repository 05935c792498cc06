"""Magento's categories as a tree by levels: names once below a parent, and no half trees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import CatalogUnclear
from bridge.translate.catalog_records import MagentoCategory
from bridge.translate.category_plan import plan_categories


def category(number, parent=1, name=None, **more):
    fields = {"is_active": True, "position": 0, "level": 0, **more}
    return MagentoCategory(
        category_id=number, parent_id=parent, name=f"C{number}" if name is None else name, **fields
    )


def shown(levels):
    return [[(one.category_id, one.parent_id, one.name) for one in level] for level in levels]


ROOT = category(1, 0, "Root Catalog")


def test_levels_go_from_the_roots_down_and_the_root_of_all_is_left_out():
    # The ids do not tell the order: 3 was moved below a younger one. Nor do positions and levels.
    levels = plan_categories(
        [ROOT, category(3, 9), category(2, level=7), category(9, 2), category(4, position=-1)]
    )
    assert shown(levels) == [
        [(2, None, "C2"), (4, None, "C4")],
        [(9, 2, "C9")],
        [(3, 9, "C3")],
    ]
    assert plan_categories([ROOT]) == ()
    assert plan_categories([]) == ()
    # The root of all need not be seen: an integration may be kept from it.
    assert len(plan_categories([category(2)])) == 1


def test_of_twins_below_one_parent_the_older_keeps_the_name():
    levels = plan_categories(
        [
            category(2),
            category(9, 2, "Sale"),
            category(5, 2, "sale"),
            category(7, 9, "Sale"),
            category(8, 2, "SALE (9)"),
        ]
    )
    assert {number: name for level in levels for number, _, name in shown([level])[0]} == {
        2: "C2", 5: "sale", 8: "SALE (9)", 9: "Sale (9) (9)", 7: "Sale",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("categories", "said"),
    [
        ([category(2), category(3, 2, "")], ["category 3 has no name"]),
        ([category(3, 77)], ["category 3 (C3) is below category 77, which is not there"]),
        ([category(3, 0)], ["category 3 (C3) is below category 0, which is not there"]),
        ([category(3, 3)], ["category 3 (C3) is below itself"]),
        (
            [category(3, 4), category(4, 5), category(5, 3), category(6, 5)],
            [
                "category 3 (C3) is below itself",
                "category 4 (C4) is below itself",
                "category 5 (C5) is below itself",
            ],
        ),
    ],
)
def test_a_tree_that_does_not_hold_together_is_refused_and_all_faults_are_named(categories, said):
    with pytest.raises(CatalogUnclear) as refused:
        plan_categories([ROOT, category(2), *categories])
    words = refused.value.message.partition(": ")[2].removesuffix(".").split("; ")
    assert words == said


def test_of_very_many_faults_the_first_are_named():
    with pytest.raises(CatalogUnclear, match=r"category 14 has no name; and 25 more\.$"):
        plan_categories([category(number, 1, "") for number in range(10, 40)])


@given(
    st.dictionaries(
        st.integers(2, 30), st.tuples(st.integers(1, 30), st.sampled_from(["a", "A", "b", "a (3)"]))
    )
)
def test_a_plan_holds_every_category_once_below_its_parent_or_is_refused(tree):
    categories = [ROOT, *(category(number, parent, name) for number, (parent, name) in tree.items())]
    try:
        levels = plan_categories(categories)
    except CatalogUnclear:
        reached = {1}
        for _ in tree:
            reached |= {number for number, (parent, _) in tree.items() if parent in reached}
        assert reached != {1, *tree}
        return
    depth = {one.category_id: number for number, level in enumerate(levels) for one in level}
    assert set(depth) == set(tree)
    for level in levels:
        for one in level:
            above = -1 if one.parent_id is None else depth[one.parent_id]
            assert depth[one.category_id] == above + 1
            assert (one.parent_id or 1) == tree[one.category_id][0]
    names = [(one.parent_id, one.name.casefold()) for level in levels for one in level]
    assert len(set(names)) == len(names)
