//! Properties of tapes, soups and settings, on inputs that proptest draws and, where one
//! fails, makes as small as it can.

use std::sync::Arc;

use crate::common::engines::{EAGER, check};
use broth::engine::{Engine, Options, jit};
use broth::language::machine::Z80_ZFF;
use broth::language::{Language, PROGRAM_LEN, Role, TAPE_LEN, Tape};
use broth::run::Plan;
use broth::run::folder::settings as settings_file;
use broth::run::folder::{Place, RunFolder};
use broth::soup::checkpoint::Checkpoint;
use broth::soup::meeting::{Grid, Pattern};
use broth::soup::settings::World;
use broth::soup::zff;
use broth::{Meeting, Settings, Soup};
use proptest::prelude::*;
use proptest::sample::select;

fn languages() -> impl Strategy<Value = &'static Language> {
    select(&Language::ALL[..])
}

/// Bytes of a language that do something, in a row, and where on the tape they begin.
fn pieces(language: &'static Language) -> impl Strategy<Value = Vec<(usize, Vec<u8>)>> {
    let does_something = |byte: &u8| {
        let role = language.kind(*byte).role;
        !matches!(role, Role::Noop | Role::Number | Role::NumberHigh)
    };
    let commands: Vec<u8> = (0..=255).filter(does_something).collect();
    let byte = prop_oneof![8 => select(commands), 1 => any::<u8>()];
    let piece = (0..TAPE_LEN, prop::collection::vec(byte, 1..12));
    prop::collection::vec(piece, 0..10)
}

fn tapes(language: &'static Language) -> impl Strategy<Value = Tape> {
    (select(&[0, b'a', 0x40][..]), pieces(language)).prop_map(|(filling, pieces)| {
        let mut tape = [filling; TAPE_LEN];
        for (place, bytes) in pieces {
            for (to, byte) in tape[place..].iter_mut().zip(bytes) {
                *to = byte;
            }
        }
        tape
    })
}

/// Any language, of pairs or of other worlds.
fn every_language() -> impl Strategy<Value = &'static Language> {
    select(Language::every().collect::<Vec<_>>())
}

/// A world for `language` whose settings are otherwise those of pairs.
fn in_a_world(settings: Settings, world: World) -> Settings {
    let settings = Settings {
        world,
        meeting: Meeting::Shuffle,
        ..settings
    };
    match world {
        World::Zff => Settings {
            language: &Z80_ZFF,
            num_programs: zff::NUM_PROGRAMS,
            max_steps: settings.max_steps % 128,
            zero_init: false,
            reset_interval: None,
            initial_program: settings.initial_program.into_iter().take(16).collect(),
            ..settings
        },
        World::Pairs | World::LongTape { .. } => settings,
    }
}

/// Settings of soups of 64 programs, and of zff's.
fn settings() -> impl Strategy<Value = Settings> {
    let entries = prop::collection::vec((0..64u32, 0..64u32), 0..40);
    let meeting = prop_oneof![
        Just(Meeting::Shuffle),
        Just(Meeting::FixedShuffle),
        Just(Meeting::NoPermutation),
        entries.prop_map(|entries| {
            let others: Vec<_> = entries.into_iter().filter(|(a, b)| a != b).collect();
            Meeting::Pattern(Arc::new(Pattern::new(64, &others).unwrap()))
        }),
        (select(&[1usize, 2, 8, 64][..]), 1..5usize, any::<bool>()).prop_map(|parts| {
            let (width, radius, torus) = parts;
            let height = 64 / width;
            Meeting::Grid(Grid {
                width,
                height,
                radius,
                torus,
            })
        }),
    ];
    let world = prop_oneof![
        6 => Just(World::Pairs),
        1 => Just(World::Zff),
        3 => (0..256usize).prop_map(|head_offset| World::LongTape { head_offset }),
    ];
    (
        (every_language(), world),
        any::<u64>(),
        prop_oneof![Just(0.0), 0.0..=1.0, Just(1.0)],
        0..2000u32,
        meeting,
        any::<bool>(),
        prop::collection::vec(any::<u8>(), 0..=PROGRAM_LEN),
        prop::option::of(1..9u64),
    )
        .prop_map(|fields| {
            let ((language, world), seed, mutation_prob, max_steps, meeting, ..) = fields;
            let (.., zero_init, mut initial_program, reset_interval) = fields;
            initial_program.truncate(language.program_len);
            let initial_index = match initial_program.len() {
                0 => 0,
                _ => seed as usize % 64,
            };
            let in_pairs = Settings {
                language,
                world: World::Pairs,
                num_programs: 64,
                seed,
                mutation_prob,
                max_steps,
                meeting,
                zero_init,
                initial_program,
                initial_index,
                reset_interval,
            };
            let elsewhere = in_a_world(in_pairs.clone(), world);
            // Not every language has a meaning on a long tape.
            match elsewhere.check() {
                Ok(()) => elsewhere,
                Err(_) => in_pairs,
            }
        })
}

fn plans() -> impl Strategy<Value = Plan> {
    let epochs = || prop_oneof![1..100u64, Just(i64::MAX as u64)];
    let bits = || prop::option::of(-1.0..9.0f64);
    (
        [epochs(), epochs(), epochs()],
        prop::option::of(1..9u64),
        select(&Engine::ALL[..]),
        (any::<bool>(), 1..1000usize),
        (bits(), bits(), prop::option::of(1..99u64)),
    )
        .prop_map(|(epochs, keep, engine, (closed_forms, mib), stops)| {
            let [max_epochs, log_interval, checkpoint_interval] = epochs;
            Plan {
                max_epochs,
                log_interval,
                checkpoint_interval,
                keep,
                engine,
                options: Options {
                    closed_forms,
                    jit: jit::Options {
                        cache_bytes: mib * jit::MIB,
                        ..Default::default()
                    },
                },
                stop_high_order_entropy: stops.0,
                stopping_bpb: stops.1,
                eval_selfrep: stops.2.is_some(),
                stopping_selfrep_count: stops.2,
                ..Plan::default()
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// Every engine runs every tape as the rules say, whatever the limit.
    #[test]
    fn engines_agree_on_tapes(
        (language, tape) in languages().prop_flat_map(|it| (Just(it), tapes(it))),
        limits in [0..600u32, 0..9000u32],
    ) {
        for max_steps in limits {
            check(language, &tape, max_steps);
        }
    }

    /// Nobody can tell where a soup was saved and loaded, nor by what it was run.
    #[test]
    fn a_soup_goes_on_from_where_it_was_saved(
        settings in settings(),
        (before, after) in (0..6u64, 1..6u64),
        engine in select(&Engine::ALL[..]),
        closed_forms: bool,
    ) {
        let mut whole = Soup::new(settings.clone()).unwrap();
        whole.set_engine(Engine::Reference, &Options::default());
        let mut first = Soup::new(settings.clone()).unwrap();
        first.set_engine(engine, &Options { closed_forms, jit: EAGER });
        for _ in 0..before {
            prop_assert_eq!(whole.step(), first.step());
        }
        let mut saved = Checkpoint::empty();
        saved.copy_from(&first);
        let mut second = Soup::from_checkpoint(settings, saved, true).unwrap();
        for _ in 0..after {
            prop_assert_eq!(whole.step(), second.step());
        }
        prop_assert!(whole.programs() == second.programs());
    }

    /// Settings that were written are read again as they were.
    #[test]
    fn settings_are_read_as_written(settings in settings(), plan in plans()) {
        let parent = tempfile::tempdir().unwrap();
        let place = Place::At(parent.path().join("run"));
        let folder = RunFolder::create(&place).unwrap();
        settings_file::write(&folder, &settings, &plan).unwrap();
        prop_assert_eq!(settings_file::read(&folder).unwrap(), (settings, plan));
    }

    /// Any bytes are a program, and its text reads back as those bytes.
    #[test]
    fn program_text_reads_back(
        language in every_language(),
        program in prop::collection::vec(any::<u8>(), 0..=PROGRAM_LEN),
    ) {
        let text = language.program_text(&program);
        prop_assert_eq!(language.parse_program(&text).unwrap(), program);
    }
}
