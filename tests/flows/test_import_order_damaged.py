"""Recorded orders damaged at random: each is imported to the cent, or blocks with nothing written in Odoo."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bridge.flows.wants import want
from bridge.ledger import Job
from tests.flows.conftest import OpenShop
from tests.support.imports import counts
from tests.support.orders import Raw, cents, order_row
from tests.support.shop import Shop

#: For a machine that does much else at the same time.
pytestmark = pytest.mark.timeout(300)
RECORDED = 31
Path = tuple[str | int, ...]

#: What is put in the place of anything: wrong kinds, numbers at the edges, texts that databases or people trip over.
STRANGE = st.sampled_from(
    [
        None, True, False, 0, 1, -1, 0.01, -0.01, 0.005, 1.005, 3.3333333, 10**12, -(10**11), 1e300, -1e-300,
        "", " ", "0", "1.0000", "-1", "1e5", "NaN", "Infinity", "12,90", "x", "\x00", "a\x00b", "\ud83d",
        "\U0001f469\u200d\U0001f4bb", "\u05d0\u05e0\u05d4", "\u202etxet", "<script>", "%_\\", "'; --", "x" * 5000,
        [], [None], ["x"], [[]], [{}], {}, {"x": None}, {"0": {}}, "EUR", "JPY", "XYZ", "US", "QQ", "simple",
        "bundle", "configurable", "canceled", "2026-02-30 00:00:00", "0001-01-01 00:00:00", "9999-12-31 23:59:59",
    ]
)  # fmt: skip
#: What JSON can carry: no NaN, no infinity.
ANYTHING = STRANGE | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of everything in a record, but of its own id and of amounts in the shop's base currency."""
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, member in members:
        if (path or name != "entity_id") and not str(name).startswith("base_"):
            yield (*path, name)
            yield from places(member, (*path, name))


@st.composite
def damage(draw: st.DrawFn, raw: Raw) -> list[tuple[Path, Any]]:
    """Return one to three changes of an order: where, and what stands there then; ``...`` takes it away."""
    one = st.tuples(st.sampled_from(list(places(raw))), st.just(...) | ANYTHING)
    return draw(st.lists(one, min_size=1, max_size=3))


def apply(raw: Raw, changes: list[tuple[Path, Any]]) -> Raw:
    damaged = copy.deepcopy(raw)
    for path, value in changes:
        record: Any = damaged
        try:
            for step in path[:-1]:
                record = record[step]
            if value is ...:
                del record[path[-1]]
            else:
                record[path[-1]] = copy.deepcopy(value)
        except (KeyError, IndexError, TypeError):
            # An earlier change took away what this one is about.
            continue
    return damaged


class Bench:
    """A shop that imports one damaged order after the other."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.recorded: list[Raw] = []
        for number in range(1, RECORDED + 1):
            raw = shop.box.magento.orders.get(number)
            assert raw is not None
            self.recorded.append(raw)
        shop.map_all(self.recorded)
        self._numbers = iter(range(500_000, 600_000))

    def new(self, recorded: Raw) -> Raw:
        """Return a recorded order as another one of the same shop."""
        number = next(self._numbers)
        return {
            **copy.deepcopy(recorded),
            "entity_id": number,
            "increment_id": f"D{number}",
            "quote_id": number,
        }

    def serve(self, raw: Raw, damaged: Raw) -> Job:
        """Let Magento answer with ``damaged`` in the place of ``raw`` and let the bridge hear of it."""
        raw = copy.deepcopy(raw)
        self.shop.box.magento.orders.add(raw)
        raw.clear()
        raw |= damaged
        event = want("import-order", instance="shop", entity=str(damaged["entity_id"]))
        job_id = self.shop.ledger.jobs.want([event])[0].job_id
        self.shop.work()
        return self.shop.job(job_id)


@pytest.fixture
def bench(open_shop: OpenShop) -> Bench:
    return Bench(open_shop(19, store_timezone="America/New_York", import_from_date="2020-01-01"))


#: Without shrinking: each example is an import, and the first that fails tells enough.
BOUNDED = settings(
    deadline=None,
    phases=[Phase.generate],
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def assert_plain(job: Job) -> None:
    """Assert that a job ended for a person's eyes: well, or blocked in plain English."""
    assert job.state in {"done", "blocked"}, (job.error_code, job.error)
    if job.state == "blocked":
        assert job.error
        assert job.help
        assert "Traceback" not in f"{job.error} {job.help}"


def total_of(value: Any) -> Decimal:
    try:
        return cents(str(value).strip())
    except InvalidOperation:
        raise AssertionError(f"imported with the grand total {value!r}") from None


@settings(BOUNDED, max_examples=60)
@given(data=st.data())
def test_a_damaged_order_is_imported_to_the_cent_or_blocks_with_nothing_written(
    bench: Bench, data: st.DataObject
) -> None:
    raw = bench.new(data.draw(st.sampled_from(bench.recorded)))
    damaged = apply(raw, data.draw(damage(raw)))
    before = counts(bench.shop)
    job = bench.serve(raw, damaged)
    assert_plain(job)
    if job.state == "blocked" or "skipped" in (job.result or {}):
        assert counts(bench.shop) == before
        return
    order = order_row(bench.shop, (job.result or {})["sale_order_id"])
    assert cents(order["amount_total"]) == total_of(damaged["grand_total"])
    assert counts(bench.shop)["sale.order"] == before["sale.order"] + 1


@settings(BOUNDED, max_examples=25)
@given(data=st.data())
def test_a_damaged_second_event_never_changes_a_price_and_only_cancellations_a_quantity(
    bench: Bench, data: st.DataObject
) -> None:
    raw = bench.new(data.draw(st.sampled_from(bench.recorded)))
    first = bench.serve(raw, raw)
    assert first.state == "done"
    order_id = (first.result or {})["sale_order_id"]
    before = bench.shop.lines(order_id)
    damaged = apply(raw, data.draw(damage(raw)))
    job = bench.serve(raw, damaged)
    assert_plain(job)
    after = bench.shop.lines(order_id)
    assert [line["price_unit"] for line in after] == [line["price_unit"] for line in before]
    if job.state == "blocked" or "units of" not in str((job.result or {})["changes"]):
        assert [line["product_uom_qty"] for line in after] == [line["product_uom_qty"] for line in before]
    else:
        pairs = zip(after, before, strict=True)
        assert all(now["product_uom_qty"] <= then["product_uom_qty"] for now, then in pairs)
