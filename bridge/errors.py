"""The errors of the bridge. Their class alone decides what becomes of a job (see ``bridge.retry``).

::

    BridgeError
    |-- RetryableError          wait and try again; uses an attempt
    |   |-- ServiceUnavailable  network, time-out before the effect, 502 to 504, Odoo's serialization failure
    |   |-- RateLimited         429 or 503 with Retry-After
    |   |-- RecordLocked        another job holds the record; uses no attempt
    |   |-- DependencyNotReady  something this job needs is not there yet; uses no attempt
    |   `-- StaleRead           the source answered an older version than the event named; uses no attempt
    |-- DoubtfulEffect          a write was sent and its answer was lost; wait, then look; uses no attempt
    |-- OperatorError           a person must do something; the job is blocked until then
    |   |-- MappingMissing      a Magento value has no Odoo record mapped to it
    |   |-- MappingWrong        a Magento value is mapped to a record that it cannot stand for
    |   |-- TotalDiffers        Odoo's total would not be Magento's
    |   |-- CredentialsRefused  401, 403, wrong key, expired key
    |   |-- AccessMissing       the credentials are good, a right is missing
    |   |-- SettingsWrong       a setting cannot be right: wrong database, unreachable host, TLS refused
    |   |-- DuplicateRecord     more than one record fits where exactly one must
    |   |-- BoundRecordGone     the record that a binding names was deleted on the other side
    |   |-- OrderUnclear        the order says something the bridge will not guess about
    |   `-- CatalogUnclear      the catalog says something the bridge will not guess about
    |-- PermanentError          no retry can help
    |   |-- InvalidEvent        an event that cannot be read
    |   |-- InvalidRecord       a record that the source sent and that cannot be read
    |   |-- RecordMissing       the source has no such record
    |   `-- ServiceRejected     the other system refused the request for good
    |-- StaleEvent              nothing to do: done and skipped
    |-- JobCancelled            a person asked the job to stop
    |-- LeaseLost               another worker holds the job now; write nothing more
    `-- ConfigurationError      the process must not start
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

System = Literal["magento", "odoo"]


class BridgeError(Exception):
    """Something went wrong in the bridge."""

    #: Static name of the error in logs, JSON and the advice catalogue.
    code: ClassVar[str] = "bridge_error"

    def __init__(
        self,
        message: str | None = None,
        *,
        system: System | None = None,
        status: int | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])
        #: Which system it concerns, if one.
        self.system = system
        #: The HTTP status that came with it, if one did.
        self.status = status
        #: Facts for the advice catalogue: names, codes, ids. Never secrets or personal data.
        self.details: dict[str, Any] = details

    @property
    def message(self) -> str:
        """What happened, in plain English."""
        return str(self.args[0])


class RetryableError(BridgeError):
    """Something is temporarily wrong and may be well soon."""

    code = "retryable"
    #: Whether a retry for this reason counts towards ``max_attempts``.
    uses_attempt: ClassVar[bool] = True

    def __init__(
        self, message: str | None = None, *, retry_after: float | None = None, **details: Any
    ) -> None:
        super().__init__(message, **details)
        #: Seconds the other side asked us to wait, at the least.
        self.retry_after = retry_after


class ServiceUnavailable(RetryableError):
    """The other system could not be reached or could not answer."""

    code = "service_unavailable"


class RateLimited(RetryableError):
    """The other system asked for fewer calls."""

    code = "rate_limited"


class _Wait(RetryableError):
    """The job waits for something in the ledger."""

    uses_attempt = False

    def __init__(
        self, message: str | None = None, *, waits_for: str, retry_after: float | None = None, **details: Any
    ) -> None:
        super().__init__(message, retry_after=retry_after, **details)
        #: What the job waits for: ``lock:KEY``, ``job:ID``, ``run:ID``, ``doubt:KEY``, ``version``.
        self.waits_for = waits_for


class RecordLocked(_Wait):
    """Another job is working on the same record."""

    code = "record_locked"


class DependencyNotReady(_Wait):
    """Something that this job needs is not there yet."""

    code = "dependency_not_ready"


class StaleRead(_Wait):
    """The source answered an older version than the event named."""

    code = "stale_read"


class DoubtfulEffect(_Wait):
    """A write was sent and its answer was lost: it may have happened, or be happening still."""

    code = "doubtful_effect"


class OperatorError(BridgeError):
    """A person must do something before this can go on."""

    code = "operator"
    #: ``mapping:KIND:VALUE`` and the like, when an act of the operator releases the job by itself.
    cause: str | None = None


class MappingMissing(OperatorError):
    """A Magento value has no Odoo record mapped to it."""

    code = "mapping_missing"

    def __init__(self, kind: str, value: str, message: str | None = None, **details: Any) -> None:
        super().__init__(
            message or f"No Odoo record is mapped to {kind} {value!r}.", kind=kind, value=value, **details
        )
        self.kind = kind
        self.value = value
        self.cause = f"mapping:{kind}:{value}"


class MappingWrong(OperatorError):
    """A Magento value is mapped to an Odoo record that it cannot stand for; another decision releases the job."""

    code = "mapping_wrong"

    def __init__(self, message: str, *, kind: str, value: str, **details: Any) -> None:
        super().__init__(message, kind=kind, value=value, **details)
        self.cause = f"remapping:{kind}:{value}"


class TotalDiffers(OperatorError):
    """The order's total in Odoo would not be Magento's."""

    code = "total_differs"


class CredentialsRefused(OperatorError):
    """The other system refused the credentials."""

    code = "credentials_refused"


class AccessMissing(OperatorError):
    """The credentials are good, but a right is missing."""

    code = "access_missing"


class SettingsWrong(OperatorError):
    """A setting of the instance cannot be right."""

    code = "settings_wrong"


class DuplicateRecord(OperatorError):
    """More than one record fits where exactly one must."""

    code = "duplicate_record"


class BoundRecordGone(OperatorError):
    """The record that a binding names was deleted on the other side."""

    code = "bound_record_gone"


class OrderUnclear(OperatorError):
    """The order says something that the bridge will not guess about."""

    code = "order_unclear"


class CatalogUnclear(OperatorError):
    """The catalog says something that the bridge will not guess about."""

    code = "catalog_unclear"


class PermanentError(BridgeError):
    """No retry can help."""

    code = "permanent"


class InvalidEvent(PermanentError):
    """The event cannot be read."""

    code = "invalid_event"


class InvalidRecord(PermanentError):
    """The record that the source sent cannot be read."""

    code = "invalid_record"


class RecordMissing(PermanentError):
    """The source has no such record."""

    code = "record_missing"


class ServiceRejected(PermanentError):
    """The other system refused the request for good."""

    code = "service_rejected"


class StaleEvent(BridgeError):
    """There is nothing to do for this event."""

    code = "stale_event"


class JobCancelled(BridgeError):
    """A person asked this job to stop."""

    code = "job_cancelled"


class LeaseLost(BridgeError):
    """Another worker holds this job now."""

    code = "lease_lost"


class ConfigurationError(BridgeError):
    """The configuration does not allow this process to start."""

    code = "configuration"
