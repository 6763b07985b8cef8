"""A receiver that costs next to nothing, so that a benchmark measures the sender: answers each PUT, checks nothing.

Run as a program it prints its port and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import sys

TOKEN = b'{"access_token":"bench","token_type":"Bearer","expires_in":3600}'
ANSWER = b'{"data":{"id":1,"reference":"x","classification_id":1,"account_id":1,"contact_id":null}}'


def response(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


TOKEN_RESPONSE, PUT_RESPONSE = response(TOKEN), response(ANSWER)


class Receiver(asyncio.Protocol):
    """One connection: waits for whole requests and answers them."""

    puts = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._waiting = bytearray()

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while (head := self._waiting.find(b"\r\n\r\n")) >= 0:
            end = head + 4 + length(bytes(self._waiting[:head]))
            if len(self._waiting) < end:
                return
            put = self._waiting.startswith(b"PUT")
            Receiver.puts += put
            self._transport.write(PUT_RESPONSE if put else TOKEN_RESPONSE)
            del self._waiting[:end]


def length(head: bytes) -> int:
    start = head.lower().find(b"content-length:")
    return int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Receiver, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(Receiver.puts, flush=True)


if __name__ == "__main__":
    asyncio.run(serve())
