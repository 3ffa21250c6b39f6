//! What native code of the Forth family and the interpreter hand to each other.

use std::mem::offset_of;

use crate::engine::jit::Exit;
use crate::engine::jit::frame::{Function, RunState};
use crate::language::forth::{STACK_LEN, State};
use crate::language::{TAPE_LEN, Tape};

/// A running Forth tape: native code is entered with one and leaves one.
#[repr(C)]
struct Frame {
    run: RunState,
    /// The first of the stack's [`STACK_LEN`] entries.
    stack: *mut u8,
    depth: u64,
}

/// Where the family's own numbers are, in bytes from the frame's start.
pub(super) mod offset {
    use super::{Frame, offset_of};

    pub(crate) const STACK: i32 = offset_of!(Frame, stack) as i32;
    pub(crate) const DEPTH: i32 = offset_of!(Frame, depth) as i32;
}

impl Frame {
    /// For a run that may take so many steps more, on this stack.
    #[inline(always)]
    fn new(state: &State, stack: *mut u8, steps_left: u64) -> Frame {
        Frame {
            run: RunState {
                base: state.pc as u64,
                steps_left,
                ..RunState::default()
            },
            stack,
            depth: state.depth as u64,
        }
    }
}

/// What native code did.
pub(crate) struct Done {
    pub exit: Exit,
    pub steps: u32,
    pub ops: u32,
    pub iterations: u64,
}

/// Go on from `state`, at the first byte of a loop, for at most `max_steps` steps, by
/// the loop's native code.
///
/// # Safety
///
/// `function` must be native code that is not freed, made of the loop that `tape`
/// has there.
#[inline(always)]
pub(crate) unsafe fn run(
    function: Function,
    tape: &mut Tape,
    state: &mut State,
    max_steps: u32,
) -> Done {
    let stack = state.stack.as_mut_ptr();
    let mut frame = Frame::new(state, stack, u64::from(max_steps));
    // SAFETY: the caller's promise. The function touches the tape's 128 bytes, each by a place
    // cut to below 128, the stack's entries where it has checked that the depth allows for them,
    // and this frame, whose layout it was made for whatever the pointer's type says; it calls
    // nothing, and returns.
    let code = unsafe { function(tape, (&raw mut frame).cast()) };
    state.depth = (frame.depth as usize).min(STACK_LEN);
    state.pc = frame.run.pc as usize % TAPE_LEN;
    Done {
        exit: Exit::of(code),
        steps: max_steps - frame.run.steps_left as u32,
        ops: frame.run.ops as u32,
        iterations: frame.run.iterations,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::engine::jit::compiler::Compiler;
    use crate::engine::jit::forth::{Forth, LoopBody};
    use crate::guard::{Guarded, Side};
    use crate::language::forth::{Dialect, Op};
    use crate::language::{Family, Language, Rules};
    use crate::random::mix;

    /// A tape of many loops, and where a run of it has first jumped back: the place that it
    /// jumped from, and where it stands.
    fn jumped_back(dialect: &Dialect, seed: u64) -> Option<(Tape, usize, State)> {
        let random = |i: u64, end: u64| (mix(seed << 16 | i) % end) as u8;
        let byte = |place: usize| {
            let i = 8 * place as u64;
            match random(i, 16) {
                0 => 0xc0 + random(i + 1, 12),
                1 => 0x80 + random(i + 2, 4),
                2..6 => 0x40 + random(i + 3, 64),
                _ => random(i + 4, 14),
            }
        };
        let mut tape: Tape = std::array::from_fn(byte);
        let mut state = dialect.start(&tape);
        // As deep as can be, empty, or in between.
        state.depth = [STACK_LEN - 1, 0, usize::from(random(9, 128))][usize::from(random(10, 3))];
        for _ in 0..200 {
            let pc = state.pc;
            if dialect.step(&mut tape, &mut state).ended.is_some() {
                return None;
            }
            if state.pc < pc {
                assert_eq!(dialect.op(tape[pc]), Op::JumpBack);
                return Some((tape, pc, state));
            }
        }
        None
    }

    /// Native code next to pages that nobody may touch, tape and stack, leaves what the rules
    /// do in as many steps. A stray access ends the process: the last line says of what.
    #[test]
    fn native_loops_touch_tape_and_stack_alone() {
        let mut tape_room = Guarded::new(TAPE_LEN);
        let mut stack_room = Guarded::new(STACK_LEN);
        for language in Language::ALL {
            let Family::Forth(dialect) = &language.family else {
                continue;
            };
            let compiler = Compiler::new(Forth::new(dialect, false)).unwrap();
            let mut steps_taken = 0;
            for seed in 0..1500 {
                let Some((tape, last, state)) = jumped_back(dialect, seed) else {
                    continue;
                };
                // The jump itself may have been written over since.
                let body = LoopBody::of(dialect, &tape, state.pc, last);
                let generation = compiler.compile(&[body]).unwrap();
                for side in Side::BOTH {
                    println!("{language}, seed {seed}, the page {side:?}");
                    let tape_then = &mut tape_room.put(side, &[tape])[0];
                    let stack = stack_room.put(side, &state.stack);
                    let mut frame = Frame::new(&state, stack.as_mut_ptr(), 1000);
                    let (_, function) = generation.functions[0];
                    // SAFETY: as in `run`; the generation is there.
                    unsafe { function(tape_then, (&raw mut frame).cast()) };

                    let (mut tape, mut expected, mut ops) = (tape, state.clone(), 0);
                    for _ in frame.run.steps_left..1000 {
                        let step = dialect.step(&mut tape, &mut expected);
                        assert!(step.ended.is_none());
                        ops += u64::from(step.is_op);
                    }
                    steps_taken += 1000 - frame.run.steps_left;
                    let depth = frame.depth as usize;
                    assert_eq!((frame.run.pc, depth), (expected.pc as u64, expected.depth));
                    assert_eq!((&stack[..depth], frame.run.ops), (expected.stack(), ops));
                    assert_eq!(*tape_then, tape);
                }
            }
            assert!(steps_taken > 10_000, "{language}: {steps_taken}");
        }
    }
}
