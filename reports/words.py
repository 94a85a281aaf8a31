"""The words a report is written in; their values are what people and files see."""

from enum import StrEnum


class Level(StrEnum):
    """How much a requirement binds: MUST gates, SHOULD warns, MAY is recorded."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Layer(StrEnum):
    """Who was asked: the server itself, or the server through the Amplifier module."""

    WIRE = "wire"
    PROVIDER = "provider"


class Mode(StrEnum):
    """How the answer came: in one piece or as a stream."""

    WHOLE = "whole"
    STREAM = "stream"


class Outcome(StrEnum):
    """What became of one check on one layer and mode, best first."""

    PASS = "pass"  # noqa: S105  (a verdict, not a password)
    UNSUPPORTED = "unsupported"
    NOT_RUN = "not run"
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"
    ERROR = "error"


class Owner(StrEnum):
    """Whose anything but a pass is."""

    SERVER = "server"
    SET_UP = "set-up"
    MODEL = "model"
    PROVIDER = "provider"
    SUITE = "suite"


class Verdict(StrEnum):
    """What both layers say together about one check on one target, best first."""

    WORKS = "works"
    BRIDGED = "bridged"
    UNSUPPORTED = "unsupported"
    NOT_RUN = "not run"
    INCONCLUSIVE = "inconclusive"
    SERVER = "server"
    PROVIDER = "provider"
    ERROR = "error"
