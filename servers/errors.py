"""What can go wrong with a server, each with what to do about it."""

from pathlib import Path


class ServersError(Exception):
    """One clear sentence (`message`) and what to do about it (`hint`)."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message}\n  hint: {hint}" if hint else message)
        self.message = message
        self.hint = hint


class UnknownServer(ServersError):
    """No YAML file has that name."""


class UnknownRelease(ServersError):
    """What was asked for is neither a known build nor a version."""


class InvalidServerFile(ServersError):
    """A YAML file breaks its schema; `line` counts from 1."""

    def __init__(self, file: Path, line: int, key: str, problem: str, hint: str) -> None:
        super().__init__(f"{file}:{line}: {key}: {problem}", hint)
        self.file = file
        self.line = line
        self.key = key


class InvalidFault(ServersError):
    """A fault that can't be put into a byte stream, or text that names none."""


class PortTaken(ServersError):
    """Somebody else listens on the port that was asked for."""


class InvalidAttachment(ServersError):
    """A URL to attach to that can't be meant, or doesn't say enough."""


class UnknownInstance(ServersError):
    """No provider entry of the settings has that name."""


class InvalidInstance(ServersError):
    """A provider entry of the settings can't be meant."""


class CannotReach(ServersError):
    """Nothing answers at a URL."""


class CannotRunHere(ServersError):
    """This machine can't run the server in the way asked for."""


class ServerDied(ServersError):
    """The server ended by itself; the message ends in its last log lines."""


class NotReady(ServersError):
    """The server lives, but no chat completion succeeded in the time allowed."""
