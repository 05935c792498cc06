from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from bridge import errors
from bridge.odoo.faults import CallSite, Fault, groups_in, is_serialization, plain, to_error
from bridge.odoo.http import retry_after
from bridge.wire import Answer, NoAnswer

SITE = CallSite(model="sale.order", method="write", database="shop", uid=2)
RECORDINGS = Path(__file__).parents[2] / "recordings" / "odoo"


def recorded_faults():
    """Every fault that 19 answered over JSON-RPC too, where its ``error.code`` is 0 and not 200."""
    for path in sorted(RECORDINGS.glob("*/*/*.json")):
        document = json.loads(path.read_text())
        response = document.get("response", {})
        body = response.get("json")
        data = body.get("error", {}).get("data") if isinstance(body, dict) else None
        if isinstance(data, dict):
            yield pytest.param(data["name"], data["message"], id="/".join(path.parts[-3:]))


@pytest.mark.parametrize(("name", "text"), list(recorded_faults()))
def test_every_recorded_fault_says_one_plain_line(name, text):
    error = to_error(Fault(name, text, status=200), SITE)
    assert "\n" not in str(error)
    assert "Traceback" not in str(error)
    assert 15 < len(str(error)) < 900
    assert error.system == "odoo"
    assert error.details["model"] == "sale.order"


@pytest.mark.parametrize(
    ("name", "text", "kind", "reason"),
    [
        ("odoo.exceptions.AccessDenied", "Access Denied", errors.CredentialsRefused, "key"),
        ("psycopg2.errors.SerializationFailure", "x", errors.ServiceUnavailable, "serialization"),
        ("psycopg2.errors.DeadlockDetected", "deadlock detected", errors.ServiceUnavailable, "serialization"),
        ("psycopg.errors.SerializationFailure", "x", errors.ServiceUnavailable, "serialization"),
        ("odoo.exceptions.LockError", "x", errors.ServiceUnavailable, "locked"),
        ("odoo.sql_db.PoolError", "The Connection Pool Is Full", errors.ServiceUnavailable, "pool"),
        (
            "psycopg2.OperationalError",
            'FATAL:  database "x" does not exist',
            errors.SettingsWrong,
            "wrong_database",
        ),
        (
            "psycopg2.OperationalError",
            "connection to server at x failed",
            errors.ServiceUnavailable,
            "database",
        ),
        ("odoo.exceptions.ValidationError", "No.", errors.ServiceRejected, "validation"),
        ("odoo.exceptions.UserError", "No.", errors.ServiceRejected, "user_error"),
        ("odoo.exceptions.MissingError", "Gone.", errors.RecordMissing, "missing"),
        (
            "odoo.exceptions.UserError",
            "Object sale.order doesn't exist",
            errors.SettingsWrong,
            "unknown_model",
        ),
        ("builtins.KeyError", "lang", errors.ServiceRejected, "constraint"),
        ("builtins.KeyError", "tax_id", errors.ServiceRejected, "unknown_field"),
        ("builtins.MemoryError", "", errors.ServiceRejected, "fault"),
    ],
)
def test_a_fault_is_told_by_its_class(name, text, kind, reason):
    error = to_error(Fault(name, text, status=500), SITE)
    assert type(error) is kind
    assert error.details["reason"] == reason


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("psycopg2.OperationalError", "server closed the connection unexpectedly"),
        ("psycopg2.InterfaceError", "connection already closed"),
        ("psycopg2.errors.AdminShutdown", "terminating connection due to administrator command"),
    ],
)
def test_when_the_database_broke_during_the_call_the_outcome_is_unknown(name, text):
    error = to_error(Fault(name, text, status=500), SITE)
    assert isinstance(error, NoAnswer)
    assert error.sent is True


def test_a_deleted_user_is_told_from_a_deleted_record():
    text = "Record does not exist or has been deleted.\n(Record: res.users(2,), User: 2)"
    assert isinstance(
        to_error(Fault("odoo.exceptions.MissingError", text, status=200), SITE), errors.CredentialsRefused
    )
    text = "Record does not exist or has been deleted.\n(Record: res.users(5,), User: 2)"
    assert isinstance(
        to_error(Fault("odoo.exceptions.MissingError", text, status=200), SITE), errors.RecordMissing
    )


def test_an_access_error_names_the_groups_that_would_do_in_any_language():
    text = "Vous n'avez pas acces.\n\nOperation:\n\t- Ventes/Admin\n\t- Stock/Utilisateur\n\n- no group\nContactez."
    assert groups_in(text) == ("Ventes/Admin", "Stock/Utilisateur")
    error = to_error(Fault("odoo.exceptions.AccessError", text, status=403), SITE)
    assert isinstance(error, errors.AccessMissing)
    assert str(error).endswith("One of these groups is needed: Ventes/Admin, Stock/Utilisateur.")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Simple.", "Simple."),
        ("\n\n  First.\nSecond.", "First."),
        ("", "It gave no reason."),
        ("Key exists\nDETAIL:  Key (email)=(someone@example.com) already exists.\n", "Key exists"),
        (
            (
                "The operation cannot be completed:\n- Create/update: a field is not set.\n\nModel: Order (sale.order)\n"
                "Field: Customer (partner_id)\n"
            ),
            "The operation cannot be completed: Model: Order (sale.order), Field: Customer (partner_id)",
        ),
        ("Barcode(s) already assigned:\n\n- Barcode 1", "Barcode(s) already assigned: Barcode 1"),
        ("Traceback (most recent call last):\n  File x", "It gave no reason."),
        ("a\x00b\x1bc", "a b c"),
    ],
)
def test_a_text_is_cut_to_what_a_person_can_use(text, said):
    assert plain(text) == said


def test_a_long_text_is_cut():
    assert len(plain("x" * 5000)) == 400


def test_a_conflict_is_known_by_its_text():
    assert is_serialization("could not serialize access due to concurrent update\n")
    assert is_serialization("could not serialize access due to read/write dependencies")
    assert not is_serialization("No matching record found")


@pytest.mark.parametrize(("value", "seconds"), [("17", 17.0), (None, None), ("soon", None)])
def test_retry_after_in_seconds(value, seconds):
    headers = {} if value is None else {"retry-after": value}
    assert retry_after(Answer(status=429, headers=headers, body=b"")) == seconds


def test_retry_after_as_a_date():
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    seconds = retry_after(Answer(status=429, headers={"retry-after": later}, body=b""))
    assert seconds is not None
    assert 60 < seconds <= 90
    earlier = format_datetime(datetime.now(UTC) - timedelta(seconds=90), usegmt=True)
    assert retry_after(Answer(status=429, headers={"retry-after": earlier}, body=b"")) == 0
