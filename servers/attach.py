"""A server that already runs, given by its URL. Nothing is changed on it."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from servers.catalog import list_servers, load_server
from servers.errors import CannotReach, InvalidAttachment, NotReady
from servers.identify import ask, identify
from servers.ready import client, problem_at, require_answer
from servers.spec import AttachedSpec, Attachment, Identity, Ready, Recipe
from servers.target import ServerLog, Target

FORM = "http://HOST:PORT/v1[,kind=NAME][,model=NAME][,key=VARIABLE]"
OTHER = "other"
PATIENCE = 60.0
_LOGIN = re.compile(r"[^:/]+://[^/?#]*@")
#: Not any comma: a password may have one.
_SETTINGS_OF_A_WISH = re.compile(r",(?=(?:kind|model|key)=)")
#: Named in the settings: Amplifier's own module of that name has no fallback.
MODULE = Path(__file__).parents[1] / "amplifier-module-provider-openai"
_SETTINGS = """\
config:
  providers:
    - id: local
      module: provider-openai
      source: {module}
      config:
        base_url: {url}
        default_model: {model}
        use_responses_api: false
"""


@dataclass(frozen=True)
class Wish:
    """What the text after `--server=` says; what it leaves out is asked of the server."""

    url: str
    kind: str = ""
    model: str = ""
    key: str = ""


def is_url(text: str) -> bool:
    """Whether `text` is the URL of a server and not the name of one."""
    return "://" in text


def load_attached(text: str, environ: Mapping[str, str] = os.environ) -> AttachedSpec:
    """The server at `URL[,kind=NAME][,model=NAME][,key=VARIABLE]`, asked what it is.

    `key` names the environment variable that holds the API key. Raises InvalidAttachment or
    CannotReach.
    """
    wish = parse(text)
    if wish.key and wish.key not in environ:
        raise InvalidAttachment(
            f"the environment variable {wish.key} isn't set", f"export {wish.key}=…"
        )
    return attached(wish, environ.get(wish.key) if wish.key else None)


def parse(text: str) -> Wish:
    """Take the text apart, without asking anybody."""
    _refuse_login(_SETTINGS_OF_A_WISH.split(text)[0])
    url, *settings = text.split(",")
    pairs = dict(setting.partition("=")[::2] for setting in settings)
    if unknown := set(pairs) - {"kind", "model", "key"}:
        raise InvalidAttachment(f"{text!r} sets {min(unknown)!r}", f"the form is {FORM}")
    return Wish(url=normal_url(url), **pairs)


def normal_url(text: str) -> str:
    """With `/v1` where there is no path, without a slash at the end; plain HTTP, no login."""
    _refuse_login(text)
    url = _read(text)
    if url.scheme != "http" or not url.host:
        raise InvalidAttachment(
            f"{text!r} is no URL of a server over plain HTTP",
            f"the form is {FORM}; in front of HTTPS the suite couldn't see the bytes",
        )
    return text.rstrip("/") if url.path.strip("/") else f"{text.rstrip('/')}/v1"


def _read(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
        _ = urlsplit(text).port  # httpx lets 99999 pass
    except (httpx.InvalidURL, ValueError) as error:
        raise InvalidAttachment(f"{text!r} is no URL: {error}", f"the form is {FORM}") from None
    return url


def _refuse_login(text: str) -> None:
    """A password in a URL would stand in every exchange; nor is it shown here."""
    if _LOGIN.match(text):
        raise InvalidAttachment(
            f"the URL of {text.rpartition('@')[2]!r} has a user or a password in it",
            "say key=VARIABLE instead: the environment variable that holds the server's key",
        )


def attached(wish: Wish, api_key: str | None) -> AttachedSpec:
    """Ask the server for what the wish leaves out."""
    at = Attachment(url=wish.url, api_key=api_key, model=wish.model)
    with client(at.url, api_key) as http:
        model = wish.model or _only_model(http, at.url)
        kind = wish.kind or _recognise(http, model)
    at = at.model_copy(update={"model": model})
    if kind == OTHER:
        return _other(at)
    return AttachedSpec.model_validate({**dict(load_server(kind)), "at": at})


def _only_model(http: httpx.Client, url: str) -> str:
    try:
        answer = http.get("/models", timeout=PATIENCE)
        listed = [str(entry["id"]) for entry in answer.json()["data"]]
    except httpx.TransportError as error:
        raise CannotReach(
            f"nothing answers at {url} ({type(error).__name__})", "is the server running?"
        ) from None
    except (ValueError, KeyError, TypeError):
        listed = []
    if len(listed) != 1:
        seen = f"lists {len(listed)} models: {', '.join(listed)}" if listed else "lists no model"
        raise InvalidAttachment(f"{url} {seen}", f"say which to test: {url},model=NAME")
    return listed[0]


def _recognise(http: httpx.Client, model: str) -> str:
    for name in list_servers():
        if any(ask(http, model, probe) for probe in load_server(name).identity.recognise):
            return name
    return OTHER


def amplifier_settings(url: str, model: str) -> str:
    """The entry of Amplifier's settings.yaml that asks `model` at `url` through this module."""
    return _SETTINGS.format(url=url, model=model, module=MODULE)


def _other(at: Attachment) -> AttachedSpec:
    """A server of no kind that is known: tested all the same."""
    settings = amplifier_settings(at.url, at.model)
    return AttachedSpec(
        name=OTHER,
        title=httpx.URL(at.url).netloc.decode(),
        ready=Ready(timeout=PATIENCE),
        identity=Identity(),
        recipe=Recipe(start="", settings=settings),
        at=at,
    )


@contextmanager
def attach(spec: AttachedSpec, log: Path) -> Iterator[Target]:
    """The target, once it has answered a chat completion; its log can't be had."""
    target = Target(
        server=spec.name,
        title=spec.title,
        how="attach",
        url=spec.at.url,
        model=spec.at.model,
        api_key=spec.at.api_key,
        log=ServerLog(log),
    )
    require_answer(target, PATIENCE)
    _require_entry(spec, target)
    identify(target, spec.identity, [])
    yield target


def _require_entry(spec: AttachedSpec, target: Target) -> None:
    """The base URL of a settings entry must answer as it stands: Amplifier adds no `/v1`."""
    url = spec.config.get("base_url", target.url)
    if url != target.url and (problem := problem_at(url, target, PATIENCE)):
        raise NotReady(
            f"the entry's base_url {url} gives no chat completion: {problem}; {target.url} does",
            f"write base_url: {target.url}",
        )
