"""The scenarios that are explored whole: each sets its bound so that everything in it may meet everything else.

In all of them events, crashes, lease losses, lost and doubled messages, retries and cancels come any number of times
and at any moment; what is bounded is how much there is at once.
"""

from __future__ import annotations

from .states import Scenario

#: One order, one create-if-absent.
ONE_ORDER = Scenario(
    name="one order",
    locks=("order",),
    plans=((0,),),
    effects=("load",),
    rows=1,
    workers=2,
    has_duplicates=False,
)
#: One write that repeats when it is sent again and can only be read back; the server may refuse it.
ONE_SHIPMENT = Scenario(
    name="one shipment",
    locks=("order",),
    plans=((0,),),
    effects=("marker",),
    rows=1,
    workers=2,
    has_refusal=True,
)
#: An order and its shipment: two kinds of work, one lock key; losing a claim takes two transactions.
LOST_CLAIM = Scenario(
    name="lost claim",
    locks=("order", "order"),
    plans=((), ()),
    rows=2,
    workers=2,
    has_split_claim=True,
    has_duplicates=False,
    has_zombies=False,
)
#: The same with workers that outlive their leases.
ZOMBIES = Scenario(
    name="zombies",
    locks=("order", "order"),
    plans=((), ()),
    rows=2,
    workers=2,
    has_duplicates=False,
)
#: Three jobs that take turns.
TURNS = Scenario(
    name="turns",
    locks=("order",) * 3,
    plans=((), (), ()),
    rows=3,
    workers=1,
    has_zombies=False,
    has_duplicates=False,
    has_retry=False,
    has_parking=True,
)
#: Work that blocks, fails and stumbles: people mend, retry and cancel; failed rows lie beside open ones.
MENDING = Scenario(
    name="mending",
    locks=("order",),
    plans=((),),
    rows=2,
    workers=2,
    has_mapping=True,
    has_trouble=True,
    has_failure=True,
)
#: Two orders of one guest: the same partner under the same key, in two jobs that do not know each other.
ONE_GUEST = Scenario(
    name="one guest",
    locks=("order 1", "order 2"),
    plans=((0,), (0,)),
    effects=("load",),
    rows=2,
    workers=2,
    orphans=1,
    has_zombies=False,
    has_duplicates=False,
    has_cancel=False,
    has_retry=False,
)
#: An order of two effects, one after the other.
TWO_EFFECTS = Scenario(
    name="two effects",
    locks=("order",),
    plans=((0, 1),),
    effects=("load", "marker"),
    rows=1,
    workers=2,
    has_zombies=False,
    has_duplicates=False,
)
#: A shipment that waits for its order, under another lock key.
DEPENDENCY = Scenario(
    name="dependency",
    locks=("order", "shipment"),
    plans=((), ()),
    needs=(-1, 0),
    rows=2,
    workers=2,
    has_zombies=False,
    has_duplicates=False,
)
SCENARIOS = (
    ONE_ORDER,
    ONE_SHIPMENT,
    LOST_CLAIM,
    ZOMBIES,
    TURNS,
    MENDING,
    ONE_GUEST,
    TWO_EFFECTS,
    DEPENDENCY,
)
