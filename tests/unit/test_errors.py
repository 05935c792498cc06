from __future__ import annotations

import inspect
import pickle

import pytest

from bridge import errors

ALL = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.BridgeError)
]
PUBLIC = [kind for kind in ALL if not kind.__name__.startswith("_")]


def made(kind, **details):
    if kind is errors.MappingMissing:
        return kind("tax", "DE 19", **details)
    if kind is errors.MappingWrong:
        return kind("It is mapped to 7 %.", kind="tax", value="DE 19", **details)
    if issubclass(kind, errors._Wait):
        return kind(waits_for="lock:order:1", **details)
    return kind(**details)


@pytest.mark.parametrize("kind", PUBLIC)
def test_an_error_speaks_by_its_docstring_where_nothing_is_said(kind):
    if kind is errors.MappingMissing:
        assert made(kind).message == "No Odoo record is mapped to tax 'DE 19'."
        return
    if kind is errors.MappingWrong:
        assert made(kind).message == "It is mapped to 7 %."
        return
    assert made(kind).message == (kind.__doc__ or "").splitlines()[0]
    assert str(made(kind)) == made(kind).message


@pytest.mark.parametrize("kind", PUBLIC)
def test_an_error_keeps_its_system_status_and_facts(kind):
    error = made(kind, system="magento", status=404, reason="why")
    assert (error.system, error.status, error.details["reason"]) == ("magento", 404, "why")


def test_each_error_has_a_code_of_its_own():
    codes = [kind.code for kind in PUBLIC]
    assert len(set(codes)) == len(codes)
    assert all(code.isidentifier() and code.islower() for code in codes)


def test_the_tree_in_the_docstring_is_the_tree():
    doc = errors.__doc__ or ""
    for kind in PUBLIC:
        assert kind.__name__ in doc


@pytest.mark.parametrize(
    "kind", [errors.RecordLocked, errors.DependencyNotReady, errors.StaleRead, errors.DoubtfulEffect]
)
def test_waiting_uses_no_attempt(kind):
    assert not made(kind).uses_attempt
    assert made(kind).waits_for == "lock:order:1"


@pytest.mark.parametrize("kind", [errors.RetryableError, errors.ServiceUnavailable, errors.RateLimited])
def test_transient_errors_use_an_attempt_and_carry_the_wait_asked_for(kind):
    assert made(kind).uses_attempt
    assert kind("x", retry_after=7.5).retry_after == 7.5


def test_a_missing_mapping_names_the_cause_that_releases_its_job():
    error = errors.MappingMissing("tax", "DE 19", "No tax.", example="000000012")
    assert error.cause == "mapping:tax:DE 19"
    assert error.details == {"kind": "tax", "value": "DE 19", "example": "000000012"}
    assert error.message == "No tax."
    assert errors.TotalDiffers().cause is None


def test_a_wrong_mapping_names_the_cause_that_another_mapping_ends():
    assert made(errors.MappingWrong).cause == "remapping:tax:DE 19"


def test_a_plain_error_survives_a_pickle():
    error = pickle.loads(pickle.dumps(errors.ServiceRejected("No.", system="odoo", status=400, reason="x")))
    assert (error.message, error.system, error.details) == ("No.", "odoo", {"reason": "x"})
