"""What comes out of a run: the report, its journal, the gate and every way to show it."""

from reports.build import build
from reports.canonical import dumps, load
from reports.cells import Cell, cells, is_expected
from reports.errors import ReportError, UnreadableJournal, UnreadableReport
from reports.exchange import Body, Chunk, Exchange
from reports.gate import Gate, Reason, gate
from reports.journal import Journal, read_journal
from reports.last import last_run
from reports.model import (
    Absent,
    Check,
    Event,
    Expectation,
    Kill,
    Recipe,
    Report,
    Result,
    Target,
    Tried,
)
from reports.progress import Watch
from reports.summary import summary_lines
from reports.terminal import table_lines
from reports.words import Layer, Level, Mode, Outcome, Owner, Verdict

__all__ = [
    "Absent",
    "Body",
    "Cell",
    "Check",
    "Chunk",
    "Event",
    "Exchange",
    "Expectation",
    "Gate",
    "Journal",
    "Kill",
    "Layer",
    "Level",
    "Mode",
    "Outcome",
    "Owner",
    "Reason",
    "Recipe",
    "Report",
    "ReportError",
    "Result",
    "Target",
    "Tried",
    "UnreadableJournal",
    "UnreadableReport",
    "Verdict",
    "Watch",
    "build",
    "cells",
    "dumps",
    "gate",
    "is_expected",
    "last_run",
    "load",
    "read_journal",
    "summary_lines",
    "table_lines",
]
