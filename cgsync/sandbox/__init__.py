"""A stand-in for CustomerGauge: its token endpoint, its one call, its replies, and a page with what arrived."""

from __future__ import annotations

from cgsync.sandbox.faults import BadFault
from cgsync.sandbox.server import Sandbox, serve

__all__ = ["BadFault", "Sandbox", "serve"]
