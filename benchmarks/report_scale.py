"""How reports scale: `python benchmarks/report_scale.py` prints time and memory, each step alone.

A shard is one of N parts of one large run; a run is a whole report of its own.
"""

import resource
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from reports.canonical import dumps, load  # noqa: E402
from reports.history import as_text, history  # noqa: E402
from reports.merge import merge  # noqa: E402
from reports.site import Site, build_site  # noqa: E402
from tests.reports.sample import a_large_report  # noqa: E402

SIZES = (10, 100, 1000)


def main() -> None:
    """Run every step in a process of its own, so that one's memory is not another's."""
    _say(f"{'step':<34}{'seconds':>9}{'peak MB':>9}  what came out")
    with tempfile.TemporaryDirectory() as folder:
        _alone("site", Path(folder), 0)
        for number in SIZES:
            _alone("shards", Path(folder) / str(number), number)
            _alone("merge", Path(folder) / str(number), number)
            _alone("runs", Path(folder) / str(number), number)
            _alone("history", Path(folder) / str(number), number)


def _alone(step: str, folder: Path, number: int) -> None:
    command = [sys.executable, __file__, step, str(folder), str(number)]
    subprocess.run(command, check=True, cwd=ROOT)


def site(folder: Path, _: int) -> str:
    """6 servers x 200 checks x 4, with evidence."""
    written = build_site(Site(a_large_report(6, 200)), folder / "site")
    largest = max(path.stat().st_size for path in written if path.suffix == ".html")
    return f"{len(written)} files, largest page {largest / 1000:.0f} kB"


def shards(folder: Path, number: int) -> str:
    """Write the parts of a run of 6 servers x 200 checks x 4."""
    whole = a_large_report(6, 200)
    folder.mkdir()
    for part in range(number):
        shard = whole.model_copy(update={"results": whole.results[part::number]})
        (folder / f"shard-{part}.json").write_text(dumps(shard))
    return f"{number} shards of {len(whole.results)} results"


def merge_(folder: Path, _: int) -> str:
    """Merge the shards and write the whole."""
    merged = merge(load(path) for path in folder.glob("shard-*.json"))
    text = dumps(merged)
    return f"{len(merged.results)} results, {len(text) / 1e6:.1f} MB"


def runs(folder: Path, number: int) -> str:
    """Write whole runs of 2 servers x 50 checks x 4, a day apart."""
    size = 0
    for day in range(number):
        run = a_large_report(2, 50, seed=day // 30)
        run = run.model_copy(update={"started": run.started + timedelta(days=day)})
        size += (folder / f"run-{day}.json").write_text(dumps(run))
    return f"{number} runs, {size / 1e6:.0f} MB on disk"


def history_(folder: Path, _: int) -> str:
    """Read all runs one after another and render their history."""
    text = as_text(history(load(path) for path in folder.glob("run-*.json")))
    return f"{text.splitlines()[0]}, {len(text) / 1000:.0f} kB of text"


STEPS = {"site": site, "shards": shards, "merge": merge_, "runs": runs, "history": history_}


def _step(name: str, folder: Path, number: int) -> None:
    start = time.perf_counter()
    came = STEPS[name](folder, number)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _say(f"{name + (f' {number}' if number else ''):<34}{seconds:>9.1f}{peak:>9.0f}  {came}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        _step(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
