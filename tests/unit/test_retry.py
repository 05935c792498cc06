from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import errors
from bridge.retry import DONE, MAX_ATTEMPTS, MAX_RETRY_AFTER_SECONDS, backoff_seconds, decide
from bridge.wire import NoAnswer


def test_waits_double_from_a_minute_to_an_hour():
    minutes = [backoff_seconds(count) / 60 for count in range(10)]
    assert minutes == [1, 1, 2, 4, 8, 16, 32, 60, 60, 60]


@given(st.integers(-5, 10**9), st.floats(0.001, 3600))
def test_a_wait_is_never_less_than_one_unit_nor_more_than_sixty(count, unit):
    assert unit <= backoff_seconds(count, unit_seconds=unit) <= 60 * unit


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (None, "done"),
        (errors.StaleEvent(), "done"),
        (errors.JobCancelled(), "cancelled"),
        (errors.LeaseLost(), "lost"),
        (errors.CredentialsRefused(), "blocked"),
        (errors.SettingsWrong(), "blocked"),
        (errors.TotalDiffers(), "blocked"),
        (errors.ServiceRejected(), "failed"),
        (errors.InvalidRecord(), "failed"),
        (errors.ConfigurationError(), "failed"),
        (errors.BridgeError(), "failed"),
        (ValueError("a defect"), "failed"),
        (KeyboardInterrupt(), "failed"),
    ],
)
def test_the_class_decides(error, state):
    decision = decide(error, retry_count=0)
    assert decision.state == state
    assert not decision.uses_attempt


def test_nothing_wrong_is_done():
    assert decide(None, retry_count=11) == DONE


@pytest.mark.parametrize(
    "error",
    [
        errors.RetryableError(),
        errors.ServiceUnavailable(),
        errors.RateLimited(),
        NoAnswer("No.", sent=True, system="odoo"),
    ],
)
def test_transient_errors_wait_and_count(error):
    decision = decide(error, retry_count=2)
    assert (decision.state, decision.delay_seconds, decision.uses_attempt) == ("retry_waiting", 240, True)
    assert decision.waits_for is None


def test_the_last_attempt_fails():
    error = errors.ServiceUnavailable()
    assert decide(error, retry_count=MAX_ATTEMPTS - 2).state == "retry_waiting"
    assert decide(error, retry_count=MAX_ATTEMPTS - 1).state == "failed"
    assert decide(error, retry_count=0, max_attempts=1).state == "failed"


@pytest.mark.parametrize(
    ("asked", "delay"),
    [(None, 60), (0, 60), (5, 60), (61, 61), (7200, 7200), (10**9, MAX_RETRY_AFTER_SECONDS)],
)
def test_a_wait_asked_for_is_kept_up_to_six_hours_and_never_shortens(asked, delay):
    assert decide(errors.RateLimited(retry_after=asked), retry_count=0).delay_seconds == delay


@pytest.mark.parametrize(
    "kind", [errors.RecordLocked, errors.DependencyNotReady, errors.StaleRead, errors.DoubtfulEffect]
)
def test_waiting_never_counts_and_never_fails(kind):
    decision = decide(kind(waits_for="doubt:1", retry_after=30), retry_count=MAX_ATTEMPTS + 5)
    assert (decision.state, decision.delay_seconds, decision.uses_attempt) == ("retry_waiting", 30, False)
    assert decision.waits_for == "doubt:1"


def test_a_blocked_job_knows_what_releases_it():
    assert decide(errors.MappingMissing("tax", "DE"), retry_count=0).cause == "mapping:tax:DE"


def test_units_shorten_for_tests():
    assert decide(errors.ServiceUnavailable(), retry_count=0, unit_seconds=0.01).delay_seconds == 0.01
