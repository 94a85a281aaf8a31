"""What can go wrong with a report as a file, each error with a sentence and a hint."""


class ReportError(Exception):
    """Bad input: `message` says what and where, `hint` what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message} {hint}")
        self.message = message
        self.hint = hint


class UnreadableReport(ReportError):
    """A file that is no report, or none that this version reads."""


class UnreadableJournal(ReportError):
    """A journal that is damaged elsewhere than at its end."""


class UnfitReports(ReportError):
    """Reports that contradict each other and can't be one."""


class AlteredReport(ReportError):
    """A run whose answers were altered on their way says nothing about a server."""


class UnmarkedFile(ReportError):
    """A file without the markers that the table goes between."""


class InvalidNotRun(ReportError):
    """The list of servers that a published run leaves out is not as it must be."""
