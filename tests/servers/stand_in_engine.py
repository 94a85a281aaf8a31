"""A container engine that speaks enough of Docker's API, and runs a stand-in for every image."""

import json
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

STAND_IN = Path(__file__).with_name("stand_in.py")
IMAGE_DIGEST = "example/image@sha256:1234"


def frame(output: bytes) -> bytes:
    """Standard output, as the engine wraps it."""
    return struct.pack(">BxxxL", 1, len(output)) + output


class Engine(ThreadingHTTPServer):
    """Knows one container at a time; `images` are those it has."""

    def __init__(self, images: set[str], manner: str = "well") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.images = images
        self.manner = manner
        self.created: dict[str, Any] = {}
        self.executed: list[list[str]] = []
        self.process: subprocess.Popen[str] | None = None
        self.port = 0
        self.removed = threading.Event()
        self.asked = threading.Event()
        self.missed = threading.Event()
        self.may_create = threading.Event()
        self.may_create.set()

    def start(self) -> None:
        """Run the stand-in on a port of its own."""
        command = [sys.executable, str(STAND_IN), "0", self.manner]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        words = str(self.process.stdout and self.process.stdout.readline()).split()
        self.port = int(words[-1]) if words[-1].isdigit() else 0

    def remove(self) -> None:
        """End the stand-in, as `docker rm --force` would."""
        if self.process is not None and not self.removed.is_set():
            self.process.kill()
            self.process.communicate()
        self.removed.set()

    def exists(self) -> bool:
        """Whether there is a container."""
        return bool(self.created) and not self.removed.is_set()

    def inspect(self) -> dict[str, Any]:
        """The container's state; nothing of it once it has been removed."""
        ended = self.process.poll() if self.process else None
        if ended is not None and ended < 0:
            ended = 128 - ended  # as an engine tells a signal
        (inside,) = self.created["ExposedPorts"]
        bound = [{"HostIp": "127.0.0.1", "HostPort": str(self.port)}]
        return {
            "Id": "abc",
            "State": {"Running": ended is None, "Status": "running", "ExitCode": ended},
            "NetworkSettings": {"Ports": {inside: bound}},
            "Config": {"Tty": False},
        }


class Handler(BaseHTTPRequestHandler):
    """Docker's paths, without their version."""

    server: Engine
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Questions."""
        match self._path():
            case ["version"]:
                self._answer(200, {"ApiVersion": "1.41", "Version": "20.10"})
            case ["images", *name, "json"] if "/".join(name) in self.server.images:
                self._answer(200, {"Id": "sha256:5678", "RepoDigests": [IMAGE_DIGEST]})
            case ["containers", _, "json"] if self.server.exists():
                self._answer(200, self.server.inspect())
            case ["containers", _, "logs"]:
                self._answer(200, frame(b"no such tensor: blk.0\n"))
            case ["exec", _, "json"]:
                self._answer(200, {"ExitCode": 1 if len(self.server.executed) == 1 else 0})
            case ["containers", _, "json"]:
                self._answer(404, {"message": "No such container: it"})
                self.server.missed.set()
            case _:
                self._answer(404, {"message": "No such image: it"})

    def do_POST(self) -> None:
        """Orders."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        match self._path():
            case ["containers", "create"] if self.server.manner == "full":
                self._answer(500, {"message": "no space left on device"})
            case ["containers", "create"]:
                self.server.asked.set()
                self.server.may_create.wait()
                self.server.created = json.loads(body)
                self._answer(201, {"Id": "abc", "Warnings": []})
            case ["containers", _, "start"]:
                self.server.start()
                self._answer(204, b"")
            case ["containers", _, "exec"]:
                self.server.executed.append(json.loads(body)["Cmd"])
                self._answer(201, {"Id": "def"})
            case ["exec", _, "start"]:
                self._answer(200, b"")
                self.close_connection = True
            case _:
                self._answer(404, {"message": "manifest unknown"})

    def do_DELETE(self) -> None:
        """The end."""
        self.server.remove()
        self._answer(204, b"")

    def _path(self) -> list[str]:
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        return parts[1:] if parts[0].startswith("v1.") else parts

    def _answer(self, status: int, body: dict[str, Any] | bytes) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with suppress(BrokenPipeError):  # who asked was killed
            self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def engine(images: set[str], manner: str = "well") -> Iterator[Engine]:
    """An engine that has these images."""
    with Engine(images, manner) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            yield running
        finally:
            running.remove()
            running.shutdown()
            thread.join()
