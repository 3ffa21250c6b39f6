//! Native code on the command line: what is said of engines, `broth jit`, the counters
//! of a run, and machines on which native code is not possible.

use std::path::{Path, PathBuf};

use crate::common::{broth, data, fail, read, read_text, succeed};
use broth::run::folder::performance::PerformanceRow;

/// A soup in which a replicator spreads, so that there are hot loops.
const LIVELY: &str = "--num 1024 --seed 561 --initial-program [[{.>]-]]-]>.{[[ \
                      --log-interval 16 --checkpoint-interval 128";

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("text")
}

/// What it says on standard output.
fn said(words: &str, arguments: &[&Path]) -> String {
    text(succeed(words, arguments).stdout)
}

fn run(words: &str, out: &Path) -> String {
    said(&format!("run {LIVELY} {words} --out"), &[out])
}

fn checkpoint(run: &Path, epochs: u64) -> PathBuf {
    run.join(format!("checkpoints/{epochs:010}.dat"))
}

/// The rows of performance.csv: column and cell.
fn performance(run: &Path) -> Vec<Vec<(String, String)>> {
    let table = read_text(run.join("performance.csv"));
    let mut lines = table.lines();
    let header = lines.next().unwrap();
    let row = |line: &str| {
        assert_eq!(line.split(',').count(), header.split(',').count());
        let names = header.split(',').map(String::from);
        names.zip(line.split(',').map(String::from)).collect()
    };
    lines.map(row).collect()
}

fn number(row: &[(String, String)], column: &str) -> f64 {
    let cell = row.iter().find(|(name, _)| name == column);
    let (_, cell) = cell.unwrap_or_else(|| panic!("no {column}"));
    cell.parse().unwrap_or_else(|_| panic!("{column}: {cell}"))
}

#[test]
fn no_option_of_an_engine_changes_a_byte() {
    let folder = tempfile::tempdir().unwrap();
    let mut runs = Vec::new();
    for (name, words) in [
        ("reference", "--engine reference"),
        ("interpreter", "--engine interpreter --no-closed-forms"),
        ("jit", "--engine jit --jit-cache-mib 1"),
        ("native", "--engine jit --no-closed-forms"),
        ("auto", "--engine auto --no-closed-forms=false"),
    ] {
        let out = folder.path().join(name);
        let screen = run(&format!("{words} --max-epochs 150"), &out);
        // With `auto` it depends on what paid.
        let has_native = ["jit", "native"].contains(&name);
        assert!(
            name == "auto" || screen.contains("\nnative ") == has_native,
            "{screen}"
        );
        runs.push(out);
    }
    for file in ["metrics.csv", "checkpoints/0000000150.dat"] {
        let first = read(runs[0].join(file));
        assert!(
            runs.iter().all(|run| read(run.join(file)) == first),
            "{file}"
        );
    }
    let settings = |i: usize| read_text(PathBuf::from(&runs[i]).join("settings.toml"));
    assert!(settings(2).contains("jit-cache-mib = 1\n"));
    assert!(settings(3).contains("no-closed-forms = true\n"));
    assert!(!settings(4).contains("no-closed-forms"));
}

#[test]
fn resumed_runs_keep_their_options_unless_told() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    run(
        "--engine jit --no-closed-forms --jit-cache-mib 3 --max-epochs 40",
        &out,
    );
    let settings = || read_text(out.join("settings.toml"));
    succeed("run --quiet --max-epochs 80 --resume", &[&out]);
    for line in [
        "engine = \"jit\"",
        "no-closed-forms = true",
        "jit-cache-mib = 3",
    ] {
        assert!(settings().contains(line), "{line} not in {}", settings());
    }
    succeed(
        "run --quiet --max-epochs 120 --no-closed-forms=false --jit-cache-mib 5 --resume",
        &[&out],
    );
    assert!(!settings().contains("no-closed-forms"));
    assert!(settings().contains("jit-cache-mib = 5"));
    let whole = folder.path().join("whole");
    run("--max-epochs 120", &whole);
    assert_eq!(read(checkpoint(&out, 120)), read(checkpoint(&whole, 120)));
}

#[test]
fn performance_counts_native_code() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    run("--engine jit --no-closed-forms --max-epochs 200", &out);
    let rows = performance(&out);
    assert_eq!(rows.len(), 13);
    let sum = |column: &str| rows.iter().map(|row| number(row, column)).sum::<f64>();
    let entered = sum("native_programs_entered") + sum("native_loops_entered");
    assert!(entered > 0.0);
    let exits = ["end", "out_of_steps", "rewritten", "bracket"];
    let exits: f64 = exits
        .iter()
        .map(|exit| sum(&format!("native_exits_{exit}")))
        .sum();
    assert_eq!(exits, entered);
    assert!(sum("native_loops_looked_up") >= sum("native_loops_entered"));
    assert!(sum("native_steps") > 0.0 && sum("native_steps") <= sum("steps"));
    assert!(sum("native_ops") <= sum("native_steps"));
    let last = rows.last().unwrap();
    assert!(number(last, "jit_hot_loops") >= number(last, "jit_compiled_loops"));
    assert!(number(last, "jit_code_bytes") > 0.0);
    assert!(number(last, "jit_compile_seconds") > 0.0);
    let stats = said("jit stats", &[&out]);
    for hint in [
        "13 log points",
        "epoch 193",
        "looked up",
        "out of steps",
        "time compiling",
    ] {
        assert!(stats.contains(hint), "{hint} not in {stats}");
    }
    assert!(stats.contains('%'), "{stats}");
}

/// What the first version wrote, with rows of its own.
#[test]
fn a_folder_of_an_older_version_can_be_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    run("--max-epochs 60", &out);
    let path = out.join("performance.csv");
    let shortened = |line: &str| line.split(',').take(7).collect::<Vec<_>>().join(",");
    let old: Vec<String> = read_text(&path).lines().map(shortened).collect();
    std::fs::write(&path, old.join("\n") + "\n").unwrap();
    let settings = read_text(out.join("settings.toml"));
    let old_settings = settings.replace("jit-cache-mib = 64\n", "");
    assert_ne!(old_settings, settings);
    std::fs::write(out.join("settings.toml"), old_settings).unwrap();
    fail(
        2,
        "jit stats",
        &[&out],
        &["performance.csv", "tells nothing of native code"],
    );
    succeed(
        "run --quiet --engine jit --max-epochs 120 --resume",
        &[&out],
    );
    let table = read_text(&path);
    assert!(table.starts_with(&PerformanceRow::header()));
    assert!(table.lines().nth(1).unwrap().ends_with(",,,,"));
    assert_eq!(performance(&out).len(), 8);
    assert!(said("jit stats", &[&out]).contains("4 log points"));
}

#[test]
fn units_are_listed_and_shown() {
    const SHOW: &str = "jit show --no-closed-forms --epochs 200";
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    run("--max-epochs 129", &out);
    let before = read_text(out.join("performance.csv"));
    let list = said(SHOW, &[&out]);
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines[0].contains("epochs 129 to 329: "), "{list}");
    assert!(lines[1].starts_with("number  sort"), "{list}");
    assert!(lines.len() >= 3, "{list}");
    assert!(
        lines[2..].iter().any(|line| line.contains("]    # ")),
        "{list}"
    );
    assert_eq!(said(SHOW, &[&out]), list, "another list each time");
    for (words, sorts) in [
        ("--loops", &["loop"][..]),
        ("--programs", &["left", "right"]),
    ] {
        let list = said(&format!("{SHOW} {words} --top 4"), &[&out]);
        let found = list
            .lines()
            .skip(2)
            .filter(|line| !line.starts_with("and "));
        for line in found {
            let sort = line.split_whitespace().nth(1).unwrap();
            assert!(sorts.contains(&sort), "{line}");
        }
        assert!(list.lines().count() <= 7, "{list}");
    }
    let entry = said(&format!("{SHOW} --entry 1"), &[&out]);
    for hint in [
        "bytes of machine code",
        "IR, optimised",
        "function u0:0",
        "machine code",
    ] {
        assert!(entry.contains(hint), "{hint} not in {entry}");
    }
    fail(
        2,
        &format!("{SHOW} --entry 99999"),
        &[&out],
        &["--entry 99999", "units"],
    );
    fail(2, "jit show --entry 0", &[&out], &["--entry 0"]);
    // Nothing was written.
    assert_eq!(read_text(out.join("performance.csv")), before);
    assert!(!checkpoint(&out, 329).exists());
    let start = checkpoint(&out, 1);
    let list = said(
        "jit show --lang bff_noheads --epochs 8 --checkpoint",
        &[&start],
    );
    assert!(list.contains("epochs 1 to 9"), "{list}");
    let list = said(
        "jit show --epochs 1 --checkpoint",
        &[&data("cubff-513.dat"), "--lang=bff".as_ref()],
    );
    assert!(list.contains("epochs 513 to 514"), "{list}");
}

#[test]
fn a_unit_is_shown_without_a_soup() {
    let shown = said("jit show --program [[{.>]-]", &[]);
    assert!(shown.starts_with("loop, "), "{shown}");
    assert!(shown.contains("\n[[{.>]-]\n"), "{shown}");
    let both = ["\nIR\n", "\nIR, optimised\n", "\nmachine code\n"];
    assert!(
        both.iter().all(|section| shown.contains(section)),
        "{shown}"
    );
    let known = "\nto the ] at 5: copy: h0→h1-1, strides +1 -1, 4 steps, 4 ops\n";
    assert!(shown.contains(known), "{shown}");
    let ir = said("jit show --program [-] --as right --ir", &[]);
    assert!(ir.starts_with("right, ") && ir.contains(both[1]) && !ir.contains(both[2]));
    let code = said("jit show --lang bff8 --program ++[-] --machine-code", &[]);
    assert!(code.starts_with("left, ") && !code.contains(both[0]) && code.contains(both[2]));
    let clumsy = said(
        "jit show --machine-code --program",
        &["[  .,,> }]".as_ref()],
    );
    let known = "clumsy copy: h0→h1, strides +1 +1, 9 steps, 6 ops; \
                 dropped: 2 redundant copies\n";
    assert!(clumsy.contains(known), "{clumsy}");
    let unused = said("jit show --no-closed-forms --ir --program [-]", &[]);
    assert!(
        unused.contains("\ncount, not used: -1, 2 steps, 2 ops\n"),
        "{unused}"
    );
    let json = said("jit show --json --program [[},>],]", &[]);
    assert!(json.contains("nest: h1+1→h0, strides +1 +1"), "{json}");
}

#[test]
fn exec_runs_a_tape_by_every_engine() {
    let program = "[[{.>]-]   ]-]>.{[[";
    let lines = |words: &str| -> Vec<String> {
        let screen = said(&format!("exec {words}"), &[program.as_ref()]);
        screen.lines().map(String::from).collect()
    };
    let expected = lines("");
    for words in [
        "interpreter",
        "interpreter --no-closed-forms",
        "auto",
        "reference",
    ] {
        let lines = lines(&format!("--engine {words}"));
        assert_eq!(lines[..expected.len()], expected, "{words}");
    }
    let native = lines("--engine jit --no-closed-forms --jit-cache-mib 1");
    assert_eq!(native[..expected.len()], expected);
    let last = native.last().unwrap();
    assert!(last.starts_with("native: "), "{last}");
    assert!(!last.contains(" 0.0% of steps"), "{last}");
}

#[test]
fn bench_shows_what_native_code_is_worth() {
    let folder = tempfile::tempdir().unwrap();
    let screen = said(
        "bench --num 64 --rounds 1 --epochs 2 --warm-up 40 --soups alive \
         --engines interpreter,jit --no-closed-forms --cache",
        &[folder.path()],
    );
    let line = |name: &str| screen.lines().find(|line| line.starts_with(name)).unwrap();
    assert!(line("engine").ends_with("speed-up  native"), "{screen}");
    assert!(line("jit").ends_with('%'), "{screen}");
    assert!(!line("interpreter").ends_with('%'), "{screen}");
}

/// What the system may be told: that no memory becomes executable any more.
#[cfg(target_os = "linux")]
mod without_executable_memory {
    use super::*;
    use std::os::unix::process::CommandExt;
    use std::process::Output;

    const PR_SET_MDWE: libc::c_int = 65;
    const PR_MDWE_REFUSE_EXEC_GAIN: libc::c_ulong = 1;

    /// Run broth so; nothing if this system does not know of it.
    fn confined(words: &str, arguments: &[&Path]) -> Option<Output> {
        let mut command = broth();
        command.args(words.split_whitespace()).args(arguments);
        let confine = || {
            // SAFETY: a system call that takes numbers only.
            let result = unsafe { libc::prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) };
            match result {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        };
        // SAFETY: between fork and exec it does one system call and nothing else.
        unsafe { command.pre_exec(confine) };
        match command.output() {
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                eprintln!("skipped: this system has no PR_SET_MDWE");
                None
            }
            output => Some(output.expect("broth can be started")),
        }
    }

    /// One warning, no panic, success.
    #[track_caller]
    fn assert_warned(output: &Output) {
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        let warning = "warning: native code is not possible here (";
        assert_eq!(stderr.matches(warning).count(), 1, "{stderr}");
        assert!(
            stderr.contains("): the interpreter runs everything\n"),
            "{stderr}"
        );
        assert!(!stderr.contains("panicked"), "{stderr}");
    }

    #[test]
    fn a_run_goes_on_with_the_interpreter() {
        let folder = tempfile::tempdir().unwrap();
        let (plain, out) = (folder.path().join("plain"), folder.path().join("confined"));
        run("--engine interpreter --max-epochs 150", &plain);
        for (words, path) in [
            (
                format!("run {LIVELY} --engine jit --max-epochs 100 --out"),
                &out,
            ),
            ("run --max-epochs 150 --resume".into(), &out),
        ] {
            let Some(output) = confined(&words, &[path]) else {
                return;
            };
            assert_warned(&output);
            let screen = text(output.stdout);
            assert!(!screen.contains("native"), "{screen}");
        }
        for file in ["metrics.csv", "checkpoints/0000000150.dat"] {
            assert_eq!(read(out.join(file)), read(plain.join(file)), "{file}");
        }
        let Some(output) = confined("jit show", &[&out]) else {
            return;
        };
        let stderr = text(output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(
            stderr.contains("native code is not possible here"),
            "{stderr}"
        );
    }

    #[test]
    fn so_do_single_tapes_and_benchmarks() {
        let program: &Path = "[[{.>]-]   ]-]>.{[[".as_ref();
        let Some(output) = confined("exec --engine jit", &[program]) else {
            return;
        };
        assert_warned(&output);
        assert_eq!(text(output.stdout), said("exec", &[program]));
        let folder = tempfile::tempdir().unwrap();
        let words = "bench --num 64 --rounds 1 --epochs 1 --soups random \
                     --engines interpreter,jit,auto --cache";
        if let Some(output) = confined(words, &[folder.path()]) {
            assert_warned(&output);
            let screen = text(output.stdout);
            assert!(
                screen.contains("\njit  ") && !screen.contains('%'),
                "{screen}"
            );
        }
    }
}
