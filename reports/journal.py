"""The journal of a run: JSON Lines, a record at a time, so that a crash loses nothing judged."""

import errno
import json
import os
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self

from pydantic import AwareDatetime, BaseModel, ValidationError

from reports.canonical import canonical
from reports.errors import UnreadableJournal
from reports.exchange import Record, Text
from reports.model import SCHEMA_VERSION, Absent, Check, Kill, Rate, Report, Result, Target
from reports.redact import spellings
from reports.words import Outcome

SECRET_SIZE = 8
_BYTES = '"encoding":"base64"'


class _Run(Record):
    schema_version: Literal[1] = SCHEMA_VERSION
    suite_version: str
    started: AwareDatetime
    asked: tuple[str, ...]


class _Finish(Record):
    finished: AwareDatetime
    incomplete: tuple[Text, ...] = ()


_KINDS: dict[str, type[BaseModel]] = {
    "run": _Run,
    "target": Target,
    "absent": Absent,
    "check": Check,
    "result": Result,
    "kill": Kill,
    "finish": _Finish,
}

_LINE = re.compile(rb'\{"record":"([a-z]+)","is":(.*)\}', re.DOTALL)


class Journal:
    """Writes a run down while it goes; each record has reached the file when a call returns."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file
        self._secrets: list[str] = []
        self._written: list[str] = []
        self._records: list[BaseModel] = []

    @classmethod
    def create(cls, path: Path, *, suite_version: str, asked: Sequence[str]) -> Self:
        """Begin the journal of a new run at `path`, in place of an older one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        journal = cls(path, path.open("wb", buffering=0))
        journal._write(
            "run",
            _Run(suite_version=suite_version, started=datetime.now(UTC), asked=tuple(asked)),
        )
        return journal

    def hide(self, *secrets: str | None) -> None:
        """Keep these keys out of every text from now on, wherever a server repeats them.

        Words shorter than 8 characters are no keys (`none`, `local`) and stay. So do ids and the
        report's own words, even where a key is spelt like one of them.
        """
        for secret in secrets:
            if secret and len(secret) >= SECRET_SIZE:
                self._secrets += spellings(secret)
        self._secrets.sort(key=len, reverse=True)
        self._written = [json.dumps(one, ensure_ascii=False)[1:-1] for one in self._secrets]

    def target(self, target: Target) -> None:
        """Record a server that answers; before its first result."""
        self._write("target", target)

    def absent(self, absent: Absent) -> None:
        """Record a server that does not run here, or did not come up."""
        self._write("absent", absent)

    def checks(self, checks: Iterable[Check]) -> None:
        """Record what is going to be checked; before the first result."""
        for check in checks:
            self._write("check", check)

    def result(self, result: Result) -> None:
        """Record what a check gave; of two with the same key the worse one counts."""
        self._write("result", result)

    def kills(self, kills: Iterable[Kill]) -> None:
        """Record which faults the checks notice."""
        for kill in kills:
            self._write("kill", kill)

    def finish(self, incomplete: Iterable[str] = ()) -> None:
        """Record that the run ended by itself, and what it had to leave out."""
        self._write("finish", _Finish(finished=datetime.now(UTC), incomplete=tuple(incomplete)))
        self.close()

    def close(self) -> None:
        """Close the file; without `finish` the run counts as incomplete."""
        self._file.close()

    def report(self) -> Report:
        """The report of what was written until now, as `read_journal` would give it."""
        return _report(self.path, self._records, [])

    def _write(self, kind: str, record: BaseModel) -> None:
        told = record.model_dump_json()
        if self._may_tell(told):
            record = type(record).model_validate_json(told, context=self._secrets)
            told = record.model_dump_json()
        self._append(f'{{"record":"{kind}","is":{told}}}\n'.encode())
        self._records.append(record)

    def _append(self, line: bytes) -> None:
        """The whole line or nothing: a full disk takes a part of it without an error."""
        before = self._file.tell()
        if self._file.write(line) < len(line):
            self._file.truncate(before)
            self._file.seek(before)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))

    def _may_tell(self, told: str) -> bool:
        """Whether a record may hold a key; that is asked of each, and reading it anew is slow."""
        if not self._secrets:
            return False
        return _BYTES in told or any(secret in told for secret in self._written)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def read_journal(path: Path) -> Report:
    """The report of a run, also of one that was killed while writing.

    A last line that breaks off is left out and told of in `incomplete`. Raises UnreadableJournal
    for any other damage, and where not even the first record is whole.
    """
    return _report(path, *_records(path))


def _records(path: Path) -> tuple[list[BaseModel], list[str]]:
    """The records of all whole lines, and what is to be said of a last line that isn't."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise UnreadableJournal(
            f"{path} can't be read: {error.strerror}.", "Name the journal.jsonl of a run."
        ) from error
    records = []
    for number, line in enumerate(lines, 1):
        record = _parse(line) if line else None
        if record:
            records.append(record)
        elif line and number == len(lines):
            return records, [f"The journal breaks off in line {number}."]
        elif line or number < len(lines):
            raise UnreadableJournal(
                f"{path}:{number} is no record of a journal.",
                "Only the last line of a journal may be damaged; restore it or run again.",
            )
    return records, []


def _parse(line: bytes) -> BaseModel | None:
    found = _LINE.fullmatch(line)
    if not found or found[1].decode() not in _KINDS:
        return None
    try:
        return _KINDS[found[1].decode()].model_validate_json(found[2])
    except ValidationError:
        return None


def _report(path: Path, records: list[BaseModel], incomplete: list[str]) -> Report:
    run = _run(path, records)
    finish = next((record for record in records if isinstance(record, _Finish)), None)
    if finish:
        incomplete += finish.incomplete
    else:
        incomplete.append("The run did not finish.")
    try:
        return canonical(
            Report(
                suite_version=run.suite_version,
                started=run.started,
                finished=finish.finished if finish else None,
                asked=run.asked,
                targets=tuple(record for record in records if isinstance(record, Target)),
                absent=tuple(record for record in records if isinstance(record, Absent)),
                checks=tuple(record for record in records if isinstance(record, Check)),
                results=_worst(record for record in records if isinstance(record, Result)),
                kills=tuple(record for record in records if isinstance(record, Kill)),
                incomplete=tuple(incomplete),
            )
        )
    except ValidationError as error:
        raise UnreadableJournal(
            f"{path} does not fit together: {error.errors()[0]['msg']}.", "Run again."
        ) from error


def _run(path: Path, records: list[BaseModel]) -> _Run:
    runs = [record for record in records if isinstance(record, _Run)]
    if len(runs) != 1 or runs[0] is not records[0]:
        raise UnreadableJournal(
            f"{path} holds no complete run: nothing was judged.", "Start the run again."
        )
    return runs[0]


def _worst(results: Iterable[Result]) -> tuple[Result, ...]:
    """One result for each key: the worst of its attempts, with the rate of those that passed.

    Of two with the same attempt, too, the worse one: an error while cleaning up makes a pass an
    error.
    """
    order = list(Outcome).index
    found: dict[object, dict[int, Result]] = {}
    for result in results:
        attempts = found.setdefault(result.key, {})
        known = attempts.get(result.attempt)
        if known is None or order(result.outcome) > order(known.outcome):
            attempts[result.attempt] = result
    return tuple(_with_rate(list(attempts.values())) for attempts in found.values())


def _with_rate(attempts: list[Result]) -> Result:
    worst = max(attempts, key=lambda result: list(Outcome).index(result.outcome))
    if len(attempts) == 1:
        return worst
    passed = sum(result.outcome is Outcome.PASS for result in attempts)
    return worst.model_copy(update={"rate": Rate(passed=passed, of=len(attempts))})
