"""The sign that stands beside a word; neither colour nor sign ever stands alone."""

from reports.cells import Cell
from reports.words import Outcome, Verdict

VERDICT = {
    Verdict.WORKS: "✔",
    Verdict.BRIDGED: "◐",
    Verdict.UNSUPPORTED: "⊘",
    Verdict.NOT_RUN: "?",
    Verdict.INCONCLUSIVE: "≈",
    Verdict.SERVER: "✘",
    Verdict.PROVIDER: "✖",
    Verdict.ERROR: "⚠",
}
OUTCOME = {
    Outcome.PASS: "✔",
    Outcome.UNSUPPORTED: "⊘",
    Outcome.NOT_RUN: "?",
    Outcome.INCONCLUSIVE: "≈",
    Outcome.FAIL: "✘",
    Outcome.ERROR: "⚠",
}
PARTLY = "◑"
"""Of several outcomes, not all the same."""
MEANING = {
    Verdict.WORKS: "server and module do what the requirement says",
    Verdict.BRIDGED: "the module makes up for the server",
    Verdict.UNSUPPORTED: "not offered, and cleanly said so",
    Verdict.NOT_RUN: "no result",
    Verdict.INCONCLUSIVE: "the check did not come about, or only one layer told",
    Verdict.SERVER: "the server's side fails, and the user feels it",
    Verdict.PROVIDER: "the server is right and the module is wrong",
    Verdict.ERROR: "the suite itself failed",
}


def mark(cell: Cell) -> str:
    """`✘ server`, with `(expected)` where the divergence is known."""
    known = " (expected)" if cell.expected else ""
    return f"{VERDICT[cell.verdict]} {cell.verdict}{known}"
