"""A simulated Magento 2.4.7: its REST API, as recorded from a real one."""

from __future__ import annotations

from bridge.sandbox.magento.app import ERROR_REPLIES, build_app, describe
from bridge.sandbox.magento.oauth import Guard, Integration
from bridge.sandbox.magento.state import MagentoState

__all__ = ["ERROR_REPLIES", "Guard", "Integration", "MagentoState", "build_app", "describe"]
