"""Keeps one Magento 2 store and one Odoo database telling the same story."""

from __future__ import annotations

__version__ = "0.1.0"
