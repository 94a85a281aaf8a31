"""Nothing of the API is forgotten: each feature is checked, or it is said why not."""

from __future__ import annotations

from conformance.catalogue import bugs, catalogue, chapters, exclusions

#: How many features each group has.
GROUPS = {"A": 9, "B": 17, "C": 17, "D": 16, "E": 22, "F": 5, "G": 6, "H": 4, "I": 4, "J": 6}
FEATURES = {f"{group}{number + 1}" for group, count in GROUPS.items() for number in range(count)}
BUGS = range(1, 53)


def covered() -> set[str]:
    """The features that some check names."""
    return {feature for chapter in chapters() for row in chapter.checks for feature in row.covers}


def test_every_feature_is_described() -> None:
    assert set(exclusions().features) == FEATURES


def test_every_feature_is_checked_or_excluded() -> None:
    excluded = {exclusion.feature for exclusion in exclusions().exclusions}

    assert covered() | excluded == FEATURES


def test_every_known_bug_is_caught_or_explained() -> None:
    known = bugs()

    assert sorted(bug.bug for bug in known) == list(BUGS)
    assert [bug.bug for bug in known if not bug.checks and not bug.reason] == []


def test_bugs_name_checks_that_there_are() -> None:
    named = {check for bug in bugs() for check in bug.checks}

    assert named <= set(catalogue())
