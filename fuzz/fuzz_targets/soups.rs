//! Whole small soups over several epochs, with any settings: a soup whose engine, threads and cache
//! change from epoch to epoch, and which is saved and loaded, against one run by the reference
//! engine.
#![no_main]

use std::num::NonZeroU8;
use std::sync::{Arc, LazyLock};

use broth::engine::{Engine, Options, jit};
use broth::language::machine::Z80_ZFF;
use broth::language::{Language, PROGRAM_LEN};
use broth::soup::checkpoint::Checkpoint;
use broth::soup::meeting::{Grid, Pattern};
use broth::soup::settings::World;
use broth::soup::zff;
use broth::{Meeting, Settings, Soup};
use libfuzzer_sys::arbitrary::{self, Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// The meaning of the bytes of an input: the language, a program, and everything else.
#[derive(Debug)]
struct Input {
    language: &'static Language,
    initial: [u8; PROGRAM_LEN],
    rest: Rest,
}

#[derive(Arbitrary, Debug)]
struct Rest {
    /// Pairs of programs.
    pairs: NonZeroU8,
    /// Four times as many.
    is_large: bool,
    seed: u64,
    mutation: u8,
    max_steps: u16,
    meeting: AnyMeeting,
    zero_init: bool,
    reset_interval: Option<NonZeroU8>,
    /// How many programs start as the initial one.
    planted: u8,
    world: AnyWorld,
    torus: bool,
    doings: Vec<Doing>,
}

#[derive(Arbitrary, Debug)]
enum AnyMeeting {
    Shuffle,
    FixedShuffle,
    NoPermutation,
    Pattern(Vec<(u8, u8)>),
    Grid(NonZeroU8, NonZeroU8),
}

/// The world; `pairs` if the language does not support another one.
#[derive(Arbitrary, Debug)]
enum AnyWorld {
    Pairs,
    /// With few steps, since the grid is large.
    Zff(u8),
    /// Short, since it has as many runs as programs.
    LongTape(u16),
}

#[derive(Arbitrary, Debug)]
enum Doing {
    /// So many epochs.
    Epochs(u8),
    /// Another engine.
    Engine(u8, Making),
    /// Another number of threads.
    Threads(u8),
    /// Whatever has become hot is native from the next epoch on.
    Settle,
    /// Save the soup and go on from there.
    Load,
}

/// How native code is made and kept.
#[derive(Arbitrary, Debug)]
struct Making {
    no_closed_forms: bool,
    sample: NonZeroU8,
    loop_threshold: NonZeroU8,
    program_threshold: NonZeroU8,
    backoff: u8,
    least: u8,
    cache: u8,
}

impl Making {
    fn options(&self) -> Options {
        Options {
            closed_forms: !self.no_closed_forms,
            jit: jit::Options {
                thresholds: jit::Thresholds::default()
                    .sample(u32::from(self.sample.get() % 8).max(1))
                    .loops(self.loop_threshold.get().into())
                    .programs(self.program_threshold.get().into())
                    .backoff(u32::from(self.backoff % 8)),
                least: jit::Tier::ALL[usize::from(self.least) % 3],
                cache_bytes: [1, 20_000, 64 << 10, 64 << 20][usize::from(self.cache) % 4],
            },
        }
    }
}

impl Input {
    fn read(bytes: &[u8]) -> Option<Input> {
        let (language, bytes) = bytes.split_first()?;
        let (initial, bytes) = bytes.split_first_chunk()?;
        Some(Input {
            language: {
                let every: Vec<_> = Language::every().collect();
                every[usize::from(*language) % every.len()]
            },
            initial: *initial,
            rest: Rest::arbitrary_take_rest(Unstructured::new(bytes)).ok()?,
        })
    }

    fn settings(&self) -> Settings {
        let rest = &self.rest;
        let half = usize::from(rest.pairs.get());
        // Threads share the work from some hundred pairs on.
        let half = if rest.is_large { half * 4 } else { half };
        let num_programs = match rest.meeting {
            AnyMeeting::FixedShuffle => (2 * half).next_power_of_two(),
            AnyMeeting::Grid(width, _) => 2 * half.div_ceil(8) * usize::from(width.get() % 16 + 1),
            _ => 2 * half,
        };
        let meeting = match &rest.meeting {
            AnyMeeting::Shuffle => Meeting::Shuffle,
            AnyMeeting::FixedShuffle => Meeting::FixedShuffle,
            AnyMeeting::NoPermutation => Meeting::NoPermutation,
            AnyMeeting::Pattern(entries) => {
                let program = |i: u8| u32::from(i) % num_programs as u32;
                let entries = entries.iter().map(|(a, b)| (program(*a), program(*b)));
                let entries: Vec<_> = entries.filter(|(a, b)| a != b).collect();
                Meeting::Pattern(Arc::new(Pattern::new(num_programs, &entries).unwrap()))
            }
            AnyMeeting::Grid(width, radius) => {
                let width = usize::from(width.get() % 16 + 1);
                Meeting::Grid(Grid {
                    width,
                    height: num_programs / width,
                    radius: radius.get().into(),
                    torus: rest.torus,
                })
            }
        };
        let mutation_probs = [0.0, 1.0 / 4096.0, 1.0 / 64.0, 0.5, 1.0];
        let in_pairs = Settings {
            language: self.language,
            world: World::Pairs,
            num_programs,
            seed: rest.seed,
            mutation_prob: mutation_probs[usize::from(rest.mutation) % 5],
            max_steps: u32::from(rest.max_steps) % 2049,
            meeting,
            zero_init: rest.zero_init,
            initial_program: self.initial[..self.language.program_len].to_vec(),
            initial_index: rest.seed as usize % num_programs,
            reset_interval: rest.reset_interval.map(|epochs| epochs.get().into()),
        };
        let elsewhere = match rest.world {
            AnyWorld::Pairs => return in_pairs,
            AnyWorld::Zff(steps) => Settings {
                world: World::Zff,
                language: &Z80_ZFF,
                num_programs: zff::NUM_PROGRAMS,
                max_steps: steps.into(),
                meeting: Meeting::Shuffle,
                zero_init: false,
                initial_program: self.initial[..zff::PROGRAM_LEN].to_vec(),
                reset_interval: None,
                ..in_pairs.clone()
            },
            AnyWorld::LongTape(head_offset) => Settings {
                world: World::LongTape {
                    head_offset: head_offset.into(),
                },
                num_programs: num_programs.next_power_of_two().min(128),
                meeting: Meeting::Shuffle,
                ..in_pairs.clone()
            },
        };
        match elsewhere.check() {
            Ok(()) => elsewhere,
            Err(_) => in_pairs,
        }
    }

    /// The soup of the settings, in which some programs more are the first one.
    fn soup(&self) -> Soup {
        let settings = self.settings();
        let mut checkpoint = Checkpoint::empty();
        checkpoint.copy_from(&Soup::new(settings.clone()).expect("these settings are right"));
        let programs = checkpoint.programs.chunks_exact_mut(checkpoint.program_len);
        for program in programs.take(self.rest.planted.into()) {
            program.copy_from_slice(&self.initial[..program.len()]);
        }
        Soup::from_checkpoint(settings, checkpoint, true).expect("it is as large as before")
    }
}

/// Pools of one to four threads.
static POOLS: LazyLock<Vec<ThreadPool>> = LazyLock::new(|| {
    let pool = |threads| ThreadPoolBuilder::new().num_threads(threads).build();
    (1..=4).map(|threads| pool(threads).unwrap()).collect()
});

fuzz_target!(|bytes: &[u8]| {
    const MOST_EPOCHS: u32 = 12;
    let Some(input) = Input::read(bytes) else {
        return;
    };
    let (mut right, mut soup) = (input.soup(), input.soup());
    right.set_engine(Engine::Reference, &Options::default());
    soup.set_engine(Engine::Auto, &Options::default());
    let (mut pool, mut epochs) = (&POOLS[1], 0);
    for doing in &input.rest.doings {
        match doing {
            Doing::Epochs(count) => {
                for _ in 0..count % 4 + 1 {
                    let expected = POOLS[0].install(|| right.step());
                    let tally = pool.install(|| soup.step());
                    assert_eq!(tally, expected, "{input:?}, epoch {epochs}");
                    assert!(
                        soup.programs() == right.programs(),
                        "{input:?}, epoch {epochs}: the soups differ"
                    );
                    epochs += 1;
                }
            }
            Doing::Engine(engine, making) => {
                let engine = Engine::ALL[usize::from(*engine) % 4];
                soup.set_engine(engine, &making.options());
            }
            Doing::Threads(threads) => pool = &POOLS[usize::from(*threads) % 4],
            Doing::Settle => {
                if let Some(jit) = soup.runner_mut().jit_mut() {
                    jit.settle();
                }
            }
            Doing::Load => {
                let mut checkpoint = Checkpoint::empty();
                checkpoint.copy_from(&soup);
                let settings = soup.settings().clone();
                soup = Soup::from_checkpoint(settings, checkpoint, true).unwrap();
            }
        }
        if epochs >= MOST_EPOCHS {
            break;
        }
    }
});
