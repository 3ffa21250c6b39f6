"""Sweeps, on any executor."""

from __future__ import annotations

import concurrent.futures as futures
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path as _Path
from typing import Any, Union

from ._runs import _Bar, _command, _read_csv
from ._soup import Path

#: Parts of a sweep, if nobody says how many.
_PARTS = 256
#: How often a part is run before it is given up.
_ATTEMPTS = 3
#: Seconds from one look to the next at a part that another process runs.
_WAIT = 0.5

Executor = Union[futures.Executor, Callable[[], futures.Executor]]


class Sweep:
    """A sweep in its folder.

    :param path: the folder that ``broth sweep`` or :func:`broth.sweep` made.
    """

    def __init__(self, path: Path) -> None:
        #: The folder.
        self.path = _Path(path)

    @property
    def results(self) -> Any:
        """The table, a row for each run that has ended: see :meth:`table`."""
        return self.table()

    def table(self, library: str | None = None) -> Any:
        """The table by ``library``: ``pandas``, ``polars`` or ``pyarrow``; by the first of them
        that is installed, if it is not given. docs/sweeps.md lists the columns."""
        return _read_csv(self.path / "results.csv", library)

    def __repr__(self) -> str:
        return f"Sweep({str(self.path)!r})"


def _part(file: str, out: str, number: int, parts: int, threads: int) -> tuple[int, str]:
    """Run a part of a sweep, on whatever machine this is; its exit code, and what it said."""
    words = ["sweep", file, "--out", out, "--shard", f"{number}/{parts}", "--quiet"]
    words += ["--threads", str(threads), "--jobs", str(threads)]
    line = [sys.executable, "-m", "broth", *words]
    while True:
        ran = subprocess.run(line, capture_output=True, text=True)
        if ran.returncode != 2 or "is in use" not in ran.stderr:
            return ran.returncode, ran.stderr.strip().removeprefix("broth: ")
        # A worker that died has left it to a process that still runs it, which has its results.
        time.sleep(_WAIT)


class _Parts:
    """The parts of a sweep that are still to be run."""

    def __init__(self, file: _Path, folder: _Path, parts: int, threads: int) -> None:
        self.file, self.folder, self.parts, self.threads = file, folder, parts, threads
        #: How often each has failed.
        self.left = dict.fromkeys(range(1, parts + 1), 0)

    def out(self, number: int) -> _Path:
        return self.folder / f"{number}-of-{self.parts}"

    def failed(self, number: int, why: str) -> None:
        """Count a failure; an error where there are too many."""
        self.left[number] += 1
        if self.left[number] >= _ATTEMPTS:
            raise RuntimeError(
                f"part {number} of {self.parts} failed {_ATTEMPTS} times ({why}); what is done is "
                f"kept in {self.folder}, and the same call goes on"
            )

    def ended(self, number: int, code: int, said: str) -> None:
        # 1: some of its runs failed, and say so in the table.
        if code in (0, 1) and self.out(number).joinpath("results.csv").exists():
            del self.left[number]
        elif code == 2:
            raise ValueError(said)
        else:
            self.failed(number, said or f"exit code {code}")

    def go(self, executor: futures.Executor, bar: _Bar) -> None:
        """Run all that are left; those that die are run again. Raises BrokenExecutor where the
        executor can take no more."""
        running: dict[futures.Future[tuple[int, str]], int] = {}

        def start(number: int) -> None:
            out = str(self.out(number))
            future = executor.submit(_part, str(self.file), out, number, self.parts, self.threads)
            running[future] = number

        try:
            for number in list(self.left):
                start(number)
            while running:
                ended, _ = futures.wait(running, return_when=futures.FIRST_COMPLETED)
                for future in ended:
                    number = running.pop(future)
                    self.ended(number, *future.result())
                    if number in self.left:
                        start(number)
                    bar(self.parts - len(self.left))
        finally:
            for future in running:
                future.cancel()


def sweep(
    file: Path,
    *,
    executor: Executor | None = None,
    out: Path | None = None,
    parts: int | None = None,
    threads: int = 1,
    quiet: bool = False,
) -> Sweep:
    """Run the sweep that a file describes, as ``broth sweep`` does; answers with its folder.

    With ``executor``, any of :mod:`concurrent.futures` or one like it (Dask's
    ``client.get_executor()``), the runs are shared out in ``parts`` (by default, up to 256), which
    its workers run with so many ``threads`` each. They need this package, and ``file`` and ``out``
    by the same absolute paths. The parts lie in ``OUT.parts`` until all are done; then they are
    joined. The folder and its table are those of the command, but for the columns that say how
    long it took.

    A part that dies is run again, up to three times. A worker that takes the whole executor with
    it, as those of ProcessPoolExecutor do, needs an executor that can be made again: give a function
    that makes one, such as ``lambda: ProcessPoolExecutor(8)``. After Ctrl-C, or any error, the same
    call goes on with what is left.

    :param out: the folder. Default: ``sweeps/NAME``, as the command.
    :raises ValueError: if the file describes no sweep.
    :raises RuntimeError: if a part failed three times.
    """
    source = _Path(file).resolve()
    folder = _Path(out) if out is not None else _Path("sweeps") / source.stem
    folder = folder.resolve()
    if executor is None:
        _command("sweep", source, "--out", folder, "--quiet", may_fail=True)
        return Sweep(folder)
    planned = json.loads(_command("sweep", source, "--out", folder, "--dry-run", "--json"))
    place = folder.with_name(folder.name + ".parts")
    if planned["left"] == 0 and not place.exists():
        return Sweep(folder)
    number = min(len(planned["runs"]), _PARTS if parts is None else max(parts, 1))
    place.mkdir(parents=True, exist_ok=True)
    left = _Parts(source, place, number, threads)
    with _Bar(source.stem, 0, number, quiet, unit="part") as bar:
        _run_parts(left, executor, bar)
    _join(source, place, folder)
    return Sweep(folder)


def _run_parts(left: _Parts, executor: Executor, bar: _Bar) -> None:
    if not callable(executor):
        left.go(executor, bar)
        return
    while left.left:
        with executor() as made:
            try:
                left.go(made, bar)
            except futures.BrokenExecutor as error:
                # Whichever of them it was that took the workers along.
                for number in list(left.left):
                    left.failed(number, str(error))


def _join(source: _Path, place: _Path, folder: _Path) -> None:
    """Make the sweep's folder of those of its parts."""
    found = [path for path in sorted(place.iterdir()) if path.is_dir()]
    _command("sweep", "merge", *found, "--out", folder, "--quiet")
    for part in found:
        for saved in part.glob("runs/*"):
            place_there = folder / "runs" / saved.name
            if not place_there.exists():
                place_there.parent.mkdir(exist_ok=True)
                os.replace(saved, place_there)
    # Nothing is left to run but what failed; the table is that of the file.
    _command("sweep", source, "--out", folder, "--quiet", may_fail=True)
    shutil.rmtree(place)
