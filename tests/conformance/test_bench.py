"""What the module under test is configured with, and how that is told."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.bench import Bench, described, protocol_for
from conformance.module import Module
from conformance.protocol import VARIABLE, Protocol
from fixtures.model.files import tiny_model
from servers import ServerLog, Target
from servers.spec import AttachedSpec, Attachment, Identity, Ready, Recipe
from servers.tap import Tap

URL = "http://localhost:1/v1"
OPENAI = Module("provider-openai")


def spec(**config: Any) -> AttachedSpec:
    """A server that runs already, with what an entry of a settings file says of it."""
    return AttachedSpec(
        name="other",
        title="Other",
        ready=Ready(timeout=1),
        identity=Identity(),
        recipe=Recipe(start="", settings=""),
        at=Attachment(url=URL, model="m"),
        config=config,
    )


def entry(**config: Any) -> AttachedSpec:
    """The same, by an entry."""
    return spec(base_url=URL, **config)


def target(url: str = URL) -> Target:
    """A server that is up, as far as anybody knows."""
    log = ServerLog(Path("log"))
    return Target(server="other", title="Other", how="attach", log=log, url=url, model="m")


def bench(of: AttachedSpec, wanted: Protocol | None = None, module: Module = OPENAI) -> Bench:
    """A bench whose tap listens nowhere, at port 0."""
    return Bench("other", of, target(), Tap("localhost", 1), module, wanted)


@pytest.mark.parametrize(
    ("of", "wanted", "configured", "spoken"),
    [
        (spec(), None, False, "chat completions"),
        (spec(), Protocol.AUTO, "auto", "auto"),
        (entry(), None, "missing", "auto"),
        (entry(use_responses_api="yes"), None, "yes", "responses"),
        (entry(use_responses_api=""), None, "", "auto"),
        (entry(use_responses_api=False), None, False, "chat completions"),
        (entry(use_responses_api="yes"), Protocol.CHAT, False, "chat completions"),
    ],
)
def test_entry_says_itself_what_is_spoken(
    of: AttachedSpec,
    wanted: Protocol | None,
    configured: object,
    spoken: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    told = described("other", of, target(), module=OPENAI, protocol=wanted, model=tiny_model())

    assert bench(of, wanted).config.get("use_responses_api", "missing") == configured
    assert told.protocol == spoken


@pytest.mark.parametrize(("how", "shown"), [("native", "tiny"), ("attach", "/a/safetensors")])
def test_model_that_the_suite_brings_is_shown_by_its_own_name(how: str, shown: str) -> None:
    up = replace(target(), how=how, model="/a/safetensors")

    told = described("mlx", spec(), up, module=OPENAI, protocol=None, model=tiny_model())

    assert told.model == shown


def test_configuration_of_the_module_has_the_last_word() -> None:
    module = Module("provider-openai", config={"use_responses_api": "on"})

    assert bench(spec(), Protocol.CHAT, module).config["use_responses_api"] == "on"
    assert protocol_for(spec(), module, Protocol.CHAT) is Protocol.RESPONSES


@pytest.mark.parametrize("path", ["", "/v1", "/v3"])
def test_module_gets_the_url_of_the_entry(path: str) -> None:
    there = bench(spec(base_url=f"http://localhost:1{path}"))

    assert there.config["base_url"] == f"http://127.0.0.1:0{path}"
    assert there.url == "http://127.0.0.1:0/v1"


def test_server_that_listens_by_ipv6_alone_is_not_lost() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        there = f"http://[::1]:{listener.getsockname()[1]}/v1"
        up = Bench("other", spec(), target(there), Tap("::1", 1), OPENAI)

        assert up.lost() is None
    assert up.lost() == f"nothing listens at {there} any more"


def test_what_the_tap_hears_late_is_not_the_next_checks(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        up = replace(target(), log=ServerLog(tmp_path / "log"))
        with (
            Tap(*server.getsockname()) as tap,
            socket.create_connection(("127.0.0.1", tap.port)) as client,
        ):
            accepted, _ = server.accept()
            on = Bench("other", spec(), up, tap, OPENAI)
            began = on.moment()

            client.sendall(b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n")
            assert accepted.recv(100)
            late = on.exchanges(began)
            accepted.close()

    assert late == []


def test_connection_that_the_server_did_not_take_is_noticed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with Tap("127.0.0.1", port) as tap:
        up = Bench("other", spec(), target(f"http://127.0.0.1:{port}/v1"), tap, OPENAI)
        began = up.moment()
        with (
            pytest.raises(ConnectionError),
            socket.create_connection(("127.0.0.1", tap.port)) as one,
        ):
            one.recv(1)

        assert up.refused(began)
        assert not up.refused(up.moment())
