//! Tapes next to pages that nobody may touch, by every engine: none reads or writes outside
//! of its tapes. Native code above all, which no sanitizer sees.
//!
//! A stray access ends the process. So each language is run by a process of its own, which
//! leaves word in a file what it is about to do.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use broth::engine::jit::NativeTally;
use broth::engine::{Engine, Options, Runner, every_width, reference};
use broth::language::{Family, Language, Outcome, TAPE_LEN, Tape};
use memmap2::MmapMut;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::interpreter::{BODIES, command_bytes, tape_around_a_loop, tape_of_few_commands};
use super::interpreter_forth_subleq::Numbers;
use super::jit_self_modification::grown;
use crate::common::engines::{NO_CLOSED_FORMS, Natives};
use crate::common::guard::{Guarded, Side};
use crate::common::{read, share};

/// Rounds for each language, or a share of them; of so many one is run by native code.
const ROUNDS: usize = 128;
const NATIVE_EVERY: u64 = 8;

/// The rounds that are tried: with fewer than a quarter, hardly any loop is run by native code.
fn rounds() -> usize {
    share(ROUNDS).max(ROUNDS / 4)
}

/// Tapes that are run together: one, more than are classified at once, as many as fill a
/// page of 4 KiB, and more.
const COUNTS: [usize; 4] = [1, 9, 32, 33];

/// Set for the processes that run the tapes: the language, and the file for their word.
const LANGUAGE: &str = "BROTH_GUARD_PAGES_LANGUAGE";
const WORD: &str = "BROTH_GUARD_PAGES_WORD";

/// Some tapes, and what must become of them.
struct Case {
    max_steps: u32,
    tapes: Vec<Tape>,
    tapes_then: Vec<Tape>,
    outcomes: Vec<Outcome>,
}

impl Case {
    /// Those of a round.
    fn of(language: &'static Language, round: u64) -> Case {
        let mut random = StdRng::seed_from_u64(round);
        let mut numbers = Numbers(round << 32);
        let count = match round % NATIVE_EVERY {
            0 => 1,
            _ => *COUNTS.choose(&mut random).unwrap(),
        };
        let sort = round / NATIVE_EVERY % 4;
        let tape = || -> Tape {
            match (&language.family, sort) {
                (_, 0) => random.random(),
                (Family::Bff(dialect), 1) => {
                    tape_of_few_commands(&mut random, &command_bytes(dialect))
                }
                (Family::Bff(dialect), 2) => {
                    let body = BODIES.choose(&mut random).unwrap();
                    let fill = random.random();
                    tape_around_a_loop(&mut random, dialect, body, fill)
                }
                (Family::Bff(dialect), _) => grown(&mut random, dialect).0,
                (Family::Forth(_), 1) => numbers.tape_around_a_loop(),
                (Family::Forth(_), 2) => std::array::from_fn(|_| numbers.byte_of_a_loop()),
                _ => std::array::from_fn(|_| numbers.loopy_byte(language)),
            }
        };
        let tapes: Vec<Tape> = std::iter::repeat_with(tape).take(count).collect();
        let max_steps = [100, 1000, 4096][(round % 3) as usize];
        let mut tapes_then = tapes.clone();
        let outcomes = tapes_then.iter_mut();
        let outcomes = outcomes.map(|tape| reference::run(language, tape, max_steps));
        Case {
            outcomes: outcomes.collect(),
            max_steps,
            tapes,
            tapes_then,
        }
    }

    /// Its tapes as text.
    fn text(&self, language: &Language) -> String {
        let texts = self.tapes.iter().map(|tape| language.program_text(tape));
        let steps = self.max_steps;
        format!("{steps} steps of\n{}", texts.collect::<Vec<_>>().join("\n"))
    }
}

/// Where tapes and outcomes lie, and word is left.
struct Room {
    tapes: Guarded,
    outcomes: Guarded,
    word: MmapMut,
}

impl Room {
    /// Hold `runner` to a case, with the guard page on either side.
    fn check(&mut self, engine: &str, runner: &Runner, round: u64, case: &Case) -> NativeTally {
        let mut sum = NativeTally::default();
        for side in Side::BOTH {
            // A line; what is behind it is left of others.
            let mut word = &mut self.word[..];
            writeln!(word, "{round}, {engine}, the page {side:?}").unwrap();
            let tapes = self.tapes.put(side, &case.tapes);
            let none = vec![Outcome::default(); case.tapes.len()];
            let outcomes = self.outcomes.put(side, &none);
            sum = sum + runner.run_all(tapes, case.max_steps, outcomes);
            let alike = *tapes == case.tapes_then && *outcomes == case.outcomes;
            assert!(alike, "a difference");
        }
        sum
    }
}

/// All rounds of a language.
fn run(language: &'static Language, word: MmapMut) {
    let most = COUNTS[COUNTS.len() - 1];
    let mut room = Room {
        tapes: Guarded::new(most * TAPE_LEN),
        outcomes: Guarded::new(most * size_of::<Outcome>()),
        word,
    };
    let mut runners: Vec<(String, Runner)> = Vec::new();
    for (options, more) in [
        (Options::default(), ""),
        (NO_CLOSED_FORMS, ", no closed forms"),
    ] {
        let widths = every_width(language, &options);
        runners.extend(widths.map(|(width, runner)| (format!("{width}{more}"), runner)));
    }
    let reference = Engine::Reference.runner(language, &Options::default());
    runners.push(("reference".into(), reference));
    let mut natives = Natives::new(language);
    for round in 0..rounds() as u64 {
        let case = Case::of(language, round);
        for (name, runner) in &runners {
            room.check(name, runner, round, &case);
        }
        if round % NATIVE_EVERY == 0 {
            natives.each(|name, runner| room.check(name, runner, round, &case));
        } else {
            natives.each_as_it_is(|name, runner| room.check(name, runner, round, &case));
        }
    }
    // The tapes are worth the test.
    let has_native_code = matches!(language.family, Family::Bff(_) | Family::Forth(_));
    let entered = natives.tally.entered;
    assert!(
        !has_native_code || entered.loops > 2 * rounds() as u64,
        "{entered:?}"
    );
}

/// What is the first line of the word, and the round that it names.
fn read_word(file: &Path) -> (String, Option<u64>) {
    let word = String::from_utf8_lossy(&read(file)).into_owned();
    let line = word.lines().next().unwrap_or_default();
    let round = line.split(',').next().and_then(|round| round.parse().ok());
    (line.into(), round)
}

#[test]
fn no_engine_leaves_its_tapes() {
    if let Ok(language) = std::env::var(LANGUAGE) {
        let mut word = OpenOptions::new();
        let word = word
            .read(true)
            .write(true)
            .open(std::env::var(WORD).unwrap());
        // SAFETY: nobody else writes to the file or cuts it off.
        let word = unsafe { MmapMut::map_mut(&word.unwrap()).unwrap() };
        return run(language.parse().unwrap(), word);
    }
    for language in Language::ALL {
        let word = tempfile::NamedTempFile::new().unwrap();
        word.as_file().set_len(4096).unwrap();
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "engines::guard_pages::no_engine_leaves_its_tapes",
            ])
            .env(LANGUAGE, language.name)
            .env(WORD, word.path())
            .output()
            .unwrap();
        let (line, round) = read_word(word.path());
        assert!(
            output.status.success(),
            "{language}: {} in round {line}: {}\n{}",
            output.status,
            round.map_or_else(String::new, |round| Case::of(language, round)
                .text(language)),
            String::from_utf8_lossy(&output.stdout),
        );
        assert_eq!(
            round,
            Some(rounds() as u64 - 1),
            "{language}: the rounds were not run"
        );
    }
}
