"""The client of Magento 2's REST API."""

from __future__ import annotations

from bridge.magento.auth import BearerSecret, MagentoSecret, OAuthSecret, parse_secret
from bridge.magento.client import MagentoClient
from bridge.magento.lists import ListPage, read_list
from bridge.magento.probe import Probe, Resource
from bridge.magento.scan import ScanCursor, ScanPage
from bridge.magento.search import Filter, search_query
from bridge.magento.stores import StoreConfig, StoreGroup, StoreTree, StoreView, Website, store_tree

__all__ = [
    "BearerSecret",
    "Filter",
    "ListPage",
    "MagentoClient",
    "MagentoSecret",
    "OAuthSecret",
    "Probe",
    "Resource",
    "ScanCursor",
    "ScanPage",
    "StoreConfig",
    "StoreGroup",
    "StoreTree",
    "StoreView",
    "Website",
    "parse_secret",
    "read_list",
    "search_query",
    "store_tree",
]
