"""What a server needs of the machine, and what this machine lacks of it."""

import os
import platform
from pathlib import Path

from servers.spec import Needs

CPUINFO = Path("/proc/cpuinfo")
MEMINFO = Path("/proc/meminfo")
GIB = 1024**3


def lacking(needs: Needs, cpuinfo: Path | None = None) -> str:
    """Why this machine can't run it, in words; nothing when it can."""
    here = f"{platform.system().lower()}-{platform.machine().lower()}"
    if needs.platforms and here not in needs.platforms:
        return f"it runs on {' and '.join(needs.platforms)}, and this is {here}"
    missing = [flag for flag in needs.cpu_flags if flag not in _cpu_flags(cpuinfo or CPUINFO)]
    if missing and here.startswith("linux"):
        return f"its build needs a processor with {', '.join(missing).upper()}"
    if needs.memory > total_memory():
        return f"it takes {needs.memory / GIB:.1f} GiB of memory, and there is not as much"
    return ""


def total_memory() -> int:
    """What this machine has, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def available_memory() -> int:
    """What could be had without swapping, in bytes; where nobody tells, all there is."""
    lines = MEMINFO.read_text().splitlines() if MEMINFO.exists() else []
    told = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), "")
    return int(told) * 1024 if told else total_memory()


def _cpu_flags(cpuinfo: Path) -> set[str]:
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    flags = next((line for line in lines if line.startswith("flags")), "")
    return set(flags.partition(":")[2].split())
