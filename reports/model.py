"""The report: who was asked what, what came of it, and the evidence."""

import json
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BeforeValidator, StringConstraints, model_validator

from reports.exchange import Exchange, Record, Text
from reports.redact import redact_flags
from reports.wilson import wilson
from reports.words import Layer, Level, Mode, Outcome, Owner

SCHEMA_VERSION: Literal[1] = 1

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*$", max_length=100)]
"""A name that is also a file's and a URL's: `tools.parallel-calls`, `llamacpp`."""


def _redact_words(flags: object) -> object:
    return redact_flags(flags) if isinstance(flags, tuple | list) else flags


Flags = Annotated[tuple[Text, ...], BeforeValidator(_redact_words)]


class Check(Record):
    """One requirement; the row of the catalogue that a result is judged by."""

    id: Id
    chapter: str
    level: Level
    title: str
    requirement: str
    quoted: bool = True
    """Whether `requirement` stands so in the source that `link` leads to; else it says it anew."""
    link: str
    why: str
    remedy: str
    """What whoever maintains the server, or the module, can mend."""
    for_users: str = ""
    """What whoever runs the server can do today."""
    layers: tuple[Layer, ...]
    modes: tuple[Mode, ...]

    @property
    def maintained(self) -> str:
        """What `remedy` is to be done to: the module, where it alone is asked."""
        return "server" if Layer.WIRE in self.layers else "module"

    @property
    def remedies(self) -> dict[str, str]:
        """What can be done, by whom."""
        theirs = {f"For the {self.maintained}'s maintainers": self.remedy}
        return theirs | ({"For you": self.for_users} if self.for_users else {})


class Tried(Record):
    """How much works with one setting of the module."""

    setting: str
    """`use_responses_api: false`."""
    seen_on: Text
    passed: dict[str, str]
    """Passes of questions, `38/40`, by what a user meets: tools, thoughts, …"""


class Recipe(Record):
    """How a person starts the server and makes Amplifier use it."""

    start: Text
    """Commands for a shell."""
    settings: Text
    """The entry for Amplifier's `settings.yaml`."""
    notes: Text = ""
    tried: tuple[Tried, ...] = ()
    """Why it is that setting and no other."""


class Target(Record):
    """One running instance of a server."""

    id: Id
    server: str
    title: str
    version: Text
    build: Text | None = None
    how: str
    """native, container or attach."""
    image: Text | None = None
    """The digest of the image that ran; where it has none, its name and id."""
    flags: Flags = ()
    model: Text
    model_digest: str | None = None
    protocol: str
    """What the provider layer spoke: chat completions, responses, …"""
    provider: Text
    """Module id, version and commit, and what was configured beyond the suite's own."""
    os: str
    python: str
    started: AwareDatetime
    recipe: Recipe | None = None
    faults: tuple[Text, ...] = ()
    """What `--fault` put into the answers on their way: nothing here is then the server's."""

    @property
    def model_name(self) -> str:
        """The last part of a path, where the server calls its model by one."""
        return self.model.rstrip("/").rpartition("/")[2] or self.model

    @property
    def release(self) -> str:
        """Version and build in one."""
        return f"{self.version} ({self.build})" if self.build else self.version


class Absent(Record):
    """A server that this report says nothing of, and why."""

    server: Id
    title: str
    reason: Text
    recipe: Recipe | None = None


class Expectation(Record):
    """A known divergence that applies to a result."""

    outcomes: tuple[Outcome, ...]
    reason: str
    issue: str | None = None
    versions: str | None = None
    seen_on: Text | None = None
    recheck_by: date | None
    """The day by which somebody looks again; None for what no server is going to change."""


class Event(Record):
    """What the provider module emitted; `data` is JSON as text."""

    name: Text
    data: Text = "{}"

    @classmethod
    def of(cls, name: str, data: object) -> Self:
        """An event from any payload; what JSON can't hold is told by its `repr`."""
        try:
            told = json.dumps(data, default=repr, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError):
            told = json.dumps(repr(data), ensure_ascii=False)
        return cls(name=name, data=told)


class Rate(Record):
    """How often a check passed, of how often it was asked."""

    passed: int
    of: int

    @property
    def flips(self) -> bool:
        """Whether the same question got a pass and something else."""
        return 0 < self.passed < self.of

    def __str__(self) -> str:
        low, high = wilson(self.passed, self.of)
        return f"passed {self.passed} of {self.of}, {low:.0%} to {high:.0%}"


class Result(Record):
    """What one check gave on one target, layer and mode."""

    target: Id
    check: Id
    layer: Layer
    mode: Mode
    attempt: int = 1
    """Which one it is, of a check that was asked several times."""
    rate: Rate | None = None
    """How many of all attempts passed; the result is that of the worst."""
    case: str | None = None
    """Tells apart several runs of one check: a parameter, or the check an invariant watched."""
    outcome: Outcome
    owner: Owner | None = None
    message: Text = ""
    expected: Text | None = None
    seen: Text | None = None
    started: AwareDatetime | None = None
    """When the check began; the times of its exchanges count from here."""
    duration_ms: float = 0
    exchanges: tuple[Exchange, ...] = ()
    events: tuple[Event, ...] = ()
    log: Text = ""
    """The server's log while the check ran."""
    expectation: Expectation | None = None

    @property
    def key(self) -> tuple[str, str, Layer, Mode, str]:
        """What is unique to a result in a report."""
        return self.target, self.check, self.layer, self.mode, self.case or ""

    @property
    def bare(self) -> bool:
        """Whether the outcome is all there is to tell."""
        told = (self.message, self.expected, self.seen, self.exchanges, self.events, self.log)
        return not any(told)


class Kill(Record):
    """Whether a check notices one fault put into a good exchange."""

    check: Id
    mutant: str
    killed: bool


class Report(Record):
    """One run or several merged ones; targets, checks and results are in order of their keys."""

    schema_version: Literal[1] = SCHEMA_VERSION
    suite_version: str
    started: AwareDatetime
    finished: AwareDatetime | None
    asked: tuple[str, ...] = ()
    """Servers that were asked for, by server name or target id."""
    targets: tuple[Target, ...] = ()
    absent: tuple[Absent, ...] = ()
    checks: tuple[Check, ...] = ()
    results: tuple[Result, ...] = ()
    kills: tuple[Kill, ...] = ()
    incomplete: tuple[str, ...] = ()
    """What is missing of the run, a sentence each."""

    def name(self, target: Target) -> str:
        """What a target is called here: its title; with its id, where another one has the same."""
        titles = [one.title for one in self.targets]
        return f"{target.title} ({target.id})" if titles.count(target.title) > 1 else target.title

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        targets = {target.id for target in self.targets}
        checks = {check.id: check for check in self.checks}
        for result in self.results:
            if result.target not in targets or result.check not in checks:
                raise ValueError(
                    f"a result names {result.target}/{result.check}, not in the report"
                )
            check = checks[result.check]
            if result.layer not in check.layers or result.mode not in check.modes:
                place = f"{result.layer}, {result.mode}"
                raise ValueError(f"{result.check} has no {place} but a result claims so")
        if len({result.key for result in self.results}) < len(self.results):
            raise ValueError("two results of one check, target, layer, mode and case")
        return self
