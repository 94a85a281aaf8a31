"""One connection through the tap: two pumps, byte for byte, closes and resets passed on."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Literal

from servers.faults import FLUSH, End, Fault, Pause, Steps

Direction = Literal["request", "response"]
Note = Callable[[Direction, bytes], None]
AT_ONCE = 65536
SILENCE = 0.05
ONE_WAY = ("server closed", "client closed", "server stopped reading")
"""Ends of one direction; what is still on its way in the other one is carried on."""


class Relay:
    """Carries bytes between a client and a server until both are done, or one resets."""

    def __init__(
        self,
        client: socket.socket,
        server: socket.socket,
        faults: Sequence[Fault],
        note: Note,
        ended: Callable[[str], None],
    ) -> None:
        self._client = client
        self._server = server
        self._faults = faults
        self._note = note
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._server_stopped_reading = False

    async def run(self) -> None:
        """Relay until the end; `ended` hears why, before the other side can know of it."""
        pumps = {asyncio.create_task(pump) for pump in (self._requests(), self._responses())}
        reset = False
        try:
            while pumps:
                done, pumps = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
                for end in (pump.result() for pump in done):
                    self._ended(end.why)
                    reset = reset or end.reset
                    if end.why not in ONE_WAY:
                        return
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            close(self._client, reset=reset)
            close(self._server, reset=reset)

    async def _requests(self) -> End:
        """Bytes of the client to the server."""
        while True:
            try:
                data = await self._loop.sock_recv(self._client, AT_ONCE)
            except OSError:
                return End("reset by the client", reset=True)
            if not data:
                _say_done(self._server)
                return End("client closed")
            self._note("request", data)
            try:
                await self._loop.sock_sendall(self._server, data)
            except OSError:
                self._server_stopped_reading = True
                return End("server stopped reading", reset=True)

    async def _responses(self) -> End:
        """Bytes of the server, with the faults put in, to the client."""
        steps = self._read_server()
        for fault in self._faults:
            steps = fault.apply(steps)
        async for step in steps:
            match step:
                case Pause(seconds):
                    await asyncio.sleep(seconds)
                case End():
                    return self._pass_on(step)
                case data if data != FLUSH:
                    self._note("response", data)
                    try:
                        await self._loop.sock_sendall(self._client, data)
                    except OSError:
                        return End("reset by the client", reset=True)
        raise AssertionError("a stream of steps ends in an End")

    def _pass_on(self, end: End) -> End:
        """A close is passed on as a close; after a refusal to read there is only a reset."""
        if end.why != "server closed":
            return end
        if self._server_stopped_reading:
            return End("reset by the server", reset=True)
        self._ended(end.why)
        _say_done(self._client)
        return end

    async def _read_server(self) -> Steps:
        """What the server sends; a short silence is a step of its own."""
        while True:
            read = asyncio.ensure_future(self._loop.sock_recv(self._server, AT_ONCE))
            try:
                await asyncio.wait({read}, timeout=SILENCE)
                if not read.done():
                    yield FLUSH
                data = await read
            except OSError:
                yield End("reset by the server", reset=True)
                return
            if not data:
                yield End("server closed")
                return
            yield data


def _say_done(peer: socket.socket) -> None:
    with contextlib.suppress(OSError):
        peer.shutdown(socket.SHUT_WR)


def close(peer: socket.socket, *, reset: bool) -> None:
    """Close in good order, or with a real RST (a linger of zero seconds)."""
    if reset:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
