"""Every invariant of the promise by its name, and the one list that says where each is checked."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hypothesis.stateful import invariant

from cgsync.errors import UnknownCommit
from cgsync.ledger import books
from cgsync.state import lock_holder
from tests.faults.machine.daemon import SECRET
from tests.faults.machine.disk import Fault
from tests.faults.machine.judge import Judge
from tests.faults.machine.receiver import TOKEN
from tests.faults.machine.world import World

AFTER_EACH_STEP = "after each step"
AT_THE_END = "at the end of each example"
BESIDE = "test_beside.py"

INVARIANTS: Mapping[str, str] = {
    "NoLoss": AFTER_EACH_STEP,
    "CursorBehindOutbox": AFTER_EACH_STEP,
    "AckAfterDurable": AFTER_EACH_STEP,
    "SendAfterDurable": AFTER_EACH_STEP,
    "OrderPerReference": AFTER_EACH_STEP,
    "OneInFlight": AFTER_EACH_STEP,
    "DeliveredMeansDelivered": AFTER_EACH_STEP,
    "MarkIsCompareAndSet": AFTER_EACH_STEP,
    "RefusedIsEarned": AFTER_EACH_STEP,
    "RefusedBlocksNobody": AFTER_EACH_STEP,
    "RetryNeverRegresses": AFTER_EACH_STEP,
    "NoReferenceNoPut": AFTER_EACH_STEP,
    "GateHolds": AFTER_EACH_STEP,
    "RefreshOnce": AFTER_EACH_STEP,
    "PauseBurnsNothing": AFTER_EACH_STEP,
    "BackoffBounded": AFTER_EACH_STEP,
    "BreakerNeedsBreadth": AFTER_EACH_STEP,
    "ExitOnUnknownCommit": AFTER_EACH_STEP,
    "NoWriteNoSend": AFTER_EACH_STEP,
    "CleanStopIsTrue": AFTER_EACH_STEP,
    "SingleOwner": AFTER_EACH_STEP,
    "Bounded": AFTER_EACH_STEP,
    "NoSecretLeaves": AT_THE_END,
    "Converges": AT_THE_END,
    "PausedResumes": AT_THE_END,
    "StopsInTime": AFTER_EACH_STEP,
    "BooksBalance": AFTER_EACH_STEP,
    "BackfillApart": AFTER_EACH_STEP,
    "GuardHolds": AFTER_EACH_STEP,
    "ForgottenStaysSo": AFTER_EACH_STEP,
    "PauseHolds": AFTER_EACH_STEP,
}
"""Name → where. A method of :class:`Invariants` has the same name in snake case."""


def snake(name: str) -> str:
    """NoLoss → no_loss."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


KEPT_ATTEMPTS = 5
REFERENCES = 7


class Invariants:
    """One method for each."""

    world: World

    @property
    def judge(self) -> Judge:
        return self.world.judge

    @invariant()
    def what_must_hold_holds(self) -> None:
        """Each in its turn."""
        self.judge.check_rows(self.world.clock.monotonic())
        state = self.world.process.sender.state()
        self.judge.check_gate(self.world.process, state.gate, state.cause)
        for name, where in INVARIANTS.items():
            if where is AFTER_EACH_STEP:
                getattr(self, snake(name))()

    def _holds(self, name: str) -> None:
        assert name not in self.judge.verdicts, self.judge.verdicts[name]

    def no_loss(self) -> None:
        """What was read and passed stays wanted as it was read, and what was rejected has its reason."""
        self._holds("NoLoss")

    def cursor_behind_outbox(self) -> None:
        """The cursor passes nothing that is not stored."""
        self._holds("CursorBehindOutbox")

    def ack_after_durable(self) -> None:
        """A source is told only of what is on the disk."""
        self._holds("AckAfterDurable")

    def send_after_durable(self) -> None:
        """Nothing is sent that is not on the disk."""
        self._holds("SendAfterDurable")

    def order_per_reference(self) -> None:
        """The API never executes an older version after a newer one."""
        self._holds("OrderPerReference")

    def one_in_flight(self) -> None:
        """There is never more than one request for a reference."""
        self._holds("OneInFlight")

    def mark_is_compare_and_set(self) -> None:
        """What is marked is the version that was sent."""
        self._holds("MarkIsCompareAndSet")

    def retry_never_regresses(self) -> None:
        """No version is sent after a newer one was."""
        self._holds("RetryNeverRegresses")

    def no_reference_no_put(self) -> None:
        """What has no key is never sent."""
        self._holds("NoReferenceNoPut")

    def gate_holds(self) -> None:
        """Nothing is sent before the time that the API asked for, or before a probe is due."""
        self._holds("GateHolds")

    def refresh_once(self) -> None:
        """A token is asked for when the last one is spent, by one at a time."""
        self._holds("RefreshOnce")

    def no_write_no_send(self) -> None:
        """After a write failed nothing is sent."""
        self._holds("NoWriteNoSend")

    def clean_stop_is_true(self) -> None:
        """A stop that calls itself clean left nothing in doubt."""
        self._holds("CleanStopIsTrue")

    def stops_in_time(self) -> None:
        """A stop takes less than a minute."""
        self._holds("StopsInTime")

    def delivered_means_delivered(self) -> None:
        """What is marked as delivered is what the API shows."""
        self._holds("DeliveredMeansDelivered")

    def refused_is_earned(self) -> None:
        """Nothing is refused that the API did not refuse."""
        self._holds("RefusedIsEarned")

    def pause_burns_nothing(self) -> None:
        """An attempt counts only when the API failed over that version."""
        self._holds("PauseBurnsNothing")

    def backoff_bounded(self) -> None:
        """Nobody waits longer than the longest backoff, nor shorter than the API asked."""
        self._holds("BackoffBounded")

    def breaker_needs_breadth(self) -> None:
        """The breaker opens for five failures in a row over three references, not for one bad record."""
        self._holds("BreakerNeedsBreadth")

    def refused_blocks_nobody(self) -> None:
        """What is refused stops the others only when nearly everything is."""
        self._holds("RefusedBlocksNobody")

    def exit_on_unknown_commit(self) -> None:
        """Each commit whose outcome is unknown ended its process."""
        struck = [fault for fault in self.world.disk.struck if fault in (Fault.UNKNOWN_KEPT, Fault.UNKNOWN_LOST)]
        ended = [error for error in self.world.exits if isinstance(error, UnknownCommit)]
        assert len(struck) <= len(ended) + self.world.ended_by_stops, f"{struck}, but only {ended}"

    def single_owner(self) -> None:
        """Whoever asks is told that the folder has an owner."""
        assert lock_holder(self.world.folder) is not None

    def bounded(self) -> None:
        """Nothing grows with time."""
        assert not self.world.loop.errors, self.world.loop.errors
        state = self.world.process.sender.state()
        assert state.waiting + state.in_flight + state.unsettled <= 2 * REFERENCES, state
        assert all(count <= KEPT_ATTEMPTS for (count,) in self.judge.query("SELECT count(*) FROM attempt GROUP BY seq"))

    def backfill_apart(self) -> None:
        """A backfill has its own cursor and lane, goes on where it was, settles nothing, and reads all there is."""
        self._holds("BackfillApart")

    def guard_holds(self) -> None:
        """A run makes no more accounts than it may; the rest of it is held, also when it is cut off."""
        self._holds("GuardHolds")

    def forgotten_stays_so(self) -> None:
        """Who was forgotten has no row, no reject, no byte in the files, and no request any more."""
        self._holds("ForgottenStaysSo")

    def pause_holds(self) -> None:
        """What rests by an operator's word is not read from, or not sent, also after a restart."""
        self._holds("PauseHolds")

    def books_balance(self) -> None:
        """Whatever was read is accounted for, and nothing else counts as read."""
        self._holds("BooksBalance")
        self.world.looks += 1
        if self.world.looks % 8 == 0:
            self._audit()

    def _audit(self) -> None:
        audit = self.world.read(books.audit)
        assert audit.ok, audit.differences

    # At the end.

    def check_the_end(self) -> None:
        """What can only be said once the API is well and time enough has passed."""
        if self.judge.verdicts:
            return
        self._audit()
        done = self.world.converge()
        self.no_secret_leaves()
        self.judge.check_rows(self.world.clock.monotonic())
        assert not self.judge.verdicts, self.judge.verdicts
        self.converges(done=done)
        self.paused_resumes()
        self._audit()

    def converges(self, *, done: bool) -> None:
        """With a healthy API everything is delivered, or refused for a reason; what may be settled is settled."""
        assert done, self.world.story()

    def paused_resumes(self) -> None:
        """A sender that was paused goes on by itself."""
        assert self.world.process.sender.state().gate == "open", self.world.story()

    def no_secret_leaves(self) -> None:
        """No secret is in the log, in the file, or in a body."""
        files = [file.read_bytes() for file in self.world.folder.iterdir()]
        texts = [text.encode() for text in [*self.world.texts, self.world.process.log.text]]
        bodies = [line.body for line in self.world.api.log]
        assert not self.judge.orders.traces(self.world.folder)
        everything = b"".join([*files, *texts, *bodies])
        assert SECRET.encode() not in everything
        assert TOKEN.encode() not in everything
