//! The time to compile native code: `cargo bench --bench jit_compile`. `jit_execute` measures how
//! fast it runs.

use std::time::Duration;

use broth::engine::jit::{EntryKind, Jit, Options, Unit};
use broth::language::{Language, PROGRAM_LEN};
use broth::random::mix;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

/// Number of units compiled together.
const BATCH: u64 = 64;

fn language() -> &'static Language {
    "bff_noheads".parse().expect("there is one")
}

fn jit() -> Jit {
    let jit = Jit::new(language(), Options::default(), true);
    let jit = jit.expect("native code is possible on this machine");
    jit.expect("there is native code for the BFF family")
}

fn units(kind: EntryKind, text: impl Fn(u64) -> String) -> Vec<Unit> {
    let unit = |number| {
        let code = language().parse_program(&text(number));
        let code = code.expect("program text");
        Unit::parse(language(), Some(kind), &code).expect("a unit")
    };
    (0..BATCH).map(unit).collect()
}

/// Commands other than brackets, a different one for each number.
fn commands(number: u64, len: usize) -> String {
    let command = |place| b"+-.,<>{}"[mix(number * 128 + place as u64) as usize % 8] as char;
    (0..len).map(command).collect()
}

fn compile(c: &mut Criterion) {
    let loops = units(EntryKind::Loop, |number| {
        format!("[{}]", commands(number, 12))
    });
    let nested = units(EntryKind::Loop, |number| {
        format!("[[{}]-{}]", commands(number, 8), commands(number + 99, 8))
    });
    let programs = units(EntryKind::Left, |number| {
        let body = commands(number, PROGRAM_LEN);
        format!("{}[{}]{}", &body[..20], &body[20..40], &body[42..])
    });
    let mut group = c.benchmark_group("compile");
    group.throughput(Throughput::Elements(BATCH));
    for (name, units) in [
        ("loops", loops),
        ("nested loops", nested),
        ("programs", programs),
    ] {
        group.bench_function(name, |b| {
            b.iter_batched_ref(
                jit,
                |jit| jit.compile(&units).expect("they can be compiled"),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group! {
    name = jit_compile;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .without_plots();
    targets = compile
}
criterion_main!(jit_compile);
