//! Brackets that jump, and what follows from a jump back: another iteration of a loop.

use super::{Context, FEW_STEPS, Run, Stretch, finish, programs::WORTH_STEPS};
use crate::engine::bff::loops::{Loop, LoopExit};
use crate::engine::bff::recurrence::{Recurrence, State};
use crate::engine::bff::registers::Registers;
use crate::engine::bff::skeleton::Skeleton;
use crate::engine::jit::bff::{Frame, Unit};
use crate::engine::jit::{EntryKind, NativeTally};
use crate::engine::simd::{Note, Vectors};
use crate::language::bff::{Brackets, Class, Dialect};
use crate::language::{Ended, Outcome, TAPE_LEN, Tape};
use crate::random::mix;

/// Where a walk stands between two stretches.
struct Cursor {
    pc: usize,
    at: Registers,
    /// Whether a byte that the script tells of may mean something else by now.
    dirty: bool,
    /// Whether the loop that has just jumped back was run from its start, and is as it was.
    is_led: bool,
}

/// A bracket that jumps: its place, and its entry in the script.
#[derive(Clone, Copy)]
struct Bracket {
    place: usize,
    entry: usize,
    is_open: bool,
}

/// When native code is looked for: in vain after the first, second, fourth, … jump back that no
/// closed form has dealt with.
struct Looks {
    /// Such jumps so far.
    jumps: u32,
    /// How many there were when native code was looked for last, and how many there will be when
    /// it is looked for again.
    last: u32,
    next: u32,
}

impl<V: Vectors> Run<'_, '_, V> {
    /// Go on from the end of a stretch, before which there were so many steps and ops.
    #[inline(always)]
    pub(super) fn walk_on(mut self, mut stretch: Stretch, mut taken: (u32, u32)) -> Outcome {
        let mut looks = Looks {
            jumps: 0,
            last: 0,
            next: self.context.patience.saturating_add(1),
        };
        loop {
            let mut cursor = self.end_of(&stretch, taken);
            if let Some((entry, place)) = stretch.jump {
                let bracket = self.bracket((entry, place), &mut cursor, stretch.dirty_behind);
                match self.partner(bracket) {
                    Ok(partner) => {
                        cursor.pc = partner + 1;
                        cursor.is_led = stretch.pc <= cursor.pc && !stretch.dirty_behind;
                    }
                    Err(ended) => return cursor.at.outcome(ended),
                }
                if !bracket.is_open
                    && let Some(outcome) = self.iterate(place, &mut cursor, &mut looks)
                {
                    return outcome;
                }
            }
            if cursor.pc >= TAPE_LEN {
                return cursor.at.outcome(Ended::LeftTape);
            }
            if cursor.at.steps == self.context.max_steps {
                return cursor.at.outcome(Ended::StepLimit);
            }
            taken = (cursor.at.steps, cursor.at.ops);
            stretch = self.next_stretch(&cursor, stretch.jump.is_some());
        }
    }

    /// Where a stretch has led to, before its bracket jumps.
    #[inline(always)]
    fn end_of(&self, stretch: &Stretch, (steps, ops): (u32, u32)) -> Cursor {
        let (pc, index) = match stretch.jump {
            None => (stretch.end, self.script.index(self.vectors, stretch.end)),
            Some((entry, bracket)) => (bracket + 1, entry),
        };
        let (head0, head1) = self.script.heads(index);
        Cursor {
            pc,
            at: Registers {
                head0,
                head1,
                steps: steps + (pc - stretch.pc) as u32,
                ops: ops + (index - stretch.index) as u32,
            },
            dirty: stretch.dirty,
            is_led: false,
        }
    }

    /// The bracket at an entry of the script, which has just been read, once the script is true
    /// where the bracket looks for its partner.
    #[inline(always)]
    fn bracket(
        &mut self,
        (mut entry, place): (usize, usize),
        cursor: &mut Cursor,
        dirty_behind: bool,
    ) -> Bracket {
        cursor.at.ops += 1;
        let is_open = self.script.jumps_at[entry] == Class::NULL;
        // Before the bracket the script may still be true.
        if if is_open { cursor.dirty } else { dirty_behind } {
            self.read_around(place);
            entry = self.script.index(self.vectors, place);
            cursor.dirty = false;
        }
        Bracket {
            place,
            entry,
            is_open,
        }
    }

    /// The place that a bracket jumps to, but for one step more.
    #[inline(always)]
    fn partner(&self, bracket: Bracket) -> Result<usize, Ended> {
        let Context { dialect, .. } = self.context;
        let (script, tape) = (&*self.script, &*self.tape);
        let Bracket { place, entry, .. } = bracket;
        match (dialect.brackets(), bracket.is_open) {
            (Brackets::Jump(distance), true) => Ok(place + distance),
            (Brackets::Jump(distance), false) => place.checked_sub(distance).ok_or(Ended::LeftTape),
            (Brackets::Match, true) => match script.matching_close(self.vectors, entry) {
                Some(close) => Ok(usize::from(script.place[close])),
                None if script.end() == TAPE_LEN => Err(Ended::UnmatchedBracket),
                None => dialect
                    .matching_close(tape, place)
                    .ok_or(Ended::UnmatchedBracket),
            },
            (Brackets::Match, false) => match script.matching_open(self.vectors, entry) {
                Some(open) => Ok(usize::from(script.place[open])),
                None if script.first == 0 => Err(Ended::UnmatchedBracket),
                None => dialect
                    .matching_open(tape, place)
                    .ok_or(Ended::UnmatchedBracket),
            },
        }
    }

    /// Run as much as can be done at once of the loop whose `]` at `close` has just jumped back
    /// to where the cursor is: by a closed form, by native code, or by skipping whole periods. An
    /// outcome where that ends the run.
    #[inline(always)]
    fn iterate(&mut self, close: usize, cursor: &mut Cursor, looks: &mut Looks) -> Option<Outcome> {
        let Context {
            dialect,
            max_steps,
            closed_forms,
            jit,
            ..
        } = self.context;
        if !self.script.tells_of(cursor.pc) {
            self.read_around(cursor.pc);
        }
        let mut is_rewritten = false;
        if closed_forms {
            match self.run_closed_form(close, cursor, looks) {
                Some(LoopExit::Done | LoopExit::OutOfSteps) => return None,
                Some(LoopExit::Rewritten { .. }) => is_rewritten = true,
                None => {}
            }
        }
        looks.jumps += 1;
        if jit.is_some() && looks.jumps >= looks.next && !is_rewritten {
            let looped = NativeLoop {
                first: cursor.pc,
                close,
                iterations: looks.jumps - looks.last,
                skeleton: &self.vectors.skeleton(dialect, self.tape),
            };
            let exit = run_native(
                &self.context,
                looped,
                self.tape,
                &mut cursor.at,
                self.recurrence,
                self.tally,
            );
            looks.last = looks.jumps;
            match exit {
                None => looks.next = looks.jumps.saturating_mul(2),
                Some((pc, changed)) => {
                    if max_steps - cursor.at.steps <= FEW_STEPS && pc < TAPE_LEN {
                        return Some(finish(dialect, self.tape, pc, cursor.at, max_steps));
                    }
                    cursor.pc = pc;
                    cursor.dirty |= changed;
                    return None;
                }
            }
        }
        if closed_forms {
            let at = &mut cursor.at;
            let state = State::new(cursor.pc, at.head0, at.head1);
            let mut taken = at.taken();
            if self
                .recurrence
                .skip(state, self.tape, &mut taken, max_steps)
            {
                (at.steps, at.ops) = (taken.steps, taken.ops);
                self.vectors.note(|| Note::Period);
            }
        }
        None
    }

    /// Run the loop from the cursor to the `]` at `close` by what is known of its iterations, if
    /// it can be decoded: until it ends, or changes itself.
    #[inline(always)]
    fn run_closed_form(
        &mut self,
        close: usize,
        cursor: &mut Cursor,
        looks: &Looks,
    ) -> Option<LoopExit> {
        let Context {
            dialect,
            max_steps,
            jit,
            ..
        } = self.context;
        let (body, seen) = ((cursor.pc, close), &mut *self.seen_loops);
        let mut looped = Loop::empty(dialect);
        if !looped.read(self.vectors, self.script, body, seen) {
            self.vectors.note(|| Note::Nested);
            return None;
        }
        // What has none may be faster as native code.
        if jit.is_some() && looks.jumps + 1 >= looks.next && !looped.has_closed_form() {
            return None;
        }
        // Ahead the script may not be true any more.
        if cursor.dirty {
            looped.forget_changed_nest(self.vectors, self.script, self.tape);
        }
        let vectors = self.vectors;
        vectors.note(|| Note::Body(body_hash(dialect, self.tape, cursor.pc, close)));
        let (exit, changed) = looped.run(
            vectors,
            self.tape,
            &mut cursor.at,
            (max_steps, cursor.is_led),
        );
        vectors.note(|| Note::Loop {
            form: looped.form_name(),
            exit: exit.name(),
        });
        cursor.dirty |= changed;
        match exit {
            LoopExit::Done => cursor.pc = close + 1,
            // What is left of the steps ends within the loop, of which the script is still true.
            LoopExit::OutOfSteps => cursor.dirty = false,
            LoopExit::Rewritten { next } => cursor.pc = next,
        }
        Some(exit)
    }

    /// Go straight on from the cursor, to which a bracket `jumped` or the last stretch led.
    #[inline(always)]
    fn next_stretch(&mut self, cursor: &Cursor, jumped: bool) -> Stretch {
        let Context {
            dialect, max_steps, ..
        } = self.context;
        let Cursor { pc, at, .. } = *cursor;
        let mut index = 0;
        if jumped {
            if cursor.dirty || !self.script.tells_of(pc) {
                self.read_around(pc);
            }
            index = self.script.index(self.vectors, pc);
            self.script.aim(self.vectors, index, at.head0, at.head1);
        } else {
            // What lies behind is hardly ever asked for again.
            self.script.read(self.vectors, dialect, self.tape, pc);
            self.script.aim_first(self.vectors, at.head0, at.head1);
        }
        let steps = max_steps - at.steps;
        Stretch::walk(dialect, self.tape, self.script, (pc, index), steps)
    }

    /// Have the script tell of the tape as it is, of `place` above all.
    #[inline(always)]
    fn read_around(&mut self, place: usize) {
        let dialect = self.context.dialect;
        self.script
            .read_around(self.vectors, dialect, self.tape, place);
    }
}

/// A hash of what the places from `first` to the `]` at `close` mean.
fn body_hash(dialect: &Dialect, tape: &Tape, first: usize, close: usize) -> u64 {
    let class = |place: &u8| u64::from(dialect.class(*place).bits() & Class::COMMAND);
    let places = tape[first.min(close)..=close].iter();
    places.map(class).fold(0, |hash, class| mix(hash ^ class))
}

/// A loop that native code is looked for.
struct NativeLoop<'a> {
    /// Where its body begins, and its `]`, which has just jumped back.
    first: usize,
    close: usize,
    /// Iterations since the last look: they count where there is no native code.
    iterations: u32,
    /// What the tape means.
    skeleton: &'a Skeleton,
}

/// Run a loop by native code if there is some. Where the run goes on, and whether any byte has
/// changed what it means.
#[inline(never)]
fn run_native(
    context: &Context<'_>,
    looped: NativeLoop<'_>,
    tape: &mut Tape,
    at: &mut Registers,
    recurrence: &mut Recurrence,
    tally: &mut NativeTally,
) -> Option<(usize, bool)> {
    let jit = context.jit?;
    let base = looped.first - 1;
    let key = looped.skeleton.piece(base, looped.close + 1 - base);
    tally.looked_up.loops += 1;
    let Some(native) = jit.index().find_loop(&key) else {
        if context.rates {
            let unit = Unit {
                kind: EntryKind::Loop,
                skeleton: key,
            };
            jit.came_up(unit, looped.iterations);
        }
        return None;
    };
    let mut frame = Frame::new(at, context.max_steps, looped.skeleton, recurrence);
    // SAFETY: the function is that of what the loop means, and code is freed only where `jit`
    // is borrowed for itself alone; skeleton and recurrence outlive the frame.
    let exit = unsafe { frame.call(native.function, tape, base) };
    let then = frame.registers();
    let steps = then.steps - at.steps;
    tally.entered.loops += 1;
    tally.exits[exit as usize] += 1;
    tally.ops += u64::from(then.ops - at.ops);
    tally.steps += u64::from(steps);
    tally.iterations += frame.run.iterations;
    tally.settled += frame.settled;
    if context.rates {
        jit.rate(native, steps > WORTH_STEPS);
    }
    *at = then;
    Some((frame.run.pc as usize, frame.dirty != 0))
}
