//! The BFF family, from event to event: between writes and brackets nothing
//! happens that bit counts over the tape's kinds do not tell.

use crate::engine::RunTapes;
use crate::engine::interpreter::recurrence::Recurrence;
use crate::engine::loops::{Left, Loop, Progress};
use crate::engine::masks::{HALF, Masks, bits_below, range};
#[cfg(target_arch = "x86_64")]
use crate::engine::vectors::{Avx2, Avx512};
use crate::engine::vectors::{Portable, Vectors};
use crate::lanes::Lanes;
use crate::language::bff::{Brackets, Dialect, Op};
use crate::language::{Ended, Family, Language, Outcome, Rules, TAPE_LEN, Tape};

/// The walk, compiled for `lanes`, which this machine must have.
pub fn for_lanes(lanes: Lanes) -> RunTapes {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(
            enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,bmi1,bmi2,lzcnt,popcnt"
        )]
        fn avx512(language: &Language, tapes: &mut [Tape], max: u32, outcomes: &mut [Outcome]) {
            // SAFETY: the instructions that this function is compiled for.
            unsafe { walk_all::<Avx512>(dialect(language), tapes, max, outcomes) }
        }
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
        fn avx2(language: &Language, tapes: &mut [Tape], max: u32, outcomes: &mut [Outcome]) {
            // SAFETY: as above.
            unsafe { walk_all::<Avx2>(dialect(language), tapes, max, outcomes) }
        }
        match lanes {
            // SAFETY: the machine has the lanes.
            Lanes::Avx512 => {
                return |l, tapes, max, outcomes| unsafe { avx512(l, tapes, max, outcomes) };
            }
            // SAFETY: as above.
            Lanes::Avx2 => {
                return |l, tapes, max, outcomes| unsafe { avx2(l, tapes, max, outcomes) };
            }
            Lanes::Portable => {}
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = lanes;
    // SAFETY: needs no instructions beyond those of every machine.
    |l, tapes, max, outcomes| unsafe { walk_all::<Portable>(dialect(l), tapes, max, outcomes) }
}

fn dialect(language: &Language) -> &Dialect {
    match &language.family {
        Family::Bff(dialect) => dialect,
        _ => unreachable!("only languages of the BFF family come here"),
    }
}

/// Tapes that are classified together, before any of them is walked: where a
/// walk goes is hard to guess, and the sooner it is known the better.
const BATCH: usize = 16;

/// # Safety
///
/// This machine must have the instructions of `V`.
#[inline(always)]
unsafe fn walk_all<V: Vectors>(
    dialect: &Dialect,
    tapes: &mut [Tape],
    max_steps: u32,
    outcomes: &mut [Outcome],
) {
    for (tapes, outcomes) in tapes.chunks_mut(BATCH).zip(outcomes.chunks_mut(BATCH)) {
        let mut masks = [Masks::default(); BATCH];
        for (masks, tape) in masks.iter_mut().zip(tapes.iter()) {
            // SAFETY: the caller's promise.
            *masks = unsafe { Masks::classify::<V>(dialect, tape) };
        }
        for ((tape, outcome), masks) in tapes.iter_mut().zip(outcomes).zip(masks) {
            // SAFETY: the caller's promise.
            *outcome = unsafe { walk::<V>(dialect, tape, masks, max_steps) };
        }
    }
}

/// # Safety
///
/// This machine must have the instructions of `V`.
#[inline(always)]
unsafe fn walk<V: Vectors>(
    dialect: &Dialect,
    tape: &mut Tape,
    mut masks: Masks,
    max_steps: u32,
) -> Outcome {
    let start = dialect.start(tape);
    let mut pc = start.pc;
    let mut at = Progress {
        head0: start.head0,
        head1: start.head1,
        steps: 0,
        ops: 0,
    };
    let mut recurrence = Recurrence::new();
    // Writes that change a kind make the masks stale. Behind the program
    // counter that matters only once it jumps, ahead only once it comes there.
    let mut stale = false;
    let mut stale_from = TAPE_LEN;

    // A straight stretch each time, in one half of the tape: from `pc` to the
    // next `]` or to where the masks are stale, or until a `[` jumps.
    'stretch: loop {
        if pc >= TAPE_LEN {
            return end(at, Ended::LeftTape);
        }
        if pc >= stale_from {
            // SAFETY: the caller's promise.
            masks = unsafe { Masks::classify::<V>(dialect, tape) };
            (stale, stale_from) = (false, TAPE_LEN);
        }
        let half = masks.half(pc / HALF);
        let base = pc / HALF * HALF;
        let from = pc % HALF;
        let ahead = !0 << from;
        // HALF where there is no `]` ahead.
        let close = (half.close & ahead).trailing_zeros() as usize;
        // What the steps left do not cover is cut off.
        let limit = from + ((max_steps - at.steps) as usize).min(HALF);
        let fresh = stale_from.saturating_sub(base);
        let stretch = ahead & bits_below(close.min(limit).min(fresh));
        let mut events = (half.writes | half.open) & stretch;
        while events != 0 {
            let event = base + events.trailing_zeros() as usize;
            let before = (events - 1) & !events & ahead;
            let (head0, head1) = at.heads_after(&half, before);
            let op = dialect.op(tape[event]);
            // `[` counts as a write that changes nothing: whether the next
            // event is one or the other is more than a branch can guess.
            let write = &WRITES[op as usize % WRITES.len()];
            let heads = [head0, head1];
            let place = heads[write.to];
            let old = tape[place];
            let new = tape[heads[write.from]].wrapping_add(write.add);
            tape[place] = new;
            let changes_kind = dialect.op(old) != dialect.op(new);
            if changes_kind | (op == Op::Open && dialect.is_null(old)) {
                if changes_kind {
                    stale = true;
                    if place > event && place < stale_from {
                        stale_from = place;
                        at.account(&half, ahead & (events ^ (events - 1)));
                        pc = event + 1;
                        continue 'stretch;
                    }
                    events &= events - 1;
                    continue;
                }
                at.account(&half, ahead & (events ^ (events - 1)));
                if stale {
                    // SAFETY: the caller's promise.
                    masks = unsafe { Masks::classify::<V>(dialect, tape) };
                    (stale, stale_from) = (false, TAPE_LEN);
                }
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
            events &= events - 1;
        }
        if limit < (close + 1).min(fresh).min(HALF) {
            at.ops += (half.ops & stretch).count_ones();
            at.steps = max_steps;
            return end(at, Ended::StepLimit);
        }
        let stop = (close + 1).min(fresh).min(HALF);
        at.account(&half, ahead & bits_below(stop));
        if stop <= close {
            pc = base + stop;
            continue;
        }
        let close = base + close;
        if dialect.is_null(tape[at.head0]) {
            pc = close + 1;
            continue;
        }
        if stale {
            // SAFETY: the caller's promise.
            masks = unsafe { Masks::classify::<V>(dialect, tape) };
            (stale, stale_from) = (false, TAPE_LEN);
        }
        let (target, without) = match dialect.brackets() {
            Brackets::Match => (masks.matching_open(close), Ended::UnmatchedBracket),
            Brackets::Jump(distance) => (close.checked_sub(distance), Ended::LeftTape),
        };
        let Some(target) = target else {
            return end(at, without);
        };
        pc = target + 1;
        let is_plain = masks.brackets() & range(pc, close) == 0;
        let decoded = match is_plain {
            true => Loop::decode(dialect, &masks, tape, pc, close),
            false => None,
        };
        let Some(decoded) = decoded else {
            skip_periods(&mut recurrence, pc, tape, &mut at, max_steps);
            continue;
        };
        // SAFETY: the caller's promise.
        match unsafe { decoded.run::<V>(&mut masks, tape, &mut at, max_steps) } {
            Left::Done => pc = close + 1,
            Left::OutOfSteps => {}
            Left::Rewritten { next } => {
                pc = next;
                skip_periods(&mut recurrence, pc, tape, &mut at, max_steps);
            }
        }
    }
}

/// What an event does: the byte at one head, plus something, goes to a head.
struct Write {
    to: usize,
    from: usize,
    add: u8,
}

/// By [`Op`], as far as events go; `[` leaves head 0's byte as it is.
static WRITES: [Write; 8] = {
    const fn write(to: usize, from: usize, add: u8) -> Write {
        Write { to, from, add }
    }
    [
        write(0, 0, 0),
        write(0, 0, 0),
        write(0, 0, 1),
        write(0, 0, 0xff),
        write(1, 0, 0),
        write(0, 1, 0),
        write(0, 0, 0),
        write(0, 0, 0),
    ]
};

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
