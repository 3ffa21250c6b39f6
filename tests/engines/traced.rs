//! Runs that tell where bytes came from: the reference engine's, and origins by the definition.

use broth::engine::bff::traced::{self, IN_PLACE, Origins};
use broth::engine::reference;
use broth::language::bff::{Dialect, Op};
use broth::language::{Language, Tape};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::common::engines::bff_dialects;

/// Origins by looking on: before each step of the reference engine, what it will copy.
fn plain_origins(language: &Language, dialect: &Dialect, tape: &Tape, max_steps: u32) -> Origins {
    let mut origins = IN_PLACE;
    reference::trace(language, &mut tape.clone(), max_steps, |tape, view| {
        let [Some(head0), Some(head1), _] = view.marks else {
            panic!("a BFF tape has two heads");
        };
        match dialect.op(tape[view.pc]) {
            Op::CopyTo1 => origins[head1] = origins[head0],
            Op::CopyTo0 => origins[head0] = origins[head1],
            _ => {}
        }
    });
    origins
}

/// Tapes from sparse to dense in commands, of every dialect, at all sorts of limits.
#[test]
fn bytes_come_from_where_copies_took_them() {
    let mut rng = StdRng::seed_from_u64(11);
    let (mut moved, mut limited) = (0, 0);
    for (language, dialect) in bff_dialects() {
        for round in 0..3000 {
            let density = [0.05, 0.2, 0.5, 0.9][round % 4];
            let commands: Vec<u8> = dialect.commands().iter().flatten().copied().collect();
            let tape: Tape = std::array::from_fn(|_| match rng.random_bool(density) {
                true => commands[rng.random_range(0..commands.len())],
                false => rng.random(),
            });
            let max_steps = match round % 3 {
                0 => 8192,
                1 => rng.random_range(0..400),
                _ => rng.random_range(0..8192),
            };
            let (mut tape_then, mut traced, mut origins) = (tape, tape, IN_PLACE);
            let expected = reference::run(language, &mut tape_then, max_steps);
            let outcome = traced::run(dialect, &mut traced, &mut origins, max_steps);
            assert_eq!(outcome, expected, "{language}, {max_steps}: {tape:?}");
            assert!(traced == tape_then, "{language}, {max_steps}: {tape:?}");
            let plain = plain_origins(language, dialect, &tape, max_steps);
            assert!(origins == plain, "{language}, {max_steps}: {tape:?}");
            moved += usize::from(origins != IN_PLACE);
            limited += usize::from(outcome.steps == max_steps);
        }
    }
    assert!(moved > 2000 && limited > 2000, "{moved} {limited}");
}
