//! The parts of an epoch, one by one: `cargo bench`.

use std::hint::black_box;
use std::time::Duration;

use broth::engine::{Engine, Options};
use broth::language::cpu::{i8080, z80};
use broth::language::{Language, Outcome, TAPE_LEN, Tape};
use broth::random::mix;
use broth::{Meeting, Settings, Soup};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const ENGINES: [Engine; 2] = [Engine::Reference, Engine::Interpreter];
const PROGRAMS: usize = 1 << 17;

fn soup(settings: Settings, engine: Engine) -> Soup {
    let mut soup = Soup::new(Settings {
        num_programs: PROGRAMS,
        ..settings
    })
    .expect("the settings are fine");
    soup.set_engine(engine, &Options::default());
    soup
}

/// Epochs in which no step is run, by the engine that prepares least.
fn without_steps(c: &mut Criterion) {
    let mut group = c.benchmark_group("epoch without steps");
    group.throughput(Throughput::Elements(PROGRAMS as u64 / 2));
    let quiet = || Settings {
        max_steps: 0,
        ..Settings::default()
    };
    let mut shuffled = soup(quiet(), Engine::Reference);
    group.bench_function("pair, mutate, move", |b| b.iter(|| shuffled.step()));
    let mut unmutated = soup(
        Settings {
            mutation_prob: 0.0,
            ..quiet()
        },
        Engine::Reference,
    );
    group.bench_function("pair, move", |b| b.iter(|| unmutated.step()));
    let mut unshuffled = soup(
        Settings {
            meeting: Meeting::NoPermutation,
            ..quiet()
        },
        Engine::Reference,
    );
    group.bench_function("mutate, move", |b| b.iter(|| unshuffled.step()));
    group.finish();

    // A pairing is drawn during the previous epoch. On one thread an epoch takes the time of both;
    // with next to nothing else to do, the time of the draw is left.
    let mut group = c.benchmark_group("pairing");
    group.throughput(Throughput::Elements(PROGRAMS as u64 / 2));
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let one_thread = one_thread.expect("a thread can be started");
    for (name, meeting) in [
        ("shuffle, and move", Meeting::Shuffle),
        ("by index, and move", Meeting::NoPermutation),
    ] {
        let mut soup = soup(
            Settings {
                mutation_prob: 0.0,
                meeting,
                ..quiet()
            },
            Engine::Reference,
        );
        group.bench_function(name, |b| one_thread.install(|| b.iter(|| soup.step())));
    }
    group.finish();
}

/// Reading tapes, with no step run: the interpreter's preparation for each.
fn classify(c: &mut Criterion) {
    const TAPES: usize = 32;
    let mut group = c.benchmark_group("classify");
    group.throughput(Throughput::Elements(TAPES as u64));
    let soup = soup(Settings::default(), Engine::Interpreter);
    let (mut tapes, _) = soup.programs().as_chunks::<TAPE_LEN>();
    for language in Language::ALL {
        let runner = Engine::Interpreter.runner(language, &Options::default());
        let mut outcomes = [Outcome::default(); TAPES];
        let mut batch = [[0; TAPE_LEN]; TAPES];
        batch.copy_from_slice(&tapes[..TAPES]);
        tapes = &tapes[TAPES..];
        group.bench_function(language.name, |b| {
            b.iter(|| runner.run_all(black_box(&mut batch), 0, &mut outcomes));
        });
    }
    group.finish();
}

/// An epoch of a soup after its first.
fn random_soup(c: &mut Criterion) {
    let mut group = c.benchmark_group("epoch of a random soup");
    group.throughput(Throughput::Elements(PROGRAMS as u64 / 2));
    group.sample_size(10);
    for engine in ENGINES {
        let mut soup = soup(Settings::default(), engine);
        group.bench_function(engine.name(), |b| b.iter(|| soup.step()));
    }
    group.finish();
}

/// One tape of each kind.
fn tapes(c: &mut Criterion) {
    let find = |name: &str| -> &'static Language { name.parse().expect("there is one") };
    let bff = find("bff_noheads");
    // All kinds of bytes except brackets, so that it runs straight through.
    let straight: Tape = std::array::from_fn(|place| match (place * 89 + 7) as u8 {
        b'[' | b']' => b'+',
        byte => byte,
    });
    let tape = |language: &Language, text: &str, filling: u8| -> Tape {
        let code = language.parse_program(text).expect("program text");
        let mut tape = [filling; TAPE_LEN];
        tape[..code.len()].copy_from_slice(&code);
        tape
    };
    for (name, language, tape) in [
        ("straight", bff, straight),
        ("loop without writes", bff, tape(bff, "[><}{ ]", b'x')),
        ("copy loop", bff, tape(bff, "[[{.>]-]   ]-]>.{[[", b'x')),
        (
            "Forth copy loop",
            find("forthtrivial"),
            tape(find("forthtrivial"), "04 0c 08 c2", 0x20),
        ),
    ] {
        let mut group = c.benchmark_group(format!("tape, {name}"));
        let steps = {
            let mut tape = tape;
            Engine::Reference
                .runner(language, &Options::default())
                .run(&mut tape, 8192)
                .steps
        };
        group.throughput(Throughput::Elements(steps.into()));
        for engine in ENGINES {
            let runner = engine.runner(language, &Options::default());
            group.bench_function(engine.name(), |b| {
                b.iter_batched_ref(
                    || tape,
                    |tape| runner.run(black_box(tape), 8192),
                    BatchSize::SmallInput,
                );
            });
        }
        group.finish();
    }
}

/// Random tapes on the two CPUs, dominated by unpredictable jumps.
fn cpus(c: &mut Criterion) {
    const TAPES: u64 = 1024;
    const STEPS: u32 = 128;
    let tapes: Vec<[u8; 32]> = (0..TAPES)
        .map(|tape| std::array::from_fn(|byte| mix(32 * tape + byte as u64) as u8))
        .collect();
    type Run = fn(&mut [u8; 32]) -> u32;
    let run_z80: Run = |tape| z80::run(z80::Variant::Zff, tape, &mut z80::State::new(), STEPS);
    let run_i8080: Run = |tape| i8080::run(tape, &mut i8080::State::new(), STEPS);
    let mut group = c.benchmark_group("random tapes of 32 bytes");
    for (name, run) in [("Z80", run_z80), ("8080", run_i8080)] {
        let steps: u32 = tapes.clone().iter_mut().map(run).sum();
        group.throughput(Throughput::Elements(steps.into()));
        group.bench_function(name, |b| {
            b.iter_batched_ref(
                || tapes.clone(),
                |tapes| tapes.iter_mut().map(run).sum::<u32>(),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group! {
    name = parts;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .without_plots();
    targets = classify, without_steps, random_soup, tapes, cpus
}
criterion_main!(parts);
