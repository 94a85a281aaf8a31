"""Every row of the catalogue says all that a reader of a red cell needs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import conformance.catalogue
from conformance.catalogue import Chapter, Row, catalogue, chapters
from servers.errors import ServersError
from servers.yaml_file import load_yaml

README = Path(conformance.catalogue.__file__).parent / "README.md"

CHAPTER = """\
chapter: Text
{head}
checks:
  - id: text.plain
    title: A title
    level: MUST
    requirement: A requirement
    link: https://example.org/
    why: A reason
    remedy: A remedy
{row}
"""


def chapter(folder: Path, head: str = "", row: str = "") -> Chapter:
    """A chapter of one row."""
    file = folder / "text.yaml"
    file.write_text(CHAPTER.format(head=head, row=row))
    return load_yaml(file, Chapter)


def test_a_row_without_a_remedy_for_users_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ServersError, match="for_users") as told:
        chapter(tmp_path)

    assert "text.yaml:4" in str(told.value)


def test_what_the_head_says_is_said_of_each_row_that_is_silent(tmp_path: Path) -> None:
    head = "quoted: false\nfor_users: Nothing but to report it."

    [silent] = chapter(tmp_path, head).checks
    [other] = chapter(tmp_path, head, "    for_users: Set a flag.\n    quoted: true").checks

    assert (silent.quoted, silent.for_users) == (False, "Nothing but to report it.")
    assert (other.quoted, other.for_users) == (True, "Set a flag.")


@pytest.mark.parametrize("key", ["title", "requirement", "why", "remedy", "for_users"])
def test_no_row_leaves_out_what_a_reader_needs(key: str) -> None:
    rows: list[Any] = [row for chapter in chapters() for row in chapter.checks]

    assert [row.id for row in rows if len(getattr(row, key).split()) < 2] == []


def test_links_lead_to_pages() -> None:
    links = [check.link for check in catalogue().values()]

    assert [link for link in links if not re.fullmatch(r"https://\S+\.\S+/\S+", link)] == []


def test_the_readme_says_what_each_key_means() -> None:
    told = re.findall(r"^\| `(\w+)` \|", README.read_text(), re.MULTILINE)

    assert sorted(told) == sorted(Row.model_fields)
