//! Native code over whole soups: four engines, one result; and the cache that it is
//! kept in.

use std::time::Duration;

use crate::common::engines::{EAGER, bff_dialects};
use crate::common::share;
use broth::engine::{Engine, Options, Runner, jit, reference};
use broth::examples::{self, Example};
use broth::language::{Language, Outcome, TAPE_LEN, Tape};
use broth::{Settings, Soup, Tally};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// A soup in which a known replicator is planted: what lives has loops that come up again and
/// again.
fn settings(example: &Example, num_programs: usize, seed: u64) -> Settings {
    Settings {
        language: example.language,
        num_programs,
        seed,
        initial_program: example.planted(),
        mutation_prob: 1.0 / 1024.0,
        ..Settings::default()
    }
}

/// Options drawn at random: all of them give the same soup.
fn any_options(random: &mut StdRng) -> Options {
    Options {
        closed_forms: random.random_bool(0.7),
        jit: jit::Options {
            thresholds: jit::Thresholds::default()
                .sample(random.random_range(1..=8))
                .loops(random.random_range(1..200))
                .programs(random.random_range(1..200))
                .backoff([0, 0, 1, 5][random.random_range(0..4)]),
            least: jit::Tier::ALL[random.random_range(0..3)],
            // Room for a generation or two, or for all.
            cache_bytes: [1, 20_000, 64 << 10, 64 << 20][random.random_range(0..4)],
        },
    }
}

/// Entries of native code, and generations freed.
#[derive(Debug, Default)]
struct Done {
    programs: u64,
    loops: u64,
    freed: u64,
}

/// The same soup by every engine, epoch by epoch.
fn check_soup(example: &Example, num_programs: usize, seed: u64, epochs: u64) -> Done {
    let name = example.language.name;
    let mut random = StdRng::seed_from_u64(seed);
    let settings = settings(example, num_programs, seed);
    let soup = |engine: Engine, options: Options| {
        let mut soup = Soup::new(settings.clone()).unwrap();
        soup.set_engine(engine, &options);
        (engine.name().to_owned(), soup)
    };
    let eager = |closed_forms, cache_bytes| Options {
        closed_forms,
        jit: jit::Options {
            cache_bytes,
            ..EAGER
        },
    };
    let mut soups = [
        soup(Engine::Reference, Options::default()),
        soup(Engine::Interpreter, Options::default()),
        soup(Engine::Jit, eager(random.random(), 60_000)),
        soup(Engine::Jit, eager(random.random(), 64 << 20)),
        soup(Engine::Auto, any_options(&mut random)),
    ];
    let mut done = Done::default();
    for epoch in 0..epochs {
        let mut expected: Option<(Tally, Vec<u8>)> = None;
        for (engine, soup) in &mut soups {
            let tally = soup.step();
            done.programs += tally.native.entered.programs;
            done.loops += tally.native.entered.loops;
            match &expected {
                None => expected = Some((tally, soup.programs().to_vec())),
                Some((expected, programs)) => {
                    let place = format!("{name}, seed {seed}: {engine}, epoch {epoch}");
                    assert_eq!(tally, *expected, "{place}");
                    let changed = (0..programs.len()).find(|i| soup.programs()[*i] != programs[*i]);
                    assert_eq!(changed, None, "{place}: the first byte that differs");
                }
            }
        }
        // One waits for its compiler, however busy the machine is.
        if epoch % 8 == 0
            && let Some(jit) = soups[2].1.runner_mut().jit_mut()
        {
            jit.settle();
        }
        // One more, whose engine changes now and then.
        if random.random_bool(0.02) {
            let engine = Engine::ALL[random.random_range(0..4)];
            let options = any_options(&mut random);
            let (last, soup) = &mut soups[4];
            done.freed += soup.runner().cache_tally().freed;
            *last = format!("{}, {options:?}", engine.name());
            soup.set_engine(engine, &options);
        }
    }
    for (_, soup) in &soups {
        done.freed += soup.runner().cache_tally().freed;
    }
    done
}

fn check_soups(num_programs: usize, seeds: std::ops::Range<u64>, epochs: u64) {
    for language in Language::ALL {
        let Some(example) = examples::of(language).next() else {
            continue;
        };
        let name = language.name;
        let mut all = Done::default();
        for seed in seeds.clone() {
            let done = check_soup(example, num_programs, seed, epochs);
            all.programs += done.programs;
            all.loops += done.loops;
            all.freed += done.freed;
        }
        println!("{name}: {all:?}");
        if name.starts_with("bff") {
            let used = all.programs > 0 && all.loops > 0 && all.freed > 0;
            assert!(used, "{name}: {all:?}");
        }
    }
}

#[test]
fn four_engines_give_one_soup() {
    check_soups(64, 0..share(4) as u64, 150);
}

#[test]
#[ignore = "takes minutes"]
fn four_engines_give_one_soup_for_long() {
    check_soups(256, 10..14, 2000);
}

/// Tapes that differ in what they mean, each with a loop that has no closed form.
fn many_tapes(language: &'static Language, count: usize) -> Vec<Tape> {
    let code = language.parse_program("[[->+<]>  ]").unwrap();
    let noop = language.parse_program(" ").unwrap()[0];
    let ops = language.parse_program("<>+-,").unwrap();
    (0..count)
        .map(|number| {
            let mut tape = [noop; TAPE_LEN];
            tape[70..70 + code.len()].copy_from_slice(&code);
            // The number's digits, in the left program, the loop and the right one.
            for (place, digit) in [(58, 1), (59, 5), (60, 25), (78, 1), (79, 5), (100, 25)] {
                tape[place] = ops[number / digit % ops.len()];
            }
            tape[..2].copy_from_slice(&[20, 40]);
            tape[20..24].copy_from_slice(&[7, 0, 3, 0]);
            tape
        })
        .collect()
}

/// Run a tape by `runner`, then make native what came up.
fn run(runner: &mut Runner, language: &'static Language, tape: &Tape) -> jit::NativeTally {
    let (mut expected_tape, mut tape_then) = (*tape, *tape);
    let expected = reference::run(language, &mut expected_tape, 3000);
    let mut outcomes = [Outcome::default()];
    let tally = runner.run_all(std::slice::from_mut(&mut tape_then), 3000, &mut outcomes);
    assert_eq!(
        (outcomes[0], tape_then),
        (expected, expected_tape),
        "{language}"
    );
    runner.jit_mut().unwrap().settle();
    tally
}

fn jit_runner(language: &'static Language, cache_bytes: usize) -> Runner {
    let jit = jit::Options {
        cache_bytes,
        ..EAGER
    };
    let options = Options {
        closed_forms: true,
        jit,
    };
    Engine::Jit.runner(language, &options)
}

/// However many units come up, no more are there than the cache has room for, and
/// of the others none is found any more.
#[test]
fn the_cache_has_bounds() {
    for (language, _) in bff_dialects() {
        let tapes = many_tapes(language, 120);
        // Each generation takes two pages or more, and one tape makes it: two programs
        // and the loops that it comes to.
        let mut runner = jit_runner(language, 100_000);
        for round in 0..2 {
            for tape in &tapes {
                run(&mut runner, language, tape);
                let tally = runner.cache_tally();
                let units = runner.jit().unwrap().units().len() as u64;
                assert_eq!(units, tally.live.programs + tally.live.loops);
                assert!(tally.code_bytes <= 100_000, "{language}: {tally:?}");
                assert!(units <= 4 * 100_000 / 8192, "{language}: {tally:?}");
            }
            let tally = runner.cache_tally();
            println!("{language}, round {round}: {tally:?}");
            // A generation has a unit at least.
            let compiled = tally.compiled.programs + tally.compiled.loops;
            assert!(
                (21..=compiled).contains(&tally.freed),
                "{language}: {tally:?}"
            );
            assert!(tally.code_bytes_made > 2 * tally.code_bytes);
            // The first is long gone, the last is not.
            let first = run(&mut runner, language, &tapes[0]);
            assert_eq!(first.entered.programs, 0, "{language}");
            let again = run(&mut runner, language, &tapes[0]);
            assert!(again.entered.programs > 0, "{language}");
        }
    }
}

/// What was freed is compiled again once it is hot again.
#[test]
fn freed_code_is_made_again() {
    for (language, _) in bff_dialects() {
        let tapes = many_tapes(language, 4);
        let mut runner = jit_runner(language, 20_000);
        let mut entered = 0;
        let mut made = Vec::new();
        for _ in 0..6 {
            for tape in &tapes {
                // Until there is nothing more of it to compile.
                for _ in 0..4 {
                    entered += run(&mut runner, language, tape).entered.programs;
                }
                made.push(runner.cache_tally().code_bytes_made);
            }
        }
        let tally = runner.cache_tally();
        println!("{language}: {tally:?}");
        assert!(tally.freed >= 3, "{language}: {tally:?}");
        assert!(made.is_sorted() && made.last() > made.first(), "{made:?}");
        assert!(entered > 24, "{language}");
    }
}

/// A cache without room has nothing in it, and one of no threshold that is ever
/// reached neither.
#[test]
fn without_room_there_is_no_native_code() {
    for (language, _) in bff_dialects() {
        let mut runner = jit_runner(language, 0);
        for tape in &many_tapes(language, 20) {
            let tally = run(&mut runner, language, tape);
            assert_eq!(tally.entered, jit::Counts::default());
        }
        let tally = runner.cache_tally();
        assert_eq!((tally.live, tally.code_bytes), Default::default());
        assert!(tally.freed > 0 && tally.code_bytes_made > 0);
    }
}

/// Code is compiled by a thread of its own while the soup lives, and ends with it.
#[test]
fn code_is_installed_at_safepoints() {
    for (language, _) in bff_dialects() {
        let tape = many_tapes(language, 1)[0];
        let mut runner = jit_runner(language, 64 << 20);
        let mut entered = 0;
        // The compiler takes as long as it takes.
        for _ in 0..10_000 {
            let (mut tape_then, mut outcomes) = (tape, [Outcome::default()]);
            let tapes = std::slice::from_mut(&mut tape_then);
            entered += runner.run_all(tapes, 3000, &mut outcomes).entered.programs;
            runner.safepoint(Duration::from_millis(1));
            if entered > 0 {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(entered > 0, "{language}");
    }
}
