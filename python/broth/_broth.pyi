import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
import numpy.typing as npt
from typing_extensions import Buffer, Self, disjoint_base

__all__ = [
    "Events",
    "Group",
    "Measures",
    "Run",
    "Soup",
    "Tally",
    "__version__",
    "command",
    "endings",
    "execute",
    "languages",
    "parse",
    "run_epochs",
    "run_settings",
    "score",
    "text",
]

__version__: str

def command(words: Sequence[str]) -> int: ...

def languages() -> list[str]: ...

def text(program: Buffer, lang: str) -> str: ...

def parse(text: str, lang: str) -> bytes: ...

def execute(
    tape: Buffer, lang: str, max_steps: int | None, engine: str, trace: bool
) -> tuple[npt.NDArray[np.uint8], int, int, str, tuple[Any, ...] | None]: ...

def score(program: Buffer, lang: str, *, epoch: int = 0, seed: int = 0) -> int: ...

def run_settings(path: str | os.PathLike[str]) -> dict[str, Any]: ...

def run_epochs(path: str | os.PathLike[str]) -> tuple[int, int | None]: ...

def endings() -> list[str]: ...

@final
class Run:
    def __new__(
        cls,
        given: dict[str, Any],
        *,
        load: str | os.PathLike[str] | None,
        out: str | os.PathLike[str] | None,
        resume: str | os.PathLike[str] | None,
        threads: int | None,
    ) -> Self: ...
    def go(self, progress: Callable[[int], object] | None = None) -> str: ...

    @property
    def path(self) -> Path: ...

    @property
    def epoch(self) -> int: ...

    @property
    def max_epochs(self) -> int: ...

@final
class Events:
    def __new__(
        cls,
        path: str | os.PathLike[str],
        from_epoch: int,
        to_epoch: int | None,
        threads: int | None,
    ) -> Self: ...
    def next_batch(
        self, most: int, progress: Callable[[int], object] | None = None
    ) -> dict[str, tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]] | None: ...

    @property
    def from_epoch(self) -> int: ...

    @property
    def to_epoch(self) -> int: ...

@disjoint_base
class Soup:
    def __new__(
        cls,
        given: dict[str, Any],
        load: str | os.PathLike[str] | None,
        threads: int | None,
        pattern: Sequence[tuple[int, int]] | None,
        of_run: tuple[str | os.PathLike[str], int | None, Callable[[int], object] | None]
        | None = None,
    ) -> Self: ...
    def step(self, epochs: int = 1) -> Tally: ...

    @property
    def epoch(self) -> int: ...

    @property
    def programs(self) -> npt.NDArray[np.uint8]: ...

    def set_program(self, index: int, program: Buffer) -> None: ...

    def write(self, programs: npt.NDArray[np.uint8]) -> None: ...

    def measures(self) -> Measures: ...

    def scores(self) -> npt.NDArray[np.uint8]: ...

    def census(self, most: int = 20, by_class: bool = False) -> list[Group]: ...

    def hashes(self) -> npt.NDArray[np.uint64]: ...

    def classes(self) -> npt.NDArray[np.uint64]: ...

    def families(self, most: int = 8) -> npt.NDArray[np.int16]: ...

    def native(self) -> dict[str, int]: ...

    def pairing(self, epoch: int) -> tuple[npt.NDArray[np.uint32], int]: ...

    def save(self, path: str | os.PathLike[str]) -> None: ...

    @property
    def settings(self) -> dict[str, Any]: ...

    @property
    def threads(self) -> int: ...

@final
class Measures:

    @property
    def counts(self) -> npt.NDArray[np.uint64]: ...

    @property
    def byte_entropy(self) -> float: ...

    @property
    def brotli_size(self) -> int: ...

    @property
    def brotli_bpb(self) -> float: ...

    @property
    def high_order_entropy(self) -> float: ...

    @property
    def is_alive(self) -> bool: ...

@final
class Tally:

    @property
    def interactions(self) -> int: ...

    @property
    def ops(self) -> int: ...

    @property
    def steps(self) -> int: ...

    @property
    def ended(self) -> dict[str, int]: ...

    @property
    def native_ops(self) -> int: ...

    @property
    def native_steps(self) -> int: ...

@final
class Group:

    @property
    def count(self) -> int: ...

    @property
    def index(self) -> int: ...

    @property
    def program(self) -> bytes: ...

    @property
    def text(self) -> str: ...

    @property
    def mirrored(self) -> int: ...
