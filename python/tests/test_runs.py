"""Runs are those of the command line, their tables whole, and events what the soups say."""

from __future__ import annotations

import builtins
import importlib.util
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import broth

SETTINGS: dict[str, Any] = {"num": 128, "seed": 3, "log_interval": 8, "checkpoint_interval": 16}


def command(*words: str, cwd: Path) -> str:
    words = (sys.executable, "-m", "broth", *words)
    ran = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> broth.Run:
    out = tmp_path_factory.mktemp("runs") / "run"
    return broth.run(**SETTINGS, max_epochs=40, out=out, quiet=True)


def files(folder: Path) -> dict[str, bytes]:
    every = (path for path in folder.rglob("*") if path.is_file())
    found = {str(path.relative_to(folder)): path.read_bytes() for path in every}
    # It has times.
    del found["performance.csv"]
    return found


def test_a_run_is_that_of_the_command_line(run: broth.Run, tmp_path: Path) -> None:
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in SETTINGS.items()]
    command("run", "--quiet", "--max-epochs", "40", "--out", "run", *flags, cwd=tmp_path)
    assert files(run.path) == files(tmp_path / "run")
    assert run.epoch == 40 and run.settings["num"] == 128 and run.settings["seed"] == 3


def test_runs_go_where_the_command_puts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("bff-seed-18446744073709551615", "bff-seed-18446744073709551615-2"):
        made = broth.run("bff", grid=(8, 8), seed=2**64 - 1, max_epochs=2, no_picture=True)
        assert made.path == Path("runs") / name
        assert made.settings["grid"] == "8x8" and made.settings["seed"] == 2**64 - 1
    loaded = broth.run(load=made.path / "checkpoints/0000000002.dat", max_epochs=5, out="loaded")
    assert loaded.epoch == 5
    with pytest.raises(ValueError, match="began"):
        loaded.soup(1)


@pytest.mark.parametrize(
    ("settings", "told"),
    [({"num": 3}, "num"), ({"nun": 4}, "nun"), ({"max_epochs": 0}, "max_epochs"), ({"picture": False}, "picture")],
    ids=str,
)
def test_wrong_settings_make_no_run(
    settings: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=told):
        broth.run(**settings, out=tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


def test_a_run_goes_on_where_it_was_left(tmp_path: Path) -> None:
    parts = broth.run(**SETTINGS, max_epochs=10, out=tmp_path / "parts", quiet=True)
    parts = parts.resume(max_epochs=40, quiet=True)
    whole = broth.run(**SETTINGS, max_epochs=40, out=tmp_path / "whole", quiet=True, threads=1)
    assert parts.epoch == 40
    assert np.array_equal(parts.soup().programs, whole.soup().programs)
    metrics = [(made.path / "metrics.csv").read_bytes() for made in (parts, whole)]
    assert metrics[0] == metrics[1]
    with pytest.raises(ValueError, match="seed"):
        parts.resume(seed=4)
    with pytest.raises(ValueError):
        broth.run(out=parts.path, quiet=True)
    with pytest.raises(ValueError):
        broth.open(tmp_path)


def test_ctrl_c_ends_a_run_with_a_checkpoint(tmp_path: Path) -> None:
    code = (
        "import broth, signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "print('ready', flush=True)\n"
        "try:\n"
        "    broth.run(num=64, max_epochs=10**9, log_interval=10**8, out='run', quiet=True)\n"
        "except KeyboardInterrupt as interrupt:\n"
        "    run = broth.open('run')\n"
        "    print('broth.resume' in str(interrupt), run.epoch > 0)\n"
        "    print(run.resume(max_epochs=run.epoch + 5).epoch == run.epoch)\n"
        "try:\n"
        "    run.soup(10**9)\n"
        "except KeyboardInterrupt:\n"
        "    print('stopped')\n"
    )
    words = [sys.executable, "-c", code]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert child.stdout is not None and child.stdout.readline() == "ready\n"
    begun = time.monotonic()
    try:
        while not (tmp_path / "run/settings.toml").exists():
            assert time.monotonic() - begun < 60
            time.sleep(0.02)
        time.sleep(0.3)
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline() == "True True\n"
        assert child.stdout.readline() == "True\n"
        time.sleep(0.3)
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=30)
    finally:
        child.kill()
    assert out == "stopped\n" and child.returncode == 0


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_metrics_are_a_table_of_what_is_installed(run: broth.Run, library: str) -> None:
    if importlib.util.find_spec(library) is None:
        with pytest.raises(ImportError, match=library):
            run.table(library=library)
        return
    table = run.table(library=library)
    columns = table.column_names if library == "pyarrow" else list(table.columns)
    lines = (run.path / "metrics.csv").read_text().splitlines()
    assert columns == lines[0].split(",")
    epochs = table["epoch"].to_pylist() if library == "pyarrow" else list(table["epoch"])
    assert epochs == [1, 9, 17, 25, 33] == [int(line.split(",")[0]) for line in lines[1:]]


def test_a_row_that_is_being_written_is_left_out(run: broth.Run, tmp_path: Path) -> None:
    other = broth.run(num=64, seed=1, max_epochs=3, log_interval=1, out=tmp_path / "r", quiet=True)
    with (other.path / "metrics.csv").open("a") as file:
        file.write("99,0.1")
    assert len(other.table(library="pyarrow")) == 3
    with pytest.raises(ValueError, match="metrics or performance"):
        run.table("x")
    with pytest.raises(ValueError, match="pandas"):
        run.table(library="x")


def test_without_libraries_it_says_what_to_install(
    run: broth.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pandas or polars or pyarrow; install"):
        run.metrics
    for name in ("pyarrow",):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="pyarrow"):
        run.events(3, 4)


def test_soups_are_those_of_their_epochs(run: broth.Run) -> None:
    soup = broth.Soup(**{name: SETTINGS[name] for name in ("num", "seed")})
    for epoch in (0, 5, 16, 17, 40, 43):
        soup.step(epoch - soup.epoch)
        there = run.soup(epoch, quiet=True)
        assert isinstance(there, broth.Soup) and there.epoch == epoch
        if epoch:
            assert np.array_equal(there.programs, soup.programs)
    # It goes on, and the run stays as it is.
    there.step(2)
    soup.step(2)
    assert np.array_equal(there.programs, soup.programs)
    assert run.epoch == 40 and run.soup(quiet=True).epoch == 40


def test_events_are_what_soups_before_and_after_say(run: broth.Run) -> None:
    events = run.events(5, 9, quiet=True)
    assert events.num_rows == 4 * 64
    for epoch in range(5, 9):
        rows = {name: column.to_numpy() for name, column in zip(
            events.column_names, events.filter(
                np.asarray(events["epoch"]) == epoch).columns) if name != "ended"}
        for when, soup in (("before", run.soup(epoch)), ("after", run.soup(epoch + 1))):
            hashes, classes = soup.hashes(), soup.classes()
            for side in ("left", "right"):
                assert np.array_equal(rows[f"{side}_{when}"], hashes[rows[side]])
                assert np.array_equal(rows[f"{side}_class_{when}"], classes[rows[side]])
        programs, _ = run.soup(epoch).pairing(epoch)
        assert np.array_equal(rows["left"], programs[::2])
        assert np.array_equal(rows["right"], programs[1::2])
        tally = run.soup(epoch).step()
        assert rows["ops"].sum() == tally.ops and rows["steps"].sum() == tally.steps
    with pytest.raises(ValueError, match="7 or more"):
        run.events(6, 6)


def test_parquet_is_read_by_others_and_says_the_same(run: broth.Run, tmp_path: Path) -> None:
    import pyarrow.csv
    import pyarrow.parquet

    expected = run.events(2, 37, quiet=True)
    for name in ("events.parquet", "events.csv"):
        out = tmp_path / name
        words = ("events", str(run.path), "--quiet", "--from", "2", "--to", "37")
        command(*words, "--out", str(out), cwd=tmp_path)
        if name.endswith("csv"):
            types = {field.name: field.type for field in expected.schema if field.name != "ended"}
            convert = pyarrow.csv.ConvertOptions(column_types=types)
            read = pyarrow.csv.read_csv(out, convert_options=convert)
        else:
            read = pyarrow.parquet.read_table(out)
            assert read.schema.field("epoch").type == pyarrow.uint64()
            assert not read.schema.field("left").nullable
        assert read.column_names == expected.column_names
        for column in read.column_names:
            assert read[column].to_pylist() == expected[column].to_pylist(), column


def test_events_of_a_grid_lack_what_was_not_run(tmp_path: Path) -> None:
    run = broth.run(grid="9x8", radius=1, seed=2, max_epochs=4, out=tmp_path / "r", quiet=True)
    events = run.events(1, 4, quiet=True)
    missing = [column.null_count for column in (events["ops"], events["steps"], events["ended"])]
    assert missing[0] > 0 and len(set(missing)) == 1 and events["left"].null_count == 0
    assert events["ended"].to_pylist().count("step_limit") > 0


def test_batches_are_of_one_size_and_come_one_by_one(tmp_path: Path) -> None:
    out = tmp_path / "r"
    run = broth.run(num=2**15, max_steps=32, max_epochs=1, out=out, quiet=True, no_picture=True)
    with run.event_batches(0, 12, quiet=True) as reader:
        assert [batch.num_rows for batch in reader] == [2**17, 12 * 2**14 - 2**17]


def test_who_made_whom_is_answered_by_duckdb(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    program = broth.parse("[[{.>]-]" + " " * 48 + "]-]>.{[[", "bff_noheads")
    out = tmp_path / "alive"
    alive = broth.run(
        num=64, seed=7, initial_program=program, max_epochs=70, out=out, quiet=True
    )
    page = (Path(__file__).parents[2] / "docs/events.md").read_text()
    query = page.split("```sql\n")[1].split("```")[0]
    table = tmp_path / "events.parquet"
    words = ("events", str(out), "--quiet", "--from", "0", "--to", "70", "--out", str(table))
    command(*words, cwd=tmp_path)
    answer = duckdb.sql(query.replace("events-900-1000.parquet", str(table))).fetchall()
    found = {row[0]: row for row in answer}
    soup = broth.Soup(num=64, seed=7, initial_program=program)
    own = int(soup.classes()[0])
    made = found[own]
    # The planted program has made many of its class, from the first epoch on.
    assert answer[0] == made and made[1] > 300 and made[3] > 5 and made[4] == 0
    # By hand.
    events = alive.event_batches(0, 70, quiet=True)
    children = 0
    for batch in events:
        rows = batch.to_pydict()
        for i in range(batch.num_rows):
            left, right = (
                [rows[f"{side}_class_{when}"][i] for when in ("before", "after")]
                for side in ("left", "right")
            )
            if left[0] != right[0]:
                children += (left[0] == own == right[1]) + (right[0] == own == left[1])
    assert made[1] == children


def test_ancestry_is_that_of_the_command(run: broth.Run, tmp_path: Path) -> None:
    before = files(run.path)
    found = run.ancestry(program=3, epoch=20)
    out = str(tmp_path / "a.txt")
    words = ("ancestry", str(run.path), "--program", "3", "--epoch", "20", "--json", "--out", out)
    assert found == json.loads(command(*words, cwd=tmp_path))
    assert files(run.path) == before
    with pytest.raises(ValueError, match="no program that scores"):
        run.ancestry()


def test_figures_are_png_and_axes(run: broth.Run) -> None:
    for drawn in (run.figure(), run.figure(theme="light"), run.picture(), run.picture(epoch=17)):
        assert drawn.startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="theme"):
        run.figure(theme="blue")

    class Axes:
        lines: list[tuple[list[int], list[float], str]] = []

        def plot(self, x: list[int], y: list[float], label: str) -> None:
            self.lines.append((x, y, label))

        def set_xlabel(self, text: str) -> None:
            assert text == "epoch"

        def legend(self) -> None:
            pass

    axes = Axes()
    assert run.plot("byte_entropy", "brotli_bpb", ax=axes) is axes
    assert [line[2] for line in axes.lines] == ["byte_entropy", "brotli_bpb"]
    assert axes.lines[0][0] == [1, 9, 17, 25, 33] and axes.lines[0][1][0] > 7
    with pytest.raises(ValueError, match="no column"):
        run.plot("x", ax=axes)


def test_progress_is_a_bar_where_there_is_tqdm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import types

    seen: list[Any] = []

    class Bar:
        def __init__(self, **said: Any) -> None:
            seen.append(said["total"])

        def update(self, more: int) -> None:
            seen.append(more)

        def close(self) -> None:
            seen.append("closed")

    fake = types.ModuleType("tqdm.auto")
    fake.tqdm = Bar  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tqdm", types.ModuleType("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", fake)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: name == "tqdm" or find(name)
    )
    broth.run(num=64, max_epochs=30, out=tmp_path / "r")
    assert seen[0] == 30 and seen[-1] == "closed"
    assert sum(more for more in seen[1:-1]) == 30
    seen.clear()
    broth.run(num=64, max_epochs=3, out=tmp_path / "s", quiet=True)
    assert not seen
    assert builtins.open is not broth.open
