"""Soups."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, Union

import numpy as np
import numpy.typing as npt

from . import _broth
from ._broth import Measures, Tally

Path = Union[str, "os.PathLike[str]"]
Number = Union[int, str]
_Self = TypeVar("_Self", bound="Soup")


def _flags(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings as the command line has them, without those that are not set."""
    given = {name: value for name, value in settings.items() if value is not None}
    if not isinstance(given.get("grid", ""), str):
        width, height = given["grid"]
        given["grid"] = f"{width}x{height}"
    program = given.get("initial_program")
    if isinstance(program, bytes):
        given["initial_program"] = _broth.text(program, given.get("lang", "bff_noheads"))
    return given


@dataclass(frozen=True)
class State:
    """A soup as it was after some epoch, which keeps however the soup goes on."""

    #: The soup that it is of, which may have gone on.
    soup: Soup
    #: Epochs done.
    epoch: int
    #: The programs, uint8 of shape (num, program_len), read-only.
    programs: npt.NDArray[np.uint8]
    #: What the epochs since the state before came to.
    tally: Tally


class Soup(_broth.Soup):
    """A soup of programs, by the names and defaults of ``broth run``.

    What its programs are is a function of the settings, the seed and the number of epochs done;
    engine and threads change nothing. Numbers may be text as on the command line, such as
    ``num="131k"`` or ``mutation_prob="1/4096"``.

    :param lang: what the bytes mean; see :func:`languages`. Default ``bff_noheads``.
    :param num: number of programs, even. Default 131072.
    :param seed: seed of every random stream, below 2^64. Default 0.
    :param mutation_prob: chance of each byte to mutate before an interaction. Default 1/4096.
    :param max_steps: steps after which an interaction ends. Default: the language's.
    :param world: ``pairs``, ``zff`` or ``long-tape``. Default ``pairs``.
    :param head_offset: on a long tape, how far ahead the second head starts.
    :param tape_bytes: bytes of a long tape, instead of ``num``.
    :param grid: ``"WIDTHxHEIGHT"`` or a pair of numbers: programs meet neighbours on a grid.
    :param radius: how many rows and columns away a neighbour may be. Default 2.
    :param torus: join opposite edges of the grid.
    :param fixed_shuffle: pairs in turns that repeat; ``num`` must be a power of two.
    :param no_permute_programs: neighbours by index.
    :param interaction_pattern: who may meet whom: a file, or pairs of program and neighbour, of
        shape (n, 2).
    :param zero_init: start, and restart, from zeros.
    :param initial_program: program text or bytes at the start of one program.
    :param initial_index: the index of that program. Default 0.
    :param reset_interval: start afresh after each epoch divisible by this.
    :param engine: ``auto``, ``reference``, ``interpreter`` or ``jit``.
    :param no_closed_forms: run loops step by step, which is slower.
    :param jit_cache_mib: most MiB of native code.
    :param load: a checkpoint to start from, of broth or of cubff; without a sidecar beside it,
        ``lang`` must be given.
    :param threads: threads of its own; by default all soups of a process share one for each core.
    :raises ValueError: if the settings describe no soup, or not that of the checkpoint.
    :raises OSError: if a file cannot be read.
    """

    def __new__(
        cls: type[_Self],
        lang: str | None = None,
        *,
        num: Number | None = None,
        seed: Number | None = None,
        mutation_prob: float | str | None = None,
        max_steps: Number | None = None,
        world: str | None = None,
        head_offset: Number | None = None,
        tape_bytes: Number | None = None,
        grid: str | tuple[int, int] | None = None,
        radius: Number | None = None,
        torus: bool = False,
        fixed_shuffle: bool = False,
        no_permute_programs: bool = False,
        interaction_pattern: Path | npt.ArrayLike | None = None,
        zero_init: bool = False,
        initial_program: str | bytes | None = None,
        initial_index: Number | None = None,
        reset_interval: Number | None = None,
        engine: str | None = None,
        no_closed_forms: bool = False,
        jit_cache_mib: Number | None = None,
        load: Path | None = None,
        threads: int | None = None,
    ) -> _Self:
        pattern = None
        if interaction_pattern is not None and not isinstance(
            interaction_pattern, (str, os.PathLike)
        ):
            entries = np.asarray(interaction_pattern)
            if entries.ndim != 2 or entries.shape[1] != 2 or entries.dtype.kind not in "iu":
                raise ValueError(
                    f"`interaction_pattern` of shape {entries.shape} and type {entries.dtype}; "
                    "choose pairs of program numbers, of shape (n, 2)"
                )
            if entries.size and not (0 <= entries.min() and entries.max() < 2**32):
                raise ValueError("`interaction_pattern`: program numbers are 0 to 2^32 - 1")
            pattern = [(int(one), int(other)) for one, other in entries.tolist()]
            interaction_pattern = None
        values: dict[str, Any] = {
            "lang": lang,
            "num": num,
            "seed": seed,
            "mutation_prob": mutation_prob,
            "max_steps": max_steps,
            "world": world,
            "head_offset": head_offset,
            "tape_bytes": tape_bytes,
            "grid": grid,
            "radius": radius,
            "torus": torus or None,
            "fixed_shuffle": fixed_shuffle or None,
            "no_permute_programs": no_permute_programs or None,
            "interaction_pattern": interaction_pattern,
            "zero_init": zero_init or None,
            "initial_program": initial_program,
            "initial_index": initial_index,
            "reset_interval": reset_interval,
            "engine": engine,
            "no_closed_forms": no_closed_forms or None,
            "jit_cache_mib": jit_cache_mib,
        }
        place = None if load is None else os.fspath(load)
        return super().__new__(cls, _flags(values), place, threads, pattern)

    @classmethod
    def _of_run(
        cls: type[_Self],
        path: Path,
        epoch: int | None,
        threads: int | None,
        progress: Callable[[int], object] | None,
    ) -> _Self:
        return super().__new__(cls, {}, None, threads, None, (path, epoch, progress))

    @classmethod
    def load(cls: type[_Self], path: Path, lang: str | None = None, **settings: Any) -> _Self:
        """The soup that a checkpoint holds: short for ``Soup(load=path, …)``."""
        return cls(lang, load=path, **settings)

    def run(self, epochs: int | None = None, every: int = 16) -> Iterator[State]:
        """Go on for so many epochs, or for ever; yield the state after every ``every`` of them.

        The last state comes after the last epoch, even if fewer lie before it.

        >>> [state.epoch for state in Soup(num=64).run(epochs=40)]
        [16, 32, 40]
        """
        if every < 1:
            raise ValueError(f"`every` {every}: choose 1 or more")
        left = epochs
        while left is None or left > 0:
            stretch = every if left is None else min(every, left)
            tally = self.step(stretch)
            if left is not None:
                left -= stretch
            yield State(self, self.epoch, self.programs, tally)

    def __repr__(self) -> str:
        settings = self.settings
        return (
            f"Soup({settings['lang']!r}, num={settings['num']}, seed={settings['seed']}, "
            f"epoch={self.epoch})"
        )

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a soup cannot be pickled; save it, and load it where it is needed")
