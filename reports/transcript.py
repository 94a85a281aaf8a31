"""An exchange as people read it: the request, then the response piece by piece with times."""

from collections.abc import Iterator

from reports.exchange import Body, Exchange


def request(exchange: Exchange) -> str:
    """Method, URL, headers and body."""
    head = [f"{exchange.method} {exchange.url}", *_headers(exchange.request_headers)]
    return "\n".join([*head, "", body(exchange.request_body)]).rstrip()


def response_head(exchange: Exchange) -> str:
    """Status and headers, and how the response ended."""
    status = f"status {exchange.status}" if exchange.status else "no response"
    return "\n".join([f"{status}, {exchange.ended}", *_headers(exchange.response_headers)])


def pieces(exchange: Exchange) -> Iterator[tuple[float | None, str]]:
    """The response body as it arrived: milliseconds since the request, text."""
    raw, at = exchange.response_body.raw, 0
    for chunk in exchange.chunks:
        if piece := raw[at : at + chunk.size]:
            yield chunk.at_ms, piece.decode("utf-8", "backslashreplace")
        at += chunk.size
    if at < len(raw):
        yield None, raw[at:].decode("utf-8", "backslashreplace")
    if exchange.response_body.cut:
        yield None, f"[{exchange.response_body.cut} more bytes are not in the report]"


def body(kept: Body) -> str:
    """A body as text; bytes that are none are spelt out."""
    note = f"\n[{kept.cut} more bytes are not in the report]" if kept.cut else ""
    return kept.raw.decode("utf-8", "backslashreplace") + note


def response(exchange: Exchange) -> str:
    """The response in one text, a time before each piece."""
    shown = [f"+{at:.1f} ms\n{text}" if at is not None else text for at, text in pieces(exchange)]
    return "\n".join([response_head(exchange), "", *shown]).rstrip()


def _headers(headers: tuple[tuple[str, str], ...]) -> Iterator[str]:
    return (f"{name}: {value}" for name, value in headers)
