//! The BFF family, from event to event: between writes and brackets nothing
//! happens that bit counts over the tape's kinds do not tell.

use crate::engine::interpreter::recurrence::Recurrence;
use crate::engine::loops::{Left, Loop, Progress};
use crate::engine::masks::{Compare, Masks, Portable, below, range};
#[cfg(target_arch = "x86_64")]
use crate::engine::masks::{Avx2, Avx512};
use crate::lanes::Lanes;
use crate::language::bff::{Brackets, Dialect, Op};
use crate::language::{Ended, Family, Language, Outcome, Rules, TAPE_LEN, Tape};

/// The walk, compiled for `lanes`, which this machine must have.
pub fn for_lanes(lanes: Lanes) -> fn(&Language, &mut Tape, u32) -> Outcome {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi1,bmi2,lzcnt,popcnt")]
        fn avx512(language: &Language, tape: &mut Tape, max_steps: u32) -> Outcome {
            // SAFETY: the instructions that this function is compiled for.
            unsafe { walk::<Avx512>(dialect(language), tape, max_steps) }
        }
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
        fn avx2(language: &Language, tape: &mut Tape, max_steps: u32) -> Outcome {
            // SAFETY: as above.
            unsafe { walk::<Avx2>(dialect(language), tape, max_steps) }
        }
        match lanes {
            // SAFETY: the machine has the lanes.
            Lanes::Avx512 => return |l, tape, max_steps| unsafe { avx512(l, tape, max_steps) },
            // SAFETY: as above.
            Lanes::Avx2 => return |l, tape, max_steps| unsafe { avx2(l, tape, max_steps) },
            Lanes::Portable => {}
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = lanes;
    // SAFETY: needs no instructions beyond those of every machine.
    |language, tape, max_steps| unsafe { walk::<Portable>(dialect(language), tape, max_steps) }
}

fn dialect(language: &Language) -> &Dialect {
    match &language.family {
        Family::Bff(dialect) => dialect,
        _ => unreachable!("only languages of the BFF family come here"),
    }
}

/// # Safety
///
/// This machine must have the instructions of `V`.
#[inline(always)]
unsafe fn walk<V: Compare>(dialect: &Dialect, tape: &mut Tape, max_steps: u32) -> Outcome {
    // SAFETY: the caller's promise.
    let mut masks = unsafe { Masks::classify::<V>(dialect, tape) };
    let start = dialect.start(tape);
    let mut pc = start.pc;
    let mut at = Progress {
        head0: start.head0,
        head1: start.head1,
        steps: 0,
        ops: 0,
    };
    let mut recurrence = Recurrence::new();

    // A straight stretch each time: from `pc` on until something jumps, or
    // until a write makes the masks of the stretch wrong.
    'stretch: loop {
        if pc >= TAPE_LEN {
            return end(at, Ended::LeftTape);
        }
        let mut events = masks.events() & !below(pc);
        loop {
            // 128 where there is no event ahead.
            let event = events.trailing_zeros() as usize;
            let through = (event + 1).min(TAPE_LEN);
            let steps_left = (max_steps - at.steps) as usize;
            if through - pc > steps_left {
                at.ops += masks.ops_in(range(pc, pc + steps_left));
                at.steps = max_steps;
                return end(at, Ended::StepLimit);
            }
            if event == TAPE_LEN {
                account(&mut at, &masks, pc, TAPE_LEN);
                return end(at, Ended::LeftTape);
            }
            let (move0, move1) = masks.moves_in(range(pc, event));
            let head0 = at.head0.wrapping_add(move0) % TAPE_LEN;
            let head1 = at.head1.wrapping_add(move1) % TAPE_LEN;
            let op = dialect.op(tape[event]);
            let (place, new) = match op {
                Op::Increment => (head0, tape[head0].wrapping_add(1)),
                Op::Decrement => (head0, tape[head0].wrapping_sub(1)),
                Op::CopyTo1 => (head1, tape[head0]),
                Op::CopyTo0 => (head0, tape[head1]),
                Op::Open => {
                    if !dialect.is_null(tape[head0]) {
                        events &= events - 1;
                        continue;
                    }
                    account(&mut at, &masks, pc, event + 1);
                    let target = match dialect.brackets() {
                        Brackets::Match => masks.matching_close(event),
                        Brackets::Jump(distance) => Some(event + distance),
                    };
                    match target {
                        Some(target) => pc = target + 1,
                        None => return end(at, Ended::UnmatchedBracket),
                    }
                    continue 'stretch;
                }
                _ => {
                    if dialect.is_null(tape[head0]) {
                        events &= events - 1;
                        continue;
                    }
                    account(&mut at, &masks, pc, event + 1);
                    let target = match dialect.brackets() {
                        Brackets::Match => masks.matching_open(event),
                        Brackets::Jump(distance) => event.checked_sub(distance),
                    };
                    let Some(target) = target else {
                        let unmatched = dialect.brackets() == Brackets::Match;
                        return end(
                            at,
                            if unmatched {
                                Ended::UnmatchedBracket
                            } else {
                                Ended::LeftTape
                            },
                        );
                    };
                    pc = target + 1;
                    let is_plain = masks.brackets() & range(pc, event) == 0;
                    let decoded = match is_plain {
                        true => Loop::decode(dialect, &masks, tape, pc, event),
                        false => None,
                    };
                    match decoded {
                        Some(decoded) => {
                            match decoded.run(&mut masks, tape, &mut at, max_steps) {
                                Left::Done => pc = event + 1,
                                Left::OutOfSteps => {}
                                Left::Rewritten { next } => {
                                    pc = next;
                                    skip_periods(&mut recurrence, pc, tape, &mut at, max_steps);
                                }
                            }
                        }
                        None => skip_periods(&mut recurrence, pc, tape, &mut at, max_steps),
                    }
                    continue 'stretch;
                }
            };
            let old = std::mem::replace(&mut tape[place], new);
            if old != new && dialect.op(old) != dialect.op(new) {
                account(&mut at, &masks, pc, event + 1);
                masks.put(dialect, place, dialect.op(new));
                pc = event + 1;
                continue 'stretch;
            }
            events &= events - 1;
        }
    }
}

/// Account for the steps from `pc` to before `end`.
#[inline(always)]
fn account(at: &mut Progress, masks: &Masks, pc: usize, end: usize) {
    let done = range(pc, end);
    at.steps += (end - pc) as u32;
    at.ops += masks.ops_in(done);
    let (move0, move1) = masks.moves_in(done);
    at.head0 = at.head0.wrapping_add(move0) % TAPE_LEN;
    at.head1 = at.head1.wrapping_add(move1) % TAPE_LEN;
}

#[inline(always)]
fn skip_periods(
    recurrence: &mut Recurrence<(usize, usize, usize)>,
    pc: usize,
    tape: &Tape,
    at: &mut Progress,
    max_steps: u32,
) {
    let state = (pc, at.head0, at.head1);
    if let Some(period) = recurrence.tell(&state, tape, at.steps, at.ops) {
        period.skip(&mut at.steps, &mut at.ops, max_steps);
    }
}

#[inline(always)]
fn end(at: Progress, ended: Ended) -> Outcome {
    Outcome {
        ops: at.ops,
        steps: at.steps,
        ended,
    }
}
