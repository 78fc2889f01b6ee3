"""Many lean sockets in one process: they count every frame, and a sample of them notes when each one came.

After each line on standard input, the frames so far, the latencies since the last line and the newest version of each
resource are printed as JSON; the latter two of the sample, and none of a socket that was told to load anew.
"""

import asyncio
import base64
import json
import os
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

SAMPLE = 25
KEY = b'"kind":'
HELLO = json.dumps({"op": "hello", "v": 1, "topics": ["projects"]}).encode()


class Socket(asyncio.Protocol):
    """One WebSocket: only what is needed to be greeted and to count."""

    def __init__(self, address: str, token: str, *, sampled: bool) -> None:
        self._address, self._token, self._sampled = address, token, sampled
        self._buffer = b""
        self._open = False
        self.ready = asyncio.Event()
        self.frames = 0
        self.resyncs = 0
        self.latencies: list[float] = []
        self.newest: dict[str, int] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the socket and say hello at once."""
        assert isinstance(transport, asyncio.Transport)
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /api/v1/realtime HTTP/1.1\r\nHost: {self._address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: stagewright.v1\r\n"
            f"Authorization: Bearer {self._token}\r\n\r\n".encode()
        )
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take whole messages out of what came."""
        self._buffer += data
        if not self._open:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head.partition(b"\r\n")[0]:
                raise ConnectionError(head.decode())
            self._open, self._buffer = True, rest
            self._send(1, HELLO)
        while (message := self._message()) is not None:
            self._take(*message)

    def _message(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, at = buffer[1] & 0x7F, 2
        if size == 126:
            size, at = int.from_bytes(buffer[2:4], "big"), 4
        elif size == 127:
            size, at = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < at + size:
            return None
        self._buffer = buffer[at + size :]
        return buffer[0] & 0x0F, buffer[at : at + size]

    def _take(self, opcode: int, data: bytes) -> None:
        if opcode == 9:
            self._send(10, data)
        elif opcode == 1 and data.startswith(b'{"op":"events"'):
            self.frames += data.count(KEY)
            if self._sampled:
                now = time.time()
                for frame in msgspec.json.decode(data)["frames"]:
                    self.latencies.append(now - datetime.fromisoformat(frame["at"]).timestamp())
                    self.newest[frame["key"]] = frame["version"]
        elif opcode == 1 and data.startswith(b'{"op":"ready"'):
            self.ready.set()
        elif opcode == 1 and data.startswith(b'{"op":"resync"'):
            self.resyncs += 1

    def _send(self, opcode: int, data: bytes) -> None:
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
        self._transport.write(bytes([0x80 | opcode]) + size + b"\0\0\0\0" + data)  # a mask of zeroes changes nothing


def _same(socket: Socket) -> Socket:
    return socket


async def main(url: str, names: Sequence[str], count: int) -> None:
    """Open the sockets, say so, and report at each line."""
    place = urlsplit(url)
    sockets: list[Socket] = []
    for number in range(count):
        socket = Socket(place.netloc, names[number % len(names)], sampled=number % (count // SAMPLE) == 0)
        await asyncio.get_running_loop().create_connection(
            partial(_same, socket), place.hostname or "", place.port or 80
        )
        sockets.append(socket)
        if number % 25 == 24:
            await asyncio.wait_for(asyncio.gather(*(item.ready.wait() for item in sockets)), 60)
    print("ready", flush=True)
    while (await asyncio.to_thread(sys.stdin.readline)).strip() != "":
        report = {
            "frames": [socket.frames for socket in sockets],
            "resyncs": sum(socket.resyncs for socket in sockets),
            "latencies": [value for socket in sockets for value in socket.latencies],
            "newest": [socket.newest for socket in sockets if socket.newest and not socket.resyncs],
        }
        for socket in sockets:
            socket.latencies.clear()
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]).read_text().split(), int(sys.argv[3])))
