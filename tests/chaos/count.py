"""The honest count after a round of chaos: what stands in both systems and in the ledger, read from themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bridge.ledger import Job
from tests.chaos.world import ChaosShop
from tests.support.once import doubles, services

#: What blocks the order that was planned to be wrong.
WRONG_CODE = "order_unclear"


def insist(shop: ChaosShop) -> str:
    """Insist that everything stands once, that the planned order alone waits for a person, and goes on then.

    The round's processes must be there to let it go on. Returns what the round was.
    """
    shop.mend_everything()
    _insist_on(list(problems(shop, wrong_is_mended=False)), shop)
    shop.mend_the_wrong_order()
    shop.wait()
    _insist_on(list(problems(shop, wrong_is_mended=True)), shop)
    return report(shop)


def problems(shop: ChaosShop, *, wrong_is_mended: bool) -> Iterator[str]:
    """Say what does not stand exactly once."""
    wanted = [raw for raw in shop.raws if wrong_is_mended or raw is not shop.wrong]
    for raw in wanted:
        yield from (f"order {raw['increment_id']}: {problem}" for problem in doubles(shop, raw))
    if (number := len(shop.box.odoo.records("sale.order"))) != len(wanted):
        yield f"{number} sales orders in Odoo for {len(wanted)} orders"
    yield from (f"service {name}: {count} times" for name, count in services(shop).items() if count > 1)
    yield from _bindings(shop, len(wanted))
    jobs = shop.ledger.jobs.list(instance="shop", limit=10_000)
    for job in jobs:
        yield from _job(shop, job, may_block=not wrong_is_mended)
        yield from _effects(shop, job)
    if (stored := shop.ledger.events.count()) != len(shop.published):
        yield f"{stored} events stored of {len(shop.published)} published"
    yield from (f"dead event: {one.reason}" for one in shop.ledger.events.dead())


def _bindings(shop: ChaosShop, number: int) -> Iterator[str]:
    bound = shop.ledger.bindings.list("shop", kind="order", limit=10_000)
    if len(bound) != number:
        yield f"{len(bound)} bindings for {number} orders"
    refs = {row["id"]: row["client_order_ref"] for row in shop.box.odoo.records("sale.order")}
    yield from (
        f"order {one.magento_label} is bound to that of {refs.get(one.odoo_id)}"
        for one in bound
        if refs.get(one.odoo_id) != one.magento_label
    )
    yield from (f"the import of {one.magento_label} is not complete" for one in bound if not one.fingerprint)


def _job(shop: ChaosShop, job: Job, *, may_block: bool) -> Iterator[str]:
    if may_block and job.entity == str(shop.wrong["entity_id"]):
        if (job.state, job.error_code) != ("blocked", WRONG_CODE):
            yield f"the wrong order is {job.state}: {job.error_code} {job.error}"
    elif job.state != "done":
        yield f"job {job.id} about {job.entity} is {job.state}: {job.error} {job.trace or ''}"
    if job.fence or job.lease_until or job.waits_for:
        yield f"job {job.id} ended and still holds {job.fence}, {job.lease_until}, {job.waits_for}"


def _effects(shop: ChaosShop, job: Job) -> Iterator[str]:
    # One that was refused may stay as it is: a partner of the same email was made meanwhile, under another key.
    for effect in shop.ledger.effects.for_job(job.id):
        if effect.state in {"sent", "doubtful"}:
            yield f"effect {effect.key} is {effect.state}"
        elif effect.state == "confirmed" and effect.kind.startswith("create-"):
            found = Counter(str(row["id"]) for row in shop.box.odoo.records(effect.target))
            if found[effect.remote_id or ""] != 1:
                yield f"effect {effect.key} is said to have made {effect.target} {effect.remote_id}, which is not there"


def _insist_on(found: list[str], shop: ChaosShop) -> None:
    assert not found, "\n".join([report(shop), *found])


def report(shop: ChaosShop) -> str:
    """Say in one line what the round was."""
    jobs = shop.ledger.jobs.list(instance="shop", limit=10_000)
    attempts = [one for job in jobs for one in shop.ledger.jobs.attempts(job.id)]
    outcomes = Counter(one.error_code or one.outcome for one in attempts)
    thrown = shop.box.odoo.faults.thrown().values(), shop.box.magento.faults.thrown().values()
    return (
        f"seed {shop.chaos.seed}, Odoo {shop.chaos.odoo_version}: {len(shop.raws)} orders, {len(shop.published)} events, "
        f"{len(jobs)} jobs, {shop.box.calls.total()} calls, {sum(map(sum, thrown))} faults thrown; attempts: "
        + ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items()))
    )
