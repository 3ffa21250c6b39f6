"""A sweep on an executor is that of the command, whoever dies on the way."""

from __future__ import annotations

import csv
import multiprocessing
import os
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

import broth
from broth import _sweeps

FILE = """
seeds = "1-2"
[settings]
num = 64
max-epochs = 20
checkpoints = "last"
[vary]
mutation-prob = [0, "1/4096"]
"""
part = _sweeps._part


def processes() -> Executor:
    return ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork"))


def rows(sweep: broth.Sweep) -> list[dict[str, str]]:
    with (sweep.path / "results.csv").open() as file:
        found = list(csv.DictReader(file))
    for row in found:
        for column in ("seconds", "engine", "version"):
            del row[column]
    return found


def names(sweep: broth.Sweep) -> set[str]:
    return {str(path.relative_to(sweep.path)) for path in sweep.path.rglob("*")}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(FILE)
    return path


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> broth.Sweep:
    path = tmp_path_factory.mktemp("plain") / "small.toml"
    path.write_text(FILE)
    return broth.sweep(path, out=path.parent / "plain")


def test_processes_make_the_folder_of_the_command(file: Path, plain: broth.Sweep) -> None:
    with processes() as executor:
        shared = broth.sweep(file, executor=executor, out=file.parent / "shared", quiet=True)
        # Nothing is left to do.
        again = broth.sweep(file, executor=executor, out=shared.path, quiet=True)
    assert rows(shared) == rows(plain) == rows(again) and len(rows(plain)) == 4
    assert names(shared) == names(plain)
    assert len(shared.table("pyarrow")) == 4
    saved = list(plain.path.glob("runs/*/*.dat"))
    assert len(saved) == 4
    for path in saved:
        assert (shared.path / path.relative_to(plain.path)).read_bytes() == path.read_bytes()
    assert not (file.parent / "shared.parts").exists()


def dies_once(file: str, out: str, number: int, parts: int, threads: int) -> tuple[int, str]:
    mark = Path(file).with_name(f"died-{number}")
    if number == 2 and not mark.exists():
        mark.touch()
        os._exit(9)
    return part(file, out, number, parts, threads)


def test_a_worker_that_dies_is_repeated(
    file: Path, plain: broth.Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_sweeps, "_part", dies_once)
    shared = broth.sweep(file, executor=processes, out=file.parent / "shared", parts=2, quiet=True)
    assert (file.parent / "died-2").exists()
    assert rows(shared) == rows(plain) and names(shared) == names(plain)
    # An executor that cannot be made again says so, and the same call goes on.
    (file.parent / "died-2").unlink()
    out = file.parent / "other"
    with processes() as executor, pytest.raises(BrokenExecutor):
        broth.sweep(file, executor=executor, out=out, parts=2, quiet=True)
    with processes() as executor:
        shared = broth.sweep(file, executor=executor, out=out, parts=2, quiet=True)
    assert rows(shared) == rows(plain)


def test_a_part_that_dies_is_repeated_and_given_up_in_the_end(
    file: Path, plain: broth.Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    died: list[int] = []

    def fails(times: int) -> None:
        def one(file: str, out: str, number: int, parts: int, threads: int) -> tuple[int, str]:
            if number == 1 and len(died) < times:
                died.append(number)
                return (-9, "")
            return part(file, out, number, parts, threads)

        monkeypatch.setattr(_sweeps, "_part", one)

    out = file.parent / "shared"
    with ThreadPoolExecutor(2) as executor:
        fails(3)
        with pytest.raises(RuntimeError, match="part 1 of 2 failed 3 times"):
            broth.sweep(file, executor=executor, out=out, parts=2, quiet=True)
        assert (file.parent / "shared.parts").exists()
        died.clear()
        fails(2)
        shared = broth.sweep(file, executor=executor, out=out, parts=2, quiet=True)
    assert len(died) == 2
    assert rows(shared) == rows(plain) and names(shared) == names(plain)


def test_an_interrupted_sweep_goes_on(
    file: Path, plain: broth.Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(
        file: str, out: str, number: int, parts: int, threads: int
    ) -> tuple[int, str]:
        if number == 2:
            raise KeyboardInterrupt
        return part(file, out, number, parts, threads)

    out = file.parent / "shared"
    monkeypatch.setattr(_sweeps, "_part", interrupted)
    with ThreadPoolExecutor(1) as executor:
        with pytest.raises(KeyboardInterrupt):
            broth.sweep(file, executor=executor, out=out, parts=2, quiet=True)
        assert (file.parent / "shared.parts/1-of-2/results.csv").exists()
        assert not out.exists()
        monkeypatch.setattr(_sweeps, "_part", part)
        file.write_text(FILE.replace("1-2", "1-3"))
        shared = broth.sweep(file, executor=executor, out=out, parts=3, quiet=True)
    known = [row["key"] for row in rows(plain)]
    found = rows(shared)
    assert len(found) == 6 and set(known) < {row["key"] for row in found}


def test_what_is_no_sweep_is_refused(file: Path) -> None:
    file.write_text("seeds = 3\nx = 2\n")
    for executor in (None, ThreadPoolExecutor(1)):
        with pytest.raises(ValueError, match="small.toml"):
            broth.sweep(file, executor=executor, out=file.parent / "out")
    with pytest.raises(ValueError, match="none.toml"):
        broth.sweep(file.with_name("none.toml"))
