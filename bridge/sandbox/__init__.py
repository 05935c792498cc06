"""A simulated Magento and Odoo over real HTTP, faithful to recordings of real servers, with faults to switch on.

For tests, benchmarks, ``bridge demo``, and everyone who wants to try the bridge without touching a shop.
"""

from __future__ import annotations

from bridge.sandbox.box import Sandbox
from bridge.sandbox.calls import Call, Calls
from bridge.sandbox.faults import Faults
from bridge.sandbox.magento_box import MagentoBox

__all__ = ["Call", "Calls", "Faults", "MagentoBox", "Sandbox"]
