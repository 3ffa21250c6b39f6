"""Soups from Python are those of the command line, and safe to look at while they change."""

from __future__ import annotations

import gc
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import broth


def sha256(soup: broth.Soup) -> str:
    return hashlib.sha256(soup.programs.tobytes()).hexdigest()


def command(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    words = (sys.executable, "-m", "broth", *words)
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=120)


# Settings as flags, and as arguments.
SETTINGS: list[dict[str, object]] = [
    {"lang": lang, "num": 256, "seed": seed}
    for seed, lang in enumerate(
        lang for lang in broth.languages() if not lang.startswith(("z80", "i8080", "forthrel"))
    )
] + [
    {"num": 256, "seed": 2**64 - 1, "grid": "32x8", "radius": 1},
    {"num": 256, "grid": "16x16", "torus": True},
    {"num": 256, "fixed_shuffle": True},
    {"num": 256, "no_permute_programs": True, "mutation_prob": 0.01},
    {"num": 256, "zero_init": True, "max_steps": 100},
    {"num": 256, "reset_interval": 4, "engine": "reference"},
    {"num": 256, "initial_program": "[[{.>]-]", "initial_index": 7},
    {"num": "2^8", "engine": "interpreter", "no_closed_forms": True},
    {"lang": "z80", "num": 256},
    {"lang": "z80", "world": "zff", "seed": 1},
    {"world": "long-tape", "lang": "i8080", "tape_bytes": 4096},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_soups_are_those_of_the_command_line(settings: dict[str, object], tmp_path: Path) -> None:
    flags = []
    for name, value in settings.items():
        flag = "--" + name.replace("_", "-")
        flags += [flag] if value is True else [flag, str(value)]
    ran = command("run", "--quiet", "--max-epochs", "9", "--out", "run", *flags, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    soup = broth.Soup(**settings)  # type: ignore[arg-type]
    soup.step(4)
    soup.step(5)
    saved = tmp_path / "run" / "checkpoints" / "0000000009.dat"
    assert soup.programs.tobytes() == saved.read_bytes()[24:]
    loaded = broth.Soup.load(saved)
    assert loaded.epoch == 9
    loaded.step(3)
    soup.step(3)
    assert np.array_equal(loaded.programs, soup.programs)


def test_a_view_takes_no_copy_and_stays_as_it_is() -> None:
    soup = broth.Soup(num=512, seed=3)
    first, again = soup.programs, soup.programs
    assert first.shape == (512, 64) and first.dtype == np.uint8
    assert first.ctypes.data == again.ctypes.data and not first.flags.owndata
    before = first.copy()
    soup.step(3)
    assert np.array_equal(first, before) and not np.array_equal(soup.programs, before)
    # Nobody looks any more: the soup stays where it is.
    at = soup.programs.ctypes.data
    soup.step()
    assert soup.programs.ctypes.data == at
    # The soup's own memory outlives it.
    last = soup.programs
    expected = last.copy()
    del soup
    gc.collect()
    others = [broth.Soup(num=512, seed=seed) for seed in range(20)]
    assert np.array_equal(last, expected) and len(others) == 20


def test_a_view_can_not_be_written_to() -> None:
    view = broth.Soup(num=64).programs
    for array in [view, view[3:], view.reshape(-1)]:
        with pytest.raises(ValueError):
            array[0] = 1
        with pytest.raises(ValueError):
            array.setflags(write=True)


def test_a_large_soup_is_seen_without_a_copy() -> None:
    def resident() -> int:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    if not Path("/proc/self/statm").exists():
        pytest.skip("the system does not tell")
    soup = broth.Soup(num=2**20)
    before = resident()
    views = [soup.programs for _ in range(50)]
    assert sum(int(view[-1, -1]) for view in views) == 50 * int(views[0][-1, -1])
    assert resident() - before < 2**24


def test_programs_are_written_by_a_method_alone() -> None:
    soup = broth.Soup(num=64, seed=1)
    kept = soup.programs
    soup.set_program(5, b"x" * 64)
    assert soup.programs[5].tobytes() == b"x" * 64 and kept[5].tobytes() != b"x" * 64
    soup.write(soup.programs[::-1])
    assert soup.programs[64 - 1 - 5].tobytes() == b"x" * 64
    for index, program in [(64, b"x" * 64), (0, b"x")]:
        with pytest.raises(ValueError):
            soup.set_program(index, program)
    with pytest.raises(ValueError, match="shape"):
        soup.write(np.zeros((64, 63), np.uint8))
    with pytest.raises(TypeError):
        soup.write(np.zeros((64, 64), np.uint16))  # type: ignore[arg-type]


def test_measures_and_scores_are_those_of_the_command_line(tmp_path: Path) -> None:
    soup = broth.Soup(num=1024, seed=5)
    program = broth.parse("[[{.>]-]" + " " * 48 + "]-]>.{[[", "bff_noheads")
    soup.step(40)
    soup.set_program(0, program)
    soup.save(tmp_path / "soup.dat")
    told = command("selfrep", "--checkpoint", "soup.dat", "--scores", "scores.txt", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    scores, measures = soup.scores(), soup.measures()
    assert scores.tolist() == [int(line) for line in (tmp_path / "scores.txt").open()]
    assert scores.shape == (1024,) and scores.dtype == np.uint8 and scores.max() > 48
    counts = np.bincount(soup.programs.reshape(-1), minlength=256)
    assert np.array_equal(measures.counts, counts)
    share = counts[counts > 0] / counts.sum()
    assert measures.byte_entropy == pytest.approx(-(share * np.log2(share)).sum())
    assert measures.brotli_bpb == measures.brotli_size * 8 / soup.programs.size
    entropy = np.float32(measures.byte_entropy - measures.brotli_bpb)
    assert measures.high_order_entropy == entropy
    assert measures.is_alive == (entropy > 3)
    run = ("run", "--quiet", "--num", "1024", "--seed", "5", "--max-epochs", "33", "--out", "r")
    assert command(*run, "--eval-selfrep", "--log-interval", "32", cwd=tmp_path).returncode == 0
    lines = (tmp_path / "r/metrics.csv").read_text().split()
    row = dict(zip(lines[0].split(","), lines[-1].split(",")))
    same = broth.Soup(num=1024, seed=5)
    same.step(33)
    assert float(row["high_order_entropy"]) == pytest.approx(same.measures().high_order_entropy, abs=1e-6)
    assert int(row["number_selfreps"]) == (same.scores() >= 5).sum()


def test_the_census_counts_programs_and_classes() -> None:
    soup = broth.Soup(num=64, seed=2)
    programs = soup.programs.copy()
    programs[10:20] = programs[3]
    programs[20] = programs[3]
    programs[20, 0] = 1 if programs[3, 0] != 1 else 2
    soup.write(programs)
    group = soup.census(1)[0]
    assert (group.count, group.index, group.program) == (11, 3, programs[3].tobytes())
    assert broth.parse(group.text, "bff_noheads") == group.program
    hashes, classes = soup.hashes(), soup.classes()
    assert (hashes == hashes[3]).sum() == 11 and hashes.dtype == np.uint64
    assert len(np.unique(classes)) <= len(np.unique(hashes)) == 54
    assert soup.census(1, by_class=True)[0].count == (classes == classes[3]).sum()
    assert (soup.families() == 0).sum() >= 11


def test_run_yields_states_that_keep() -> None:
    soup = broth.Soup(num=128, seed=4)
    states = list(soup.run(epochs=40, every=16))
    assert [state.epoch for state in states] == [16, 32, 40]
    twin = broth.Soup(num=128, seed=4)
    for state in states:
        tally = twin.step(state.epoch - twin.epoch)
        assert np.array_equal(state.programs, twin.programs)
        assert (state.tally.ops, state.tally.ended) == (tally.ops, tally.ended)
        assert sum(tally.ended.values()) == tally.interactions
    endless = broth.Soup(num=64).run(every=2)
    assert [next(endless).epoch for _ in range(3)] == [2, 4, 6]
    with pytest.raises(ValueError, match="every"):
        next(soup.run(every=0))


def test_a_checkpoint_is_that_of_cubff(tmp_path: Path) -> None:
    soup = broth.Soup(num=64, seed=9)
    soup.step(5)
    path = tmp_path / "a.dat"
    soup.save(path)
    header = np.frombuffer(path.read_bytes()[:24], "<u8")
    assert header.tolist() == [1, 64, 5]
    assert path.read_bytes()[24:] == soup.programs.tobytes()
    (tmp_path / "a.toml").unlink()
    with pytest.raises(ValueError, match="sidecar"):
        broth.Soup.load(path)
    assert np.array_equal(broth.Soup.load(path, "bff_noheads", seed=9).programs, soup.programs)
    with pytest.raises(FileNotFoundError):
        broth.Soup.load(tmp_path / "none.dat", "bff")
    with pytest.raises(OSError):
        soup.save(tmp_path / "none" / "a.dat")


def test_a_pattern_may_be_an_array() -> None:
    pairs = np.array([(i, i ^ 1) for i in range(64)])
    soup = broth.Soup(num=64, interaction_pattern=pairs)
    programs, run = soup.pairing(0)
    assert run == 32 and np.array_equal(np.sort(programs), np.arange(64))
    assert np.array_equal(programs[::2] ^ 1, programs[1::2])
    for wrong in [[1, 2], [(0, 64)], [(0, -1)], [(0.5, 1)]]:
        with pytest.raises(ValueError):
            broth.Soup(num=64, interaction_pattern=wrong)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"num": 3}, "`num` 3"),
        ({"lang": "bf"}, "unknown language"),
        ({"seed": -1}, "`seed`"),
        ({"seed": 2**64}, "`seed`"),
        ({"mutation_prob": 1.5}, "`mutation_prob`"),
        ({"threads": 0}, "`threads`"),
        ({"grid": (3, 5), "num": 16}, "`grid`"),
    ],
    ids=str,
)
def test_wrong_settings_are_value_errors(settings: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        broth.Soup(**settings)  # type: ignore[arg-type]


def test_settings_are_told() -> None:
    soup = broth.Soup("bff", num=64, seed=2**64 - 1, threads=1)
    assert soup.settings["lang"] == "bff" and soup.settings["seed"] == 2**64 - 1
    assert (soup.settings["num"], soup.threads) == (64, 1)
    assert repr(soup) == f"Soup('bff', num=64, seed={2**64 - 1}, epoch=0)"


def test_threads_may_share_a_soup_and_step_several() -> None:
    shared = broth.Soup(num=2048, seed=1, threads=1)
    stop = threading.Event()
    looks = []

    def look() -> None:
        while not stop.is_set():
            view = shared.programs
            looks.append((hashlib.sha256(view).hexdigest(), view))

    looker = threading.Thread(target=look)
    looker.start()
    others = [broth.Soup(num=2048, seed=seed) for seed in (2, 3)]
    steppers = [threading.Thread(target=soup.step, args=(40,)) for soup in (shared, shared, *others)]
    for thread in steppers:
        thread.start()
    for thread in steppers:
        thread.join()
    stop.set()
    looker.join()
    assert shared.epoch == 80 and all(soup.epoch == 40 for soup in others)
    # What was seen is what is there, and states between epochs.
    assert all(hashlib.sha256(view).hexdigest() == seen for seen, view in looks[:: len(looks) // 50 + 1])
    for soup, seed, epochs in [(shared, 1, 80), (others[0], 2, 40), (others[1], 3, 40)]:
        alone = broth.Soup(num=2048, seed=seed)
        alone.step(epochs)
        assert sha256(alone) == sha256(soup)


def test_a_forked_process_has_threads_of_its_own() -> None:
    code = (
        "import broth, multiprocessing as m, os\n"
        "broth.Soup(num=64).step(2)\n"
        "def go(seed):\n"
        "    soup = broth.Soup(num=64, seed=seed)\n"
        "    soup.step(3)\n"
        "    return soup.epoch\n"
        "with m.get_context('fork').Pool(2) as pool:\n"
        "    print(pool.map(go, range(4)))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.stdout.strip() == "[3, 3, 3, 3]", ran.stderr


def test_ctrl_c_ends_a_long_step() -> None:
    code = (
        "import broth, signal\n"
        # Whatever runs the tests may ignore it.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "soup = broth.Soup(num=256)\n"
        "print('ready', flush=True)\n"
        "try:\n"
        "    soup.step(10**12)\n"
        "except KeyboardInterrupt:\n"
        "    print(soup.epoch > 0, soup.step().interactions)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "ready\n"
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    try:
        out, _ = child.communicate(timeout=30)
    finally:
        child.kill()
    assert out == "True 128\n" and child.returncode == 0


def test_a_soup_is_not_pickled() -> None:
    import pickle

    with pytest.raises(TypeError, match="save it"):
        pickle.dumps(broth.Soup(num=64))
