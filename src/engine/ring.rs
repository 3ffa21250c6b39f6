//! Runs on a long tape whose ends are joined: a language's rules, one step at a time.

use crate::language::{Ended, Family, Language, Outcome, Ring, Space, Step, bff, forth};

/// Where a run starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Place of the first step, on the tape. The first head of the BFF family starts there, too.
    pub pc: usize,
    /// How far ahead of it the second head of the BFF family starts.
    pub head_offset: usize,
}

/// Run what is on the ring from `start` on, for at most `max_steps` steps. Nothing is run in a
/// language that has no rules for rings.
pub fn run(language: &Language, ring: &mut Ring<'_>, start: Start, max_steps: u32) -> Outcome {
    match &language.family {
        Family::Bff(dialect) => {
            let last = ring.bytes().len() - 1;
            let mut state = bff::State {
                pc: start.pc,
                head0: start.pc,
                head1: start.pc.wrapping_add(start.head_offset) & last,
            };
            go(max_steps, || dialect.step_on(ring, &mut state))
        }
        Family::RelativeForth(dialect) => {
            let mut state = forth::State::at(start.pc);
            go(max_steps, || dialect.step_on(ring, &mut state))
        }
        Family::Machine(machine) => {
            let bytes = ring.bytes_mut();
            macro_rules! on_rings_of {
                ($($len:literal)*) => {
                    match bytes.len() {
                        $($len => match <&mut [u8; $len]>::try_from(bytes) {
                            Ok(tape) => machine.run_from(tape, start.pc as u16, max_steps),
                            Err(_) => Outcome::default(),
                        },)*
                        _ => Outcome::default(),
                    }
                };
            }
            // A machine's addresses wrap round by a mask that the compiler knows.
            on_rings_of!(256 512 1024 2048 4096 8192 16384 32768 65536)
        }
        Family::Forth(_) | Family::Subleq(_) | Family::RelativeSubleq(_) => Outcome::default(),
    }
}

#[inline(always)]
fn go(max_steps: u32, mut step: impl FnMut() -> Step) -> Outcome {
    let (mut steps, mut ops) = (0, 0);
    while steps < max_steps {
        let step = step();
        steps += 1;
        ops += u32::from(step.is_op);
        if let Some(ended) = step.ended {
            return Outcome { ops, steps, ended };
        }
    }
    Outcome {
        ops,
        steps,
        ended: Ended::StepLimit,
    }
}
