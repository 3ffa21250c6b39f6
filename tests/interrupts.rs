//! Ctrl-C and other requests to end: what they keep, what they cost, and what is said of it.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::{broth, broth_with, read_text, succeed};
use broth::random::mix;

/// Flags of soups whose epochs take long, since each is scored by the slowest engine.
const SLOW: &str = "--num 49152 --threads 1 --engine reference --eval-selfrep --log-interval 1";
/// Time between two requests that are not one.
const LATER: Duration = Duration::from_millis(600);

/// A command under way, its output kept.
struct Started(Child);

impl Started {
    fn new(words: &str, arguments: &[&Path]) -> Started {
        let mut command = broth();
        command.args(words.split_whitespace()).args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Started(command.spawn().unwrap())
    }

    fn signal(&self, name: &str) {
        let mut command = Command::new("kill");
        let status = command.args([format!("-{name}"), self.0.id().to_string()]);
        assert!(status.stderr(Stdio::null()).status().is_ok());
    }

    /// Wait until a file of at least so many lines is there.
    fn wait_for(&mut self, path: &Path, lines: usize) {
        let begun = Instant::now();
        while fs::read_to_string(path).map_or(0, |text| text.lines().count()) < lines {
            assert!(begun.elapsed() < Duration::from_secs(120), "{path:?}");
            assert!(self.0.try_wait().unwrap().is_none(), "ended too soon");
            sleep(Duration::from_millis(2));
        }
    }

    /// Its exit code, standard output and standard error.
    fn end(self) -> (Option<i32>, String, String) {
        text_of(self.0.wait_with_output().unwrap())
    }
}

fn text_of(output: Output) -> (Option<i32>, String, String) {
    let [out, err] = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap());
    assert!(!err.contains("panicked"), "{err}");
    (output.status.code(), out, err)
}

/// Epochs done at the newest checkpoint of a run.
fn newest(run: &Path) -> Option<u64> {
    let entries = fs::read_dir(run.join("checkpoints")).ok()?;
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let epochs = names.filter_map(|name| name.strip_suffix(".dat")?.parse().ok());
    epochs.max()
}

/// Epochs done at the last row of a run's metrics.
fn last_row(run: &Path) -> u64 {
    let text = fs::read_to_string(run.join("metrics.csv")).unwrap_or_default();
    let last = text.lines().last().unwrap_or_default();
    last.split(',').next().unwrap().parse().unwrap_or(0)
}

/// The number that follows `before` in a text.
fn number(text: &str, before: &str) -> Option<u64> {
    let rest = text.split_once(before)?.1;
    let end = rest.find(|c: char| !c.is_ascii_digit());
    rest[..end.unwrap_or(rest.len())].parse().ok()
}

/// What the last words of a run say: the newest checkpoint, the epoch of the end, and how many
/// are lost.
fn lost(words: &str) -> (Option<u64>, Option<u64>, u64) {
    let saved = number(words, "checkpoint is that after epoch ");
    assert!(
        saved.is_some() || words.contains("no checkpoint yet"),
        "{words}"
    );
    if words.contains("no epoch is lost") {
        return (saved, saved, 0);
    }
    let count = number(words, "stopped: ").unwrap();
    let now = number(words, " to ").or(number(words, "number "));
    assert_eq!(
        count == 1,
        words.contains("epoch is lost, number"),
        "{words}"
    );
    (saved, now, count)
}

const FINISHING: &str = "finishing this epoch, writing a checkpoint; once more to stop without it";

#[test]
fn two_requests_in_one_keep_the_work_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    for (name, signals) in [
        ("same", ["INT", "INT", "INT"]),
        ("mixed", ["TERM", "HUP", "INT"]),
    ] {
        let out = folder.path().join(name);
        let flags = "run --num 4096 --threads 1 --engine reference --seed 5 --log-interval 1 \
                     --checkpoint-interval 1000000 --max-epochs 1000000 --out";
        let mut run = Started::new(flags, &[&out]);
        run.wait_for(&out.join("metrics.csv"), 5);
        for signal in signals {
            run.signal(signal);
            sleep(Duration::from_millis(5));
        }
        let (code, shown, said) = run.end();
        assert_eq!(code, Some(130), "{said}");
        assert_eq!(said.matches(FINISHING).count(), 1, "{said}");
        assert!(!said.contains("stopped"), "{said}");
        let newest = newest(&out).unwrap();
        assert!(newest >= 4 && newest >= last_row(&out), "{newest}");
        assert!(shown.contains("interrupted after"), "{shown}");
        succeed(
            &format!("run --max-epochs {} --resume", newest + 1),
            &[&out],
        );
    }
}

#[test]
fn a_later_request_ends_a_run_and_says_what_it_costs() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let flags = format!("run {SLOW} --seed 5 --quiet --max-epochs 1000 --out");
    let mut run = Started::new(&flags, &[&out]);
    // The row of the first epoch, so that the second one has just begun.
    run.wait_for(&out.join("metrics.csv"), 2);
    run.signal("INT");
    sleep(LATER);
    let asked = Instant::now();
    run.signal("HUP");
    let (code, _, said) = run.end();
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(code, Some(130), "{said}");
    let words = said.lines().last().unwrap();
    assert!(words.starts_with("broth: stopped: "), "{said}");
    assert!(
        words.contains(&format!("broth run --resume {}", out.display())),
        "{said}"
    );
    let (saved, now, count) = lost(words);
    assert_eq!(saved, newest(&out), "{said}");
    assert_eq!(now.unwrap_or(0), saved.unwrap_or(0) + count, "{said}");
    assert!(now.unwrap_or(0) >= last_row(&out), "{said}");
}

fn sweep_file(folder: &Path, settings: &str) -> std::path::PathBuf {
    let path = folder.join("sweep.toml");
    fs::write(&path, format!("seeds = \"1-3\"\n[settings]\n{settings}")).unwrap();
    path
}

#[test]
fn two_requests_in_one_keep_the_work_of_a_sweep() {
    let folder = tempfile::tempdir().unwrap();
    let file = sweep_file(
        folder.path(),
        "num = 2048\nmax-epochs = 1000000\nengine = \"reference\"\n",
    );
    let out = folder.path().join("out");
    let sweep = Started::new("sweep --jobs 2 --threads 2 --out", &[&out, &file]);
    sleep(Duration::from_millis(700));
    sweep.signal("INT");
    sleep(Duration::from_millis(5));
    sweep.signal("TERM");
    let (code, shown, said) = sweep.end();
    assert_eq!(code, Some(130), "{said}");
    assert_eq!(
        said.matches("finishing an epoch of each run").count(),
        1,
        "{said}"
    );
    assert!(!said.contains("stopped"), "{said}");
    assert!(shown.contains("resume      the same command"), "{shown}");
    let saved = fs::read_dir(out.join("runs")).unwrap().filter(|run| {
        let path = run.as_ref().unwrap().path().join("so-far.toml");
        number(&read_text(path), "\nepochs = ").unwrap() > 0
    });
    assert_eq!(saved.count(), 2);
}

#[test]
fn a_later_request_ends_a_sweep_and_says_what_it_costs() {
    let folder = tempfile::tempdir().unwrap();
    let file = sweep_file(
        folder.path(),
        "num = 49152\nmax-epochs = 1000\nengine = \"reference\"\neval-selfrep = true\n\
         log-interval = 1\n",
    );
    let out = folder.path().join("out");
    let sweep = Started::new("sweep --jobs 1 --threads 1 --out", &[&out, &file]);
    // In the midst of the first epoch, or of its scores.
    sleep(Duration::from_millis(300));
    sweep.signal("TERM");
    sleep(LATER);
    sweep.signal("INT");
    let (code, _, said) = sweep.end();
    assert_eq!(code, Some(130), "{said}");
    let words = said.lines().last().unwrap();
    assert!(words.starts_with("broth: stopped: "), "{said}");
    assert!(
        words.contains("1 epoch is lost, of a run under way"),
        "{said}"
    );
    assert!(words.contains("the same command"), "{said}");
    assert_eq!(fs::read_dir(out.join("results")).unwrap().count(), 0);
    // Nothing was saved, as was said.
    assert!(!out.join("runs").exists());
}

#[test]
fn an_interrupted_search_sums_up_or_says_what_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let search = Started::new("search --lang bff_selfmove --seed 3", &[]);
    sleep(Duration::from_millis(400));
    for signal in ["INT", "INT"] {
        search.signal(signal);
        sleep(Duration::from_millis(5));
    }
    let (code, shown, said) = search.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(
        said.contains("finishing what is being tested, then summing up"),
        "{said}"
    );
    assert!(shown.contains("programs tested to a replicator"), "{shown}");

    let table = folder.path().join("finds.csv");
    let words = "search --from soup --num 2097152 --threads 1 --quiet --seed 3 --out";
    let mut search = Started::new(words, &[&table]);
    search.wait_for(&table, 1);
    sleep(Duration::from_millis(100));
    search.signal("TERM");
    sleep(LATER);
    search.signal("TERM");
    let (code, shown, said) = search.end();
    assert_eq!(code, Some(130), "{said}");
    let words = said.lines().last().unwrap();
    for hint in [
        "broth: stopped after ",
        "0 finds in",
        "finds.csv",
        "begins again",
    ] {
        assert!(words.contains(hint), "{said}");
    }
    assert!(!shown.contains("programs tested"), "{shown}");
    assert_eq!(read_text(&table).lines().count(), 1);
}

/// Frames that an animated PNG says it has, and those that it has.
fn frames(png: &[u8]) -> (usize, usize) {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(png))
        .read_info()
        .unwrap();
    let says = decoder.info().animation_control.unwrap().num_frames as usize;
    let mut pixels = vec![0; decoder.output_buffer_size().unwrap()];
    let has = (0..says).take_while(|_| decoder.next_frame(&mut pixels).is_ok());
    (says, has.count())
}

#[test]
fn an_interrupted_film_ends_early() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    succeed(
        "run --num 65536 --quiet --seed 5 --max-epochs 1 --log-interval 1 --out",
        &[&run],
    );
    let film = folder.path().join("film.png");
    let words = "film --from 1 --to 900 --every 1 --quiet";
    let flags: [&Path; 3] = [&run, "--out".as_ref(), &film];
    let started = Started::new(words, &flags);
    sleep(Duration::from_millis(1000));
    for signal in ["HUP", "INT"] {
        started.signal(signal);
        sleep(Duration::from_millis(5));
    }
    let (code, _, said) = started.end();
    assert_eq!(code, Some(130), "{said}");
    let (says, has) = frames(&fs::read(&film).unwrap());
    assert!(says == has && has < 900, "{has} of {says} frames");
    // Before its first frame there is nothing to write.
    let none = folder.path().join("none.png");
    let words = "film --from 90000 --to 90001 --quiet";
    let started = Started::new(words, &[&run, "--out".as_ref(), &none]);
    sleep(Duration::from_millis(500));
    started.signal("INT");
    let (code, shown, said) = started.end();
    assert_eq!((code, shown.as_str()), (Some(130), ""), "{said}");
    assert!(said.contains("none.png is not written"), "{said}");
    assert!(!none.exists());
    let out = folder.path().join("strip.png");
    let strip = Started::new("strip --to 90000 --quiet", &[&run, "--out".as_ref(), &out]);
    sleep(Duration::from_millis(500));
    strip.signal("INT");
    let (code, _, said) = strip.end();
    assert_eq!(code, Some(130), "{said}");
    let words = said.lines().last().unwrap();
    assert!(
        words.contains("strip.png is not written; the run is as it was"),
        "{said}"
    );
    assert!(!out.exists());
}

#[test]
fn an_interrupted_bench_shows_the_rounds_that_are_done() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let json = folder.path().join("bench.json");
    let words = "bench --soups random,prelife --num 1024 --rounds 60000 --epochs 16 --threads 1 \
                 --cache";
    let bench = Started::new(words, &[&cache, "--json".as_ref(), &json]);
    sleep(Duration::from_millis(1500));
    for signal in ["INT", "TERM"] {
        bench.signal(signal);
        sleep(Duration::from_millis(5));
    }
    let (code, shown, said) = bench.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("finishing this epoch or round"), "{said}");
    assert!(shown.contains("bff_noheads, random: epoch 1"), "{shown}");
    assert!(!shown.contains("prelife"), "{shown}");
    assert!(read_text(&json).contains("\"soup\": \"random\""));
}

/// Standard error and output closed, as when a terminal goes: no panic, and nothing lost.
#[test]
fn a_closed_terminal_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let flags = "run --num 4096 --threads 1 --engine reference --seed 5 --log-interval 1 \
                 --checkpoint-interval 1000000 --max-epochs 1000000 --out";
    let mut run = Started::new(flags, &[&out]);
    run.wait_for(&out.join("metrics.csv"), 3);
    drop((run.0.stdout.take(), run.0.stderr.take()));
    run.signal("HUP");
    assert_eq!(run.0.wait().unwrap().code(), Some(130));
    assert!(newest(&out).unwrap() >= last_row(&out));
}

/// Runs that are told to end at random moments by random mixtures of signals.
fn ended_at_random(rounds: u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut state = rounds;
    let mut below = |n: u64| {
        state = mix(state);
        state % n
    };
    let (mut kept, mut cost) = (0, 0);
    for round in 0..rounds {
        let out = folder.path().join(round.to_string());
        let soup = [
            "--num 1024 --engine reference",
            "--num 8192 --engine reference --eval-selfrep",
        ][below(2) as usize];
        let words = format!(
            "run {soup} --threads 1 --seed {round} --log-interval 1 --checkpoint-interval 16 \
             --max-epochs 1000000 --out"
        );
        let mut run = Started::new(&words, &[&out]);
        sleep(Duration::from_millis(20 + below(300)));
        let mut sent = Vec::new();
        for _ in 0..1 + below(4) {
            let signal = ["INT", "TERM", "HUP"][below(3) as usize];
            run.signal(signal);
            let pause = [1, 5, 50, 510, 700][below(5) as usize];
            sent.push((signal, pause));
            sleep(Duration::from_millis(pause));
            if run.0.try_wait().unwrap().is_some() {
                break;
            }
        }
        let (code, shown, said) = run.end();
        let told = format!("round {round}: {words} {sent:?}: {code:?}\n{said}\n{shown}");
        if code.is_none() {
            // Before it could know of any signal.
            assert!(!out.exists(), "{told}");
            continue;
        }
        assert_eq!(code, Some(130), "{told}");
        let words = said.lines().last().unwrap_or_default();
        if words.starts_with("broth: stopped before the work began") {
            continue;
        }
        let rows = last_row(&out);
        let now = if words.starts_with("broth: stopped: ") {
            let (saved, now, count) = lost(words);
            assert_eq!(saved, newest(&out), "{told}");
            let now = now.unwrap_or(0);
            assert_eq!(now, saved.unwrap_or(0) + count, "{told}");
            // The recorder is at most a log point behind.
            assert!((rows..=rows + 2).contains(&now), "{rows} rows; {told}");
            cost += 1;
            now
        } else {
            let now = newest(&out).unwrap();
            assert!(shown.contains("interrupted after"), "{told}");
            assert!(now >= rows, "{told}");
            kept += 1;
            now
        };
        if round % 4 == 0 {
            let words = format!("run --max-epochs {} --quiet --resume", now + 1);
            let resumed = broth_with(&words, &[&out]);
            assert!(resumed.status.success(), "{told}: {resumed:?}");
        }
        fs::remove_dir_all(&out).unwrap();
    }
    println!("{rounds} rounds: {kept} kept all, {cost} said what it cost");
    // How often an epoch lasts until a later signal is for chance and the machine to say: only
    // many rounds must have seen both.
    if rounds >= 200 {
        assert!(kept >= rounds / 4, "{kept} of {rounds}");
        assert!(cost >= 1, "{cost} of {rounds}");
    }
}

#[test]
fn ended_at_random_moments_the_last_line_tells_the_truth() {
    ended_at_random(20);
}

#[test]
#[ignore = "takes some minutes"]
fn ended_at_random_moments_two_hundred_times() {
    ended_at_random(200);
}

#[test]
fn verifying_sums_up_what_it_has_compared() {
    let verify = Started::new("verify --minutes 60 --lang bff_noheads,forth", &[]);
    sleep(Duration::from_secs(2));
    verify.signal("INT");
    let (code, out, err) = verify.end();
    assert_eq!(code, Some(130), "{out} {err}");
    assert!(out.contains("no difference in "), "{out}");
    assert!(err.contains("finishing what is being tried"), "{err}");
}

/// Whoever interrupts a run does not wait for a large picture; how to draw it is said.
#[test]
fn an_interrupted_run_draws_no_large_picture() {
    let folder = tempfile::tempdir().unwrap();
    for (name, num, is_drawn) in [("small", 1024, true), ("large", (1 << 17) + 2, false)] {
        let out = folder.path().join(name);
        let words = format!("run --num {num} --threads 1 --log-interval 1 --max-epochs 1M --out");
        let mut run = Started::new(&words, &[&out]);
        run.wait_for(&out.join("metrics.csv"), 2);
        run.signal("INT");
        let (code, shown, said) = run.end();
        assert_eq!(code, Some(130), "{said}");
        let entries = fs::read_dir(&out).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let pictures = names.filter(|name| name.ends_with(".png")).count();
        assert_eq!(pictures, usize::from(is_drawn), "{shown}");
        assert_eq!(shown.contains("not drawn, to end at once"), !is_drawn);
        assert!(is_drawn || shown.contains(" picture "), "{shown}");
    }
}

/// A table that is stopped leaves nothing, under any name.
#[test]
fn a_table_of_events_that_is_stopped_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let flags = "run --quiet --no-picture --num 4096 --seed 1 --max-epochs 1 --out";
    succeed(flags, &[&run]);
    let out = folder.path().join("tables");
    fs::create_dir(&out).unwrap();
    for name in ["a.csv", "a.parquet"] {
        let table = out.join(name);
        let flags = "events --threads 1 --from 0 --to 10000000 --out";
        let mut started = Started::new(flags, &[&table, &run]);
        let begun = Instant::now();
        let is_under_way = |entry: fs::DirEntry| entry.metadata().is_ok_and(|it| it.len() > 0);
        while !fs::read_dir(&out)
            .unwrap()
            .any(|it| it.is_ok_and(is_under_way))
        {
            assert!(begun.elapsed() < Duration::from_secs(120));
            assert!(started.0.try_wait().unwrap().is_none(), "ended too soon");
            sleep(Duration::from_millis(5));
        }
        started.signal("INT");
        let (code, shown, said) = started.end();
        assert_eq!((code, &*shown), (Some(130), ""), "{said}");
        assert!(said.contains("stopping after this epoch"), "{said}");
        assert!(
            said.contains("is not written; the run is as it was"),
            "{said}"
        );
        assert_eq!(fs::read_dir(&out).unwrap().count(), 0, "{said}");
    }
}
