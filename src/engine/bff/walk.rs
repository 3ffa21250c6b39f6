//! The BFF family, from event to event of a tape's script: between writes and
//! brackets nothing happens that the script does not tell.

use std::cell::UnsafeCell;
use std::hint::select_unpredictable;

use crate::engine::bff::loops::{Left, Loop, Progress};
use crate::engine::bff::recurrence::{self, Recurrence};
use crate::engine::bff::script::{Effects, LEN, Script};
use crate::engine::bff::skeleton::Skeleton;
use crate::engine::jit::bff::{Cache, Frame, Unit};
use crate::engine::jit::{EntryKind, Exit, Jit, Native, NativeTally};
use crate::engine::reference;
use crate::engine::simd::Lanes;
#[cfg(target_arch = "x86_64")]
use crate::engine::simd::vectors::return_for_wide;
use crate::engine::simd::vectors::{Portable, Vectors};
use crate::engine::{RunTapes, Runner};
use crate::language::bff::{Brackets, Class, Dialect, Op, State};
use crate::language::{Ended, Family, Outcome, PROGRAM_LEN, Rules, TAPE_LEN, Tape};

/// The walk, compiled for `lanes`, which this machine must have.
pub fn for_lanes(lanes: Lanes) -> RunTapes {
    #[cfg(target_arch = "x86_64")]
    {
        /// The walk with these features, as a [`RunTapes`].
        macro_rules! walk_with {
            ($vectors:ty, $features:literal) => {{
                #[target_feature(enable = $features)]
                fn all(
                    runner: &Runner,
                    tapes: &mut [Tape],
                    max_steps: u32,
                    outcomes: &mut [Outcome],
                ) -> NativeTally {
                    // SAFETY: the instructions that this is compiled for.
                    unsafe { walk_all::<$vectors>(runner, tapes, max_steps, outcomes) }
                }
                #[target_feature(enable = $features)]
                fn by_programs(
                    runner: &Runner,
                    tapes: &mut [Tape],
                    max_steps: u32,
                    outcomes: &mut [Outcome],
                ) -> NativeTally {
                    // SAFETY: the instructions that this is compiled for.
                    unsafe { walk_by_programs::<$vectors>(runner, tapes, max_steps, outcomes) }
                }
                // SAFETY: the machine has `lanes`: `Lanes::available` has asked the CPU for every
                // feature named here.
                |runner, tapes, max_steps, outcomes| unsafe {
                    if wants_programs(runner) {
                        by_programs(runner, tapes, max_steps, outcomes)
                    } else {
                        all(runner, tapes, max_steps, outcomes)
                    }
                }
            }};
        }
        return_for_wide!(lanes, walk_with);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = lanes;
    // SAFETY: needs no instructions beyond those of every machine.
    |runner, tapes, max_steps, outcomes| unsafe {
        if wants_programs(runner) {
            walk_by_programs::<Portable>(runner, tapes, max_steps, outcomes)
        } else {
            walk_all::<Portable>(runner, tapes, max_steps, outcomes)
        }
    }
}

/// Whether to look for native code of whole programs.
#[inline(always)]
fn wants_programs(runner: &Runner) -> bool {
    let cache = runner.jit().and_then(Jit::bff);
    cache.is_some_and(Cache::wants_programs)
}

/// Tapes that are classified together, before any of them is walked: where a
/// walk goes is hard to guess, and the sooner it is known the better.
const BATCH: usize = 8;

/// What a thread uses over and over.
struct Desk {
    scripts: [Script; BATCH],
    recurrence: Recurrence,
    /// Batches run so far.
    batches: u32,
}

/// What all tapes of a batch are run with.
#[derive(Clone, Copy)]
struct Job<'a> {
    dialect: &'a Dialect,
    max_steps: u32,
    closed_forms: bool,
    jit: Option<&'a Cache>,
    /// Jumps back of a run before its loops are looked for.
    patience: u32,
    /// Whether to tell how native code does.
    rates: bool,
}

impl Desk {
    /// This thread's, which is there for as long as the thread.
    #[inline(always)]
    fn get() -> *mut Desk {
        thread_local! {
            static DESK: UnsafeCell<Desk> = const {
                UnsafeCell::new(Desk {
                    scripts: [const { Script::EMPTY }; BATCH],
                    recurrence: Recurrence::NEW,
                    batches: 0,
                })
            };
        }
        DESK.with(UnsafeCell::get)
    }
}

impl<'a> Job<'a> {
    /// What `runner` is to do with `tapes`. Now and then it has a closer look at one
    /// of them, for the code cache.
    ///
    /// # Safety
    ///
    /// This machine must have the instructions of `V`.
    #[inline(always)]
    unsafe fn begin<V: Vectors>(
        runner: &'a Runner,
        tapes: &[Tape],
        max_steps: u32,
        batches: &mut u32,
    ) -> Job<'a> {
        let Family::Bff(dialect) = &runner.language.family else {
            unreachable!("only languages of the BFF family come here");
        };
        let mut job = Job {
            dialect,
            max_steps,
            closed_forms: runner.closed_forms,
            jit: runner.jit().and_then(Jit::bff),
            patience: 0,
            rates: false,
        };
        if let Some(jit) = job.jit {
            job.rates = jit.looks_closer(batches);
            job.patience = match jit.wants_loops() || job.rates {
                true => jit.options().backoff,
                false => u32::MAX,
            };
            if job.rates && !tapes.is_empty() {
                let tape = &tapes[*batches as usize % tapes.len()];
                // SAFETY: the caller's promise.
                jit.sample(dialect, &unsafe { V::skeleton(dialect, tape) });
            }
        }
        job
    }
}

/// # Safety
///
/// This machine must have the instructions of `V`.
#[inline(always)]
unsafe fn walk_all<V: Vectors>(
    runner: &Runner,
    tapes: &mut [Tape],
    max_steps: u32,
    outcomes: &mut [Outcome],
) -> NativeTally {
    // SAFETY: the thread's own, and in use here alone: nothing below comes back here, or waits
    // in rayon, which might. After a panic any content will do. (Making it anew each time takes
    // longer than many a walk.)
    let desk = unsafe { &mut *Desk::get() };
    // SAFETY: the caller's promise.
    let job = unsafe { Job::begin::<V>(runner, tapes, max_steps, &mut desk.batches) };
    let mut tally = NativeTally::default();
    for (tapes, outcomes) in tapes.chunks_mut(BATCH).zip(outcomes.chunks_mut(BATCH)) {
        for (script, tape) in desk.scripts.iter_mut().zip(tapes.iter()) {
            // SAFETY: the caller's promise.
            unsafe { read_from_start::<V>(job.dialect, tape, script) };
        }
        let scripts = desk.scripts.iter_mut();
        for ((tape, outcome), script) in tapes.iter_mut().zip(outcomes).zip(scripts) {
            let pc = job.dialect.start(tape).pc;
            // SAFETY: the caller's promise.
            let index = unsafe { script.index::<V>(pc) };
            desk.recurrence.restart();
            // SAFETY: the caller's promise.
            let done = unsafe {
                let recurrence = &mut desk.recurrence;
                walk::<V>(
                    job,
                    tape,
                    script,
                    (pc, index),
                    (0, 0),
                    recurrence,
                    &mut tally,
                )
            };
            // Part by part: copied as a whole it would wait for its parts to be written.
            (outcome.ops, outcome.steps, outcome.ended) = (done.ops, done.steps, done.ended);
        }
    }
    tally
}

/// As [`walk_all`], but by the native code of programs where there is some.
///
/// # Safety
///
/// This machine must have the instructions of `V`.
#[inline(always)]
unsafe fn walk_by_programs<V: Vectors>(
    runner: &Runner,
    tapes: &mut [Tape],
    max_steps: u32,
    outcomes: &mut [Outcome],
) -> NativeTally {
    // SAFETY: as in `walk_all`.
    let desk = unsafe { &mut *Desk::get() };
    // SAFETY: the caller's promise.
    let job = unsafe { Job::begin::<V>(runner, tapes, max_steps, &mut desk.batches) };
    let mut tally = NativeTally::default();
    let Some(jit) = job.jit else { return tally };
    let dialect = job.dialect;
    tally.looked_up.programs += tapes.len() as u64;
    for (tapes, outcomes) in tapes.chunks_mut(BATCH).zip(outcomes.chunks_mut(BATCH)) {
        let mut natives = [Programs::default(); BATCH];
        let scripts = desk.scripts.iter_mut();
        for ((programs, tape), script) in natives.iter_mut().zip(tapes.iter()).zip(scripts) {
            // SAFETY: the caller's promise.
            unsafe {
                *programs = Programs::find::<V>(jit, dialect, tape);
                if programs.left.is_none() {
                    read_from_start::<V>(dialect, tape, script);
                }
            }
        }
        let scripts = desk.scripts.iter_mut();
        let running = tapes.iter_mut().zip(outcomes).zip(scripts);
        for (((tape, outcome), script), programs) in running.zip(&natives) {
            let recurrence = &mut desk.recurrence;
            recurrence.restart();
            let (mut pc, mut steps, mut ops) = (dialect.start(tape).pc, 0, 0);
            let mut index = 0;
            if let Some(left) = programs.left {
                // SAFETY: the programs were found by what the tape means, which has not been run
                // since.
                let (place, at) =
                    unsafe { programs.run(&job, jit, left, tape, recurrence, &mut tally) };
                let (place, at) = match place {
                    TAPE_LEN => (place, at),
                    NEARLY_OVER.. => step_on(dialect, tape, place, at, max_steps),
                    _ => (place, at),
                };
                if place >= TAPE_LEN {
                    *outcome = end(at, Ended::LeftTape);
                    continue;
                }
                if max_steps - at.steps <= FEW_STEPS {
                    *outcome = finish(dialect, tape, place, at, max_steps);
                    continue;
                }
                // SAFETY: the caller's promise.
                unsafe {
                    script.read::<V>(dialect, tape, place);
                    script.aim_first::<V>(at.head0, at.head1);
                }
                (pc, steps, ops) = (place, at.steps, at.ops);
            } else {
                // SAFETY: the caller's promise.
                index = unsafe { script.index::<V>(pc) };
            }
            // SAFETY: the caller's promise.
            *outcome = unsafe {
                walk::<V>(
                    job,
                    tape,
                    script,
                    (pc, index),
                    (steps, ops),
                    recurrence,
                    &mut tally,
                )
            };
        }
    }
    tally
}

/// Have `script` tell of `tape` and where a run of it starts.
///
/// # Safety
///
/// This machine must have the instructions of `V`.
#[inline(always)]
unsafe fn read_from_start<V: Vectors>(dialect: &Dialect, tape: &Tape, script: &mut Script) {
    let start = dialect.start(tape);
    // SAFETY: the caller's promise.
    unsafe {
        script.read::<V>(dialect, tape, 0);
        match start.pc {
            0 => script.aim_first::<V>(start.head0, start.head1),
            pc => script.aim::<V>(script.index::<V>(pc), start.head0, start.head1),
        }
    }
}

/// Native code of the programs of a tape.
#[derive(Clone, Copy, Default)]
struct Programs {
    left: Option<Native>,
    right: Option<Native>,
    skeleton: Skeleton,
}

impl Programs {
    /// # Safety
    ///
    /// This machine must have the instructions of `V`.
    #[inline(always)]
    unsafe fn find<V: Vectors>(jit: &Cache, dialect: &Dialect, tape: &Tape) -> Programs {
        // SAFETY: the caller's promise.
        let skeleton = unsafe { V::skeleton(dialect, tape) };
        Programs {
            left: jit.index().find_left(&skeleton.left(dialect.first_place())),
            right: jit.index().find_right(&skeleton.right()),
            skeleton,
        }
    }

    /// Run `tape` by the left program and, where that comes to its end, by the
    /// right one. How the run ended, or its place and where it stands.
    ///
    /// # Safety
    ///
    /// The programs must be those of the tape, found in `jit`.
    #[inline(always)]
    unsafe fn run(
        &self,
        job: &Job<'_>,
        jit: &Cache,
        left: Native,
        tape: &mut Tape,
        recurrence: &mut Recurrence,
        tally: &mut NativeTally,
    ) -> (usize, Progress) {
        let start = job.dialect.start(tape);
        let at = Progress {
            head0: start.head0,
            head1: start.head1,
            steps: 0,
            ops: 0,
        };
        let mut frame = Frame::new(&at, job.max_steps, &self.skeleton, recurrence);
        // SAFETY: the function is that of what the left program means, and code is freed only
        // where `jit` is borrowed for itself alone; skeleton and recurrence outlive the frame.
        let mut exit = unsafe { frame.call(left.function, tape, 0) };
        tally.entered.programs += 1;
        let mut last = left;
        if exit == Exit::End
            && let Some(right) = self.right
        {
            tally.exits[Exit::End as usize] += 1;
            tally.entered.programs += 1;
            // SAFETY: as above, of what the right program means up to the frame's invalidation
            // point, the first place that the left one has changed.
            exit = unsafe { frame.call(right.function, tape, PROGRAM_LEN) };
            last = right;
        }
        let at = frame.progress();
        tally.exits[exit as usize] += 1;
        tally.ops += u64::from(at.ops);
        tally.steps += u64::from(at.steps);
        tally.iterations += frame.run.iterations;
        tally.settled += frame.settled;
        if job.rates {
            let is_over = matches!(exit, Exit::End | Exit::OutOfSteps);
            jit.rate(last, is_over || at.steps > WORTH_STEPS);
        }
        (frame.run.pc as usize, at)
    }
}

/// Steps in native code beyond which it was worth while to enter it, however it was
/// left.
const WORTH_STEPS: u32 = 48;

/// The places from here on are run step by step where native code was left.
const NEARLY_OVER: usize = TAPE_LEN - 32;

/// Take the steps to the tape's end, as long as no bracket jumps. (What a byte does
/// is looked up, not branched to: it is hard to guess.)
#[inline(always)]
fn step_on(
    dialect: &Dialect,
    tape: &mut Tape,
    pc: usize,
    mut at: Progress,
    max_steps: u32,
) -> (usize, Progress) {
    let effects = Effects::of(dialect);
    let end = TAPE_LEN.min(pc + (max_steps - at.steps) as usize);
    let mut place = pc;
    while place < end {
        let command = dialect.class(tape[place]).bits() & Class::COMMAND;
        let effect = usize::from(command);
        let is_null = dialect.class(tape[at.head0]).bits();
        if is_null & effects.jumps_at[effect] != 0 {
            break;
        }
        let from = match command == Class::command(Op::CopyTo0) {
            true => at.head1,
            false => at.head0,
        };
        let to = match command == Class::command(Op::CopyTo1) {
            true => at.head1,
            false => at.head0,
        };
        tape[to] = tape[from].wrapping_add(effects.add[effect]);
        at.head0 = (at.head0 + usize::from(effects.move0[effect])) % TAPE_LEN;
        at.head1 = (at.head1 + usize::from(effects.move1[effect])) % TAPE_LEN;
        at.ops += u32::from(command != 0);
        place += 1;
    }
    at.steps += (place - pc) as u32;
    (place, at)
}

/// Steps that are quicker done one by one than by reading a tape once more.
const FEW_STEPS: u32 = 24;

/// Take the steps that are left.
#[inline(never)]
fn finish(dialect: &Dialect, tape: &mut Tape, pc: usize, at: Progress, max_steps: u32) -> Outcome {
    let state = State {
        pc,
        head0: at.head0,
        head1: at.head1,
    };
    let taken = (at.steps, at.ops);
    reference::go_on(dialect, tape, state, taken, max_steps, |_, _| {})
}

/// Walk `tape` from the place `pc`, entry `index` of the script, after so many steps
/// and ops.
///
/// Most tapes are run straight from end to end.
///
/// # Safety
///
/// This machine must have the instructions of `V`.
#[inline(always)]
unsafe fn walk<V: Vectors>(
    job: Job<'_>,
    tape: &mut Tape,
    script: &mut Script,
    (pc, index): (usize, usize),
    (mut steps, mut ops): (u32, u32),
    recurrence: &mut Recurrence,
    tally: &mut NativeTally,
) -> Outcome {
    let Job {
        dialect, max_steps, ..
    } = job;
    let mut stretch = Stretch::walk(dialect, tape, script, pc, index, max_steps - steps);
    if stretch.jump.is_none() && stretch.stop == TAPE_LEN {
        return Outcome {
            ops: ops + (script.len - index) as u32,
            steps: steps + (TAPE_LEN - pc) as u32,
            ended: Ended::LeftTape,
        };
    }
    if stretch.jump.is_none() && stretch.stop >= NEARLY_OVER {
        // SAFETY: the caller's promise.
        let at_stop = unsafe { script.index::<V>(stretch.stop) };
        let (head0, head1) = script.heads(at_stop);
        let at = Progress {
            head0,
            head1,
            steps: steps + (stretch.stop - pc) as u32,
            ops: ops + (at_stop - index) as u32,
        };
        let (pc, at) = step_on(dialect, tape, stretch.stop, at, max_steps);
        if pc >= TAPE_LEN {
            return end(at, Ended::LeftTape);
        }
        if at.steps == max_steps {
            return end(at, Ended::StepLimit);
        }
        // SAFETY: the caller's promise.
        unsafe {
            script.read::<V>(dialect, tape, pc);
            script.aim_first::<V>(at.head0, at.head1);
        }
        (steps, ops) = (at.steps, at.ops);
        stretch = Stretch::walk(dialect, tape, script, pc, 0, max_steps - steps);
    }
    // SAFETY: the caller's promise.
    unsafe { walk_on::<V>(job, tape, script, stretch, (steps, ops), recurrence, tally) }
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
        let mut lowest_change = TAPE_LEN;
        let mut events = script.events & !0 << index;
        let jump = loop {
            let event = events.trailing_zeros() as usize % LEN;
            let place = usize::from(script.place[event]);
            if place >= stop {
                break None;
            }
            events &= events - 1;
            let (from, to) = script.goes(event);
            let old = tape[to];
            let new = tape[from].wrapping_add(script.add[event]);
            tape[to] = new;
            let class = dialect.class(old).bits();
            let change = (class ^ dialect.class(new).bits()) & Class::COMMAND;
            let changed = select_unpredictable(change == 0, TAPE_LEN, to);
            lowest_change = lowest_change.min(changed);
            stop = stop.min(select_unpredictable(changed > place, changed, TAPE_LEN));
            if class & script.jumps_at[event] != 0 {
                break Some((event, place));
            }
        };
        Stretch {
            pc,
            index,
            stop,
            jump,
            stale: lowest_change < TAPE_LEN,
            // What changed ahead lies behind the bracket, or the stretch had not
            // come here.
            stale_behind: jump.is_some_and(|(_, bracket)| lowest_change <= bracket),
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
    job: Job<'_>,
    tape: &mut Tape,
    script: &mut Script,
    mut stretch: Stretch,
    (mut steps, mut ops): (u32, u32),
    recurrence: &mut Recurrence,
    tally: &mut NativeTally,
) -> Outcome {
    let Job {
        dialect, max_steps, ..
    } = job;
    // Jumps back that no closed form has dealt with, how many there were when native
    // code was looked for last, and how many there are when it is looked for again: in
    // vain after the first, second, fourth, …
    let (mut jumps, mut looked) = (0, 0);
    let mut next_look = job.patience.saturating_add(1);
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
            // SAFETY: the caller's promise.
            None => unsafe { script.index::<V>(stop) },
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
            // Before the bracket the script may still be true.
            if if is_open { stale } else { stale_behind } {
                // SAFETY: the caller's promise.
                unsafe {
                    script.read_around::<V>(dialect, tape, bracket);
                    event = script.index::<V>(bracket);
                }
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
                let mut is_rewritten = false;
                if job.closed_forms
                    && let Some(mut decoded) =
                        // SAFETY: the caller's promise.
                        unsafe { Loop::decode::<V>(dialect, script, pc, bracket) }
                    && (job.jit.is_none() || jumps + 1 < next_look || decoded.has_closed_form())
                {
                    // Ahead the script may not be true any more.
                    if stale {
                        decoded.forget_nest();
                    }
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
                    is_rewritten = matches!(left, Left::Rewritten { .. });
                    repeats = is_rewritten;
                }
                if repeats {
                    jumps += 1;
                    let mut is_native = false;
                    if let Some(jit) = job.jit
                        && jumps >= next_look
                        && !is_rewritten
                    {
                        // SAFETY: the caller's promise.
                        let skeleton = unsafe { V::skeleton(dialect, tape) };
                        let places = (pc, bracket);
                        let left = run_native(
                            &job,
                            jit,
                            jumps - looked,
                            places,
                            tape,
                            &skeleton,
                            &mut at,
                            recurrence,
                            tally,
                        );
                        looked = jumps;
                        if left.is_none() {
                            next_look = jumps.saturating_mul(2);
                        }
                        if let Some((next, changed)) = left {
                            if max_steps - at.steps <= FEW_STEPS && next < TAPE_LEN {
                                return finish(dialect, tape, next, at, max_steps);
                            }
                            is_native = true;
                            pc = next;
                            stale |= changed;
                        }
                    }
                    if !is_native && job.closed_forms {
                        let state = recurrence::State::new(pc, at.head0, at.head1);
                        recurrence.skip(state, tape, &mut at.steps, &mut at.ops, max_steps);
                    }
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
                index = script.index::<V>(pc);
                script.aim::<V>(index, at.head0, at.head1);
            }
        }
        stretch = Stretch::walk(dialect, tape, script, pc, index, max_steps - steps);
    }
}

/// Run the loop from `first` to the `]` at `close`, which has just jumped back, by
/// native code if there is some. Where the run goes on, and whether any byte has
/// changed what it means. Where there is none, the `laps` since the last look count.
#[expect(clippy::too_many_arguments, reason = "all that there is to a run")]
#[inline(never)]
fn run_native(
    job: &Job<'_>,
    jit: &Cache,
    laps: u32,
    (first, close): (usize, usize),
    tape: &mut Tape,
    skeleton: &Skeleton,
    at: &mut Progress,
    recurrence: &mut Recurrence,
    tally: &mut NativeTally,
) -> Option<(usize, bool)> {
    let base = first - 1;
    let key = skeleton.piece(base, close + 1 - base);
    tally.looked_up.loops += 1;
    let Some(native) = jit.index().find_loop(&key) else {
        if job.rates {
            let unit = Unit {
                kind: EntryKind::Loop,
                skeleton: key,
            };
            jit.came_up(unit, laps);
        }
        return None;
    };
    let mut frame = Frame::new(at, job.max_steps, skeleton, recurrence);
    // SAFETY: the function is that of what the loop means, and code is freed only where `jit`
    // is borrowed for itself alone; skeleton and recurrence outlive the frame.
    let exit = unsafe { frame.call(native.function, tape, base) };
    let then = frame.progress();
    let steps = then.steps - at.steps;
    tally.entered.loops += 1;
    tally.exits[exit as usize] += 1;
    tally.ops += u64::from(then.ops - at.ops);
    tally.steps += u64::from(steps);
    tally.iterations += frame.run.iterations;
    tally.settled += frame.settled;
    if job.rates {
        jit.rate(native, steps > WORTH_STEPS);
    }
    *at = then;
    Some((frame.run.pc as usize, frame.dirty != 0))
}

#[inline(always)]
fn end(at: Progress, ended: Ended) -> Outcome {
    Outcome {
        ops: at.ops,
        steps: at.steps,
        ended,
    }
}
