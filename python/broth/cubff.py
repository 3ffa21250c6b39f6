"""cubff's Python module, by broth's engines.

What is here has the names, meaning, order and types of the module that cubff builds with
``PYTHON=1``, so that its scripts run unchanged::

    python -m broth.cubff cubff_example.py           # runs a script, whatever it imports cubff by
    python -m broth.cubff --install path/to/cubff    # writes bin/cubff.py, which imports this

It differs where cubff has a bug or ends the process: what is wrong raises ValueError; text goes
through ``sys.stdout``, in the order in which it is printed; scores and resets reach all programs,
where cubff leaves out those behind the last multiple of 32.
"""

from __future__ import annotations

import array
import os
import runpy
import struct
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Optional, Union, cast, overload

import numpy as np
import numpy.typing as npt

import broth

kSelfrepThreshold = 5
_LEN = 64
_RESET = "\x1b[0;38:5:35;48:5:232m"
_MAX_STEPS = 8192
_M64 = 2**64 - 1


class VectorUint8(bytearray):
    """Bytes, with slices of the same type."""

    @overload  # type: ignore[override]
    def __getitem__(self, index: slice) -> VectorUint8: ...
    @overload
    def __getitem__(self, index: int) -> int: ...
    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return VectorUint8(found) if isinstance(index, slice) else found

    def __repr__(self) -> str:
        return f"VectorUint8[{', '.join(map(str, self))}]"


class VectorUint32(array.array):  # type: ignore[type-arg]
    """Numbers below 2^32, with slices of the same type."""

    def __new__(cls, numbers: Iterable[int] = ()) -> VectorUint32:
        return cast(VectorUint32, super().__new__(cls, "I", list(numbers)))

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return VectorUint32(found) if isinstance(index, slice) else found

    def __repr__(self) -> str:
        return f"VectorUint32[{', '.join(map(str, self))}]"


class SimulationParams:
    """What a simulation goes by."""

    def __init__(self) -> None:
        #: Number of programs, even.
        self.num_programs = 128 * 1024
        #: Seed of every random stream.
        self.seed = 0
        #: Chance of a byte to mutate, in units of 2^-30.
        self.mutation_prob = 1 << 18
        #: Start afresh after each epoch divisible by this.
        self.reset_interval: Optional[int] = None
        #: A checkpoint to start from, which says how many programs there are.
        self.load_from: Optional[str] = None
        #: A folder for checkpoints.
        self.save_to: Optional[str] = None
        #: Epochs from one callback to the next.
        self.callback_interval = 128
        #: Epochs from one checkpoint to the next; those with a callback count.
        self.save_interval = 0
        #: Whether anybody may meet anybody.
        self.permute_programs = True
        #: Pairs in turns that repeat.
        self.fixed_shuffle = False
        #: Start from zeros.
        self.zero_init = False
        #: For each program those that it may meet, if there are any lists.
        self.allowed_interactions: Sequence[Sequence[int]] = []
        #: Whether programs are scored at callbacks.
        self.eval_selfrep = False


class SimulationState:
    """A soup at a callback; it may be kept."""

    elapsed_s: float
    total_ops: int
    mops_s: float
    epoch: int
    ops_per_run: float
    brotli_size: int
    brotli_bpb: float
    bytes_per_prog: float
    h0: float
    higher_entropy: float
    frequent_bytes: list[tuple[str, float]]
    uncommon_bytes: list[tuple[str, float]]

    def __init__(self, soup: broth.Soup, scores: npt.NDArray[np.uint8] | None) -> None:
        self._of = soup
        self._programs = soup.programs
        self._scores = scores
        self.epoch = soup.epoch

    @cached_property
    def soup(self) -> VectorUint8:
        """The programs' bytes, one program behind the other."""
        return VectorUint8(self._programs.tobytes())

    @cached_property
    def shuffle_idx(self) -> VectorUint32:
        """The programs of each pair of the last epoch, in turn."""
        vector = VectorUint32()
        vector.frombytes(self._of.pairing(self.epoch - 1)[0].tobytes())
        return vector

    @cached_property
    def replication_per_prog(self) -> list[int]:
        """The score of each program; 0 where they were not asked for."""
        if self._scores is None:
            return [0] * len(self._programs)
        return cast("list[int]", self._scores.tolist())


def _float(number: float) -> float:
    """In single precision, as cubff has it."""
    return float(np.float32(number))


def _mix(state: int) -> int:
    z = (state + 0x9E3779B97F4A7C15) & _M64
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & _M64
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & _M64
    return z ^ z >> 31


def _other_signs() -> list[str]:
    """A sign for each byte that is no command: letters of one width."""
    signs = [chr(0x100 + byte) for byte in range(256)]
    signs[0xC4:0xCD] = "ABCDEFGHI"
    signs[0xF1:0xF4] = "JKL"
    return signs


_SIGNS = _other_signs()
_COMMANDS = "[]+-.,<>{}"


class _Bff:
    """How a dialect of BFF is written and shown."""

    def __init__(self, commands: dict[int, str], nulls: Iterable[int], has_heads: bool) -> None:
        self.commands = commands
        self.nulls = set(nulls)
        self.has_heads = has_heads
        # Of several bytes for a command the last.
        self.bytes = {sign: byte for byte, sign in sorted(commands.items())}
        self.bytes["0"] = max(self.nulls, default=0)
        for sign in _COMMANDS:
            self.bytes.setdefault(sign, 0)
        for byte, sign in enumerate(_SIGNS):
            self.bytes.setdefault(sign, byte)

    def parse(self, text: str) -> bytes:
        unknown = [sign for sign in text if sign not in self.bytes]
        if unknown:
            raise ValueError(f"Invalid BFF program, {unknown[0]!r} not recognized: {text}")
        return bytes(self.bytes[sign] for sign in text)

    def sign(self, byte: int) -> str:
        return self.commands.get(byte) or ("0" if byte in self.nulls else _SIGNS[byte])

    def heads(self, tape: bytes) -> list[int]:
        return [tape[0] % 128, tape[1] % 128] if self.has_heads and len(tape) > 1 else [128, 128]

    def shown(self, byte: int, place: int, pc: int, marks: Sequence[int]) -> str:
        colour = 255 if byte in self.commands else 88 if byte in self.nulls else 237
        backgrounds = zip([*marks[:2], pc], [27, 196, 34])
        behind = "".join(f"\x1b[48:5:{code}m" for at, code in backgrounds if at == place)
        return f"\x1b[38:5:{colour}m{behind}{self.sign(byte)}{_RESET}"


class _Hex:
    """How other languages are written."""

    def parse(self, text: str) -> bytes:
        try:
            if any(sign.isspace() for sign in text):
                raise ValueError
            return bytes.fromhex(text)
        except ValueError:
            raise ValueError(f"{text!r} is not made of pairs of hex digits") from None

    def sign(self, byte: int) -> str:
        return f"{byte:02X}"

    def heads(self, tape: bytes) -> list[int]:
        return [128, 128, 128]


class _Forth(_Hex):
    def __init__(self, colours: Sequence[int]) -> None:
        self.colours = colours

    def shown(self, byte: int, place: int, pc: int, marks: Sequence[int]) -> str:
        behind = "\x1b[48:5:22m" if place == pc else ""
        sign = self.sign(byte)
        if byte >= 64:
            number = byte & 63
            if byte < 128:
                colour, what = 255, f"Const{number}"
            elif byte & 64:
                colour, what = 221, f"Jmp-{number + 1}"
            else:
                colour, what = 117, f"Jmp+{number + 1}"
            sign = f"\x1b]8;;{place}{what}\x1b\\{sign}\x1b]8;;\x1b\\"
        else:
            colour = self.colours[byte] if byte < len(self.colours) else 237
        return f"{behind}\x1b[38:5:{colour}m{sign}{_RESET}"


class _Subleq(_Hex):
    def __init__(self, own: int, length: int, colours: Sequence[tuple[int, int]]) -> None:
        self.own, self.length, self.colours = own, length, colours

    def shown(self, byte: int, place: int, pc: int, marks: Sequence[int]) -> str:
        codes = [self.own] if pc <= place < pc + self.length else []
        codes += [code for mark, code in self.colours if marks[mark] == place]
        before = "".join(f"\x1b[{code};1m" for code in codes)
        return f"{before}{self.sign(byte)}" + ("\x1b[;m" if codes else "")


def _writings() -> dict[str, Union[_Bff, _Forth, _Subleq]]:
    ascii_ = {ord(sign): sign for sign in _COMMANDS}
    permuted = dict(zip([9, 10, 5, 6, 7, 8, 1, 2, 3, 4], _COMMANDS))
    nibbles = {
        high + low: sign
        for high in range(0, 256, 16)
        for low, sign in zip(range(6, 16), _COMMANDS)
    }
    stack = [255] * 8
    forth = [112, 112, 207, 207, *stack]
    return {
        "bff": _Bff(ascii_, [0], True),
        "bff8": _Bff(ascii_, [0], True),
        "bff8_noheads": _Bff(ascii_, [0], False),
        "bff_noheads": _Bff(ascii_, [0], False),
        "bff_noheads_4bit": _Bff(nibbles, range(0, 256, 16), False),
        "bff_perm": _Bff(permuted, [0], True),
        "bff_selfmove": _Bff(dict(enumerate("><+-,[]")), [], True),
        "forth": _Forth(forth),
        "forthcopy": _Forth([112, 207, 141, 196, *stack]),
        "forthtrivial": _Forth([*forth, 141, 141]),
        "forthtrivial_reset": _Forth([*forth, 141, 141]),
        "rsubleq4": _Subleq(33, 4, [(2, 34), (1, 32), (0, 31)]),
        "subleq": _Subleq(32, 3, [(0, 34), (1, 31)]),
    }


_WRITINGS = _writings()


class LanguageInterface:
    """A language; made by :func:`GetLanguage`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._writing = _WRITINGS[name]

    def Parse(self, program: str) -> VectorUint8:
        """The bytes of a program text."""
        return VectorUint8(self._writing.parse(program))

    def _show(
        self,
        tape: bytes,
        pc: int,
        separators: Sequence[int] = (),
        marks: Sequence[int] | None = None,
        stack: bytes | None = None,
    ) -> None:
        writing = self._writing
        marks = writing.heads(tape) if marks is None else marks
        separators = list(separators)
        parts = []
        for place, byte in enumerate(tape):
            if separators and separators[0] == place:
                parts.append("   ")
                del separators[0]
            parts.append(writing.shown(byte, place, pc, marks))
        if stack is not None:
            parts.append("   " + "".join(f"{byte:02X} " for byte in stack))
        sys.stdout.write("".join(parts) + "\n")

    def PrintProgram(
        self, pc_pos: int, program: bytes | bytearray, separators: Sequence[int]
    ) -> None:
        """Print bytes in colours, with gaps before the places in ``separators``."""
        self._show(bytes(program), pc_pos, separators)

    def RunSingleProgram(self, program: str, stepcount: int, debug: bool) -> None:
        """Run a program text, beside zeros; print the tape before and after."""
        self.RunSingleParsedProgram(self.Parse(program), stepcount, debug)

    def RunSingleParsedProgram(
        self, parsed: bytes | bytearray, stepcount: int, debug: bool
    ) -> None:
        """As RunSingleProgram, of bytes; with ``debug`` print the tape before each step."""
        tape = bytes(parsed).ljust(2 * _LEN, b"\0")
        run = broth.exec(
            tape, self._name, max_steps=min(stepcount, 2**32 - 1), trace=debug
        )
        self._show(tape, 2 * _LEN)
        if run.trace is not None:
            for row in run.trace:
                stack = bytes(row["stack"][: row["stack_len"]])
                is_forth = isinstance(self._writing, _Forth)
                marks = row["marks"].tolist()
                self._show(bytes(row["tape"]), int(row["pc"]), (), marks, stack if is_forth else None)
        sys.stdout.write(f"{_RESET}ops: {run.ops}\n\n")
        self._show(run.after.tobytes(), 2 * _LEN)

    def EvalSelfrep(self, program: str, epoch: int, seed: int, debug: bool) -> int:
        """The replicator score of a program text."""
        return self.EvalParsedSelfrep(self.Parse(program), epoch, seed, debug)

    def EvalParsedSelfrep(
        self, parsed: bytes | bytearray, epoch: int, seed: int, debug: bool
    ) -> int:
        """The replicator score of a program; with ``debug`` print every tape."""
        score = broth.score(bytes(parsed), self._name, epoch=epoch, seed=seed)
        if debug:
            self._print_generations(bytes(parsed).ljust(_LEN, b"\0"), epoch, seed)
        return score

    def _print_generations(self, program: bytes, epoch: int, seed: int) -> None:
        stream = _mix(_mix(_mix(seed) ^ _mix(epoch)))
        for partner in range(13):
            places = range((partner + 1) * _LEN, (partner + 2) * _LEN)
            noise = bytes(_mix(stream ^ _mix(place)) & 255 for place in places)
            left = program
            for generation in range(1, 6):
                step = "first step" if generation == 1 else f"step {generation}"
                tape = left + noise
                sys.stdout.write(f"Iteration {partner}: before {step}\n")
                self._show(tape, 2 * _LEN, [_LEN])
                after = broth.exec(tape, self._name, max_steps=_MAX_STEPS).after.tobytes()
                sys.stdout.write(f"Iteration {partner}: after {step}\n")
                self._show(after, 2 * _LEN, [_LEN])
                left = after[_LEN:]

    def RunSimulation(
        self,
        params: SimulationParams,
        initial_program: str | None,
        callback: Callable[[SimulationState], bool],
    ) -> None:
        """Run a soup until ``callback``, which sees its states, answers with True."""
        if params.callback_interval < 1:
            raise ValueError(f"callback_interval {params.callback_interval}: choose 1 or more")
        if params.save_to is not None:
            if params.save_interval < 1:
                raise ValueError("save_to needs a save_interval of 1 or more")
            os.makedirs(params.save_to, exist_ok=True)
        soup, reset_index = self._soup(params, initial_program)
        num = len(soup.programs)
        first = soup.epoch
        total_ops = ops = runs = 0
        begun = since = time.perf_counter()
        while True:
            # The next epoch with a callback, counted from 0, is the last of this stretch.
            epoch = -(-soup.epoch // params.callback_interval) * params.callback_interval
            tally = soup.step(epoch + 1 - soup.epoch)
            now = time.perf_counter()
            ops, runs = tally.ops, tally.interactions
            total_ops += ops
            state = SimulationState(soup, soup.scores() if params.eval_selfrep else None)
            measures = soup.measures()
            state.elapsed_s = _float(now - begun)
            state.total_ops = total_ops
            state.mops_s = _float(ops / max(now - since, 1e-6) * 1e-6)
            state.ops_per_run = _float(ops / runs) if runs else float("nan")
            state.brotli_size = measures.brotli_size
            state.brotli_bpb = _float(measures.brotli_bpb)
            state.bytes_per_prog = _float(measures.brotli_size / num)
            state.h0 = _float(measures.byte_entropy)
            state.higher_entropy = measures.high_order_entropy
            counts = measures.counts.tolist()
            order = sorted(range(256), key=lambda byte: (counts[byte], byte), reverse=True)
            shares = [
                (self._writing.sign(byte), _float(counts[byte] / (num * _LEN))) for byte in order
            ]
            state.frequent_bytes, state.uncommon_bytes = shares[:16], shares[-16:]
            if params.save_to is not None and epoch % params.save_interval == 0:
                every = params.reset_interval
                resets = 0 if not every else -(-epoch // every) - -(-first // every)
                header = struct.pack("<QQQ", reset_index + resets, num, epoch + 1)
                path = os.path.join(params.save_to, f"{epoch:010}.dat")
                Path(path).write_bytes(header + state._programs.tobytes())
            if callback(state):
                break
            since = time.perf_counter()

    def _soup(
        self, params: SimulationParams, initial_program: str | None
    ) -> tuple[broth.Soup, int]:
        """The soup that a simulation begins with, and the number of its next reset."""
        settings: dict[str, Any] = {
            "seed": params.seed,
            "mutation_prob": min(params.mutation_prob / 2**30, 1.0),
            "zero_init": params.zero_init,
            "reset_interval": params.reset_interval,
        }
        allowed = params.allowed_interactions
        if len(allowed) > 0:
            pairs = [(i, j) for i, others in enumerate(allowed) for j in others]
            settings["interaction_pattern"] = np.array(pairs, np.int64).reshape(-1, 2)
        elif not params.permute_programs:
            settings["no_permute_programs"] = True
        else:
            settings["fixed_shuffle"] = params.fixed_shuffle
        if params.load_from is not None:
            header = Path(params.load_from).read_bytes()[:24]
            # Without what broth may know of it beside it: cubff goes by the parameters alone.
            with tempfile.TemporaryDirectory() as folder:
                link = os.path.join(folder, "soup.dat")
                os.symlink(os.path.abspath(params.load_from), link)
                soup = broth.Soup(self._name, load=link, **settings)
            return soup, int(struct.unpack("<QQQ", header)[0])
        soup = broth.Soup(self._name, num=params.num_programs, **settings)
        if initial_program is not None:
            initial = np.frombuffer(self._writing.parse(initial_program), np.uint8)
            programs = soup.programs.copy()
            if len(initial) > programs.size:
                raise ValueError("the initial program is longer than the soup")
            programs.reshape(-1)[: len(initial)] = initial
            soup.write(programs)
        return soup, 1


def GetLanguage(language: str) -> LanguageInterface:
    """The language of this name, one of cubff's thirteen."""
    if language not in _WRITINGS:
        raise ValueError(f"Unknown language `{language}`; available: {', '.join(_WRITINGS)}")
    return LanguageInterface(language)


def ResetColors() -> None:
    """Set the colours that programs are printed on."""
    sys.stdout.write(_RESET)
    sys.stdout.flush()


def _install(folder: Path) -> Path:
    """Write the module that cubff's scripts import into cubff's folder."""
    shim = folder / "bin" / "cubff.py"
    if not shim.parent.is_dir():
        raise SystemExit(f"{folder} has no folder bin; name the folder of cubff's sources")
    shim.write_text("from broth.cubff import *\n")
    return shim


def _main(words: list[str]) -> None:
    module = sys.modules["broth.cubff"]
    if len(words) == 2 and words[0] == "--install":
        print(f"wrote {_install(Path(words[1]))}")
        return
    if not words or words[0].startswith("-"):
        raise SystemExit(
            "usage: python -m broth.cubff SCRIPT [ARGUMENT]...\n"
            "       python -m broth.cubff --install FOLDER-OF-CUBFF"
        )
    package = types.ModuleType("bin")
    setattr(package, "cubff", module)
    sys.modules.update({"cubff": module, "bin": package, "bin.cubff": module})
    sys.argv = words
    # As where Python itself runs the script.
    sys.path[0] = os.path.dirname(os.path.abspath(words[0]))
    runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    import broth.cubff

    broth.cubff._main(sys.argv[1:])
