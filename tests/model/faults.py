"""Faults to plant into the protocol, each with a scenario in which the explorer must find it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .scenarios import (
    DEPENDENCY,
    LOST_CLAIM,
    MENDING,
    ONE_GUEST,
    ONE_ORDER,
    ONE_SHIPMENT,
    TURNS,
    TWO_EFFECTS,
    ZOMBIES,
)
from .states import Scenario

LOST = "A wake-up is lost"
TWICE = "An effect happened twice"
STUCK = "Stuck for ever"
RUNNING = "Two jobs are running for one lock key"
ZOMBIE = "A worker without the lease"
IN_DOUBT = "A job was cancelled between"
OPEN_TWICE = "Two jobs are open"
REOPENED = "A confirmed effect was put in doubt again"

#: Smaller bounds are enough for these; what is stuck for ever shows only when all has been seen.
_QUIET = replace(TWO_EFFECTS, has_cancel=False)
_TWO_TURNS = replace(TURNS, locks=("order", "order"), plans=((), ()), rows=2)


@dataclass(frozen=True)
class Fault:
    """A way to build the protocol wrongly."""

    name: str
    scenario: Scenario
    #: How the complaint about it begins.
    complaint: str


FAULTS = (
    # The fence and the lease.
    Fault("finish_ignores_fence", ZOMBIES, ZOMBIE),
    Fault("begin_ignores_fence", ONE_ORDER, ZOMBIE),
    Fault("send_without_looking_at_lease", ONE_SHIPMENT, TWICE),
    Fault("older_sender_refuses", ONE_SHIPMENT, TWICE),
    Fault("lease_never_recovered", _QUIET, STUCK),
    # wanted and claimed.
    Fault("done_forgets_wanted", ONE_ORDER, LOST),
    Fault("blocked_forgets_wanted", MENDING, LOST),
    Fault("failed_forgets_wanted", MENDING, LOST),
    Fault("cancelled_forgets_wanted", ONE_ORDER, LOST),
    Fault("claimed_stored_after_reading", ONE_ORDER, LOST),
    Fault("fold_into_running_lost", ONE_ORDER, LOST),
    Fault("event_leaves_blocked", MENDING, LOST),
    Fault("cancel_outlives_event", ONE_ORDER, LOST),
    Fault("second_row_beside_open_one", MENDING, OPEN_TWICE),
    Fault("retry_overlooks_twin", MENDING, OPEN_TWICE),
    # Waiting and waking.
    Fault("lost_message_not_sent_again", _QUIET, STUCK),
    Fault("block_not_looked_at_again", MENDING, STUCK),
    Fault("mapping_leaves_blocked", MENDING, STUCK),
    Fault("wait_not_looked_at_again", DEPENDENCY, STUCK),
    Fault("lock_not_checked", LOST_CLAIM, RUNNING),
    Fault("lock_loser_does_not_look_again", LOST_CLAIM, STUCK),
    Fault("winner_keeps_lock_waiters", _TWO_TURNS, STUCK),
    Fault("recovery_keeps_lock_waiters", _TWO_TURNS, STUCK),
    Fault("cancelled_one_keeps_lock_waiters", _TWO_TURNS, STUCK),
    # Effects.
    Fault("sent_stored_after_sending", ONE_SHIPMENT, TWICE),
    Fault("doubt_not_waited_for", ONE_SHIPMENT, TWICE),
    Fault("no_read_back", ONE_SHIPMENT, TWICE),
    Fault("resend_not_listened_to", ONE_SHIPMENT, TWICE),
    Fault("begin_forgets_earlier_sends", _QUIET, TWICE),
    Fault("load_without_external_id", ONE_GUEST, TWICE),
    Fault("doubt_over_confirmation", ONE_ORDER, REOPENED),
    Fault("running_cancelled_at_once", TWO_EFFECTS, IN_DOUBT),
    Fault("cancel_in_doubt", TWO_EFFECTS, IN_DOUBT),
    Fault("recovery_cancels_in_doubt", ONE_ORDER, IN_DOUBT),
)
