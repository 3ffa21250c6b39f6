//! What single ops of a BFF unit become.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value};

use super::callbacks::{ClosedLoop, RunLoop, SkipPeriods, skip_periods};
use super::frame::offset;
use super::function::{Head, Here, Translation};
use crate::engine::bff::loops::Loop;
use crate::engine::jit::Exit;
use crate::engine::jit::unit::EntryKind;
use crate::language::TAPE_LEN;
use crate::language::bff::Op;

/// Iterations of a loop without a closed form between two looks whether it repeats.
pub(super) const ITERATIONS_BETWEEN: i64 = 16;

impl Translation<'_, '_> {
    pub(super) fn op(&mut self, here: &mut Here, place: usize) {
        let op = self.shape.ops[place];
        let starts_nest = self.shape.nests.iter().any(|(first, _)| *first == place);
        if matches!(op, Op::Null | Op::Noop) && !starts_nest {
            here.pending.steps += 1;
            return;
        }
        self.guard_validity(here, place);
        match op {
            Op::Open => self.open(here, place),
            Op::Close => self.close(here, place),
            Op::Null | Op::Noop => here.pending.steps += 1,
            _ => {
                here.count_op();
                self.plain_op(here, place, op);
            }
        }
    }

    fn plain_op(&mut self, here: &mut Here, place: usize, op: Op) {
        match op {
            Op::Left0 => here.heads[0].move_by(-1),
            Op::Right0 => here.heads[0].move_by(1),
            Op::Left1 => here.heads[1].move_by(-1),
            Op::Right1 => here.heads[1].move_by(1),
            Op::CopyTo1 => self.copy(here, place, 0, 1),
            Op::CopyTo0 => self.copy(here, place, 1, 0),
            Op::Increment => self.add(here, place, 1),
            Op::Decrement => self.add(here, place, -1),
            Op::Open | Op::Close | Op::Null | Op::Noop => {}
        }
    }

    fn load_byte(&mut self, head: &Head) -> Value {
        let place = self.place(head);
        self.emit.load_byte(place)
    }

    fn store_byte(&mut self, byte: Value, head: &Head) {
        let place = self.place(head);
        self.emit.store_byte(byte, place);
    }

    /// Whether the byte at head 0 is null.
    pub(super) fn is_null(&mut self, here: &Here) -> Value {
        let byte = self.load_byte(&here.heads[0]);
        let mask = i64::from(self.bff.dialect.significant_bits());
        let byte = match mask {
            0xff => byte,
            _ => self.emit.ins().band_imm_u(byte, mask),
        };
        self.emit.is_equal(byte, 0)
    }
}

/// Writes.
impl Translation<'_, '_> {
    fn copy(&mut self, here: &mut Here, place: usize, from: usize, to: usize) {
        let (from, to) = (here.heads[from], here.heads[to]);
        if self.shape.ops[place] == Op::CopyTo0 && self.bff.dialect.copy_moves() {
            here.heads[1].move_by(1);
        }
        let new = self.load_byte(&from);
        if !self.may_matter(place, &to) {
            self.store_byte(new, &to);
            return;
        }
        let old = self.load_byte(&to);
        if self.is_single_loop() {
            self.store_byte(new, &to);
            return self.leave_if_own(here, place, &to, |this| this.change(old, new));
        }
        let differs = self.emit.ins().icmp(IntCC::NotEqual, old, new);
        let write = self.emit.block();
        let on = self.emit.block();
        self.emit.branch(differs, write, on);
        self.emit.switch_to(write);
        self.store_byte(new, &to);
        let change = self.change(old, new);
        self.invalidate_if(change, here, place, &to, on);
        self.emit.switch_to(on);
    }

    /// Not 0 where two bytes are different commands.
    fn change(&mut self, old: Value, new: Value) -> Value {
        let commands = &self.bff.tables.commands;
        let old = self.emit.look_up(commands, old);
        let new = self.emit.look_up(commands, new);
        self.emit.ins().bxor(old, new)
    }

    fn add(&mut self, here: &Here, place: usize, by: i64) {
        let head = here.heads[0];
        let old = self.load_byte(&head);
        let new = self.emit.add(old, by);
        self.store_byte(new, &head);
        if !self.may_matter(place, &head) {
            return;
        }
        let tables = self.bff.tables;
        let table = match by {
            1 => &tables.incremented,
            _ => &tables.decremented,
        };
        if self.is_single_loop() {
            let change = |this: &mut Self| this.emit.look_up(table, old);
            return self.leave_if_own(here, place, &head, change);
        }
        let change = self.emit.look_up(table, old);
        let on = self.emit.block();
        self.invalidate_if(change, here, place, &head, on);
        self.emit.switch_to(on);
    }

    /// Whether a write at `place` to where `head` is can change what anything
    /// means that is yet to be run, as far as is known.
    fn may_matter(&self, place: usize, head: &Head) -> bool {
        if self.is_guard_free {
            return false;
        }
        let nest = self.shape.nest(place);
        let first = nest.map_or(place + 1, |(first, _)| first);
        // Behind the left program lies the right one.
        let end = match self.unit.kind {
            EntryKind::Left => TAPE_LEN,
            EntryKind::Right | EntryKind::Loop => self.shape.ops.len(),
        };
        match (self.unit.base(), head.place) {
            (Some(base), Some(at)) => at >= base && (first..end).contains(&(at - base)),
            (Some(_), None) => first < end,
            (None, _) => true,
        }
    }

    /// Leave behind a write at `place` if it went to the loop that it is in and a byte there
    /// means something else now, which is where the number that `change` builds is not 0. (A
    /// head comes to the loop once a time around the tape: that is easier to guess than
    /// whether a byte changes.)
    fn leave_if_own(
        &mut self,
        here: &Here,
        place: usize,
        head: &Head,
        change: impl FnOnce(&mut Self) -> Value,
    ) {
        let at = self.distance(head);
        let (first, last) = self.shape.nest(place).unwrap_or((0, place));
        let at = self.emit.add(at, -(first as i64));
        let is_own = self.emit.is_at_most(at, (last - first) as i64);
        let on = self.emit.branch_aside(is_own);
        let change = change(self);
        self.leave_if(change, here, place + 1, Exit::Rewritten);
        self.emit.jump(on);
        self.emit.switch_to(on);
    }

    /// Where `change` is not 0, a byte at `head` means something else now: say so, set the
    /// invalidation point if it lies ahead, and leave if it lies behind and the run may come
    /// to it again. Otherwise go `on`.
    fn invalidate_if(&mut self, change: Value, here: &Here, place: usize, head: &Head, on: Block) {
        let changed = self.emit.cold_block();
        self.emit.branch(change, changed, on);
        self.emit.switch_to(changed);
        let one = self.emit.constant(1);
        self.emit.store_number(one, offset::DIRTY);
        let at = self.distance(head);
        let last = match self.shape.nest(place) {
            None => place,
            Some((first, last)) => {
                let distance = self.emit.add(at, -(first as i64));
                let is_kept = self.emit.is_at_most(distance, (last - first) as i64);
                self.leave_if(is_kept, here, place + 1, Exit::Rewritten);
                last
            }
        };
        // A place behind invalidates nothing.
        let is_ahead = self.emit.is_above(at, last as i64);
        let point = self.emit.get(self.invalid);
        let nearer = self.emit.ins().umin(point, at);
        let point = self.emit.ins().select(is_ahead, nearer, point);
        self.emit.set(self.invalid, point);
        self.emit.jump(on);
    }
}

/// Brackets.
impl Translation<'_, '_> {
    fn open(&mut self, here: &mut Here, place: usize) {
        let null = self.is_null(here);
        match self.shape.target[place] {
            None => self.leave_if(null, here, place, Exit::Bracket),
            Some(target) => {
                let mut there = *here;
                there.count_op();
                let jump = self.emit.block();
                let on = self.emit.block();
                self.emit.branch(null, jump, on);
                self.emit.switch_to(jump);
                self.guard_jump(here, place, target);
                self.go(&there, target);
                self.emit.switch_to(on);
            }
        }
        here.count_op();
    }

    /// Leave before the jump at `place` to `target` if that leads past, or into loops with,
    /// the invalidation point.
    fn guard_jump(&mut self, here: &Here, place: usize, target: usize) {
        let nest = self.shape.nest(place);
        // Jumps by so many bytes may lead out of loops.
        let leads_out = nest.is_none_or(|(_, last)| target > last + 1);
        let behind = nest.map_or(place, |(_, last)| last + 1);
        if leads_out && self.may_be_invalid(behind) {
            // The partner may be another one.
            let point = self.emit.get(self.invalid);
            // Nor may it lie in loops that this jumps into.
            let last = self.shape.nest(target).map_or(target - 1, |(_, last)| last);
            let is_passed = self.emit.is_at_most(point, last as i64);
            self.leave_if(is_passed, here, place, Exit::Rewritten);
        }
    }

    fn close(&mut self, here: &mut Here, place: usize) {
        let null = self.is_null(here);
        let set = self.emit.is_equal(null, 0);
        let Some(target) = self.shape.target[place] else {
            self.leave_if(set, here, place, Exit::Bracket);
            here.count_op();
            return;
        };
        here.count_op();
        let jump = self.emit.block();
        let on = self.emit.block();
        self.emit.branch(set, jump, on);
        self.emit.switch_to(jump);
        match self.closed_form(place) {
            Some((run_loop, looped)) => {
                let data = self.closed_loop(place, target, looped);
                self.call_loop(here, run_loop, data);
            }
            None => {
                self.emit.count_iterations_by(1);
                self.next_iteration(here, place, target);
            }
        }
        self.emit.switch_to(on);
    }

    pub(super) fn closed_form(&self, close: usize) -> Option<(RunLoop, Loop<'static>)> {
        let run_loop = self.bff.run_loop?;
        let looped = self.shape.closed_form(self.bff.dialect, close)?;
        Some((run_loop, looped))
    }

    /// The loop that ends at `close` and whose body begins at `first`, for the code to point
    /// to.
    fn closed_loop(&self, close: usize, first: usize, looped: Loop<'static>) -> ClosedLoop {
        ClosedLoop {
            looped,
            dialect: self.bff.dialect,
            first,
            behind: close + 1,
            nest: self.shape.nest(close).unwrap_or((first - 1, close)),
        }
    }

    /// Have all iterations of a loop run by its closed form.
    fn call_loop(&mut self, here: &Here, run_loop: RunLoop, data: ClosedLoop) {
        let behind = data.behind;
        self.store(here, data.first);
        let address = self.loops.push(data);
        self.store_invalidation_point();
        let signature = self.signatures.run_loop;
        let results = self.emit.call(signature, run_loop as usize, Some(address));
        let code = results[0];
        let on = self.emit.branch_aside(code);
        // The frame is exact.
        self.emit.return_code(code);
        self.emit.switch_to(on);
        self.reload();
        self.load_invalidation_point();
        if let Some(block) = self.blocks[behind] {
            self.emit.jump(block);
        }
    }

    /// Begin another iteration of the loop that ends at `close`, at `first`, having looked for
    /// a period now and then.
    pub(super) fn next_iteration(&mut self, here: &Here, close: usize, first: usize) {
        if self.bff.run_loop.is_none() {
            return self.go(here, first);
        }
        let iterations = self.emit.iterations();
        // An iteration with loops inside takes long enough to look each time.
        let has_loops = (first..close).any(|place| self.shape.is_loop_end(place));
        let look = self.emit.block();
        let on = self.emit.block();
        self.commit(here);
        if has_loops {
            self.emit.jump(look);
        } else {
            let rest = self.emit.ins();
            let rest = rest.band_imm_u(iterations, ITERATIONS_BETWEEN - 1);
            self.emit.branch(rest, on, look);
        }
        self.emit.switch_to(look);
        let mut committed = self.here(first);
        for head in &mut committed.heads {
            head.place = None;
        }
        self.store(&committed, first);
        let callee: SkipPeriods = skip_periods;
        let signature = self.signatures.skip_periods;
        self.emit.call(signature, callee as usize, None);
        self.reload();
        self.emit.jump(on);
        self.emit.switch_to(on);
        if let Some(block) = self.blocks[first] {
            self.emit.jump(block);
        }
    }
}
