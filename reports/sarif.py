"""The report as SARIF 2.1.0, which code scanning sites show as findings."""

import json
import re
from typing import Any

from reports.cells import Cell, cells
from reports.escape import line
from reports.model import Check, Report
from reports.words import Level, Verdict

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVEL = {Level.MUST: "error", Level.SHOULD: "warning", Level.MAY: "note"}


def sarif(report: Report) -> str:
    """A rule for each check and a finding for each cell that ran and does not simply work."""
    driver = {
        "name": "provider-openai-conformance",
        "version": report.suite_version,
        "rules": [_rule(check) for check in report.checks],
    }
    told = {Verdict.WORKS, Verdict.NOT_RUN}
    red = [cell for cell in cells(report) if cell.verdict not in told]
    run = {"tool": {"driver": driver}, "results": [_finding(cell) for cell in red]}
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _without_links(text: str) -> str:
    """A message in which brackets are brackets: `[text](1)` would be a link."""
    return re.sub(r"([\\\[\]])", r"\\\1", text)


def _rule(check: Check) -> dict[str, Any]:
    remedies = " ".join(f"{whose}: {text}" for whose, text in check.remedies.items())
    return {
        "id": check.id,
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.requirement},
        "helpUri": check.link,
        "help": {"text": f"{check.why} {remedies}"},
        "defaultConfiguration": {"level": _LEVEL[check.level]},
        "properties": {"tags": [check.chapter, check.level]},
    }


def _finding(cell: Cell) -> dict[str, Any]:
    said = next((result.message for result in cell.in_order if result.message), "no message")
    where = line(f"{cell.target.title} {cell.target.release}", 100)
    told = f"{where}: {cell.verdict} (owner: {cell.owner or 'nobody'}). {line(said)}"
    finding: dict[str, Any] = {
        "ruleId": cell.check.id,
        "level": _LEVEL[cell.check.level],
        "message": {"text": _without_links(told)},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": f"evidence/{cell.page}.md"}}}
        ],
        "partialFingerprints": {"cell/v1": cell.page},
    }
    if cell.expected:
        reasons = " ".join(known.reason for known in cell.expectations)
        finding["suppressions"] = [{"kind": "external", "justification": reasons}]
    return finding
