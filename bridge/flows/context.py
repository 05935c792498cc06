"""What a flow is given: the job, its instance, the clients, the ledger, and a writer that writes once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol

from bridge.errors import OperatorError
from bridge.flows.effects import LedgerWriter, NoWriter, Writer
from bridge.flows.installation import fixed_installation_id, known_installation_id
from bridge.flows.reference import Reference, ReferenceCache
from bridge.flows.systems import Pair, Systems
from bridge.idempotency import effect_key, entity_of, external_id
from bridge.ledger import STORES_CAUSE, Instance, Job, KnownStores, Ledger
from bridge.magento import MagentoClient
from bridge.odoo import OdooClient
from bridge.overrides import held
from bridge.settings import InstanceSettings
from bridge.wire import Exchange

#: How long an instance's settings and stores are believed before they are read again.
BELIEVED_SECONDS = 5.0


class StoreViewUnknown(OperatorError):
    """An order's store view is not in the ledger."""

    code = "store_view_unknown"
    cause = STORES_CAUSE


class Finder(Protocol):
    """Finds instances and their stores, read a while ago at the most."""

    def instance(self, name: str, *, believed_seconds: float = BELIEVED_SECONDS) -> Instance:
        """Return the instance ``name``."""

    def stores(self, name: str, *, believed_seconds: float = BELIEVED_SECONDS) -> KnownStores:
        """Return the stores of the instance ``name``."""


class FlowContext:
    """One attempt's world. What a flow does not use is not made, so a job that calls nothing costs nothing."""

    def __init__(
        self,
        job: Job | None,
        *,
        instance_name: str,
        ledger: Ledger,
        finder: Finder,
        systems: Systems,
        cache: ReferenceCache,
        stay: Callable[[float], None],
    ) -> None:
        self._job = job
        self._instance_name = instance_name
        self.ledger = ledger
        #: What people call the job's entity, once the flow has learned it: an order's number.
        self.label: str | None = None
        #: The exchanges of this attempt, written down at its end.
        self.exchanges: list[Exchange] = []
        #: Raises LeaseLost unless the lease lasts so many seconds more.
        self.stay = stay
        self._finder = finder
        self._own_settings: InstanceSettings | None = None
        self._systems = systems
        self._cache = cache

    @property
    def job(self) -> Job:
        """The job that runs.

        Raises:
            LookupError: this is a preview: no job runs, and nothing may be written.
        """
        if self._job is None:
            raise LookupError("a preview has no job")
        return self._job

    @property
    def is_preview(self) -> bool:
        """Whether nothing may be written, neither in Odoo nor in the ledger."""
        return self._job is None

    @cached_property
    def instance(self) -> Instance:
        """The instance."""
        return self._finder.instance(self._instance_name)

    @cached_property
    def installation_id(self) -> str:
        """The installation id that stands in every key; Odoo carries it before anything is keyed by it."""
        if self._job is None or self.instance.is_anchored:
            return self.instance.installation_id
        return fixed_installation_id(self.instance, ledger=self.ledger, writer=self.writer, odoo=self.odoo)

    def take_known_installation_id(self) -> bool:
        """Take the installation id that Odoo has for the store; return whether it has one. Makes none."""
        if self.instance.is_anchored:
            return True
        known = known_installation_id(self.instance, self.odoo)
        if known is not None:
            adopt = self.ledger.instances.adopt_installation_id
            self.instance = adopt(self.instance.name, known, pair=self.instance.pair)
        return known is not None

    @property
    def settings(self) -> InstanceSettings:
        """What holds: the instance's settings, or those of the store view that ``use_store`` named."""
        return self._own_settings or self.instance.settings

    def use_store(self, store_id: int) -> None:
        """Let the settings of a store view hold from now on, its own and its website's; 0 (admin) has none.

        Raises:
            StoreViewUnknown: it is not in the ledger, and websites have settings of their own: which of them
                would hold cannot be told.
        """
        known = self._finder.stores(self._instance_name)
        view = known.get("view", store_id)
        if view is None and known.rows:
            # It may be newer than what is believed.
            known = self._finder.stores(self._instance_name, believed_seconds=0.0)
            view = known.get("view", store_id)
        if view is not None:
            self._own_settings = held(self.instance.settings, known.levels(view))
        elif known.has_website_settings:
            raise StoreViewUnknown(
                f"The ledger does not know the store view {store_id}, so it cannot tell which website's settings hold.",
                system="magento",
                store_id=store_id,
                instance=self._instance_name,
            )

    @cached_property
    def magento(self) -> MagentoClient:
        """The instance's Magento; its exchanges belong to this attempt."""
        return self._pair.magento.recording(self.exchanges.append)

    @cached_property
    def odoo(self) -> OdooClient:
        """The instance's Odoo; its exchanges belong to this attempt."""
        return self._pair.odoo.recording(self.exchanges.append)

    @cached_property
    def reference(self) -> Reference:
        """What rarely changes in Odoo."""
        return Reference(
            self._cache, instance=self.instance.name, odoo=self.odoo, magento=lambda: self.magento
        )

    def reread_after_block(self) -> None:
        """Believe nothing from before the last attempt if that was blocked: a person mended something since.

        Each process has its own memory of Odoo's settings, and what was mended may be one of them.
        """
        if self._job is None or self._job.attempt < 2:
            return
        attempts = self.ledger.jobs.attempts(self._job.id)
        if not attempts or attempts[-1].outcome != "blocked":
            return
        age = max(0.0, (self.ledger.now() - attempts[-1].ended_at).total_seconds())
        self.instance = self._finder.instance(self._instance_name, believed_seconds=age)
        self._finder.stores(self._instance_name, believed_seconds=age)
        self._cache.forget(self.instance.name, older_than_seconds=age)
        self.odoo.profile(max_age_seconds=age)

    @cached_property
    def writer(self) -> Writer:
        """Writes once."""
        if self._job is None:
            return NoWriter()
        return LedgerWriter(
            ledger=self.ledger,
            job=self._job,
            odoo_doubt_seconds=self.settings.odoo_doubt_seconds,
            magento_doubt_seconds=self.settings.magento_doubt_seconds,
            stay=lambda: self.stay(self._systems.deadline_seconds(self.instance)),
        )

    @cached_property
    def _pair(self) -> Pair:
        return self._systems.of(self.instance)

    def bind(self, kind: str, magento_id: str | int, model: str, odoo_id: int, **labels: Any) -> None:
        """Bind a Magento record to an Odoo record; a preview binds nothing."""
        if self._job is not None:
            self.ledger.bindings.bind(
                self.instance.name, kind, magento_id=magento_id, odoo_model=model, odoo_id=odoo_id, **labels
            )

    def effect_key(self, kind: str, entity: str) -> str:
        """Return the key of a write made for Magento's ``entity``."""
        return effect_key(self.installation_id, kind, entity)

    def external_id(self, kind: str, entity: str) -> str:
        """Return the external id in Odoo of the record made for Magento's ``entity``."""
        return external_id(self.installation_id, kind, entity)

    def entity_of(self, kind: str, name: str) -> str | None:
        """Return Magento's entity of a record that the bridge made under the external id ``name``, None for others."""
        return entity_of(name, self.installation_id, kind)
