"""The process that decodes: jobs come in on its standard input, values go out on its standard output.

``python -m cgsync.formats.worker BYTES`` with the most memory that it may take. It ends when the other end is gone,
and after a job that went wrong in a way that may have left something behind.
"""

from __future__ import annotations

import gc
import os
import resource
import select
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import IO, Any

import msgspec

from cgsync.formats.framing import FAILED, REFUSED, Job, Refusal, receive, send
from cgsync.formats.pieces import Frame, cut
from cgsync.formats.records import Malformed


def main(memory: int) -> None:
    """Take jobs until there are no more."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not stand among the answers
    threading.Thread(target=_end_with_the_other_end, daemon=True).start()
    gc.disable()  # values are trees: looking for cycles in a million of them costs more than decoding them
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_CORE, 0)
    with suppress(EOFError, BrokenPipeError):  # the other end is gone
        while _work(sys.stdin.buffer, answers):
            pass


def _work(jobs: IO[bytes], answers: IO[bytes]) -> bool:
    """Do one job; whether another one may follow."""
    job = msgspec.json.decode(receive(jobs)[1], type=Job)
    payload = receive(jobs)[1]
    _limit(resource.RLIMIT_CPU, int(_cpu_seconds() + job.seconds) + 1)
    sound = True
    for frame in _answer(job, payload):
        send(answers, *frame)
        sound = frame[0] != FAILED
    answers.flush()
    gc.collect()  # what exceptions left
    return sound


def _answer(job: Job, payload: bytes) -> Iterator[Frame]:
    try:
        yield from cut(_function(job.function)(payload, job.options))
    except Malformed as error:
        refusal = Refusal(reason=error.message, hint=error.hint, offset=error.offset, line=error.line, raw=error.raw)
        yield REFUSED, msgspec.json.encode(refusal)
    except MemoryError:
        yield FAILED, b"decoding it takes more memory than is allowed"
    except Exception as error:  # noqa: BLE001 - the root of this process: the other side must hear of it
        yield FAILED, f"the decoder failed with {type(error).__name__}: {error}".encode("utf-8", "replace")


@cache
def _function(path: str) -> Callable[[bytes, Mapping[str, Any]], Any]:
    module, _, name = path.partition(":")
    function: Callable[[bytes, Mapping[str, Any]], Any] = getattr(import_module(module), name)
    gc.freeze()  # what was imported stays: to look through it after each job takes longer than most jobs
    return function


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _limit(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    resource.setrlimit(which, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _end_with_the_other_end() -> None:
    """Also in the middle of a job: a daemon that was killed leaves nobody who would read the answer."""
    gone = select.poll()
    gone.register(0, 0)
    gone.poll()
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
