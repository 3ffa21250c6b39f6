//! The BFF family, from event to event of a tape's script: between writes and
//! brackets nothing happens that the script does not tell.

use crate::engine::RunTapes;
use crate::engine::interpreter::recurrence::Recurrence;
use crate::engine::loops::{Left, Loop, Progress};
use crate::engine::masks::{Masks, range};
use crate::engine::script::{LEN, Script};
#[cfg(target_arch = "x86_64")]
use crate::engine::vectors::{Avx2, Avx512};
use crate::engine::vectors::{Portable, Vectors};
use crate::lanes::Lanes;
use crate::language::bff::{Brackets, Class, Dialect};
use crate::language::{Ended, Family, Language, Outcome, Rules, TAPE_LEN, Tape};

/// The walk, compiled for `lanes`, which this machine must have.
pub fn for_lanes(lanes: Lanes) -> RunTapes {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(
            enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,bmi1,bmi2,lzcnt,popcnt"
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
    let mut scripts = [const { Script::EMPTY }; BATCH];
    for (tapes, outcomes) in tapes.chunks_mut(BATCH).zip(outcomes.chunks_mut(BATCH)) {
        for (script, tape) in scripts.iter_mut().zip(tapes.iter()) {
            let start = dialect.start(tape);
            // SAFETY: the caller's promise.
            unsafe {
                script.read::<V>(dialect, tape, start.pc);
                script.aim::<V>(0, start.head0, start.head1);
            }
        }
        for ((tape, outcome), script) in tapes.iter_mut().zip(outcomes).zip(&mut scripts) {
            // SAFETY: the caller's promise.
            *outcome = unsafe { walk::<V>(dialect, tape, script, max_steps) };
        }
    }
}

/// Run `tape`, of which `script` tells from its start on.
///
/// # Safety
///
/// This machine must have the instructions of `V`.
#[inline(always)]
unsafe fn walk<V: Vectors>(
    dialect: &Dialect,
    tape: &mut Tape,
    script: &mut Script,
    max_steps: u32,
) -> Outcome {
    let mut pc = script.first;
    let mut index = 0;
    let (mut steps, mut ops) = (0, 0);
    let mut recurrence = Recurrence::new();
    // What brackets need to know; where it is not known, or no longer true.
    let mut masks = None;

    // A straight stretch each time: from `pc`, the place of or before op number
    // `index` of the script, until a bracket jumps or the script is no longer
    // true.
    loop {
        // Where the steps end, and from where on the script is wrong. Behind
        // the program counter a changed kind matters only once it jumps.
        let limit = pc + (max_steps - steps) as usize;
        let mut stop = script.end().min(limit);
        let mut changed = 0;
        let mut events = script.events & !0 << index;
        let jump = loop {
            let event = events.trailing_zeros() as usize % LEN;
            let place = usize::from(script.place[event]);
            if place >= stop {
                break None;
            }
            events &= events - 1;
            let from = usize::from(script.from[event]) % TAPE_LEN;
            let to = usize::from(script.to[event]) % TAPE_LEN;
            let old = tape[to];
            let new = tape[from].wrapping_add(script.add[event]);
            tape[to] = new;
            let class = dialect.class(old).bits();
            let change = (class ^ dialect.class(new).bits()) & Class::COMMAND;
            changed |= change;
            let ahead = if change != 0 && to > place { to } else { TAPE_LEN };
            stop = stop.min(ahead);
            if class & script.jumps_at[event] != 0 {
                break Some((event, place));
            }
        };
        let mut stale = changed != 0;
        if stale {
            masks = None;
        }
        let at_stop = match jump {
            None => script.index(stop),
            Some((event, place)) => {
                stop = place + 1;
                event
            }
        };
        steps += (stop - pc) as u32;
        let (head0, head1) = script.heads(at_stop);
        let mut at = Progress {
            head0,
            head1,
            steps,
            ops: ops + (at_stop - index) as u32,
        };
        pc = stop;
        if let Some((event, bracket)) = jump {
            at.ops += 1;
            let known = match masks {
                Some(known) => known,
                // SAFETY: the caller's promise.
                None => unsafe { Masks::classify::<V>(dialect, tape) },
            };
            masks = Some(known);
            if script.jumps_at[event] == Class::NULL {
                let target = match dialect.brackets() {
                    Brackets::Match => known.matching_close(bracket),
                    Brackets::Jump(distance) => Some(bracket + distance),
                };
                match target {
                    Some(target) => pc = target + 1,
                    None => return end(at, Ended::UnmatchedBracket),
                }
            } else {
                let (target, without) = match dialect.brackets() {
                    Brackets::Match => (known.matching_open(bracket), Ended::UnmatchedBracket),
                    Brackets::Jump(distance) => (bracket.checked_sub(distance), Ended::LeftTape),
                };
                match target {
                    Some(target) => pc = target + 1,
                    None => return end(at, without),
                }
                let is_plain = known.brackets() & range(pc, bracket) == 0;
                let decoded = match is_plain {
                    true => Loop::decode(dialect, &known, tape, pc, bracket),
                    false => None,
                };
                let mut repeats = true;
                if let Some(decoded) = decoded {
                    // SAFETY: the caller's promise.
                    let (left, rewrote) =
                        unsafe { decoded.run::<V>(&known, tape, &mut at, max_steps) };
                    if rewrote {
                        (stale, masks) = (true, None);
                    }
                    match left {
                        Left::Done => pc = bracket + 1,
                        Left::OutOfSteps => {}
                        Left::Rewritten { next } => pc = next,
                    }
                    repeats = matches!(left, Left::Rewritten { .. });
                }
                if repeats {
                    skip_periods(&mut recurrence, pc, tape, &mut at, max_steps);
                }
            }
        } else {
            stale = true;
        }
        if pc >= TAPE_LEN {
            return end(at, Ended::LeftTape);
        }
        if at.steps == max_steps {
            return end(at, Ended::StepLimit);
        }
        (steps, ops) = (at.steps, at.ops);
        // SAFETY: the caller's promise.
        unsafe {
            if stale || !(script.first..script.end()).contains(&pc) {
                script.read::<V>(dialect, tape, 0);
                if pc >= script.end() {
                    script.read::<V>(dialect, tape, pc);
                }
            }
            index = script.index(pc);
            script.aim::<V>(index, at.head0, at.head1);
        }
    }
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
