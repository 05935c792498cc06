"""When schedules are due."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from consumers.timing import slot_of

DAY = 86_400.0


def at(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def test_shorter_ones_are_due_by_the_clock_whatever_the_hour():
    assert slot_of(at("2026-11-26T12:00"), every_seconds=900.0, zone="UTC") is not None
    assert (
        slot_of(900.0, every_seconds=900.0, zone="UTC")
        == slot_of(1799.0, every_seconds=900.0, zone="UTC")
        == 1
    )


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Los_Angeles", "Australia/Sydney"])
def test_daily_ones_are_due_at_night_in_the_stores_own_time(zone: str):
    due = [
        hour
        for hour in range(24)
        if slot_of(at(f"2026-11-26T{hour:02}:30", zone), every_seconds=DAY, zone=zone) is not None
    ]
    assert due == [2, 3, 4, 5, 6, 7]


def test_each_night_is_one_slot_also_where_the_clocks_change():
    nights = [
        {
            slot_of(
                at(f"2026-10-{day}T{hour:02}:30", "Europe/Berlin"), every_seconds=DAY, zone="Europe/Berlin"
            )
            for hour in (3, 5, 7)
        }
        for day in (24, 25, 26)
    ]
    assert all(len(night) == 1 for night in nights)
    numbers = [night.pop() for night in nights]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]


def test_a_weekly_one_is_due_in_one_night_of_seven():
    days = [slot_of(at(f"2026-11-{day:02}T03:00"), every_seconds=7 * DAY, zone="UTC") for day in range(1, 15)]
    assert sum(one is not None for one in days) == 2
