//! Runs that are killed, or for whose files there is no room, at any moment: resumed, they
//! leave what a run leaves that nothing happened to.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{broth, data, fail, read, read_text, sha256};
use broth::random::mix;

/// Log points and checkpoints so close together that a kill often falls between two steps
/// of writing them.
const EVERY: &str = "--quiet --log-interval 4 --checkpoint-interval 16 --max-epochs";

/// What decides the bytes, and the last epoch.
const SOUPS: [(&str, u64); 6] = [
    (
        "--num 256 --seed 561 --initial-program [[{.>]-]]-]>.{[[ --reset-interval 96 --tracers",
        300,
    ),
    (
        "--grid 8x8 --radius 2 --seed 4 --reset-interval 80 --eval-selfrep --frames FRAMES \
         --frame-interval 6",
        300,
    ),
    // A reset is due after the very epoch that it begins with.
    (
        "--load CUBFF --lang bff_noheads --seed 11 --reset-interval 64",
        813,
    ),
    (
        "--lang forthtrivial --num 256 --seed 5 --no-permute-programs",
        300,
    ),
    // A random stream that is in sidecars only.
    ("--world zff --seed 3 --max-steps 8", 48),
    (
        "--world long-tape --tape-bytes 8192 --lang bff_noheads_4bit --head-offset 12 --seed 4 \
         --reset-interval 96",
        300,
    ),
];

/// Numbers of no more than their seed, one after another.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = mix(self.0);
        self.0 % n
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// A run and its files.
#[derive(Debug)]
struct Place {
    run: PathBuf,
    checkpoints: PathBuf,
    frames: PathBuf,
    log: PathBuf,
}

impl Place {
    /// Everything in one folder; checkpoints `apart` from the run where asked.
    fn new(folder: &Path, apart: bool) -> Place {
        let run = folder.join("run");
        Place {
            checkpoints: match apart {
                true => folder.join("apart/checkpoints"),
                false => run.join("checkpoints"),
            },
            frames: folder.join("frames"),
            log: folder.join("log.csv"),
            run,
        }
    }

    /// The command that begins the run.
    fn begin(&self, soup: usize, flags: &str) -> Command {
        let (settings, last) = SOUPS[soup];
        let mut command = broth();
        command.arg("run");
        for word in format!("{settings} {EVERY} {last} {flags}").split_whitespace() {
            match word {
                "CUBFF" => command.arg(data("cubff-513.dat")),
                "FRAMES" => command.arg(&self.frames),
                _ => command.arg(word),
            };
        }
        command.arg("--log").arg(&self.log);
        if self.checkpoints.parent() != Some(&self.run) {
            command.arg("--checkpoint-dir").arg(&self.checkpoints);
        }
        command.arg("--out").arg(&self.run);
        command
    }

    /// The command that goes on with it.
    fn resume(&self, flags: &str) -> Command {
        let mut command = broth();
        command.args("run --quiet".split(' '));
        command.args(flags.split_whitespace());
        command.arg("--resume").arg(&self.run);
        command
    }

    /// Names of files in a folder that end so, in order; none where there is no folder.
    fn names(folder: &Path, ending: &str) -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.ends_with(ending)).collect();
        names.sort();
        names
    }

    /// Epochs done of the newest checkpoint.
    fn saved(&self) -> Option<u64> {
        let names = Place::names(&self.checkpoints, ".dat");
        Some(names.last()?.trim_end_matches(".dat").parse().unwrap())
    }

    /// Whether each checkpoint that is there under its name is what its sidecar says.
    fn check_names(&self) {
        for name in Place::names(&self.checkpoints, ".dat") {
            let path = self.checkpoints.join(&name);
            let digits = sha256(&read(&path));
            let sidecar = read_text(path.with_extension("toml"));
            assert!(
                sidecar.contains(&digits),
                "{name}: {digits} is not in {sidecar}"
            );
        }
    }

    fn unfinished(&self) -> Vec<String> {
        let beside = self.log.parent().unwrap();
        let folders = [&self.run, &self.checkpoints, &self.frames, beside];
        let names = folders.iter().flat_map(|folder| Place::names(folder, ""));
        names.filter(|name| name.starts_with(".broth-")).collect()
    }

    /// The first column of a table without its header, torn last line and all.
    fn epochs(path: &Path) -> Vec<String> {
        let text = read_text(path);
        let rows = text.lines().skip(1);
        rows.map(|row| row.split(',').next().unwrap().to_string())
            .collect()
    }

    /// Whether this finished run left what the `undisturbed` one of the same soup did;
    /// with `keep`, so many of its checkpoints.
    fn check(&self, undisturbed: &Place, keep: Option<usize>) {
        let same = |name: &str, ours: &Path, theirs: &Path| {
            assert!(read(ours) == read(theirs), "{name} differs");
        };
        let (run, other) = (&self.run, &undisturbed.run);
        same(
            "metrics.csv",
            &run.join("metrics.csv"),
            &other.join("metrics.csv"),
        );
        same("log", &self.log, &undisturbed.log);
        assert_eq!(
            Place::epochs(&run.join("performance.csv")),
            Place::epochs(&other.join("metrics.csv")),
            "performance.csv"
        );
        for ending in [".dat", ".toml", ".tokens"] {
            let expected = Place::names(&undisturbed.checkpoints, ending);
            let kept = keep.unwrap_or(expected.len()).min(expected.len());
            let expected = &expected[expected.len() - kept..];
            assert_eq!(Place::names(&self.checkpoints, ending), expected);
            for name in expected {
                let [ours, theirs] = [self, undisturbed].map(|place| place.checkpoints.join(name));
                same(name, &ours, &theirs);
            }
        }
        let frames = Place::names(&undisturbed.frames, "");
        assert_eq!(Place::names(&self.frames, ""), frames);
        for name in frames {
            let [ours, theirs] = [self, undisturbed].map(|place| place.frames.join(&name));
            same(&name, &ours, &theirs);
        }
        let pictures = Place::names(other, ".png");
        assert_eq!(Place::names(run, ".png"), pictures);
        same(
            "picture",
            &run.join(&pictures[0]),
            &other.join(&pictures[0]),
        );
        assert_eq!(self.unfinished(), [""; 0]);
    }
}

/// One run of each soup that nothing happens to, and how long it takes.
fn undisturbed(folder: &Path) -> Vec<(Place, Duration)> {
    let places = (0..SOUPS.len()).map(|soup| {
        let folder = folder.join(format!("undisturbed-{soup}"));
        fs::create_dir(&folder).unwrap();
        let place = Place::new(&folder, false);
        let begun = Instant::now();
        run(place.begin(soup, ""));
        (place, begun.elapsed())
    });
    places.collect()
}

/// Run a command, which must succeed.
fn run(mut command: Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// How far a run was when it was killed, and what lay about.
#[derive(Debug, Default)]
struct Kills {
    of_all: u64,
    /// No settings yet: to be begun again.
    before_it_began: u64,
    before_a_checkpoint: u64,
    /// By the share of epochs at the newest checkpoint.
    thirds: [u64; 3],
    after_the_last_checkpoint: u64,
    /// Rows of later epochs than the newest checkpoint.
    with_rows_to_cut: u64,
    with_files_unfinished: u64,
    with_a_sidecar_alone: u64,
}

impl Kills {
    fn count(&mut self, place: &Place, soup: usize) {
        let last = SOUPS[soup].1;
        self.of_all += 1;
        self.with_files_unfinished += u64::from(!place.unfinished().is_empty());
        if !place.run.join("settings.toml").exists() {
            self.before_it_began += 1;
            return;
        }
        let stems = |ending| {
            let names = Place::names(&place.checkpoints, ending).into_iter();
            names.map(move |name| name.trim_end_matches(ending).to_string())
        };
        self.with_a_sidecar_alone += u64::from(stems(".toml").ne(stems(".dat")));
        place.check_names();
        let saved = place.saved();
        match saved {
            None => self.before_a_checkpoint += 1,
            Some(saved) if saved == last => self.after_the_last_checkpoint += 1,
            Some(saved) => self.thirds[(3 * saved / last).min(2) as usize] += 1,
        }
        let epochs = Place::epochs(&place.run.join("metrics.csv"));
        let row = epochs.last().and_then(|epoch| epoch.parse().ok());
        self.with_rows_to_cut += u64::from(row > saved);
    }
}

/// One run, killed up to three times; printed where it goes wrong.
struct Round {
    number: u64,
    soup: usize,
    keep: Option<usize>,
    flags: String,
    /// Times from start to kill.
    moments: Vec<Duration>,
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (settings, _) = SOUPS[self.soup];
        let Round {
            number,
            flags,
            moments,
            ..
        } = self;
        write!(
            f,
            "round {number}: {settings} {flags} killed after {moments:?}"
        )
    }
}

/// What is run how fast, by whom: none of it changes a byte.
fn speed(draw: &mut Draw) -> String {
    let engine = draw.one_of(&["auto", "reference", "interpreter", "jit"]);
    format!("--engine {engine} --threads {}", 1 + draw.below(2))
}

impl Round {
    fn go(number: u64, folder: &Path, undisturbed: &mut [(Place, Duration)], kills: &mut Kills) {
        let mut draw = Draw(mix(number));
        let soup = draw.below(SOUPS.len() as u64) as usize;
        let (undisturbed, whole) = &mut undisturbed[soup];
        let keep = draw.one_of(&[None, None, Some(1), Some(2)]);
        let mut flags = speed(&mut draw);
        if let Some(keep) = keep {
            flags += &format!(" --keep {keep}");
        }
        let place = Place::new(folder, draw.below(3) == 0);
        let mut round = Round {
            number,
            soup,
            keep,
            flags,
            moments: Vec::new(),
        };
        for _ in 0..1 + draw.below(3) {
            // One in four soon after the start, where there are many steps.
            let within = whole.as_micros() as u64 / draw.one_of(&[1, 1, 1, 16]);
            let moment = Duration::from_micros(draw.below(within));
            round.moments.push(moment);
            let mut command = match place.run.join("settings.toml").exists() {
                true => place.resume(&speed(&mut draw)),
                false => {
                    // As its user would do who is told so.
                    for path in [&place.run, &place.checkpoints] {
                        let _ = fs::remove_dir_all(path);
                    }
                    let _ = fs::remove_file(&place.log);
                    place.begin(soup, &round.flags)
                }
            };
            let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
            thread::sleep(moment);
            child.kill().unwrap();
            let output = child.wait_with_output().unwrap();
            match output.status.code() {
                None => kills.count(&place, soup),
                Some(0) => {
                    // Too late: the machine is faster by now, where this was a whole run.
                    if round.moments.len() == 1 {
                        *whole = moment.min(*whole);
                    }
                    break;
                }
                Some(_) => panic!("{round}: {}", String::from_utf8_lossy(&output.stderr)),
            }
        }
        // Whatever is wrong is told together with the round.
        let end = std::panic::catch_unwind(|| round.end(&place, undisturbed));
        assert!(end.is_ok(), "{round}");
    }

    /// Let the run come to its end, and look at what it left.
    fn end(&self, place: &Place, undisturbed: &Place) {
        if !place.run.join("settings.toml").exists() {
            if place.run.exists() {
                fail(2, "run --resume", &[&place.run], &["no settings.toml"]);
                fail(2, "run --out", &[&place.run], &["remove it"]);
                fs::remove_dir_all(&place.run).unwrap();
            }
            let _ = fs::remove_dir_all(&place.checkpoints);
            let _ = fs::remove_file(&place.log);
            run(place.begin(self.soup, &self.flags));
        } else {
            run(place.resume(""));
        }
        place.check(undisturbed, self.keep);
    }
}

/// Kill runs so often, and see that the kills fell where they should.
fn kill(times: u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut undisturbed = undisturbed(folder.path());
    let mut kills = Kills::default();
    let mut rounds = 0;
    while kills.of_all < times {
        let folder = folder.path().join(format!("round-{rounds}"));
        fs::create_dir(&folder).unwrap();
        Round::go(rounds, &folder, &mut undisturbed, &mut kills);
        fs::remove_dir_all(&folder).unwrap();
        rounds += 1;
    }
    println!("{rounds} rounds: {kills:?}");
    // Neither all too early nor all too late.
    assert!(rounds <= 3 * times, "{rounds} rounds: {kills:?}");
    for (count, share) in [
        (kills.thirds.iter().sum(), 3),
        (kills.thirds[0], 40),
        (kills.thirds[1], 40),
        (kills.thirds[2], 40),
        (kills.with_rows_to_cut, 8),
        (kills.with_files_unfinished, 40),
    ] {
        assert!(count >= times / share, "{kills:?}");
    }
}

#[test]
fn killed_at_any_moment_and_resumed_the_bytes_are_the_same() {
    kill(20);
}

#[test]
#[ignore = "takes a minute"]
fn killed_a_hundred_times() {
    kill(100);
}

/// Files that may not grow beyond some size: as a file system that runs full, at any byte.
#[cfg(target_os = "linux")]
mod without_room {
    use std::collections::BTreeSet;
    use std::io;
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::Output;

    use super::*;

    /// Run a command whose files may have so many bytes, and no more. What goes beyond is
    /// an error to it, or, where it is not to know, its end in the midst of a line.
    fn within(bytes: u64, is_told: bool, mut command: Command) -> Output {
        let limit = move || {
            let limit = |resource, bytes| {
                let limit = libc::rlimit {
                    rlim_cur: bytes,
                    rlim_max: bytes,
                };
                // SAFETY: a system call that reads the struct it is given.
                match unsafe { libc::setrlimit(resource, &limit) } {
                    0 => Ok(()),
                    _ => Err(io::Error::last_os_error()),
                }
            };
            limit(libc::RLIMIT_CORE, 0)?;
            limit(libc::RLIMIT_FSIZE, bytes)?;
            let then = if is_told {
                libc::SIG_IGN
            } else {
                libc::SIG_DFL
            };
            // SAFETY: a system call, and no function of ours is to be called.
            unsafe { libc::signal(libc::SIGXFSZ, then) };
            Ok(())
        };
        // SAFETY: between fork and exec it does system calls and nothing else.
        unsafe { command.pre_exec(limit) };
        command.output().unwrap()
    }

    /// Which file a run that was told had no room for; none where it had.
    fn unwritten(place: &Place, output: &Output) -> Option<String> {
        let message = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            return None;
        }
        assert_eq!(output.status.code(), Some(1), "{message}");
        Some(named(place, &message, "raise the limit"))
    }

    /// The sort of file that a message names, with this advice.
    fn named(place: &Place, message: &str, advice: &str) -> String {
        assert!(!message.contains("panicked"), "{message}");
        assert!(message.contains(advice), "{message}");
        let path = message.split_once("broth: cannot ").unwrap().1;
        let path = path.split_once(' ').unwrap().1;
        let path = Path::new(path.split_once(": ").unwrap().0);
        assert!(path.starts_with(place.run.parent().unwrap()), "{message}");
        let name = path.file_name().unwrap().to_str().unwrap();
        match name.split_once(".") {
            Some((digits, ending)) if digits.ends_with(|c: char| c.is_ascii_digit()) => ending,
            _ => name,
        }
        .into()
    }

    #[test]
    fn a_run_without_room_loses_nothing() {
        // In memory where that can be had: there syncing takes no time.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let folder = folder.unwrap();
        let undisturbed = Place::new(folder.path(), false);
        let soup = 2;
        run(undisturbed.begin(soup, ""));
        let len = |name: &str| fs::metadata(undisturbed.run.join(name)).unwrap().len();
        let name = Place::names(&undisturbed.run, ".png").remove(0);
        let picture = len(&name);
        let largest = len("metrics.csv");
        let header = read_text(undisturbed.run.join("performance.csv")).find('\n');
        let mut unwritten_files = BTreeSet::new();
        let mut torn = 0;
        let mut draw = Draw(7);
        for round in 0..60 {
            let folder = folder.path().join(round.to_string());
            fs::create_dir(&folder).unwrap();
            let place = Place::new(&folder, round % 3 == 0);
            let keep = ["", "--keep 1"][round as usize % 2];
            // As much as there is room for, and again after it was made good.
            let mut bytes = match round {
                0 => header.unwrap() as u64,
                1..10 => draw.below(5000),
                _ => draw.below(largest + 1000),
            };
            for _ in 0..2 {
                let has_begun = place.run.join("settings.toml").exists();
                let command = match has_begun {
                    true => place.resume(&speed(&mut draw)),
                    false => place.begin(soup, &format!("{} {keep}", speed(&mut draw))),
                };
                let is_told = round == 0 || draw.below(2) == 0;
                let output = within(bytes, is_told, command);
                if is_told {
                    let file = unwritten(&place, &output);
                    // One that could not begin leaves nothing at all.
                    let has_begun = has_begun || place.run.exists();
                    assert!(has_begun || fs::read_dir(&folder).unwrap().count() <= 1);
                    assert_eq!(place.unfinished(), [""; 0]);
                    unwritten_files.extend(file);
                } else if output.status.signal() == Some(libc::SIGXFSZ) {
                    let text = fs::read_to_string(place.run.join("metrics.csv"));
                    torn += u64::from(text.is_ok_and(|text| !text.ends_with('\n')));
                    if !place.run.join("settings.toml").exists() {
                        fs::remove_dir_all(&folder).unwrap();
                        fs::create_dir(&folder).unwrap();
                    }
                }
                place.check_names();
                bytes += draw.below(largest);
            }
            match place.run.exists() {
                true => run(place.resume("")),
                false => run(place.begin(soup, keep)),
            }
            place.check(&undisturbed, (!keep.is_empty()).then_some(1));
            fs::remove_dir_all(&folder).unwrap();
        }
        let all = ["dat", "metrics.csv", "performance.csv", "png"];
        assert_eq!(unwritten_files, all.map(String::from).into());
        assert!(torn > 0);
        // The last of all files.
        fs::remove_file(undisturbed.run.join(&name)).unwrap();
        let output = within(picture - 1, true, undisturbed.resume(""));
        assert_eq!(unwritten(&undisturbed, &output).as_deref(), Some("png"));
        run(undisturbed.resume(""));
        assert_eq!(len(&name), picture);
    }

    /// A file system of a few pages, one after another more, until all has room.
    #[test]
    #[ignore = "mounts small file systems, in a user namespace: unshare -rm must be allowed"]
    fn a_full_file_system_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let undisturbed = Place::new(folder.path(), false);
        let soup = 2;
        run(undisturbed.begin(soup, ""));
        let mut unwritten_files = BTreeSet::new();
        for pages in 1.. {
            let [room, left] = ["room", "left"].map(|name| folder.path().join(name));
            fs::create_dir(&room).unwrap();
            let place = Place::new(&room, false);
            let again = match pages {
                // The first ones cannot even begin.
                1..=9 => format!(
                    "if [ -e {:?} ]; then {:?}; else {:?}; fi",
                    place.run,
                    place.resume(""),
                    place.begin(soup, "")
                ),
                _ => format!("{:?}", place.resume("")),
            };
            let script = format!(
                "mount -t tmpfs -o size={} none {room:?} || exit 99
                 {:?}; code=$?
                 mount -o remount,size=64m {room:?} || exit 99
                 {again} || exit 98
                 cp -r {room:?} {left:?} && exit $code",
                pages * 4096,
                place.begin(soup, "")
            );
            let mut command = Command::new("unshare");
            let output = command.args(["-rm", "sh", "-c", &script]).output().unwrap();
            let message = String::from_utf8_lossy(&output.stderr);
            let end = output.status.code();
            assert!(
                matches!(end, Some(0 | 1)),
                "{pages} pages, {end:?}: {message}"
            );
            Place::new(&left, false).check(&undisturbed, None);
            for path in [&room, &left] {
                fs::remove_dir_all(path).unwrap();
            }
            if end == Some(0) {
                break;
            }
            unwritten_files.insert(named(&place, &message, "free some space"));
        }
        for file in ["settings.toml", "metrics.csv", "performance.csv", "log.csv"] {
            assert!(unwritten_files.remove(file), "{file}: {unwritten_files:?}");
        }
        assert_eq!(
            unwritten_files,
            ["dat", "toml", "png"].map(String::from).into()
        );
    }
}
