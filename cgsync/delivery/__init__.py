"""How one activity is delivered: the wire, what an answer means, and what holds all workers back."""

from __future__ import annotations

from cgsync.delivery.answer import Answer, Broken, Kind
from cgsync.delivery.classify import classify
from cgsync.delivery.courier import Courier
from cgsync.delivery.crew import Crew, Withdrawn, Worker
from cgsync.delivery.gate import Closed, Closing, Gate
from cgsync.delivery.rows import Rows
from cgsync.delivery.state import SenderState
from cgsync.delivery.steering import Steering
from cgsync.delivery.tally import Tally
from cgsync.delivery.transport import Admit, Transport, open_transport
from cgsync.delivery.waiting import first

__all__ = [
    "Admit",
    "Answer",
    "Broken",
    "Closed",
    "Closing",
    "Courier",
    "Crew",
    "Gate",
    "Kind",
    "Rows",
    "SenderState",
    "Steering",
    "Tally",
    "Transport",
    "Withdrawn",
    "Worker",
    "classify",
    "first",
    "open_transport",
]
