"""Loopback ports."""

import socket

from servers.errors import PortTaken

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port that the operating system chose, free a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def claim(port: int) -> int:
    """The same port; PortTaken where somebody listens on it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise PortTaken(
                f"port {port} on {LOOPBACK} can't be had: {reason}",
                "leave the port out, and the operating system chooses a free one",
            ) from None
    return port
