//! What messages suggest can be done as it is written.

use std::path::Path;
use std::process::Command;

use super::{said, small_run};
use crate::common::{broth, broth_with, fail, succeed};

#[test]
fn an_unknown_flag_is_answered_with_those_of_the_command() {
    for (words, hints) in [
        (
            "census RUN --threads 1",
            &["`broth census` takes", "--top", "--sequences"][..],
        ),
        ("languages --seed 1", &["`broth languages` takes", "--json"]),
        (
            "jit stats RUN --entry 1",
            &["`broth jit stats` takes", "--json"],
        ),
        ("run --sed 1", &["--seed"]),
        ("census RUN --tpo 1", &["--top"]),
    ] {
        fail(2, words, &[], hints);
    }
}

/// A shell takes a path with spaces apart where nobody quotes it.
#[test]
fn a_path_with_a_space_needs_quotes() {
    let folder = tempfile::tempdir().unwrap();
    small_run(folder.path(), "my run", "--max-epochs 2");
    let file = folder.path().join("my sweep.toml");
    std::fs::write(&file, "seeds = 1\n[settings]\nnum = 64\nmax-epochs = 2\n").unwrap();
    let said_there = |words: &str| {
        let mut command = broth();
        command.current_dir(folder.path()).args(words.split(' '));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{words}");
        String::from_utf8(output.stderr).unwrap()
    };
    for words in [
        "census my run",
        "inspect --quiet my run",
        "plot my run",
        "film my run --fps 5",
        "run --resume my run",
        "run --load my run --out x",
        "jit stats my run",
        "search --from my run",
    ] {
        let stderr = said_there(words);
        let hint = "`my run` exists: a path with spaces needs quotes, as in 'my run'";
        assert!(stderr.contains(hint), "{words}: {stderr}");
    }
    for words in ["sweep my sweep.toml", "sweep merge my sweep.toml --out x"] {
        let stderr = said_there(words);
        assert!(
            stderr.contains("as in 'my sweep.toml'"),
            "{words}: {stderr}"
        );
    }
    // Where there is nothing of that name, quotes may still be what is missing.
    for words in ["census no run", "exec [ . ]"] {
        let stderr = said_there(words);
        assert!(
            stderr.contains("in quotes, as in 'two words'"),
            "{words}: {stderr}"
        );
    }
    // A run takes no path without a flag; the right one is named.
    std::fs::create_dir(folder.path().join("there")).unwrap();
    for (words, hint) in [
        ("run there", "`broth run --resume there`"),
        ("run a/1.dat", "`broth run --load a/1.dat`"),
        ("run mine.toml", "`broth run --settings mine.toml`"),
        ("run x", "`broth run` takes flags only"),
        ("languages x", "`broth languages` takes flags only"),
    ] {
        let stderr = said_there(words);
        assert!(stderr.contains(hint), "{words}: {stderr}");
    }
}

#[test]
fn near_misses_get_the_right_hint() {
    for (words, hint) in [
        ("rnu", "'run'"),
        ("completion bash", "'completions'"),
        ("jit shwo", "'show'"),
        ("sweep mereg", "mereg"),
        ("run --lang bff_nohead", "bff_noheads"),
        ("run --world zfff", "pairs, zff or long-tape"),
        ("run --engine interpeter", "interpreter"),
        ("bench --soups rnadom", "random"),
        ("examples subleqq", "subleq"),
        ("completions bsh", "bash"),
        ("search --from operator", "operators"),
    ] {
        fail(2, words, &[], &[hint]);
    }
}

#[test]
fn ancestry_says_all_that_it_can_do() {
    let folder = tempfile::tempdir().unwrap();
    let run = small_run(folder.path(), "a run", "--max-epochs 3");
    let path = format!("ancestry '{}'", run.display());
    let hints = [
        "--first-replicator",
        "--program INDEX",
        "--epoch EPOCHS",
        &path,
    ];
    fail(2, "ancestry", &[&run], &hints);
}

/// One of something is not several, and nothing has no sign.
#[test]
fn numbers_agree_with_their_nouns() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let words =
        "run --num 64 --max-epochs 1 --initial-program [[{.>]-]]-]>.{[[ --eval-selfrep --out";
    let (summary, progress) = said(words, &[&run]);
    let mut texts = vec![summary, progress];
    for words in [
        "census --top 1",
        "selfrep --checkpoint",
        "ancestry --program 0",
        "inspect",
    ] {
        texts.push(said(words, &[&run]).0);
    }
    let file = folder.path().join("one.toml");
    std::fs::write(&file, "seeds = 1\n[settings]\nnum = 64\nmax-epochs = 1\n").unwrap();
    let out = folder.path().join("out");
    for words in ["sweep --dry-run", "sweep", "sweep --dry-run"] {
        texts.push(said(words, &[&file, "--out".as_ref(), &out]).0);
    }
    assert!(
        texts.last().unwrap().ends_with("1 run, 1 done, 0 to do\n"),
        "{texts:?}"
    );
    for text in texts {
        let words = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        let pairs =
            words.flat_map(|words| words.windows(2).map(<[&str]>::to_vec).collect::<Vec<_>>());
        for pair in pairs {
            let noun = pair[1].trim_end_matches([',', ':', ';', '.']);
            let several = [
                "epochs",
                "interactions",
                "runs",
                "programs",
                "loops",
                "threads",
            ];
            let is_wrong = pair[0] == "1" && several.contains(&noun);
            assert!(!is_wrong, "{} {}: {text}", pair[0], pair[1]);
        }
        assert!(!text.contains("-0.000"), "{text}");
    }
}

/// What is missing, or in the way, is answered with all that can be done.
#[test]
fn refusals_say_what_can_be_done() {
    let folder = tempfile::tempdir().unwrap();
    let run = small_run(folder.path(), "run", "--max-epochs 3");
    for (words, hints) in [
        (
            "show-interaction --epoch 2",
            &["--pair <K>", "--program <INDEX>"][..],
        ),
        (
            "run --max-epochs 2 --resume",
            &["has 3 epochs done", "choose more"],
        ),
        (
            "run --seed 4 --resume",
            &["--seed", "start a new run", "--settings"],
        ),
        ("sweep", &["is a folder", "give the sweep file"]),
        (
            "run --stop-high-order-entropy 3x --out",
            &["bits per byte, as in 3", "`none`"],
        ),
        ("plot --format svg", &["`broth plot` takes", "--out"]),
        ("resume", &["`broth run --resume DIR`"]),
    ] {
        fail(2, words, &[&run], hints);
    }
    let wrong = broth_with("run --population 5", &[]);
    let wrong = String::from_utf8(wrong.stderr).unwrap();
    assert!(
        !wrong.contains("similar") && wrong.contains("--num"),
        "{wrong}"
    );
    // A soup without a grid can be laid out on one; that of a grid keeps it.
    let out = folder.path().join("a.png");
    said("picture --layout grid --grid 16x4 --out", &[&out, &run]);
    let grid = small_run(folder.path(), "grid", "--grid 8x8 --max-epochs 1");
    fail(
        2,
        "picture --grid 16x4",
        &[&grid],
        &["grid of its own", "leave --grid out"],
    );
}

/// What native code did is only told where there was some, or where it was asked for.
#[test]
fn a_run_without_native_code_does_not_speak_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let summary = |engine: &str| {
        let out = folder.path().join(engine);
        let words = format!("run --num 64 --max-epochs 2 --engine {engine} --out");
        said(&words, &[&out]).0
    };
    for engine in ["auto", "interpreter", "reference"] {
        let summary = summary(engine);
        assert!(!summary.contains("native"), "{summary}");
        assert!(summary.contains("checkpoint  "), "{summary}");
    }
    let summary = summary("jit");
    assert!(
        summary.contains("native      nothing was compiled yet"),
        "{summary}"
    );
    let (stdout, _) = said("exec --engine jit +", &[]);
    assert!(
        !stdout.contains(" 0 loops") && !stdout.contains(" 0 programs"),
        "{stdout}"
    );
    let (stdout, _) = said("exec --engine jit --lang subleq 010203", &[]);
    assert!(!stdout.contains("native"), "{stdout}");
}

/// More threads than cores are slower; that is said once, and changes no byte.
#[test]
fn too_many_threads_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let flags = "--num 64 --seed 3 --max-epochs 3 --out";
    let (_, stderr) = said(&format!("run --threads 999 {flags}"), &[&path("many")]);
    assert_eq!(
        stderr.matches("warning: --threads 999").count(),
        1,
        "{stderr}"
    );
    let (_, stderr) = said(&format!("run --threads 1 {flags}"), &[&path("one")]);
    assert!(!stderr.contains("warning"), "{stderr}");
    let soup = |name: &str| std::fs::read(path(name).join("checkpoints/0000000003.dat")).unwrap();
    assert_eq!(soup("many"), soup("one"));
}

/// The command that a message ends with, as a shell runs it.
#[cfg(unix)]
fn succeeds_in_a_shell(command: &str) {
    let status = Command::new("sh").args(["-c", command]).output().unwrap();
    let stderr = String::from_utf8_lossy(&status.stderr).into_owned();
    assert!(status.status.success(), "{command}: {stderr}");
}

/// Suggested commands call the program as it was called, with paths as a shell reads them.
#[cfg(unix)]
#[test]
fn suggested_commands_can_be_pasted() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("my broth");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_broth"), &program).unwrap();
    let out = folder.path().join("it's a run");
    let run = |words: &str, arguments: &[&Path]| {
        let output = Command::new(&program)
            .args(words.split_whitespace())
            .args(arguments)
            .output()
            .unwrap();
        let [stdout, stderr] =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (stdout, stderr)
    };
    let after = |text: &str, label: &str| {
        let line = text.lines().find(|line| line.starts_with(label));
        let line = line.unwrap_or_else(|| panic!("no `{label}` in {text}"));
        line[label.len()..].trim().to_string()
    };
    let flags = "run --num 64 --log-interval 1 --max-epochs 5 --stop-high-order-entropy -1 --out";
    let (stdout, _) = run(flags, &[&out]);
    let resume = after(&stdout, "continue ");
    let quoted = format!(
        "'{}' run --resume '{}",
        program.display(),
        folder.path().display()
    );
    assert!(resume.starts_with(&quoted), "{resume}");
    succeeds_in_a_shell(&resume);
    assert!(out.join("checkpoints/0000000005.dat").exists());

    let within = |text: &str| text.split('`').nth(1).unwrap().to_string();
    let (_, stderr) = run("run --num 64 --max-epochs 5 --out", &[&out]);
    succeeds_in_a_shell(&within(&stderr));
    let (_, stderr) = run("ancestry", &[&out]);
    assert!(
        within(&stderr).starts_with(&format!("'{}' ancestry", program.display())),
        "{stderr}"
    );
    let (stdout, _) = run("examples subleq", &[]);
    let planted = format!("'{}' run --lang subleq", program.display());
    assert!(stdout.contains(&planted), "{stdout}");
    let file = folder.path().join("small.toml");
    std::fs::write(&file, "seeds = 1\n[settings]\nnum = 64\nmax-epochs = 2\n").unwrap();
    let results = folder.path().join("my results");
    let (stdout, _) = run("sweep", &[&file, "--out".as_ref(), &results]);
    succeeds_in_a_shell(&after(&stdout, "figures "));
}

#[test]
fn help_and_manual_pages_have_exit_codes() {
    let codes = ["Exit codes:", "0    done", "1    ", "2    ", "130  "];
    for words in [
        "--help",
        "run --help",
        "census --help",
        "jit show --help",
        "languages --help",
    ] {
        let help = String::from_utf8(succeed(words, &[]).stdout).unwrap();
        for code in codes {
            assert!(help.contains(code), "broth {words}: no `{code}` in {help}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    succeed("man --out", &[folder.path()]);
    for page in [
        "broth.1",
        "broth-run.1",
        "broth-jit-show.1",
        "broth-languages.1",
    ] {
        let text = std::fs::read_to_string(folder.path().join(page)).unwrap();
        for code in codes {
            assert!(text.contains(code), "{page}: no `{code}` in {text}");
        }
    }
    // Codes are as they are said to be.
    for (words, code) in [
        ("languages", 0),
        ("languages --foo", 2),
        ("inspect no-such-file", 2),
    ] {
        assert_eq!(broth_with(words, &[]).status.code(), Some(code), "{words}");
    }
}
