//! Tapes with hot loops, by engines with and without native code, compiled beforehand: `cargo bench
//! --bench jit_execute`. `jit_compile` measures the compiling.

use std::hint::black_box;
use std::time::Duration;

use broth::engine::{Engine, Options, Runner, jit};
use broth::language::{Language, Outcome, TAPE_LEN, Tape};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const MAX_STEPS: u32 = 8192;

/// A runner with native code for everything that a run of `tape` reaches.
fn runner(
    language: &'static Language,
    engine: Engine,
    closed_forms: bool,
    tape: &Tape,
) -> (Runner, Outcome) {
    let options = Options {
        closed_forms,
        jit: jit::Options {
            thresholds: jit::Thresholds::AT_ONCE,
            least: jit::Tier::Programs,
            ..jit::Options::default()
        },
    };
    let mut runner = engine.runner(language, &options);
    for _ in 0..8 {
        runner.run(&mut tape.clone(), MAX_STEPS);
        if let Some(jit) = runner.jit_mut() {
            jit.settle();
        }
    }
    let outcome = runner.run(&mut tape.clone(), MAX_STEPS);
    (runner, outcome)
}

fn execute(c: &mut Criterion) {
    let language: &'static Language = "bff_noheads".parse().expect("there is one");
    for (name, text) in [
        // These count in their own first bytes.
        ("two nested loops", r"\x61[[>+<-]+>-<]"),
        ("three nested loops", r"\x61[>[>[-<+>]<-]<+]"),
        ("nested copy loop", "[[{.>]-]   ]-]>.{[["),
        ("open loop", "<<[+>-<]"),
    ] {
        let code = language.parse_program(text).expect("program text");
        let mut tape = [b'x'; TAPE_LEN];
        tape[..code.len()].copy_from_slice(&code);
        let mut group = c.benchmark_group(format!("execute, {name}"));
        for engine in [Engine::Interpreter, Engine::Jit] {
            for (with, closed_forms) in [("", true), (", no closed forms", false)] {
                let (runner, outcome) = runner(language, engine, closed_forms, &tape);
                group.throughput(Throughput::Elements(outcome.steps.into()));
                group.bench_function(format!("{}{with}", engine.name()), |b| {
                    b.iter_batched_ref(
                        || tape,
                        |tape| runner.run(black_box(tape), MAX_STEPS),
                        BatchSize::SmallInput,
                    );
                });
            }
        }
        group.finish();
    }
}

criterion_group! {
    name = jit_execute;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500))
        .without_plots();
    targets = execute
}
criterion_main!(jit_execute);
