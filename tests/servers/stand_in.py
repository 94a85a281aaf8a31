"""A server that answers every POST with one token, or does what its second argument says."""

import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMPLETION = b'{"choices": [{"message": {"content": "Hi"}}], "system_fingerprint": "b7-cafe"}'
VERSION = b'{"version": "1.2.3"}'
#: What servers that can't be had here answer, as their sources and documentation have it.
KINDS = {
    "ollama": {  # v0.33.0-rc2, server/routes.go and openai/openai.go
        "/api/version": b'{"version":"0.33.0-rc2"}',
        "/v1/models": b'{"object":"list","data":[{"id":"tiny:latest","object":"model",'
        b'"created":1700000000,"owned_by":"library"}]}\n',
    },
    "localai": {  # v4.9.0, core/http/routes/localai.go
        "/version": b'{"version":"v4.9.0 (0a1b2c3d)"}',
        "/v1/models": b'{"object":"list","data":[{"id":"tiny","object":"model"}]}',
    },
    "lmstudio": {  # documentation of the REST API v0, 0.4.23
        "/api/v0/models": b'{"data":[{"id":"tiny","object":"model","type":"llm",'
        b'"publisher":"local","arch":"qwen3","compatibility_type":"gguf","quantization":"F32","state":"loaded",'
        b'"max_context_length":4096}],"object":"list"}',
        "/v1/models": b'{"data":[{"id":"tiny","object":"model","owned_by":"organization_owner"}],'
        b'"object":"list"}',
    },
}
ONE_MODEL = b'{"data": [{"id": "m", "owned_by": "vllm"}]}'
TWO_MODELS = b'{"data": [{"id": "m"}, {"id": "n"}]}'


class Handler(BaseHTTPRequestHandler):
    """Enough of a chat completions server to count as ready."""

    def do_POST(self) -> None:
        """One completion, or an error for ever."""
        self.rfile.read(int(self.headers["Content-Length"]))
        lost = "only-v1" in sys.argv and not self.path.startswith("/v1/")
        self._answer(404 if lost else 503 if "never-ready" in sys.argv else 200, COMPLETION)

    def do_GET(self) -> None:
        """Its models, or else its version."""
        models = TWO_MODELS if "two-models" in sys.argv else ONE_MODEL
        known = KINDS.get(sys.argv[2], {"/v1/models": models, "/version": VERSION})
        self._answer(200 if self.path in known else 404, known.get(self.path, b"{}"))

    def _answer(self, status: int, body: bytes) -> None:
        if "with-key" in sys.argv and self.headers["Authorization"] != "Bearer secret":
            status, body = 401, (self.headers["Authorization"] or "no key").encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def log(line: str) -> None:
    """A line, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(port: int, manner: str) -> None:
    """Serve on `port` of loopback."""
    if manner == "die":
        sys.stdout.write("no such tensor: blk.0\n")
        sys.exit(3)
    if manner == "illegal":
        log("loading model")
        signal.raise_signal(signal.SIGILL)
    if manner == "with-child":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        log(f"child {child.pid}")
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    log(f"listening on {server.server_port}")
    if manner == "deaf":
        time.sleep(60)
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
