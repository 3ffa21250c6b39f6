//! Files and folders that somebody has prepared: what is no file, has no end or is of
//! another is refused by name, and nothing of another's is lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::{bounded, broth, broth_with, data, fail, read, read_text, succeed};

/// A run with everything that a folder may hold.
struct Victim {
    base: tempfile::TempDir,
    run: PathBuf,
    log: PathBuf,
}

impl Victim {
    fn new() -> Victim {
        let base = tempfile::tempdir().unwrap();
        let (run, log) = (base.path().join("run"), base.path().join("log.csv"));
        let pattern = data("pattern-512.txt");
        succeed(
            "run --num 512 --seed 3 --max-epochs 40 --log-interval 4 --checkpoint-interval 16 \
             --quiet --interaction-pattern",
            &[&pattern, "--log".as_ref(), &log, "--out".as_ref(), &run],
        );
        Victim { base, run, log }
    }

    /// Files that `--resume` reads.
    fn files(&self) -> [(PathBuf, Sort); 8] {
        let checkpoint = self.run.join("checkpoints/0000000040.dat");
        [
            (self.run.join("settings.toml"), Sort::Settings),
            (self.run.join("interaction-pattern.txt"), Sort::Settings),
            (checkpoint.with_extension("toml"), Sort::Checkpoint),
            (checkpoint, Sort::Checkpoint),
            (self.run.join("metrics.csv"), Sort::Table),
            (self.run.join("performance.csv"), Sort::Table),
            (self.log.clone(), Sort::Log),
            (self.run.join("soup-0000000040.png"), Sort::Picture),
        ]
    }

    /// All files that a run must have, by their bytes; performance.csv by its epochs.
    fn content(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let content = self.files().map(|(path, _)| {
            let mut bytes = read(&path);
            if path.ends_with("performance.csv") {
                let text = String::from_utf8(bytes).unwrap();
                let epochs = text.lines().map(|line| line.split_once(',').unwrap().0);
                bytes = epochs.collect::<Vec<_>>().join(" ").into();
            }
            (path, bytes)
        });
        content.into()
    }

    fn resume(&self) -> Command {
        let mut command = broth();
        command.arg("run").arg("--resume").arg(&self.run);
        command
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Sort {
    /// Without it nothing goes.
    Settings,
    /// There are older ones.
    Checkpoint,
    Table,
    /// What metrics.csv says.
    Log,
    /// Not read, written anew.
    Picture,
}

/// What can be in the place of a file, and how to put it there.
type Replacement = (&'static str, fn(&Path, &[u8]));

const NO_FILES: [Replacement; 6] = [
    ("a folder", |path, _| fs::create_dir(path).unwrap()),
    ("a pipe", |path, _| {
        let status = Command::new("mkfifo").arg(path).status();
        assert!(status.unwrap().success());
    }),
    ("a link to nowhere", |path, _| link("/nowhere/at/all", path)),
    ("a link to itself", |path, _| link(path, path)),
    ("a device", |path, _| link("/dev/zero", path)),
    ("a link to a terminal", |path, _| link("/dev/tty", path)),
];

const BAD_FILES: [Replacement; 5] = [
    ("nothing", |path, _| fs::write(path, "").unwrap()),
    ("a half", |path, good| {
        fs::write(path, &good[..good.len() / 2]).unwrap();
    }),
    ("noise", |path, good| {
        let noise = good.iter().map(|byte| byte.wrapping_mul(167) ^ 0x5a);
        fs::write(path, noise.collect::<Vec<_>>()).unwrap();
    }),
    ("one long line", |path, _| {
        fs::write(path, vec![b'1'; 1 << 24]).unwrap();
    }),
    // No room on the disk is needed for it.
    ("a terabyte", |path, _| {
        let file = fs::File::create(path).unwrap();
        file.set_len(1 << 40).unwrap();
    }),
];

fn link(to: impl AsRef<Path>, path: &Path) {
    std::os::unix::fs::symlink(to, path).unwrap();
}

fn remove(path: &Path) {
    match path.symlink_metadata().unwrap().is_dir() {
        true => fs::remove_dir_all(path).unwrap(),
        false => fs::remove_file(path).unwrap(),
    }
}

/// Whatever is there instead of one of its files, a run ends with one message that names
/// it, or goes on without, and with the file put back it is as it was.
#[test]
fn runs_whose_files_cannot_be_read() {
    let victim = Victim::new();
    let content = victim.content();
    for (path, sort) in victim.files() {
        let good = read(&path);
        for (what, replace) in NO_FILES.into_iter().chain(BAD_FILES) {
            fs::remove_file(&path).unwrap();
            replace(&path, &good);
            let (code, message) = bounded(victim.resume());
            let case = format!("{what} for {}: {code:?}: {message}", path.display());
            let name = path.file_name().unwrap().to_str().unwrap();
            let is_file = BAD_FILES.iter().any(|(bad, _)| *bad == what);
            match sort {
                Sort::Settings if what == "nothing" && name.ends_with(".txt") => {
                    // A pattern in which nobody meets.
                    assert_eq!(code, Some(2), "{case}");
                    assert!(message.contains("lists no pair"), "{case}");
                }
                Sort::Settings => {
                    assert!(matches!(code, Some(1 | 2)), "{case}");
                    assert!(message.contains(name), "{case}");
                }
                Sort::Checkpoint if what == "a folder" => {
                    // Passed over; and in the way of the new one.
                    assert_eq!(code, Some(1), "{case}");
                    assert!(message.contains("skipped: "), "{case}");
                    assert!(message.contains("cannot write"), "{case}");
                }
                Sort::Checkpoint => {
                    assert_eq!(code, Some(0), "{case}");
                    assert!(message.contains("skipped: "), "{case}");
                    assert!(message.contains("0000000040"), "{case}");
                }
                Sort::Table if what == "nothing" && name == "metrics.csv" => {
                    // cubff's log knows better.
                    assert_eq!(code, Some(2), "{case}");
                    assert!(message.contains("log.csv has a wrong row"), "{case}");
                }
                // As one that was begun and is empty yet.
                Sort::Table | Sort::Log if what == "nothing" => {
                    assert_eq!(code, Some(0), "{case}");
                }
                // Its last rows are added.
                Sort::Log if what == "a half" => assert_eq!(code, Some(0), "{case}"),
                Sort::Table | Sort::Log => {
                    assert!(matches!(code, Some(1 | 2)), "{case}");
                    assert!(message.contains(name), "{case}");
                    assert!(!is_file || message.contains("move it away"), "{case}");
                }
                Sort::Picture if what == "a folder" => {
                    assert_eq!(code, Some(1), "{case}");
                    assert!(message.contains(name), "{case}");
                }
                Sort::Picture => assert_eq!(code, Some(0), "{case}"),
            }
            remove(&path);
            fs::write(&path, &good).unwrap();
            succeed("run --quiet --resume", &[&victim.run]);
            for (path, bytes) in &content {
                assert_eq!(
                    victim.content().iter().find(|(p, _)| p == path).unwrap().1,
                    *bytes,
                    "{} after {case}",
                    path.display()
                );
            }
        }
    }
}

/// Every other file that broth reads.
#[test]
fn files_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("given");
    let cache = folder.path().join("bff-num-64-seed-0-random-1-v2.dat");
    let performance = folder.path().join("run/performance.csv");
    fs::create_dir(folder.path().join("run")).unwrap();
    fs::write(folder.path().join("run/settings.toml"), "").unwrap();
    let out = folder.path().join("out");
    for (words, path) in [
        ("inspect", &path),
        ("exec --file", &path),
        ("run --lang bff --load", &path),
        ("run --num 64 --interaction-pattern", &path),
        ("jit show --lang bff --checkpoint", &path),
        ("jit stats", &performance),
        (
            "bench --lang bff --num 64 --soups random --rounds 1 --cache",
            &cache,
        ),
    ] {
        for (what, replace) in NO_FILES.into_iter().chain(BAD_FILES) {
            replace(path, &read(data("cubff-513.dat")));
            let mut command = broth();
            command.args(words.split_whitespace());
            match words {
                "jit stats" => command.arg(path.parent().unwrap()),
                _ if words.ends_with("--cache") => command.arg(path.parent().unwrap()),
                _ if words.starts_with("run") => command.arg(path).arg("--out").arg(&out),
                _ => command.arg(path),
            };
            let (code, message) = bounded(command);
            let case = format!("{words} with {what}: {code:?}: {message}");
            let name = path.file_name().unwrap().to_str().unwrap();
            let is_fine = match words {
                // What has no more bytes than a tape is one.
                "exec --file" => ["nothing"].contains(&what),
                _ => false,
            };
            if is_fine {
                assert_eq!(code, Some(0), "{case}");
                let _ = fs::remove_dir_all(&out);
            } else {
                assert!(matches!(code, Some(1 | 2)), "{case}");
                let named = message.contains(name) || message.contains("more than 128 bytes");
                assert!(named, "{case}");
                assert!(!out.exists(), "{case}");
            }
            remove(path);
        }
    }
}

/// `text` with a line more, of the table's first part.
fn with_line(text: &str, line: &str) -> String {
    text.replacen("engine = ", &format!("{line}\nengine = "), 1)
}

/// settings.toml may say that cubff's log is any file of its reader's.
#[test]
fn a_log_that_is_another_file_stays() {
    let victim = Victim::new();
    let settings = victim.run.join("settings.toml");
    let good = read_text(&settings);
    let log_line = good
        .lines()
        .find(|line| line.starts_with("log = "))
        .unwrap();
    let other = victim.base.path().join("precious");
    let log = read_text(&victim.log);
    let (header, rows) = log.split_once('\n').unwrap();
    assert_eq!(header, "epoch,brotli_size,soup_size,higher_entropy");
    let another_run = log.replace(",512,", ",513,");
    let link_to = victim.base.path().join("link");
    link(&other, &link_to);
    for (text, path, hint) in [
        ("alias ls='ls -l'\n", &other, "does not begin with"),
        (rows, &other, "does not begin with"),
        (&another_run, &other, "wrong row in line 2"),
        (&log, &link_to, "not a file but a folder, a link"),
    ] {
        fs::write(&other, text).unwrap();
        let line = format!("log = \"{}\"", path.display());
        fs::write(&settings, good.replace(log_line, &line)).unwrap();
        fail(2, "run --resume", &[&victim.run], &[hint, "move it away"]);
        assert_eq!(read_text(&other), text);
    }
    // Nor by a run that begins anew, which its own log does not keep from it.
    fs::remove_dir_all(victim.run.join("checkpoints")).unwrap();
    let line = format!("log = \"{}\"", other.display());
    fs::write(&settings, good.replace(log_line, &line)).unwrap();
    fs::write(&other, &another_run).unwrap();
    fail(
        2,
        "run --resume",
        &[&victim.run],
        &["the log of another run"],
    );
    assert_eq!(read_text(&other), another_run);
    fs::write(&other, &log).unwrap();
    succeed("run --quiet --resume", &[&victim.run]);
    assert_eq!(read_text(&other), log);
    // Moved away, it is made anew, to the last row; so is what was not finished.
    for left in [None, Some(""), Some("epo"), Some(header), Some(&log[..90])] {
        let _ = fs::remove_file(&other);
        if let Some(left) = left {
            fs::write(&other, left).unwrap();
        }
        let line = format!("log = \"{}\"", other.display());
        fs::write(&settings, good.replace(log_line, &line)).unwrap();
        succeed("run --quiet --resume", &[&victim.run]);
        assert_eq!(read_text(&other), log);
    }
}

/// Nor does it remove or replace the checkpoints of others, wherever it says that they go.
#[test]
fn checkpoints_of_another_run_stay() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
    let run = "run --num 64 --checkpoint-interval 1 --quiet --max-epochs";
    succeed(&format!("{run} 5 --seed 9 --out"), &[&theirs]);
    let their_checkpoints = theirs.join("checkpoints");
    // One of cubff, which has no sidecar, and what only looks like a sidecar.
    fs::remove_file(their_checkpoints.join("0000000003.toml")).unwrap();
    fs::write(their_checkpoints.join("0000000007.toml"), "notes").unwrap();
    let all = || {
        let entries = fs::read_dir(&their_checkpoints).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut all: Vec<_> = paths.map(|path| (read(&path), path)).collect();
        all.sort();
        all
    };
    let before = all();
    for interval in [1, 2, 6, 1000] {
        // By a path in settings.toml, or by a link in the folder.
        for by_link in [false, true] {
            succeed(&format!("{run} 2 --keep 1 --out"), &[&ours]);
            let settings = ours.join("settings.toml");
            let text = read_text(&settings).replace(
                "checkpoint-interval = 1\n",
                &format!("checkpoint-interval = {interval}\n"),
            );
            if by_link {
                fs::write(&settings, text).unwrap();
                fs::remove_dir_all(ours.join("checkpoints")).unwrap();
                link(&their_checkpoints, &ours.join("checkpoints"));
            } else {
                let line = "checkpoint-dir = \"../theirs/checkpoints\"";
                fs::write(&settings, with_line(&text, line)).unwrap();
            }
            let output = broth_with("run --max-epochs 9 --resume", &[&ours]);
            let message = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{message}");
            assert!(message.contains("is there already"), "{message}");
            for (bytes, path) in &before {
                assert!(read(path) == *bytes, "{}", path.display());
            }
            fs::remove_dir_all(&ours).unwrap();
        }
    }
    // Into a free place it may write, and remove what is its own.
    succeed(&format!("{run} 2 --keep 1 --out"), &[&ours]);
    let settings = ours.join("settings.toml");
    let line = "checkpoint-dir = \"../theirs/checkpoints\"";
    let text =
        read_text(&settings).replace("checkpoint-interval = 1\n", "checkpoint-interval = 10000\n");
    fs::write(&settings, with_line(&text, line)).unwrap();
    fs::remove_file(their_checkpoints.join("0000000001.dat")).unwrap();
    fs::remove_file(their_checkpoints.join("0000000001.toml")).unwrap();
    let before = all();
    for epochs in [20, 30] {
        let words = format!("run --quiet --max-epochs {epochs} --resume");
        succeed(&words, &[&ours]);
        let new: Vec<_> = all()
            .into_iter()
            .filter(|file| !before.contains(file))
            .collect();
        let names: Vec<_> = new
            .iter()
            .map(|(_, path)| path.file_stem().unwrap())
            .collect();
        let name = format!("{epochs:010}");
        assert_eq!(names, [name.as_str(), name.as_str()]);
        assert_eq!(all().len(), before.len() + 2);
    }
}

/// Rows that the newest checkpoint presupposes are not cut off in silence.
#[test]
fn a_table_that_lacks_rows_is_refused_by_name() {
    let victim = Victim::new();
    for name in ["metrics.csv", "performance.csv"] {
        let path = victim.run.join(name);
        let good = read_text(&path);
        let lines: Vec<_> = good.split_inclusive('\n').collect();
        for (kept, hint) in [
            ([&lines[..3], &lines[4..]].concat(), "wrong row in line 4"),
            ([&lines[..3], &lines[2..]].concat(), "wrong row in line 4"),
            (
                lines[..5].to_vec(),
                "lacks rows up to epoch 40, from line 6",
            ),
        ] {
            fs::write(&path, kept.concat()).unwrap();
            let hints = [name, hint, "move it away"];
            fail(2, "run --max-epochs 80 --resume", &[&victim.run], &hints);
            assert_eq!(read_text(&path), kept.concat());
        }
        fs::write(&path, &good).unwrap();
    }
}

#[test]
fn messages_hold_no_commands_to_terminals() {
    let victim = Victim::new();
    let settings = victim.run.join("settings.toml");
    let good = read_text(&settings);
    let sidecar = victim.run.join("checkpoints/0000000040.toml");
    let good_sidecar = read_text(&sidecar);
    let escape = "\\u001b]0;title\\u0007\\u001b[2J\\u009b1m\\u202e";
    let lang = "lang = \"bff_noheads\"";
    let sha = good_sidecar
        .lines()
        .find(|line| line.starts_with("sha-256"))
        .unwrap();
    for (path, text) in [
        (
            &settings,
            good.replace(lang, &format!("lang = \"{escape}\"")),
        ),
        (&settings, good.replace(lang, &format!("\"{escape}\" = 1"))),
        (&settings, good.replace(lang, "lang = \u{1b}[2J\u{202e}")),
        (
            &sidecar,
            good_sidecar.replace(sha, &format!("sha-256 = \"{escape}\"")),
        ),
        (
            &sidecar,
            good_sidecar.replace(lang, &format!("lang = \"{escape}\"")),
        ),
        (
            &sidecar,
            good_sidecar.replace(lang, &format!("{lang}\n\"{escape}\" = \"{escape}\"")),
        ),
        (
            &sidecar,
            format!("{good_sidecar}{}", "\u{9b}31m".repeat(9000)),
        ),
    ] {
        assert!(text != good && text != good_sidecar);
        fs::write(path, text).unwrap();
        let (_, message) = bounded(victim.resume());
        assert!(message.contains(path.file_name().unwrap().to_str().unwrap()));
        let is_plain = |c: char| c == '\n' || !c.is_control() && c != '\u{202e}';
        assert!(message.chars().all(is_plain), "{message:?}");
        assert!(message.contains("\\u{"), "{message}");
        assert!(message.len() < 10_000, "{} bytes", message.len());
        fs::write(&settings, &good).unwrap();
        fs::write(&sidecar, &good_sidecar).unwrap();
    }
}

/// However deep its tables lie in each other.
#[test]
fn settings_that_are_nested_deep() {
    let victim = Victim::new();
    for (begin, end) in [("a", " = 1"), ("a.a = {a", " = 1}"), ("a = [", "]")] {
        for depth in [100, 30_000] {
            let inner = if end == "]" { "[" } else { ".a" };
            let line = format!("{begin}{}{end}\n", inner.repeat(depth));
            let path = victim.run.join("settings.toml");
            let good = read_text(&path);
            fs::write(&path, format!("{line}{good}")).unwrap();
            let (code, message) = bounded(victim.resume());
            assert_eq!(code, Some(2), "{message}");
            assert!(
                message.contains("settings.toml is not settings"),
                "{message}"
            );
            fs::write(&path, good).unwrap();
        }
    }
}

/// Two at once would write every row twice.
#[test]
fn a_run_under_way_is_not_resumed() {
    let victim = Victim::new();
    let mut command = broth();
    command.args("run --quiet --max-epochs 20000 --resume".split(' '));
    let mut first = command.arg(&victim.run).spawn().unwrap();
    while !victim.run.join("checkpoints/0000000049.dat").exists() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let (code, message) = bounded(victim.resume());
    assert_eq!(code, Some(2), "{message}");
    assert!(message.contains("run is in use"), "{message}");
    succeed("jit show --epochs 1", &[&victim.run]);
    first.kill().unwrap();
    first.wait().unwrap();
    // Whoever was killed holds nothing.
    fail(
        2,
        "run --max-epochs 41 --resume",
        &[&victim.run],
        &["epochs done already"],
    );
}

/// Relative paths in settings.toml start at the run folder, and stay so.
#[test]
fn paths_in_settings_start_at_the_run_folder() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let words = "run --num 64 --max-epochs 3 --quiet --log-interval 1 --out";
    succeed(words, &[&run]);
    let settings = run.join("settings.toml");
    let text = with_line(
        &read_text(&settings),
        "log = \"log.csv\"\ncheckpoint-dir = \"cp\"",
    );
    fs::write(&settings, &text).unwrap();
    for epochs in [5, 7] {
        let words = format!("run --quiet --max-epochs {epochs} --resume");
        succeed(&words, &[&run]);
        assert_eq!(read_text(run.join("log.csv")).lines().count(), epochs + 1);
        assert!(run.join(format!("cp/{epochs:010}.dat")).exists());
    }
    assert!(read_text(&settings).contains("\nlog = \"log.csv\"\n"));
}

/// What cannot be written to settings.toml is refused before anything is made.
#[test]
fn numbers_and_paths_that_settings_cannot_hold() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    for (words, hint) in [
        (
            "--num 64 --reset-interval 9223372036854775808",
            "--reset-interval",
        ),
        ("--num 64 --keep 9223372036854775808", "--keep"),
        ("--grid 8x8 --radius 9223372036854775808", "--radius"),
    ] {
        fail(
            2,
            &format!("run {words} --out"),
            &[&out],
            &[hint, "9,223,372,036,854,775,807"],
        );
    }
    let path = folder.path().join(std::ffi::OsStr::from_bytes(b"\xff"));
    for flag in ["--log", "--checkpoint-dir", "--frames"] {
        let words = format!("run --num 64 {flag}");
        fail(
            2,
            &words,
            &[&path, "--out".as_ref(), &out],
            &[flag, "is text"],
        );
    }
    // A pattern is not read for more programs than there is memory for.
    for num in ["18446744073709551614", "18446744073709551615", "4294967294"] {
        let pattern = folder.path().join("pattern");
        fs::write(&pattern, "0 1\n").unwrap();
        let mut command = broth();
        command.args(["run", "--num", num, "--interaction-pattern"]);
        let (code, message) = bounded({
            command.arg(&pattern).arg("--out").arg(&out);
            command
        });
        assert_eq!(code, Some(2), "{message}");
        assert!(message.contains(num), "{message}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// A run that cannot begin leaves nothing, so that the same command can be given again.
#[test]
fn a_run_that_cannot_begin_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (out, log) = (folder.path().join("out"), folder.path().join("no/log.csv"));
    fail(
        1,
        "run --num 64 --max-epochs 1 --log",
        &[&log, "--out".as_ref(), &out],
        &["cannot create", "log.csv"],
    );
    assert!(!out.exists());
}

/// A run goes on to its end where nobody can read what it says.
#[test]
fn a_run_that_nobody_listens_to() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut command = broth();
    command.args("run --num 64 --max-epochs 9 --out".split(' '));
    let command = command
        .arg(&out)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(out.join("soup-0000000009.png").exists());
}

/// Numbers in a header that would run over are refused.
#[test]
fn headers_with_numbers_that_no_run_has() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.dat");
    let good = read(data("cubff-513.dat"));
    for field in [0, 16] {
        for (number, fits) in [(u64::MAX, false), (1 << 63, false), (i64::MAX as u64, true)] {
            let mut bytes = good.clone();
            bytes[field..field + 8].copy_from_slice(&number.to_le_bytes());
            fs::write(&path, bytes).unwrap();
            let output = broth_with("inspect", &[&path]);
            assert_eq!(output.status.success(), fits);
            if !fits {
                fail(2, "inspect", &[&path], &["c.dat", "more than any run has"]);
            }
        }
    }
}
