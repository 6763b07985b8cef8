"""One worker process as its owner sees it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

import msgspec

from cgsync.api import SourceUnavailable
from cgsync.formats.framing import FAILED, JOB, REFUSED, Job, Refusal, receive, send
from cgsync.formats.pieces import Frame, assembled
from cgsync.formats.records import Malformed

INHERITED = ("LD_LIBRARY_PATH", "PYTHONHOME")
"""What a Python may need to start. Nothing else of its owner's environment is its business: there may be secrets."""
PATIENCE = 5
"""Seconds in which a process that has nothing to do should be gone."""


class Process:
    """A process that decodes, started by its first job. Of its methods only :meth:`kill` does not block.

    ``resting``: it has answered, and another job may come. After any other end of a job it is gone.
    """

    def __init__(self, *, memory: int) -> None:
        self._memory = memory
        self._popen: subprocess.Popen[bytes] | None = None
        self._unwanted = False
        self.resting = False

    def run(self, job: Job, payload: bytes) -> Any:
        """The value of the job. Raises :class:`Malformed`, or :class:`SourceUnavailable` if it cannot start."""
        popen = self._popen = self._popen or _started(self._memory)
        if self._unwanted:
            popen.kill()
        try:
            return self._value(popen, job, payload)
        except (EOFError, OSError):
            raise Malformed(_death(popen.wait()), raw=payload) from None
        finally:
            if not self.resting:
                popen.kill()
                _reap(popen)

    def _value(self, popen: subprocess.Popen[bytes], job: Job, payload: bytes) -> Any:
        assert popen.stdin is not None
        assert popen.stdout is not None
        answers = popen.stdout
        send(popen.stdin, JOB, msgspec.json.encode(job))
        send(popen.stdin, JOB, payload)
        popen.stdin.flush()

        def frame() -> Frame:
            kind, content = receive(answers)
            if kind == FAILED:
                raise Malformed(content.decode("utf-8", "replace"), raw=payload)
            if kind == REFUSED:
                self.resting = True
                raise _malformed(msgspec.json.decode(content, type=Refusal))
            return kind, content

        value = assembled(frame)
        self.resting = True
        return value

    def alive(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def kill(self) -> None:
        """End it at once, or as soon as it has started; the thread in :meth:`run` is told, and tidies up."""
        self._unwanted = True
        if self._popen is not None:
            self._popen.kill()

    def end(self) -> None:
        """Let one that rests go, and wait until it is gone."""
        if self._popen is not None:
            _reap(self._popen)


def _started(memory: int) -> subprocess.Popen[bytes]:
    try:
        return _start(memory)
    except OSError as error:
        hint = "are there too many processes, or too little memory?"
        raise SourceUnavailable(f"no process for decoding can be started: {error}", hint=hint) from error


def _start(memory: int) -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))  # it finds what its owner found
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    return subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-P", "-m", "cgsync.formats.worker", str(memory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        start_new_session=True,  # Ctrl-C is for its owner
    )


def _reap(popen: subprocess.Popen[bytes]) -> None:
    assert popen.stdin is not None
    assert popen.stdout is not None
    with suppress(OSError):  # what it was still to be told
        popen.stdin.close()
    try:
        popen.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        popen.kill()
        popen.wait()
    popen.stdout.close()


def _death(status: int) -> str:
    if status == -signal.SIGXCPU:
        return "decoding it takes too long"
    return f"the decoder died of it ({signal.Signals(-status).name if status < 0 else f'exit status {status}'})"


def _malformed(refusal: Refusal) -> Malformed:
    return Malformed(refusal.reason, offset=refusal.offset, line=refusal.line, raw=refusal.raw, hint=refusal.hint)
