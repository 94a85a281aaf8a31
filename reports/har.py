"""The exchanges of a report as HAR 1.2, which browsers and proxies open."""

import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from reports.exchange import Body, Exchange, Headers
from reports.model import Report, Result, Target
from reports.transcript import body

_UNKNOWN = -1
_NOTE = "where a report doesn't tell when a check began, it is put at the start of its target"


def har(report: Report) -> str:
    """One entry an exchange; a page for each result that has any."""
    targets = {target.id: target for target in report.targets}
    results = [result for result in report.results if result.exchanges]
    log = {
        "version": "1.2",
        "creator": {"name": "provider-openai-conformance", "version": report.suite_version},
        "comment": _NOTE,
        "pages": [_page(targets[result.target], result) for result in results],
        "entries": [
            _entry(targets[result.target], result, exchange)
            for result in results
            for exchange in result.exchanges
        ],
    }
    return json.dumps({"log": log}, indent=1, ensure_ascii=False) + "\n"


def _id(result: Result) -> str:
    return " ".join(part for part in result.key if part)


def _began(target: Target, result: Result) -> datetime:
    return result.started or target.started


def _page(target: Target, result: Result) -> dict[str, Any]:
    return {
        "id": _id(result),
        "title": f"{result.outcome}: {_id(result)}",
        "startedDateTime": _began(target, result).isoformat(),
        "pageTimings": {},
    }


def _entry(target: Target, result: Result, exchange: Exchange) -> dict[str, Any]:
    first = exchange.chunks[0].at_ms if exchange.chunks else 0
    last = exchange.chunks[-1].at_ms if exchange.chunks else 0
    started = _began(target, result) + timedelta(milliseconds=exchange.started_ms)
    return {
        "pageref": _id(result),
        "startedDateTime": started.isoformat(),
        "time": last,
        "request": _request(exchange),
        "response": _response(exchange),
        "cache": {},
        "timings": {"send": 0, "wait": first, "receive": last - first},
        "comment": exchange.ended,
    }


def _request(exchange: Exchange) -> dict[str, Any]:
    # Not urlsplit: it takes the brackets of a login that was taken out for an IPv6 address.
    query = parse_qsl(exchange.url.partition("#")[0].partition("?")[2])
    sent: dict[str, Any] = {
        "method": exchange.method,
        "url": exchange.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(exchange.request_headers),
        "queryString": [{"name": name, "value": value} for name, value in query],
        "headersSize": _UNKNOWN,
        "bodySize": _size(exchange.request_body),
    }
    if exchange.request_body.text:
        kind = _content_type(exchange.request_headers)
        sent["postData"] = {"mimeType": kind, "text": body(exchange.request_body)}
    return sent


def _response(exchange: Exchange) -> dict[str, Any]:
    kept = exchange.response_body
    content = {
        "size": _size(kept),
        "mimeType": _content_type(exchange.response_headers),
        "text": kept.text,
    }
    return {
        "status": exchange.status or 0,
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(exchange.response_headers),
        "content": content | ({"encoding": "base64"} if kept.encoding == "base64" else {}),
        "redirectURL": "",
        "headersSize": _UNKNOWN,
        "bodySize": _size(kept),
    }


def _size(kept: Body) -> int:
    return len(kept.raw) + kept.cut


def _headers(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _content_type(headers: Headers) -> str:
    return next((value for name, value in headers if name.lower() == "content-type"), "")
