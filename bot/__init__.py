"""Plimsoll: keep leveraged positions away from liquidation."""

__version__ = "0.1.0"
