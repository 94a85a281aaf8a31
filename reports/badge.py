"""A badge for one target: how many MUST checks hold, of how many, on which release."""

import json
from html import escape

from reports.cells import Cell, cells
from reports.escape import line
from reports.groups import asked_layers
from reports.model import Report, Target
from reports.verdict import GOOD
from reports.words import Layer, Level, Outcome

_COLOURS = {"all": "#1a7f37", "some": "#9a6700", "none": "#6e7781"}
_CHARACTER = 6.6
"""Pixels that a character takes at 11 px, on average."""


def texts(report: Report, target: Target) -> tuple[str, str]:
    """What the badge says: `llama.cpp 2026.10.11549` and `96/104 MUST`; 0 of 0 is a dash."""
    held, asked = _held(report, target)
    label = line(f"{target.title} {target.version}", 60)
    figures = f"{held}/{asked}" if asked else "–"
    layers = asked_layers(report, target)
    alone = "" if len(layers) > 1 else f", {next(iter(layers))} only"
    return label, f"{figures} MUST{alone}{', incomplete' if report.incomplete else ''}"


def endpoint(report: Report, target: Target) -> str:
    """The badge as JSON that shields.io reads (its endpoint schema, version 1)."""
    label, message = texts(report, target)
    facts = {"schemaVersion": 1, "label": label, "message": message}
    return json.dumps(facts | {"color": _colour(report, target)}, ensure_ascii=False)


def svg(report: Report, target: Target) -> str:
    """The badge as a picture that needs nothing from elsewhere."""
    label, message = (escape(text) for text in texts(report, target))
    left, right = (round(len(text) * _CHARACTER) + 12 for text in texts(report, target))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img"'
        f' aria-label="{label}: {message}"><title>{label}: {message}</title>'
        f'<rect width="{left}" height="20" fill="#3d444d"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{_colour(report, target)}"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11"'
        ' text-anchor="middle">'
        f'<text x="{left / 2}" y="14">{label}</text>'
        f'<text x="{left + right / 2}" y="14">{message}</text></g></svg>\n'
    )


def _held(report: Report, target: Target) -> tuple[int, int]:
    own = [cell for cell in cells(report) if cell.target.id == target.id]
    layers = asked_layers(report, target)
    must = [cell for cell in own if cell.check.level is Level.MUST]
    asked = [cell for cell in must if layers.intersection(cell.check.layers)]
    return sum(_holds(cell, layers) for cell in asked), len(asked)


def _holds(cell: Cell, layers: frozenset[Layer]) -> bool:
    """Whether a user gets it; of a layer alone, whether it passed there."""
    if len(layers) > 1:
        return cell.verdict in GOOD
    return cell.layer(*layers) is Outcome.PASS


def _colour(report: Report, target: Target) -> str:
    held, asked = _held(report, target)
    whole = held == asked and not report.incomplete
    return _COLOURS["none" if not asked else "all" if whole else "some"]
