"""cubff's module: its names, order and types."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import broth
from broth import cubff


def states(params: cubff.SimulationParams, stop: int, lang: str = "bff_noheads") -> list[cubff.SimulationState]:
    seen: list[cubff.SimulationState] = []

    def callback(state: cubff.SimulationState) -> bool:
        seen.append(state)
        return state.epoch > stop

    cubff.GetLanguage(lang).RunSimulation(params, None, callback)
    return seen


def small(**changes: object) -> cubff.SimulationParams:
    params = cubff.SimulationParams()
    params.num_programs = 256
    params.callback_interval = 4
    for name, value in changes.items():
        assert hasattr(params, name)
        setattr(params, name, value)
    return params


def test_callbacks_come_after_the_first_epoch_and_each_interval() -> None:
    seen = states(small(seed=7), 12)
    assert [state.epoch for state in seen] == [1, 5, 9, 13]
    soup = broth.Soup(num=256, seed=7)
    total = 0
    for state in seen:
        tally = soup.step(state.epoch - soup.epoch)
        total += tally.ops
        assert state.soup == soup.programs.tobytes()
        assert state.total_ops == total
        assert state.ops_per_run == np.float32(tally.ops / tally.interactions)
        assert state.brotli_size == soup.measures().brotli_size
        assert state.shuffle_idx.tolist() == soup.pairing(state.epoch - 1)[0].tolist()
        assert state.replication_per_prog == [0] * 256
        shares = [share for _, share in state.frequent_bytes + state.uncommon_bytes]
        assert len(shares) == 32 and shares == sorted(shares, reverse=True)


def test_states_have_the_types_of_cubff() -> None:
    state = states(small(eval_selfrep=True), 0)[0]
    assert isinstance(state.soup, cubff.VectorUint8) and isinstance(state.soup[3:5], cubff.VectorUint8)
    assert isinstance(state.shuffle_idx, cubff.VectorUint32)
    assert isinstance(state.shuffle_idx[:2], cubff.VectorUint32)
    soup = broth.Soup(num=256)
    soup.step()
    assert state.replication_per_prog == soup.scores().tolist()
    for number in (state.h0, state.higher_entropy, state.brotli_bpb, state.bytes_per_prog):
        assert float(np.float32(number)) == number
    assert repr(cubff.VectorUint8(b"\1\2")) == "VectorUint8[1, 2]"
    assert repr(cubff.VectorUint32([1, 2])) == "VectorUint32[1, 2]"
    assert cubff.kSelfrepThreshold == 5


@pytest.mark.parametrize(
    "changes",
    [
        {"permute_programs": False},
        {"fixed_shuffle": True},
        {"zero_init": True, "mutation_prob": 1 << 24},
        {"allowed_interactions": [cubff.VectorUint32([i ^ 1]) for i in range(256)]},
        {"reset_interval": 4},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_parameters_mean_what_settings_do(changes: dict[str, object]) -> None:
    settings: dict[str, object] = {
        "permute_programs": {"no_permute_programs": True},
        "fixed_shuffle": {"fixed_shuffle": True},
        "zero_init": {"zero_init": True, "mutation_prob": 1 / 64},
        "allowed_interactions": {"interaction_pattern": [(i, i ^ 1) for i in range(256)]},
        "reset_interval": {"reset_interval": 4},
    }[next(iter(changes))]
    last = states(small(**changes), 8)[-1]
    soup = broth.Soup(num=256, **settings)  # type: ignore[arg-type]
    soup.step(9)
    assert last.epoch == 9 and last.soup == soup.programs.tobytes()


def test_checkpoints_are_saved_and_loaded(tmp_path: Path) -> None:
    params = small(save_to=str(tmp_path / "saved"), save_interval=8, reset_interval=8, seed=3)
    seen = states(params, 16)
    assert sorted(path.name for path in (tmp_path / "saved").iterdir()) == [
        "0000000000.dat",
        "0000000008.dat",
        "0000000016.dat",
    ]
    saved = (tmp_path / "saved" / "0000000008.dat").read_bytes()
    assert struct.unpack("<QQQ", saved[:24]) == (2, 256, 9)
    assert saved[24:] == next(state.soup for state in seen if state.epoch == 9)
    loaded = states(small(load_from=str(tmp_path / "saved" / "0000000008.dat"), seed=3), 0)
    # Its last reset is forgotten, as by cubff.
    assert [state.epoch for state in loaded] == [13]
    with pytest.raises(ValueError, match="save_interval"):
        states(small(save_to=str(tmp_path / "saved")), 0)


def test_an_initial_program_comes_first() -> None:
    seen: list[bytes] = []
    params = small(mutation_prob=0)
    language = cubff.GetLanguage("bff_noheads")

    def callback(state: cubff.SimulationState) -> bool:
        seen.append(bytes(state.soup))
        return True

    language.RunSimulation(params, "A" * 100, callback)
    assert seen[0].count(0xC4) >= 90


def test_program_text_is_that_of_cubff() -> None:
    bff = cubff.GetLanguage("bff")
    assert bff.Parse("0[]+-.,<>{}A\u0101") == b"\0[]+-.,<>{}\xc4\x01"
    assert cubff.GetLanguage("bff_perm").Parse("[]+-.,<>{}") == bytes([9, 10, 5, 6, 7, 8, 1, 2, 3, 4])
    assert cubff.GetLanguage("subleq").Parse("0aFF") == b"\x0a\xff"
    # As by cubff, commands that a dialect lacks are zeros.
    assert cubff.GetLanguage("bff_selfmove").Parse("[{") == bytes([5, 0])
    for lang, text in [("bff", "x"), ("forth", "0"), ("forth", "0g")]:
        with pytest.raises(ValueError):
            cubff.GetLanguage(lang).Parse(text)
    with pytest.raises(ValueError, match="Unknown language"):
        cubff.GetLanguage("bf")


def test_programs_are_printed_in_colours(capsys: pytest.CaptureFixture[str]) -> None:
    cubff.GetLanguage("bff_noheads").PrintProgram(1, b"[\0x", [2])
    reset = "\x1b[0;38:5:35;48:5:232m"
    assert capsys.readouterr().out == (
        f"\x1b[38:5:255m[{reset}\x1b[38:5:88m\x1b[48:5:34m0{reset}   \x1b[38:5:237m\u0178{reset}\n"
    )
    cubff.ResetColors()
    assert capsys.readouterr().out == reset


def test_single_programs_are_run(capsys: pytest.CaptureFixture[str]) -> None:
    cubff.GetLanguage("bff_noheads").RunSingleProgram("+>+", 3, True)
    lines = capsys.readouterr().out.split("\n")
    # Before, three steps, ops, a gap, after.
    assert len(lines) == 8 and "ops: 3" in lines[4] and lines[5] == ""
    cubff.GetLanguage("forth").RunSingleProgram("4142", 2, True)
    assert "01 " in capsys.readouterr().out.split("\n")[2][-8:]


def test_scores_are_those_of_broth(capsys: pytest.CaptureFixture[str]) -> None:
    language = cubff.GetLanguage("bff_noheads")
    copier = "[[{.>]-]" + "A" * 48 + "]-]>.{[["
    score = language.EvalSelfrep(copier, 3, 4, False)
    assert score > 48 and language.EvalParsedSelfrep(language.Parse(copier), 3, 4, True) == score
    out = capsys.readouterr().out
    assert out.count("Iteration") == 13 * 10 and "Iteration 12: before step 5" in out


SCRIPT = """
{imports}
language = cubff.GetLanguage("bff_noheads")
def callback(state):
    print(state.epoch, state.brotli_size, sys.argv[1:])
    return True
params = cubff.SimulationParams()
params.num_programs = 64
language.RunSimulation(params, None, callback)
"""


@pytest.mark.parametrize("imports", ["import sys\nfrom bin import cubff", "import sys\nimport cubff"])
def test_scripts_run_unchanged(imports: str, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "__init__.py").touch()
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(imports=imports))
    ran = subprocess.run(
        [sys.executable, "-m", "broth.cubff", str(script), "a"],
        capture_output=True, text=True, timeout=60,
    )
    assert ran.returncode == 0 and ran.stdout.endswith("['a']\n"), ran.stderr
    install = [sys.executable, "-m", "broth.cubff", "--install", str(tmp_path)]
    assert subprocess.run(install, capture_output=True, timeout=60).returncode == 0
    script.write_text("import sys\nsys.path.append('bin')\n" + script.read_text())
    again = subprocess.run(
        [sys.executable, str(script), "a"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert again.stdout == ran.stdout, again.stderr
