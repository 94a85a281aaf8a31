"""Reports made up for tests: small ones by hand, large ones that look like real runs."""

import json
from datetime import UTC, date, datetime
from typing import Any

from reports.canonical import canonical
from reports.exchange import Body, Chunk, Exchange
from reports.model import (
    Check,
    Event,
    Expectation,
    Recipe,
    Report,
    Result,
    Target,
    Tried,
)
from reports.words import Layer, Level, Mode, Outcome

START = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
END = datetime(2026, 11, 22, 9, 31, 40, tzinfo=UTC)

CHAPTERS = ("text", "streaming", "tools", "structured output", "usage", "errors", "reasoning")
SERVERS = ("llamacpp", "vllm", "mlx", "ollama", "lmstudio", "localai")


def a_check(name: str = "tools.parallel-calls", **other: Any) -> Check:
    """A MUST on both layers and in both modes."""
    facts: dict[str, Any] = {
        "id": name,
        "chapter": "tools",
        "level": Level.MUST,
        "title": "Two cities in one question give two calls",
        "requirement": "The model can choose to call multiple functions in a single turn.",
        "link": "https://platform.openai.com/docs/guides/function-calling",
        "why": "An agent that reads only the first call loses work.",
        "remedy": "Parse every call of the answer.",
        "for_users": "Start the server with a template that knows parallel calls.",
        "layers": tuple(Layer),
        "modes": tuple(Mode),
    }
    return Check(**facts | other)


def a_target(name: str = "llamacpp", **other: Any) -> Target:
    """A server as a run on a desk sees it."""
    facts: dict[str, Any] = {
        "id": name,
        "server": name,
        "title": name,
        "version": "2026.10.11549",
        "build": "b11549-1a2b3c4",
        "how": "native",
        "flags": ("--jinja", "--ctx-size", "4096"),
        "model": "tiny",
        "model_digest": "sha256:0f1e2d",
        "protocol": "chat completions",
        "provider": "provider-openai 1.1.0",
        "os": "Linux 6.1 x86_64",
        "python": "3.11.2",
        "started": START,
        "recipe": Recipe(
            start=f"{name} serve --port 8080",
            settings="providers:\n  - id: local",
            notes="Tools need a template that knows them.",
            tried=(
                Tried(setting="use_responses_api: false", seen_on="b1", passed={"tools": "9/9"}),
            ),
        ),
    }
    return Target(**facts | other)


def an_exchange(**other: Any) -> Exchange:
    """A streamed chat completion in three pieces."""
    pieces = [b'data: {"choices":[]}\n\n', b'data: {"usage":{}}\n\n', b"data: [DONE]\n\n"]
    facts: dict[str, Any] = {
        "method": "POST",
        "url": "http://127.0.0.1:8080/v1/chat/completions",
        "request_headers": (("content-type", "application/json"), ("Authorization", "Bearer x")),
        "request_body": Body.of(json.dumps({"model": "tiny", "stream": True}).encode()),
        "status": 200,
        "response_headers": (("content-type", "text/event-stream"),),
        "response_body": Body.of(b"".join(pieces)),
        "started_ms": 1.5,
        "chunks": tuple(
            Chunk(at_ms=4.5 + index, size=len(piece)) for index, piece in enumerate(pieces)
        ),
        "ended": "complete",
    }
    return Exchange(**facts | other)


def a_result(outcome: Outcome = Outcome.PASS, **other: Any) -> Result:
    """The result of `a_check` on `a_target`, wire and whole unless told otherwise."""
    facts: dict[str, Any] = {
        "target": "llamacpp",
        "check": "tools.parallel-calls",
        "layer": Layer.WIRE,
        "mode": Mode.WHOLE,
        "outcome": outcome,
        "duration_ms": 12.5,
        "exchanges": (an_exchange(),),
        "log": "slot released",
    }
    return Result(**facts | other)


def an_expectation(**other: Any) -> Expectation:
    """Foresees a failure until the end of the year."""
    facts: dict[str, Any] = {
        "outcomes": (Outcome.FAIL,),
        "reason": "named tool choice is read as auto",
        "issue": "https://github.com/ggml-org/llama.cpp/issues/1",
        "recheck_by": date(2026, 12, 31),
    }
    return Expectation(**facts | other)


def results_of(wire: Outcome, provider: Outcome, **other: Any) -> tuple[Result, ...]:
    """Results of both layers in both modes."""
    return tuple(
        a_result(outcome, layer=layer, mode=mode, **other)
        for layer, outcome in ((Layer.WIRE, wire), (Layer.PROVIDER, provider))
        for mode in Mode
    )


def a_report(*results: Result, **other: Any) -> Report:
    """A finished run of `a_check` on `a_target`; all pass unless results are given."""
    facts: dict[str, Any] = {
        "suite_version": "0.1.0",
        "started": START,
        "finished": END,
        "asked": ("llamacpp",),
        "targets": (a_target(),),
        "checks": (a_check(),),
        "results": results or results_of(Outcome.PASS, Outcome.PASS),
    }
    return canonical(Report(**facts | other))


def a_report_that_warns(times: int) -> Report:
    """A run in which so many SHOULDs fail, and nothing else."""
    checks = [a_check(f"tools.should-{number:02}", level=Level.SHOULD) for number in range(times)]
    red = Outcome.FAIL
    failed = [one for check in checks for one in results_of(red, red, check=check.id)]
    return a_report(*failed, checks=tuple(checks))


def a_large_report(servers: int = 6, checks: int = 200, seed: int = 0) -> Report:
    """A run as large as asked, in which about one cell in six is not simply right."""
    targets = tuple(a_target(name) for name in SERVERS[:servers])
    asked = tuple(_numbered(number) for number in range(checks))
    found = [
        result
        for target in targets
        for number, check in enumerate(asked)
        for result in _cell(target, check, (number * 7 + len(target.id) * 5 + seed) % 36)
    ]
    return a_report(*found, targets=targets, checks=asked, asked=SERVERS[:servers])


def _numbered(number: int) -> Check:
    chapter = CHAPTERS[number % len(CHAPTERS)]
    level = (Level.MUST, Level.MUST, Level.SHOULD, Level.MAY)[number % 4]
    name = f"{chapter.replace(' ', '-')}.requirement-{number:03}"
    return a_check(name, chapter=chapter, level=level, title=f"Requirement {number} of {chapter}")


_PAIRS = {
    0: (Outcome.FAIL, Outcome.PASS),
    1: (Outcome.FAIL, Outcome.FAIL),
    2: (Outcome.PASS, Outcome.FAIL),
    3: (Outcome.UNSUPPORTED, Outcome.UNSUPPORTED),
    4: (Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE),
    5: (Outcome.ERROR, Outcome.PASS),
    6: (Outcome.FAIL, Outcome.FAIL),
}


def _cell(target: Target, check: Check, fate: int) -> list[Result]:
    wire, provider = _PAIRS.get(fate, (Outcome.PASS, Outcome.PASS))
    known = an_expectation() if fate == 6 else None
    return [
        a_result(
            outcome,
            target=target.id,
            check=check.id,
            layer=layer,
            mode=mode,
            expectation=known,
            **({} if outcome is Outcome.PASS else _RED),
        )
        for layer, outcome in ((Layer.WIRE, wire), (Layer.PROVIDER, provider))
        for mode in Mode
    ]


_RED: dict[str, Any] = {
    "message": "one call came back where two were asked for",
    "expected": '[{"city": "Oslo"}, {"city": "Lima"}]',
    "seen": '[{"city": "Oslo"}]',
    "events": (Event.of("llm:response", {"status": "ok"}),),
}
