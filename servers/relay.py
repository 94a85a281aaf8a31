"""One connection through the tap: two pumps, byte for byte, closes and resets passed on."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Literal

from servers.faults import FLUSH, End, Fault, Pause, Step, Steps

Direction = Literal["request", "response"]
Note = Callable[[Direction, bytes], None]
AT_ONCE = 65536
SILENCE = 0.05
MOMENT = 0.001
EVENT_END = b"\n\n\r\n"  # in a chunk of its own; the last chunk is an empty one
TOGETHER = getattr(socket, "MSG_MORE", 0)
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
        self._nothing_follows = False

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
        async with contextlib.aclosing(self._read_server()) as source:
            steps: Steps = source
            for fault in self._faults:
                steps = fault.apply(steps)
            async for step in steps:
                if isinstance(step, End):
                    return self._pass_on(step)
                try:
                    await self._take(step)
                except OSError:
                    return End("reset by the client", reset=True)
        raise AssertionError("a stream of steps ends in an End")

    async def _take(self, step: Pause | bytes) -> None:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
        elif step != FLUSH:
            self._note("response", step)
            await self._send(step)

    async def _send(self, data: bytes) -> None:
        """Send to the client; last bytes wait for the close, and both leave in one packet.

        A server that closes at once after an answer must not look as if it closed later: the
        client would send its next request on that connection (llama.cpp after a stream).
        """
        if self._nothing_follows and not self._faults:
            with contextlib.suppress(BlockingIOError):  # the client reads slowly
                data = data[self._client.send(data, TOGETHER) :]
        await self._loop.sock_sendall(self._client, data)

    def _pass_on(self, end: End) -> End:
        """A close is passed on as a close; after a refusal to read there is only a reset."""
        if end.why != "server closed":
            return end
        if self._server_stopped_reading:
            return End("reset by the server", reset=True)
        self._ended(end.why)
        _say_done(self._client)
        return end

    async def _read_server(self) -> AsyncGenerator[Step]:
        """What the server sends; for faults a short silence is a step of its own.

        Bytes wait a moment for what comes right after them, so that it is known if that is a close;
        not so an event within a stream, since most of what passes here is events.
        """
        data = FLUSH
        while True:
            read = asyncio.ensure_future(self._loop.sock_recv(self._server, AT_ONCE))
            try:
                if data:
                    if not data.endswith(EVENT_END):
                        await asyncio.wait({read}, timeout=MOMENT)
                    self._nothing_follows = read.done() and _is_close(read)
                    yield data
                if self._faults:
                    await asyncio.wait({read}, timeout=SILENCE)
                    if not read.done():
                        yield FLUSH
                data = await read
            except OSError:
                yield End("reset by the server", reset=True)
                return
            finally:
                if not read.done():
                    read.cancel()
                    await asyncio.wait({read})
            if not data:
                yield End("server closed")
                return


def _is_close(read: asyncio.Future[bytes]) -> bool:
    return read.exception() is None and not read.result()


def _say_done(peer: socket.socket) -> None:
    with contextlib.suppress(OSError):
        peer.shutdown(socket.SHUT_WR)


def close(peer: socket.socket, *, reset: bool) -> None:
    """Close in good order, or with a real RST (a linger of zero seconds)."""
    if reset:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
