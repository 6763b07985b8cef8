"""What an operator does, in the middle of everything else: backfills, reloads, pauses, holds, forgetting a person."""

from __future__ import annotations

from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from cgsync.operations import rejects
from tests.faults.machine.origin import Origin
from tests.faults.machine.receiver import HOLD, ON_THE_WIRE
from tests.faults.machine.rows import reference
from tests.faults.machine.world import World

SOURCES = st.sampled_from(["desk", "mail"])
KEYS = st.sampled_from(["a", "b", "c"])
FORGETTABLE = "c"
"""Who is forgotten never comes back: the other keys are needed until the end."""
ENDS = st.sampled_from(["killed", "stopped", "reloaded", "rested", "none"])


class Operators:
    """The rules of an operator, and the steps that all rules share."""

    world: World

    @rule()
    def resume(self) -> None:
        self.world.resume()

    @rule(source=SOURCES)
    @precondition(lambda self: self.world.at_ease)
    def stopped_while_a_reload_is_under_way(self, source: str) -> None:
        """It waits for the disk; what it starts again then must end with the rest."""
        self.world.stall(True)
        self.world.reload(source, mended=not self.world.origin(source).mended)
        self.world.stop()
        self.world.start()

    @rule(source=SOURCES, key=KEYS)
    def hold(self, source: str, key: str) -> None:
        self.world.hold(reference(source, key))

    @rule(source=SOURCES, key=KEYS)
    def release(self, source: str, key: str) -> None:
        self.world.release(reference(source, key))

    @rule(source=SOURCES)
    def release_all(self, source: str) -> None:
        self.world.release(source=source)

    @rule(source=SOURCES)
    def retry(self, source: str) -> None:
        self.world.ask_again(partial(rejects.retry, source=source))

    # Pauses.

    @rule(paused=st.booleans(), end=ENDS)
    @precondition(lambda self: self.world.at_ease)
    def the_sending_rests(self, paused: bool, end: str) -> None:
        """Something is to be sent meanwhile, and somebody restarts it."""
        if not paused:
            self.world.resume_sending()
            return
        self.world.pause_sending()
        self._end("desk", end)
        self._renew("desk", "a", "R")
        self.world.drive(3.0)

    @rule(source=SOURCES, end=ENDS, ends=st.booleans())
    @precondition(lambda self: self.world.at_ease)
    def a_source_rests(self, source: str, end: str, ends: bool) -> None:
        """There is something to read meanwhile, also by a backfill, and somebody restarts it."""
        self.world.pause(source)
        self._end(source, end)
        self._renew(source, "b", "P")
        self.world.backfill(source)
        self.world.drive(310.0)
        if ends:
            self.world.go_on(source)

    @rule(source=SOURCES)
    def a_source_goes_on(self, source: str) -> None:
        self.world.go_on(source)

    # Backfills.

    @rule(source=SOURCES, slow=st.sampled_from([0.0, 1.0]), end=ENDS, known=st.booleans())
    def backfill(self, source: str, slow: float, end: str, known: bool) -> None:
        """It reads in two pages; between them comes the end. Perhaps no poll has read that yet."""
        self._edit_all(source, "G")
        if known:
            self.world.poll(source)
        origin = self.world.origin(source)
        origin.slow = slow
        self.world.backfill(source)
        self.world.drive(1.5 * slow)
        self._end(source, end)
        origin.slow = 0.0
        self.world.drive(2.0)

    @rule(source=SOURCES, key=KEYS, kind=st.sampled_from(["good", "filtered", "invalid"]))
    def a_poll_overtakes_a_backfill(self, source: str, key: str, kind: str) -> None:
        """The page of a backfill is on its way while something newer is read."""
        origin = self.world.origin(source)
        self._renew(source, key, "O")
        origin.slow = 2.0
        self.world.backfill(source)
        self.world.drive(1.0)
        origin.edit(key, f"N {origin.moves}", kind)
        self.world.poll(source)
        self.world.drive(4.0)
        origin.slow = 0.0

    @rule(key=KEYS, account=st.sampled_from("AB"))
    def a_backfill_reads_what_is_old(self, key: str, account: str) -> None:
        """It is told from what is newer by its revision."""
        origin = self.world.origin("mail")
        self._put_in("mail", key, account)
        origin.archive[key] = origin.table[key][1]
        self._put_in("mail", key, "Later")
        self.world.backfill("mail")
        self.world.drive(1.0)
        origin.archive.clear()

    # The guard.

    @rule(source=SOURCES, end=ENDS, released=st.booleans())
    @precondition(lambda self: self.world.at_ease)
    def a_run_surges(self, source: str, end: str, released: bool) -> None:
        """A run makes three accounts and may make one; perhaps it is cut off, then there is more of it."""
        self._open_up()
        self.world.reload(source, new_accounts=1)
        self._edit_all(source, "New")
        self.world.poll(source)
        origin = self.world.origin(source)
        origin.edit("b", f"More {origin.moves}")
        self._end(source, end)
        self.world.poll(source)
        if released:
            self.world.release(source=source)
        origin.new_accounts = None

    @rule(source=SOURCES)
    @precondition(lambda self: self.world.at_ease)
    def a_run_surges_over_what_waits(self, source: str) -> None:
        """What the run would replace waits in memory, behind a gate that is closed."""
        self._open_up()
        self.world.api.script = ["429, 20 s"]
        self._edit_all(source, "W")
        self.world.poll(source)
        self.world.api.script.clear()
        self.world.reload(source, new_accounts=1)
        self._edit_all(source, "New")
        self.world.poll(source)
        self.world.drive(30.0)
        self.world.origin(source).new_accounts = None

    # Rejects.

    @rule(source=SOURCES, mended=st.booleans())
    def the_mapping_changes(self, source: str, mended: bool) -> None:
        self.world.reload(source, mended=mended)

    @rule(source=SOURCES, key=KEYS, newer=st.booleans())
    def a_reject_is_mended(self, source: str, key: str, newer: bool) -> None:
        """With ``newer``, something newer is read in the same moment."""
        origin = self.world.origin(source)
        if origin.mended:
            self.world.reload(source, mended=False)
        origin.edit(key, "I", "invalid")
        self.world.poll(source)
        if newer:
            origin.edit(key, "J")
        self.world.reload(source, mended=True)

    @rule()
    def a_minute_of_housekeeping(self) -> None:
        """Rejects are tried again also where nothing is polled."""
        self.world.command(lambda _: self.world.process.try_rejects_again())

    # People.

    @rule(source=SOURCES, by_address=st.booleans(), kind=st.sampled_from(["ok", HOLD, *ON_THE_WIRE]))
    @precondition(lambda self: self.world.at_ease)
    def forget(self, source: str, by_address: bool, kind: str) -> None:
        """Their last request is on its way, or was just answered; then the source shows them again, and a backfill."""
        self.world.api.script = [kind]
        self._renew(source, FORGETTABLE, "F")
        self.world.api.script.clear()
        self.world.forget(source, FORGETTABLE, by_address=by_address)
        self._put_in(source, FORGETTABLE, "again")
        self.world.backfill(source)
        self.world.drive(3.0)

    # What they share.

    def _end(self, source: str, how: str) -> None:
        """One way to be interrupted."""
        if how == "killed":
            self.world.kill()
            self.world.start()
        elif how == "stopped":
            self.world.stop()
            self.world.start()
        elif how == "reloaded":
            self.world.reload(source, mended=not self.world.origin(source).mended)
        elif how == "rested":
            self.world.drive(10.0)

    def _origin(self, name: str) -> Origin:
        return self.world.origin(name)

    def _edit_all(self, source: str, account: str) -> None:
        """Each to an account that nobody has had so far."""
        origin = self.world.origin(source)
        for key in "abc":
            origin.edit(key, f"{account} {origin.moves}")

    def _put_in(self, source: str, key: str, account: str) -> None:
        self._origin(source).edit(key, account)
        self.world.poll(source)

    def _renew(self, source: str, key: str, account: str) -> None:
        """Let it be read with an account that nobody has had so far."""
        self._put_in(source, key, f"{account} {self._origin(source).moves}")

    def _open_up(self) -> None:
        """All is well for a moment."""
        self.world.api.heal()
        self.world.resume_sending()

    def _answer_all(self, kind: str) -> None:
        for put in list(self.world.api.open):
            self.world.api.reply(put, kind)
        self.world.drive()
