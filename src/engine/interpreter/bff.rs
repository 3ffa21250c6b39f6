//! The BFF family, from event to event of a tape's script: between writes and
//! brackets nothing happens that the script does not tell.

use std::cell::UnsafeCell;

use crate::engine::RunTapes;
use crate::engine::interpreter::recurrence::Recurrence;
use crate::engine::loops::{Left, Loop, Progress};
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
        /// The walk with these features, as a [`RunTapes`].
        macro_rules! walk_with {
            ($vectors:ty, $features:literal) => {{
                #[target_feature(enable = $features)]
                fn all(
                    language: &Language,
                    tapes: &mut [Tape],
                    max_steps: u32,
                    outcomes: &mut [Outcome],
                ) {
                    // SAFETY: the instructions that this is compiled for.
                    unsafe { walk_all::<$vectors>(dialect(language), tapes, max_steps, outcomes) }
                }
                // SAFETY: the machine has the lanes.
                |language, tapes, max_steps, outcomes| unsafe {
                    all(language, tapes, max_steps, outcomes)
                }
            }};
        }
        match lanes {
            Lanes::Avx512 => {
                return walk_with!(
                    Avx512,
                    "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,\
                     bmi1,bmi2,lzcnt,popcnt"
                );
            }
            Lanes::Avx2 => return walk_with!(Avx2, "avx2,bmi1,bmi2,lzcnt,popcnt"),
            Lanes::Portable => {}
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = lanes;
    // SAFETY: needs no instructions beyond those of every machine.
    |language, tapes, max_steps, outcomes| unsafe {
        walk_all::<Portable>(dialect(language), tapes, max_steps, outcomes)
    }
}

fn dialect(language: &Language) -> &Dialect {
    match &language.family {
        Family::Bff(dialect) => dialect,
        _ => unreachable!("only languages of the BFF family come here"),
    }
}

/// Tapes that are classified together, before any of them is walked: where a
/// walk goes is hard to guess, and the sooner it is known the better.
const BATCH: usize = 8;

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
    thread_local! {
        static SCRIPTS: UnsafeCell<[Script; BATCH]> =
            const { UnsafeCell::new([const { Script::EMPTY }; BATCH]) };
    }
    // SAFETY: the thread's own, and in use here alone: nothing below comes back
    // here. (Making them anew each time takes longer than many a walk.)
    let scripts = unsafe { &mut *SCRIPTS.with(UnsafeCell::get) };
    for (tapes, outcomes) in tapes.chunks_mut(BATCH).zip(outcomes.chunks_mut(BATCH)) {
        for (script, tape) in scripts.iter_mut().zip(tapes.iter()) {
            let start = dialect.start(tape);
            // SAFETY: the caller's promise.
            unsafe {
                script.read::<V>(dialect, tape, 0);
                match start.pc {
                    0 => script.aim_first::<V>(start.head0, start.head1),
                    pc => script.aim::<V>(script.index(pc), start.head0, start.head1),
                }
            }
        }
        for ((tape, outcome), script) in tapes.iter_mut().zip(outcomes).zip(scripts.iter_mut()) {
            // SAFETY: the caller's promise.
            *outcome = unsafe { walk::<V>(dialect, tape, script, max_steps) };
        }
    }
}

/// Run `tape` from its start, of which `script` tells.
///
/// Most tapes are run straight from end to end.
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
    let pc = dialect.start(tape).pc;
    let index = script.index(pc);
    let stretch = Stretch::walk(dialect, tape, script, pc, index, max_steps);
    if stretch.jump.is_none() && stretch.stop == TAPE_LEN {
        return Outcome {
            ops: (script.len - index) as u32,
            steps: (TAPE_LEN - pc) as u32,
            ended: Ended::LeftTape,
        };
    }
    // SAFETY: the caller's promise.
    unsafe { walk_on::<V>(dialect, tape, script, stretch, max_steps) }
}

/// A stretch of a walk that went straight on.
struct Stretch {
    /// Where it began, and the script's first entry there.
    pc: usize,
    index: usize,
    /// The place where it ended: where the steps end, or the script, or where a
    /// byte has changed what it means.
    stop: usize,
    /// The entry and the place of the bracket that jumped before that.
    jump: Option<(usize, usize)>,
    /// Whether any byte has changed what it means, and whether one did that
    /// does not lie ahead of the op that changed it.
    stale: bool,
    stale_behind: bool,
}

impl Stretch {
    /// Walk from `pc`, the place of or before entry `index` of the script, for
    /// at most `steps` steps.
    #[inline(always)]
    fn walk(
        dialect: &Dialect,
        tape: &mut Tape,
        script: &Script,
        pc: usize,
        index: usize,
        steps: u32,
    ) -> Stretch {
        // Behind the program counter a changed byte matters only once it jumps.
        let mut stop = script.end().min(pc + steps as usize);
        let (mut changed, mut changed_behind) = (0, 0);
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
            let is_ahead = change != 0 && to > place;
            stop = stop.min(if is_ahead { to } else { TAPE_LEN });
            changed_behind |= if is_ahead { 0 } else { change };
            if class & script.jumps_at[event] != 0 {
                break Some((event, place));
            }
        };
        Stretch {
            pc,
            index,
            stop,
            jump,
            stale: changed != 0,
            stale_behind: changed_behind != 0,
        }
    }
}

/// Go on from the end of a stretch.
///
/// # Safety
///
/// This machine must have the instructions of `V`.
#[inline(always)]
unsafe fn walk_on<V: Vectors>(
    dialect: &Dialect,
    tape: &mut Tape,
    script: &mut Script,
    mut stretch: Stretch,
    max_steps: u32,
) -> Outcome {
    let (mut steps, mut ops) = (0, 0);
    let mut recurrence = Recurrence::new();
    loop {
        let Stretch {
            mut pc,
            mut index,
            mut stop,
            jump,
            mut stale,
            stale_behind,
        } = stretch;
        let at_stop = match jump {
            None => script.index(stop),
            Some((event, bracket)) => {
                stop = bracket + 1;
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
        if let Some((mut event, bracket)) = jump {
            at.ops += 1;
            let is_open = script.jumps_at[event] == Class::NULL;
            // What changed ahead lies behind the bracket, or the stretch had not
            // come here: before the bracket the script is still true.
            if if is_open { stale } else { stale_behind } {
                // SAFETY: the caller's promise.
                unsafe { script.read_around::<V>(dialect, tape, bracket) };
                event = script.index(bracket);
                stale = false;
            }
            let partner = match (dialect.brackets(), is_open) {
                (Brackets::Jump(distance), true) => Ok(bracket + distance),
                (Brackets::Jump(distance), false) => {
                    bracket.checked_sub(distance).ok_or(Ended::LeftTape)
                }
                // SAFETY: the caller's promise.
                (Brackets::Match, true) => match unsafe { script.matching_close::<V>(event) } {
                    Some(close) => Ok(usize::from(script.place[close])),
                    None if script.end() == TAPE_LEN => Err(Ended::UnmatchedBracket),
                    None => dialect
                        .matching_close(tape, bracket)
                        .ok_or(Ended::UnmatchedBracket),
                },
                // SAFETY: the caller's promise.
                (Brackets::Match, false) => match unsafe { script.matching_open::<V>(event) } {
                    Some(open) => Ok(usize::from(script.place[open])),
                    None if script.first == 0 => Err(Ended::UnmatchedBracket),
                    None => dialect
                        .matching_open(tape, bracket)
                        .ok_or(Ended::UnmatchedBracket),
                },
            };
            pc = match partner {
                Ok(place) => place + 1,
                Err(ended) => return end(at, ended),
            };
            if !is_open {
                if !script.tells_of(pc) {
                    // SAFETY: the caller's promise.
                    unsafe { script.read_around::<V>(dialect, tape, pc) };
                }
                let mut repeats = true;
                if let Some(decoded) = Loop::decode(dialect, script, pc, bracket) {
                    // SAFETY: the caller's promise.
                    let (left, changed) = unsafe { decoded.run::<V>(tape, &mut at, max_steps) };
                    stale |= changed;
                    match left {
                        Left::Done => pc = bracket + 1,
                        // What is left of the steps ends within the loop, of
                        // which the script is still true.
                        Left::OutOfSteps => stale = false,
                        Left::Rewritten { next } => pc = next,
                    }
                    repeats = matches!(left, Left::Rewritten { .. });
                }
                if repeats {
                    skip_periods(&mut recurrence, pc, tape, &mut at, max_steps);
                }
            }
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
            if jump.is_none() {
                // Straight on: what lies behind is hardly ever asked for again.
                script.read::<V>(dialect, tape, pc);
                script.aim_first::<V>(at.head0, at.head1);
                index = 0;
            } else {
                if stale || !script.tells_of(pc) {
                    script.read_around::<V>(dialect, tape, pc);
                }
                index = script.index(pc);
                script.aim::<V>(index, at.head0, at.head1);
            }
        }
        stretch = Stretch::walk(dialect, tape, script, pc, index, max_steps - steps);
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
