"""Single tapes, program text, and the command."""

import subprocess
import sys

import numpy as np
import pytest

import broth

COPIER = "[[{.>]-]" + " " * 48 + "]-]>.{[["


def test_a_tape_is_run_alike_by_every_engine() -> None:
    runs = [broth.exec(COPIER, engine=engine) for engine in ("auto", "reference", "interpreter")]
    for run in runs:
        assert np.array_equal(run.after, runs[0].after)
        assert (run.ops, run.steps, run.ended) == (runs[0].ops, runs[0].steps, runs[0].ended)
        assert run.before.shape == (128,) and run.trace is None
    # It copies itself over its neighbour, backwards.
    assert np.array_equal(runs[0].after[64:][::-1], runs[0].after[:64])


def test_a_trace_has_a_row_for_each_step() -> None:
    run = broth.exec("+>+", max_steps=3, trace=True)
    trace = run.trace
    assert trace is not None and len(trace) == run.steps == 3
    assert trace["pc"].tolist() == [0, 1, 2]
    assert trace["marks"].tolist() == [[0, 0, -1], [0, 0, -1], [1, 0, -1]]
    assert trace["tape"][:, 0].tolist() == [ord("+"), ord("+") + 1, ord("+") + 1]
    assert run.after[1] == ord(">") + 1
    stack = broth.exec("41 42 0A".replace(" ", ""), "forth", max_steps=3, trace=True).trace
    assert stack is not None
    assert stack["stack_len"].tolist() == [0, 1, 2] and stack["stack"][2, :2].tolist() == [1, 2]
    cpu = broth.exec("3E05", "z80", max_steps=1, trace=True).trace
    assert cpu is not None and cpu["note"][0] and cpu["tape"].shape == (1, 64)


def test_two_programs_make_a_tape() -> None:
    right = np.arange(64, dtype=np.uint8)
    run = broth.exec(b"\x01", right=right, max_steps=1)
    assert run.before[0] == 1 and np.array_equal(run.before[64:], right)
    with pytest.raises(ValueError, match="uint8"):
        broth.exec(np.zeros(3))  # type: ignore[arg-type]
    for tape in (bytes(129), "x"):
        with pytest.raises(ValueError):
            broth.exec(tape)
    with pytest.raises(ValueError, match="`program`"):
        broth.exec(bytes(65), right=b"")
    with pytest.raises(ValueError, match="unknown engine"):
        broth.exec(b"", engine="fast")


@pytest.mark.parametrize("lang", broth.languages())
def test_text_reads_back(lang: str) -> None:
    program = bytes(range(0, 256, 4))
    assert broth.parse(broth.text(program, lang), lang) == program


def test_scores_are_those_of_lone_programs() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "broth", "selfrep", "--lang", "bff_noheads", COPIER],
        capture_output=True,
        text=True,
        timeout=60,
    )
    score = broth.score(broth.parse(COPIER, "bff_noheads"), "bff_noheads")
    assert score > 48 and str(score) in told.stdout, told.stderr
    assert broth.score(b"", "bff") == 0
    with pytest.raises(ValueError):
        broth.score(bytes(65), "bff")


def test_the_command_answers_with_its_exit_code() -> None:
    for words, code in [(["languages"], 0), (["--version"], 0), (["exec", "--no"], 2)]:
        ran = subprocess.run(
            [sys.executable, "-m", "broth", *words], capture_output=True, text=True, timeout=60
        )
        assert ran.returncode == code, ran.stderr
        if words == ["--version"]:
            assert ran.stdout.split() == ["broth", broth.__version__]
