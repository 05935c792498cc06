"""Which resources the credentials open: the only way to tell the meanings of Magento's 401 apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bridge.errors import AccessMissing, BridgeError, CredentialsRefused
from bridge.magento.search import search_query

SOURCES_RESOURCE = "Magento_InventoryApi::source"
#: What the bridge reads, each with the ACL resource that opens it (as Magento 2.4.7 named them) and the words
#: that an integration's page in the admin has for it.
PROBED = (
    ("Magento_Backend::store", "Stores", "/store/storeViews", ""),
    ("Magento_Sales::actions_view", "Sales > Orders > View", "/orders", "items[entity_id]"),
    ("Magento_Catalog::products", "Catalog > Products", "/products", "items[id]"),
    (SOURCES_RESOURCE, "Stores > Inventory > Sources", "/inventory/sources", "items[source_code]"),
)
#: What the import of products reads beside them.
PROBED_FOR_CATALOG = (
    ("Magento_Catalog::categories", "Catalog > Categories", "/categories/list", "items[id]"),
    (
        "Magento_Catalog::attributes_attributes",
        "Stores > Attributes > Product",
        "/products/attributes",
        "items[attribute_code]",
    ),
)
#: What an export of stock through Magento's queue reads beside them.
PROBED_FOR_BULK = (
    (
        "Magento_Logging::system_magento_logging_bulk_operations",
        "System > Action Log > Bulk Actions",
        "/bulk",
        "items[bulk_uuid]",
    ),
)

#: The setting that lets integrations' tokens be used alone, as the admin names it.
BEARER_SETTING = (
    "Stores > Configuration > Services > OAuth > Consumer Settings > Allow OAuth Access Tokens to be used as "
    "standalone Bearer tokens"
)

State = Literal["allowed", "refused", "absent"]


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One probed resource."""

    #: The ACL resource, as Magento names it in its refusal.
    name: str
    #: Where to tick it, in the admin's words.
    title: str
    #: ``absent``: this Magento has no such endpoint, its module is off.
    state: State


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What the credentials open."""

    resources: Sequence[Resource]
    uses_bearer: bool

    @property
    def verdict(self) -> Literal["ok", "some_refused", "all_refused"]:
        """``all_refused`` where no resource at all is open."""
        states = {resource.state for resource in self.resources}
        if "refused" not in states:
            return "ok"
        return "some_refused" if "allowed" in states else "all_refused"

    @property
    def missing(self) -> list[str]:
        """The ACL resources that are refused."""
        return [resource.name for resource in self.resources if resource.state == "refused"]

    def error(self, refused: str | None = None) -> BridgeError | None:
        """Return what a person must mend, None where nothing; ``refused`` is a resource refused elsewhere."""
        missing = list(dict.fromkeys([*([refused] if refused else []), *self.missing]))
        if not missing:
            return None
        if self.verdict == "all_refused":
            return self._all_refused(missing)
        return AccessMissing(
            f"The Magento integration may not use {', '.join(missing)}. Give it these resources under System > "
            "Integrations > API, save, and activate it again.",
            system="magento",
            status=401,
            reason="resource_missing",
            resources=missing,
        )

    def _all_refused(self, missing: Sequence[str]) -> CredentialsRefused:
        if self.uses_bearer:
            message = (
                "Magento refuses the access token for everything. That has two causes, which it does not tell "
                "apart: the token is wrong, expired or revoked; or Magento does not take integration tokens "
                f"alone, which is off by default since 2.4.4. Give the four OAuth keys instead, or set "
                f"{BEARER_SETTING} to Yes."
            )
        else:
            message = (
                "Magento refuses everything although the keys are signed for. That has two causes: the "
                "integration has no resources (System > Integrations > API), or the web server drops the "
                "Authorization header before Magento sees it."
            )
        return CredentialsRefused(
            message,
            system="magento",
            status=401,
            reason="bearer_or_token" if self.uses_bearer else "no_resource",
            resources=list(missing),
            setting="oauth/consumer/enable_integration_as_bearer" if self.uses_bearer else None,
        )


def probe_query(fields: str) -> str:
    """Return the query of a probe: the least that shows whether the resource is open."""
    return search_query(page_size=1, fields=fields) if fields else ""
