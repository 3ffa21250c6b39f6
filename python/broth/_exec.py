"""Single tapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Union

import numpy as np
import numpy.typing as npt

from . import _broth

Program = Union[bytes, bytearray, str, "npt.NDArray[np.uint8]"]


@dataclass(frozen=True)
class Execution:
    """What the run of a tape came to."""

    #: The language's name.
    lang: str
    #: The tape before, uint8 of shape (2 * program_len,).
    before: npt.NDArray[np.uint8]
    #: The tape after, likewise.
    after: npt.NDArray[np.uint8]
    #: Steps other than no-ops.
    ops: int
    #: Steps: characters read, no-ops included (subleq family: instructions).
    steps: int
    #: Why it ended: ``step_limit``, ``left_tape``, ``unmatched_bracket``, ``stack_overflow`` or
    #: ``halted``.
    ended: str
    #: Where the run stood before each step, if it was asked for; see :func:`exec`.
    trace: npt.NDArray[np.void] | None


def _bytes(program: Program, lang: str) -> bytes:
    if isinstance(program, str):
        return _broth.parse(program, lang)
    if isinstance(program, np.ndarray):
        if program.dtype != np.uint8:
            raise ValueError(f"`program`: an array of {program.dtype}; choose one of uint8")
        return program.tobytes()
    return bytes(program)


def exec(
    program: Program,
    lang: str = "bff_noheads",
    *,
    right: Program | None = None,
    max_steps: int | None = None,
    engine: str = "auto",
    trace: bool = False,
) -> Execution:
    """Run a tape, as ``broth exec`` does.

    ``program`` is program text, or bytes: a whole tape, or the left program where ``right`` gives
    the other. Zeros fill what is missing. ``max_steps`` is the language's own limit if it is
    not given; ``engine`` is ``auto``, ``reference``, ``interpreter`` or ``jit``.

    With ``trace`` the reference engine runs the tape, and ``trace`` of the result is a structured
    array with a row for each step, as it was before the step: ``pc``; ``marks``, three places that
    the step may touch (heads or operands; -1 where there is none); ``tape``; ``stack_len`` and
    ``stack`` (Forth family); ``note`` (CPUs: the instruction and the registers).

    Raises ValueError if the language or the engine is not known, the text is no program, or the
    tape is too long.

    >>> run = exec("[[{.>]-]", trace=True)
    >>> run.ended, run.steps, run.trace["pc"][:3].tolist()
    ('step_limit', 8192, [0, 1, 2])
    """
    tape = _bytes(program, lang)
    if right is not None:
        program_len = len(_broth.execute(b"", lang, 0, "auto", False)[0]) // 2
        if len(tape) > program_len:
            raise ValueError(
                f"`program` has {len(tape)} bytes; programs of {lang} have {program_len}"
            )
        tape = tape.ljust(program_len, b"\0") + _bytes(right, lang)
    after, ops, steps, ended, columns = _broth.execute(tape, lang, max_steps, engine, trace)
    before = np.zeros_like(after)
    before[: len(tape)] = np.frombuffer(tape, np.uint8)
    rows = None if columns is None else _trace(columns)
    return Execution(lang, before, after, ops, steps, ended, rows)


def _trace(columns: Any) -> npt.NDArray[np.void]:
    pc, marks, tapes, stack_len, stacks, notes = columns
    longest = max(map(len, notes), default=0)
    rows = np.zeros(
        len(pc),
        dtype=[
            ("pc", np.uint16),
            ("marks", np.int16, (3,)),
            ("tape", np.uint8, (tapes.shape[1],)),
            ("stack_len", np.uint8),
            ("stack", np.uint8, (stacks.shape[1],)),
            ("note", f"U{max(longest, 1)}"),
        ],
    )
    rows["pc"], rows["marks"], rows["tape"] = pc, marks, tapes
    rows["stack_len"], rows["stack"], rows["note"] = stack_len, stacks, notes
    return rows
