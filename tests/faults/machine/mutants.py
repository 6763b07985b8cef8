"""Programs that are wrong in one place each: the machine must notice every one of them.

A mutant replaces one function of the product by one that does nearly the same. Each names the invariants by which it
may be found; to be found by another is as good, so that they are for the reader alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.faults.machine.wrong_operating import OPERATING
from tests.faults.machine.wrong_sending import SENDING
from tests.faults.machine.wrong_storing import STORING

MUTANTS: Mapping[str, Callable[[pytest.MonkeyPatch], None]] = {
    each.__name__: each for each in (*STORING, *SENDING, *OPERATING)
}
