"""The report as JUnit XML: a suite for each target, a case for each result or lack of one.

Where the run as a whole falls short, a suite of its own says so with an error for each reason.
"""

from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from reports.cells import Cell, cells, is_expected
from reports.escape import visible
from reports.gate import Reason, gate
from reports.model import Report, Result, Target
from reports.words import Layer, Mode, Outcome, Verdict

_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}
_SKIPPED = {Outcome.UNSUPPORTED, Outcome.NOT_RUN}


def junit(report: Report) -> str:
    """XML; an expected divergence counts as skipped, never as a pass."""
    root = Element("testsuites", name="provider-openai conformance")
    table = cells(report)
    for target in report.targets:
        _suite(root, target, [cell for cell in table if cell.target.id == target.id])
    _run(root, [reason for reason in gate(report).reasons if not reason.cell])
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, target: Target, own: list[Cell]) -> None:
    suite = SubElement(root, "testsuite", name=target.id, timestamp=target.started.isoformat())
    facts = {"version": target.release, "model": target.model, "provider": target.provider}
    _properties(suite, facts)
    _count(suite, [case for cell in own for case in _cases(cell)])


def _run(root: Element, reasons: list[Reason]) -> None:
    """What the gate says of the run as a whole, which no target's suite has a place for."""
    if not reasons:
        return
    suite = SubElement(root, "testsuite", name="run")
    cases = [Element("testcase", classname="run", name=visible(str(one), 300)) for one in reasons]
    for case, reason in zip(cases, reasons, strict=True):
        SubElement(case, "error", type=reason.kind, message=visible(str(reason), 1000))
    _count(suite, cases)


def _count(suite: Element, cases: list[Element]) -> None:
    suite.extend(cases)
    suite.set("tests", str(len(cases)))
    for name, kind in _COUNTED.items():
        suite.set(name, str(sum(case.find(kind) is not None for case in cases)))


def _cases(cell: Cell) -> Iterator[Element]:
    for layer, mode in cell.places:
        found = cell.at(layer, mode)
        for result in found:
            yield _case(cell, result)
        if not found:
            case = _empty(cell, layer, mode)
            SubElement(case, "skipped", message="not run")
            yield case


def _empty(cell: Cell, layer: Layer, mode: Mode, case: str | None = None) -> Element:
    name = f"{cell.check.id}[{layer}-{mode}]" + (f"[{visible(case, 100)}]" if case else "")
    return Element("testcase", classname=f"{cell.target.id}.{cell.check.chapter}", name=name)


def _case(cell: Cell, result: Result) -> Element:
    case = _empty(cell, result.layer, result.mode, result.case)
    case.set("time", f"{result.duration_ms / 1000:.3f}")
    owner = {"owner": result.owner} if result.owner else {}
    about = {"level": cell.check.level, "verdict": cell.verdict_of(result.mode), **owner}
    _properties(case, about)
    if result.outcome is not Outcome.PASS:
        told = SubElement(case, _kind(cell, result), type=result.outcome)
        told.set("message", visible(result.message or result.outcome, 300))
        told.text = visible(_text(cell, result))
    return case


def _kind(cell: Cell, result: Result) -> str:
    if result.outcome is Outcome.ERROR:
        return "error"
    ours = cell.verdict_of(result.mode) is Verdict.PROVIDER
    known = result.outcome in _SKIPPED or is_expected(result)
    return "skipped" if known and not ours else "failure"


def _text(cell: Cell, result: Result) -> str:
    known = f"known divergence: {result.expectation.reason}\n" if result.expectation else ""
    sides = f"expected: {result.expected}\nseen: {result.seen}\n" if result.expected else ""
    remedies = "".join(f"{whose}: {text}\n" for whose, text in cell.check.remedies.items())
    return f"{known}{sides}{remedies}evidence: {cell.page}"


def _properties(parent: Element, facts: Mapping[str, str]) -> None:
    properties = SubElement(parent, "properties")
    for name, value in facts.items():
        SubElement(properties, "property", name=name, value=visible(value, 200))
