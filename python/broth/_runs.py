"""Runs in their folders, as tables."""

from __future__ import annotations

import csv
import importlib
import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path as _Path
from types import TracebackType
from typing import Any

from . import _broth
from ._soup import Path, Soup, _flags

#: Rows of a batch of events.
_BATCH = 1 << 17
#: What tables are made with, the first that is installed.
_LIBRARIES = ("pandas", "polars", "pyarrow")


class _Bar:
    """A progress bar: tqdm's, as a notebook or a terminal shows it, where tqdm is installed."""

    def __init__(
        self, what: str, first: int, last: int, quiet: bool, unit: str = "epoch"
    ) -> None:
        self._bar: Any = None
        self._at = first
        if not quiet and importlib.util.find_spec("tqdm") is not None:
            tqdm = importlib.import_module("tqdm.auto").tqdm
            self._bar = tqdm(total=last, initial=first, desc=what, unit=unit, leave=False)

    def __call__(self, epoch: int) -> None:
        if self._bar is not None:
            self._bar.update(epoch - self._at)
        self._at = epoch

    def __enter__(self) -> _Bar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()


def _library(name: str | None) -> str:
    if name is not None and name not in _LIBRARIES:
        raise ValueError(f"`library` {name!r}: choose one of {', '.join(_LIBRARIES)}")
    for library in _LIBRARIES if name is None else (name,):
        if importlib.util.find_spec(library) is not None:
            return library
    wanted = " or ".join(_LIBRARIES) if name is None else name
    raise ImportError(f"tables are made with {wanted}; install it with pip")


def _pyarrow() -> Any:
    try:
        return importlib.import_module("pyarrow")
    except ImportError:
        raise ImportError("events are Arrow tables; install pyarrow with pip") from None


def _command(*words: str | _Path, may_fail: bool = False) -> str:
    """What a command prints; what is wrong with its words is a ValueError. Ctrl-C lets it come to
    its end. With ``may_fail``, exit code 1 is none."""
    line = [sys.executable, "-m", "broth", *map(str, words)]
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        try:
            out, said = child.communicate()
        except KeyboardInterrupt:
            # A notebook is told alone.
            child.send_signal(signal.SIGINT)
            child.communicate()
            raise
    if child.returncode != 0 and not (may_fail and child.returncode == 1):
        kind = ValueError if child.returncode == 2 else RuntimeError
        raise kind(said.strip().removeprefix("broth: "))
    return out


def _read_csv(path: _Path, library: str | None) -> Any:
    """A table, but for a row that is being written at the moment."""
    library = _library(library)
    text = path.read_bytes()
    whole = io.BytesIO(text[: text.rfind(b"\n") + 1])
    if library == "pandas":
        return importlib.import_module("pandas").read_csv(whole)
    if library == "polars":
        return importlib.import_module("polars").read_csv(whole, infer_schema_length=None)
    return importlib.import_module("pyarrow.csv").read_csv(whole)


class Run:
    """A run in its folder, finished or going on; nothing here changes it but :meth:`resume`.

    :param path: the folder that ``broth run`` or :func:`broth.run` made.
    :raises ValueError: if there is no run.
    """

    def __init__(self, path: Path) -> None:
        #: The folder.
        self.path = _Path(path)
        _broth.run_epochs(self.path)

    @property
    def settings(self) -> dict[str, Any]:
        """What the run was told, by the names of :func:`broth.run`'s arguments."""
        settings = _broth.run_settings(self.path)
        settings["seed"] = int(settings.get("seed", 0))
        return settings

    @property
    def epoch(self) -> int:
        """Epochs done at the newest checkpoint; without any, when the run began."""
        begun, newest = _broth.run_epochs(self.path)
        return begun if newest is None else newest

    @property
    def metrics(self) -> Any:
        """The table of measures, a row for each log point: see :meth:`table`."""
        return self.table("metrics")

    @property
    def performance(self) -> Any:
        """The table of speeds, a row for each log point: see :meth:`table`."""
        return self.table("performance")

    def table(self, name: str = "metrics", library: str | None = None) -> Any:
        """``metrics`` or ``performance``, by ``library``: ``pandas``, ``polars`` or ``pyarrow``;
        by the first of them that is installed, if it is not given.

        docs/run-folders.md lists the columns and their units. A row that a run is writing at the
        moment is left out. Raises ImportError where the library is not installed.
        """
        if name not in ("metrics", "performance"):
            raise ValueError(f"`name` {name!r}: choose metrics or performance")
        return _read_csv(self.path / f"{name}.csv", library)

    def soup(self, epoch: int | None = None, *, threads: int | None = None, quiet: bool = False) -> Soup:
        """The soup after so many epochs, or at the newest checkpoint.

        It is recomputed from the nearest checkpoint before, and may be one that the run has not
        come to yet. Ctrl-C ends that. Raises ValueError if the run began later.
        """
        last = self.epoch if epoch is None else epoch
        with _Bar("recomputing", 0, last, quiet) as bar:
            return Soup._of_run(self.path, epoch, threads, bar)

    def event_batches(
        self,
        from_epoch: int,
        to_epoch: int | None = None,
        *,
        threads: int | None = None,
        quiet: bool = False,
    ) -> Any:
        """Every interaction between the soups after ``from_epoch`` and ``to_epoch`` epochs (by
        default, the newest checkpoint), as a pyarrow.RecordBatchReader, which holds a batch of
        131,072 rows at a time. DuckDB, polars and pandas read it.

        docs/events.md lists the columns. Raises ValueError if there is no such stretch or the soup
        is a long tape, ImportError if pyarrow is not installed.
        """
        arrow = _pyarrow()
        events = _broth.Events(self.path, from_epoch, to_epoch, threads)
        schema = _schema(arrow)
        batches = _batches(arrow, schema, events, quiet)
        return arrow.RecordBatchReader.from_batches(schema, batches)

    def events(
        self,
        from_epoch: int,
        to_epoch: int | None = None,
        *,
        threads: int | None = None,
        quiet: bool = False,
    ) -> Any:
        """As :meth:`event_batches`, all in memory: a pyarrow.Table."""
        reader = self.event_batches(from_epoch, to_epoch, threads=threads, quiet=quiet)
        return reader.read_all()

    def ancestry(self, program: int | None = None, epoch: int | None = None) -> dict[str, Any]:
        """The line of descent of a program as it is after so many epochs; without a program, of
        the run's first replicator. As ``broth ancestry --json`` has it: docs/json.md.

        Raises ValueError if there is no such program, or no replicator.
        """
        words = ["--first-replicator"] if program is None else ["--program", str(program)]
        if epoch is not None:
            words += ["--epoch", str(epoch)]
        with tempfile.TemporaryDirectory() as folder:
            out = _Path(folder) / "ancestry.txt"
            said = _command("ancestry", self.path, "--quiet", "--json", "--out", out, *words)
        found: dict[str, Any] = json.loads(said)
        return found

    def figure(self, theme: str = "dark") -> bytes:
        """The charts of ``broth plot``, as PNG. ``theme`` is ``dark`` or ``light``."""
        return self._drawn("plot", "--theme", theme)

    def picture(self, epoch: int | None = None) -> bytes:
        """The soup at a checkpoint, by default the newest, as ``broth picture`` draws it: PNG."""
        return self._drawn("picture", *([] if epoch is None else ["--epoch", str(epoch)]))

    def _drawn(self, *words: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            out = _Path(folder) / "drawn.png"
            _command(*words, self.path, "--out", out)
            return out.read_bytes()

    def plot(self, *columns: str, ax: Any = None) -> Any:
        """Draw columns of :attr:`metrics` over epochs (by default, high-order entropy) on
        matplotlib axes, new ones if none are given; answers with the axes.

        Raises ValueError if there is no such column, ImportError if matplotlib is not installed.
        """
        columns = columns or ("high_order_entropy",)
        text = (self.path / "metrics.csv").read_text()
        rows = list(csv.DictReader(text[: text.rfind("\n") + 1].splitlines()))
        for column in columns:
            if rows and column not in rows[0]:
                raise ValueError(f"no column {column!r}; there are {', '.join(rows[0])}")
        if ax is None:
            _, ax = importlib.import_module("matplotlib.pyplot").subplots()
        epochs = [int(row["epoch"]) for row in rows]
        for column in columns:
            ax.plot(epochs, [float(row[column] or "nan") for row in rows], label=column)
        ax.set_xlabel("epoch")
        ax.legend()
        return ax

    def resume(
        self, *, threads: int | None = None, quiet: bool = False, **changes: Any
    ) -> Run:
        """Go on from the newest checkpoint, as ``broth run --resume``: short for
        :func:`broth.resume`."""
        return resume(self.path, threads=threads, quiet=quiet, **changes)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, epoch={self.epoch})"


def _schema(arrow: Any) -> Any:
    wide, number = arrow.uint64(), arrow.uint32()
    fields = [("epoch", wide), ("pair", number), ("left", number), ("right", number)]
    for kind in ("", "class_"):
        for when in ("before", "after"):
            fields += [(f"{side}_{kind}{when}", wide) for side in ("left", "right")]
    fields += [("mutations", number), ("ops", number), ("steps", number)]
    fields.append(("ended", arrow.dictionary(arrow.int8(), arrow.string())))
    optional = ("ops", "steps", "ended")
    return arrow.schema(
        [arrow.field(name, kind, nullable=name in optional) for name, kind in fields]
    )


def _batches(arrow: Any, schema: Any, events: _broth.Events, quiet: bool) -> Iterator[Any]:
    endings = arrow.array(_broth.endings())
    with _Bar("recomputing", 0, events.to_epoch, quiet) as bar:
        while (columns := events.next_batch(_BATCH, bar)) is not None:
            arrays = []
            for name, (values, is_missing) in columns.items():
                array = arrow.array(values, mask=is_missing)
                if name == "ended":
                    array = arrow.DictionaryArray.from_arrays(array, endings)
                arrays.append(array)
            yield arrow.record_batch(arrays, schema=schema)


def _go(run: _broth.Run, quiet: bool) -> Run:
    told: Callable[[int], object]
    with _Bar(run.path.name, run.epoch, run.max_epochs, quiet) as told:
        try:
            run.go(told)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"a checkpoint was written; go on by broth.resume({str(run.path)!r})"
            ) from None
    return Run(run.path)


def run(
    lang: str | None = None,
    *,
    out: Path | None = None,
    load: Path | None = None,
    threads: int | None = None,
    quiet: bool = False,
    **settings: Any,
) -> Run:
    """Run a soup and keep its records in a run folder, as ``broth run`` does; answers with the run.

    Settings have the names of the command's flags, with underscores: those of :class:`Soup`, and
    ``max_epochs``, ``log_interval``, ``checkpoint_interval``, ``keep``, ``eval_selfrep``,
    ``stop_high_order_entropy``, … The folder is the same, byte for byte, but for performance.csv.

    :param out: the folder to make. Default: a new one below ``runs``.
    :param load: a checkpoint to start from.
    :param threads: threads of its own; by default those that all soups share.
    :param quiet: no progress bar. There is one where tqdm is installed.
    :raises ValueError: if the settings describe no run, or the folder is there already.
    :raises KeyboardInterrupt: after Ctrl-C, once a checkpoint is written: :func:`resume` goes on.
    """
    given = _flags({"lang": lang, **settings})
    return _go(_broth.Run(given, load=load, out=out, resume=None, threads=threads), quiet)


def resume(
    path: Path, *, threads: int | None = None, quiet: bool = False, **changes: Any
) -> Run:
    """Go on with a run from its newest checkpoint, as ``broth run --resume`` does.

    ``changes`` are settings that a run may change on its way, such as ``max_epochs``. Raises
    ValueError for others, and where another process writes to the folder.
    """
    made = _broth.Run(_flags(changes), load=None, out=None, resume=path, threads=threads)
    return _go(made, quiet)


def open(path: Path) -> Run:
    """The run in the folder ``path``: its tables, soups at any epoch, ancestry and events."""
    return Run(os.fspath(path))
