"""What a daemon keeps: nothing that refers only to itself, and one arena for all of its threads."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref

from cgsync import memory

ARENAS = """
import ctypes, sys, threading
from cgsync import memory
if sys.argv[1] == "settled":
    memory.settle()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
places = []
def take():
    places.append(libc.malloc(100_000))
    both.wait()
both = threading.Barrier(2)
threads = [threading.Thread(target=take) for _ in range(2)]
for each in threads: each.start()
for each in threads: each.join()
heap = next(line for line in open("/proc/self/maps") if line.endswith("[heap]\\n")).split()[0]
low, high = (int(end, 16) for end in heap.split("-"))
print(sum(low <= place < high for place in places))
"""


class Node:
    """Something that can refer to itself."""

    itself: Node


async def test_what_refers_only_to_itself_is_freed() -> None:
    gc.disable()
    try:
        node = Node()
        node.itself, seen = node, weakref.ref(node)
        del node
        assert seen() is not None
        await memory.collect()
        assert seen() is None
    finally:
        gc.enable()


def in_heap(how: str) -> int:
    """How many of two threads got their memory from the one heap of the process."""
    done = subprocess.run([sys.executable, "-c", ARENAS, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_threads_share_one_arena() -> None:
    assert in_heap("as it is") == 0
    assert in_heap("settled") == 2
