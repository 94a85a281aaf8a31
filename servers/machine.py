"""What a server needs of the machine, and what this machine lacks of it."""

import platform
from pathlib import Path

from servers.spec import Needs

CPUINFO = Path("/proc/cpuinfo")


def lacking(needs: Needs, cpuinfo: Path | None = None) -> str:
    """Why this machine can't run it, in words; nothing when it can."""
    here = f"{platform.system().lower()}-{platform.machine().lower()}"
    if needs.platforms and here not in needs.platforms:
        return f"it runs on {' and '.join(needs.platforms)}, and this is {here}"
    missing = [flag for flag in needs.cpu_flags if flag not in _cpu_flags(cpuinfo or CPUINFO)]
    if missing and here.startswith("linux"):
        return f"its build needs a processor with {', '.join(missing).upper()}"
    return ""


def _cpu_flags(cpuinfo: Path) -> set[str]:
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    flags = next((line for line in lines if line.startswith("flags")), "")
    return set(flags.partition(":")[2].split())
