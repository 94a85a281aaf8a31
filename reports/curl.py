"""The line that repeats an exchange against the server alone."""

import base64
import re
from shlex import quote

from reports.escape import BLOCK_LIMIT
from reports.exchange import Body, Exchange
from reports.redact import REDACTED

_OWN_TO_A_CLIENT = re.compile(
    r"host|content-length|connection|accept-encoding|transfer-encoding|user-agent|x-stainless-.*",
    re.IGNORECASE,
)
_UNTYPEABLE = re.compile(r"[^\t\n\x20-\x7e\u00a0-\u1fff\u2070-\ud7ff]")


#: Stands for the server in exchanges in which the suite answered in its place.
STAND_IN = "http://stand-in.invalid"
_NOT_THE_SERVERS = "# the suite gave this answer in the server's place; there is nothing to repeat"


def curl(exchange: Exchange) -> str:
    """A shell command; what the report doesn't hold (a key, the rest of a body) it says."""
    if exchange.url.startswith(STAND_IN):
        return _NOT_THE_SERVERS
    body = exchange.request_body
    words = ["curl -sS -N -g", f"-X {quote(exchange.method)}", f"--url {quote(exchange.url)}"]
    words += [_header(*header) for header in exchange.request_headers if _matters(header[0])]
    command = " ".join([*words, *_data(body)])
    if body.encoding == "base64" or _UNTYPEABLE.search(body.text):
        encoded = base64.b64encode(body.raw).decode()
        command = f"echo {encoded} | base64 -d | {command}"
    if body.cut:
        command += f"  # {body.cut} bytes of the request are not in the report"
    return command


def curl_on_page(exchange: Exchange) -> str:
    """The same, or where it is to be found: half a command leaves the shell waiting."""
    command = curl(exchange)
    if len(command) <= BLOCK_LIMIT:
        return command
    return f"# {len(command)} characters are too long for a page; the request is in report.json"


def _matters(name: str) -> bool:
    return not _OWN_TO_A_CLIENT.fullmatch(name)


def _header(name: str, value: str) -> str:
    if value == REDACTED and name.lower() == "authorization":
        return '-H "Authorization: Bearer $API_KEY"'
    return f"-H {quote(f'{name}: {value}')}"


def _data(body: Body) -> list[str]:
    if not body.text:
        return []
    if body.encoding == "base64" or _UNTYPEABLE.search(body.text):
        return ["--data-binary @-"]
    return [f"--data-raw {quote(body.text)}"]
