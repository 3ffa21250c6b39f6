//! What a terminal shows: progress at any width, and numbers that agree.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{said, small_run};
use crate::common::{broth, succeed};

/// The lines that a command draws on a terminal of this width; none where there is no `script`,
/// which makes terminals.
fn drawn(columns: usize, words: &str, path: &Path) -> Option<Vec<String>> {
    let (succeeds, lines) = drawn_by_any(columns, words, path)?;
    assert!(succeeds, "{words}: {lines:?}");
    Some(lines)
}

/// As [`drawn`], of a command that may fail, and whether it succeeds.
fn drawn_by_any(columns: usize, words: &str, path: &Path) -> Option<(bool, Vec<String>)> {
    let program = broth().get_program().to_string_lossy().into_owned();
    let (program, path) = (quoted(&program), quoted(&path.display().to_string()));
    let command = format!("stty cols {columns} rows 24; exec {program} {words} {path}");
    let output = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let plain = anstream::adapter::strip_str(&text).to_string();
    let lines = plain.split(['\r', '\n']).map(|line| line.trim_end().into());
    let lines = lines.filter(|line: &String| !line.is_empty()).collect();
    Some((output.status.success(), lines))
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Done and all, of a line such as `53/800 epochs`.
fn fraction(line: &str) -> Option<(u64, u64)> {
    let word = line.split_whitespace().find(|word| word.contains('/'))?;
    let (done, all) = word.split_once('/')?;
    Some((done.parse().ok()?, all.parse().ok()?))
}

/// The most important comes first, and what does not fit is left out whole.
#[test]
fn progress_has_no_colours_where_nobody_wants_them() {
    let folder = tempfile::tempdir().unwrap();
    let program = broth().get_program().to_string_lossy().into_owned();
    let shown = |colours: &str| {
        let out = folder.path().join(colours);
        let command = format!(
            "stty cols 100 rows 24; {colours} exec {} run --num 16384 --threads 1 \
             --engine reference --log-interval 1 --max-epochs 20 --out {}",
            quoted(&program),
            quoted(&out.display().to_string())
        );
        let output = Command::new("script")
            .args(["-qec", &command, "/dev/null"])
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .stdin(Stdio::null())
            .output()
            .ok()?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (Some(plain), Some(coloured)) = (shown("NO_COLOR=1"), shown("CLICOLOR=1")) else {
        return;
    };
    assert!(coloured.contains("\u{1b}[36m"), "{coloured}");
    assert!(
        plain.contains('█') && !plain.contains("\u{1b}[36m"),
        "{plain}"
    );
}

#[test]
fn progress_of_a_run_is_useful_at_any_width() {
    let folder = tempfile::tempdir().unwrap();
    for (columns, parts) in [
        (40, &["epochs", "entropy"][..]),
        (80, &["█", "epochs", "entropy", "not alive", "epochs/s"]),
        (
            100,
            &["█", "epochs", "entropy", "not alive", "epochs/s", " left"],
        ),
    ] {
        let out = folder.path().join(columns.to_string());
        let words = "run --num 16384 --threads 1 --engine reference --log-interval 1 \
                     --max-epochs 40 --out";
        let Some(lines) = drawn(columns, words, &out) else {
            return;
        };
        let moving = lines.iter().filter(|line| line.contains("/40 epochs"));
        let moving: Vec<&String> = moving.collect();
        assert!(moving.len() > 3, "{lines:?}");
        for line in &moving {
            assert!(line.chars().count() < columns, "{line}");
            // No part is cut short.
            let last = line.split("  ").last().unwrap();
            let ends = ["epochs", "yet", "alive", "/s", "left"];
            let is_whole = ends.iter().any(|end| last.ends_with(end));
            assert!(is_whole || last.starts_with("entropy "), "{line}");
        }
        let last = moving.last().unwrap();
        for part in parts {
            assert!(last.contains(part), "{columns}: no `{part}` in {last}");
        }
    }
}

/// Looking back on a run has phases, which are named; within a phase it never goes back.
#[test]
fn progress_of_ancestry_and_search_names_phases_and_never_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let words = "run --quiet --num 8192 --seed 561 --initial-program [[{.>]-]]-]>.{[[ \
                 --log-interval 64 --max-epochs 400 --checkpoint-interval 100 --out";
    succeed(words, &[&run]);
    let words = "ancestry --program 5 --epoch 400 --threads 1";
    let Some(lines) = drawn(80, words, &run) else {
        return;
    };
    let moving = lines.iter().filter(|line| line.contains("/800 epochs"));
    let moving: Vec<&String> = moving.collect();
    assert!(moving.len() > 1, "{lines:?}");
    let mut before = 0;
    for line in moving {
        assert!(line.contains("tracing back"), "{line}");
        let (done, all) = fraction(line).unwrap();
        assert!(before <= done && done <= all, "{line}");
        before = done;
    }
    let finds = folder.path().join("finds.csv");
    let words = "search --from soup --num 65536 --threads 1 --max-programs 400k --finds 9 --out";
    let Some(lines) = drawn(100, words, &finds) else {
        return;
    };
    let moving = lines.iter().filter(|line| line.contains(" of 9 found"));
    let moving: Vec<&String> = moving.collect();
    assert!(!moving.is_empty(), "{lines:?}");
    for line in moving {
        assert!(line.contains("seed 0, epoch "), "{line}");
    }
}

/// What the report says of a line agrees with the table below it.
#[test]
fn numbers_of_an_ancestry_agree() {
    let folder = tempfile::tempdir().unwrap();
    let flags = "--num 1024 --seed 561 --initial-program [[{.>]-]]-]>.{[[ --log-interval 64 \
                 --max-epochs 65";
    let run = folder.path().join("run");
    succeed(&format!("run --quiet {flags} --out"), &[&run]);
    let (report, _) = said("ancestry --first-replicator --changes 1000", &[&run]);
    let number = |before: &str, after: &str| -> Option<usize> {
        let rest = report.split_once(before)?.1;
        let text = rest.split_once(after)?.0;
        text.rsplit(' ')
            .next()?
            .trim_start_matches('(')
            .replace(',', "")
            .parse()
            .ok()
    };
    let changed = number(" interactions, ", " of which changed it").unwrap();
    let up_to = number(" of which changed it: ", " up to the first replicator");
    let after = number(" up to the first replicator, ", " after it");
    let listed = number("from the newest change back (", " of ").unwrap();
    if let (Some(up_to), Some(after)) = (up_to, after) {
        assert_eq!((changed, listed), (up_to + after, up_to), "{report}");
    } else {
        assert_eq!(changed, listed, "{report}");
    }
    let (_, table) = report.split_once("what it was then\n").unwrap();
    let rows = table.lines().take_while(|line| !line.is_empty());
    assert_eq!(rows.count(), listed, "{report}");
}

/// `-h` fits a screen, `--help` has everything.
#[test]
fn short_help_fits_a_screen() {
    let (all, _) = said("--help", &[]);
    let (_, listed) = all.split_once("Commands:\n").unwrap();
    let listed = listed.split("\n\n").next().unwrap();
    let names = listed.lines().filter(|line| !line.starts_with("    "));
    let names: Vec<&str> = names
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        let words = |flag: &str| {
            if name == "help" {
                flag.to_string()
            } else {
                format!("{name} {flag}")
            }
        };
        let [short, long] = ["-h", "--help"].map(|flag| said(&words(flag), &[]).0);
        assert!(short.lines().count() <= 40, "{short}");
        assert!(long.lines().count() > short.lines().count(), "{name}");
        assert!(!short.contains("Examples:"), "{short}");
    }
}

/// Shells complete commands and flags; manual pages are there for each command.
#[test]
fn completions_and_manual_pages_can_be_made() {
    for (shell, sign) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef broth"),
        ("fish", "complete -c"),
    ] {
        let (script, _) = said(&format!("completions {shell}"), &[]);
        for part in [sign, "show-interaction", "stop-high-order-entropy"] {
            assert!(script.contains(part), "{shell}: no `{part}`");
        }
    }
    let (page, _) = said("man", &[]);
    assert!(page.contains(".TH broth 1"), "{page}");
}

/// A soup of few programs fills its picture all the same.
#[test]
fn a_small_soup_is_enlarged() {
    let folder = tempfile::tempdir().unwrap();
    let run = small_run(folder.path(), "run", "--max-epochs 1");
    for (flags, width, height) in [
        ("", 1280, 720),
        ("--layout tiles ", 720, 140),
        ("--layout columns ", 720, 140),
    ] {
        let out = folder.path().join("soup.png");
        said(&format!("picture {flags}--out"), &[&out, &run]);
        let bytes = std::fs::read(&out).unwrap();
        let size = |at: usize| u32::from_be_bytes(*bytes[at..].first_chunk().unwrap());
        let is_large = size(16) >= width && size(20) >= height;
        assert!(is_large, "{flags}: {} x {}", size(16), size(20));
    }
}

/// Six conditions in one chart: no two curves have the same colour and dashes.
#[test]
fn six_conditions_in_a_chart_can_be_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("six.toml");
    let text = "seeds = \"1-2\"\n[settings]\nnum = 64\nmax-epochs = 9\nlog-interval = 1\n\
                [vary]\nmutation-prob = [0, 0.001, 0.002, 0.004, 0.008, 0.016]\n";
    std::fs::write(&file, text).unwrap();
    let out = folder.path().join("out");
    said("sweep --quiet", &[&file, "--out".as_ref(), &out]);
    said("figures", &[&out]);
    let svg = std::fs::read_to_string(out.join("figures/alive-by-epoch.svg")).unwrap();
    // Dashes are short lines of their own: where all are whole, each colour has one.
    let mut lines = std::collections::BTreeMap::new();
    for line in svg.split("<polyline ").skip(1) {
        let stroke = line.split_once("stroke=\"").unwrap().1;
        let colour = stroke.split('"').next().unwrap().to_string();
        *lines.entry(colour).or_insert(0) += 1;
    }
    let axes = 1;
    assert!(lines.len() >= 6 + axes, "{lines:?}");
    let dashed = lines.values().filter(|count| **count > 10);
    assert!(dashed.count() >= 3 + axes, "{lines:?}");
}

/// The summary of a sweep has no line that the terminal would wrap.
#[test]
fn the_summary_of_a_sweep_fits_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("small.toml");
    let text = "seeds = \"1-2\"\n[settings]\nnum = 64\nmax-epochs = 9\nlog-interval = 1\n\
                [vary]\nmutation-prob = [0, 0.001]\n";
    std::fs::write(&file, text).unwrap();
    let out = folder.path().join("out");
    said("sweep --quiet", &[&file, "--out".as_ref(), &out]);
    for columns in [40, 80, 100, 120] {
        let words = format!("sweep {} --out", quoted(&file.display().to_string()));
        let Some(lines) = drawn(columns, &words, &out) else {
            return;
        };
        let is_head = |line: &&String| line.contains("high-order entropy above 1");
        let from = lines.iter().position(|line| is_head(&line)).unwrap();
        let shares = lines[from..].iter();
        // Where the tables are is as long as the folder's name.
        let shares = shares.take_while(|line| !line.starts_with("table"));
        let shares: Vec<&String> = shares.collect();
        let conditions = shares.iter().filter(|line| line.contains("mutation-prob"));
        assert_eq!(conditions.count(), 2, "{shares:?}");
        let intervals = shares.iter().map(|line| line.matches(" to ").count());
        assert_eq!(intervals.sum::<usize>(), 4, "{shares:?}");
        for line in shares {
            assert!(line.chars().count() < columns, "{columns}: {line}");
        }
    }
}

/// The search for the first replicator of a run says how far it is, while it scores a large soup
/// as well.
#[test]
fn progress_of_the_first_replicator_does_not_stand_still() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let words = "run --quiet --no-picture --num 131072 --seed 561 --max-epochs 1 --out";
    succeed(words, &[&run]);
    let words = "ancestry --first-replicator --threads 1 --json";
    // It finds none.
    let Some((_, lines)) = drawn_by_any(100, words, &run) else {
        return;
    };
    let scored = lines.iter().filter(|line| line.contains("programs scored"));
    let scored: std::collections::BTreeSet<&String> = scored.collect();
    assert!(scored.len() > 1, "{lines:?}");
    for line in scored {
        assert!(line.contains("looking for the first replicator"), "{line}");
    }
}

/// `--quiet` leaves nothing on the screen but errors, and what was asked for is written.
#[test]
fn benchmarks_and_native_code_can_be_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let run = small_run(folder.path(), "run", "--max-epochs 1");
    let json = folder.path().join("bench.json");
    let words = "bench --quiet --rounds 1 --epochs 1 --engines interpreter --json";
    let (shown, noted) = said(words, &[&json, "--run".as_ref(), &run]);
    assert_eq!((shown.as_str(), noted.as_str()), ("", ""));
    let report = std::fs::read_to_string(&json).unwrap();
    assert!(report.contains("\"soups\""), "{report}");
    let words = "bench --quiet --rounds 1 --epochs 1 --engines interpreter --json --run";
    let (shown, noted) = said(words, &[&run]);
    assert!(shown.contains("\"soups\"") && noted.is_empty(), "{noted}");
    let checkpoint = run.join("checkpoints/0000000001.dat");
    let (listed, noted) = said("jit show --epochs 1 --checkpoint", &[&checkpoint]);
    assert!(noted.contains("seed 3"), "{noted}");
    let (quietly, noted) = said("jit show --quiet --epochs 1 --checkpoint", &[&checkpoint]);
    assert_eq!((quietly, noted.as_str()), (listed, ""));
}
