//! Guard-free iterations of a plain loop: they check neither what they write nor the steps
//! left, since it is known before them how many there are.
//!
//! Every iteration of a loop without brackets inside moves the heads by the same. So from
//! where a write goes in one iteration follows in how many none comes to the loop's own bytes.

use cranelift_codegen::ir::{InstBuilder, Value};

use super::function::{Here, Translation};
use super::ops::ITERATIONS_BETWEEN;
use crate::engine::jit::emitter::Pending;
use crate::engine::jit::unit::EntryKind;
use crate::language::TAPE_LEN;
use crate::language::bff::Op;

/// What an iteration does, as far as it matters to its own code.
struct Iteration {
    /// Its net moves of the heads, from -64 to 63.
    moves: [i64; 2],
    /// For each write its head, and how far that has moved before.
    writes: Vec<(usize, i64)>,
}

impl Translation<'_, '_> {
    /// The `]` of the unit, if that is a plain loop and nothing else.
    fn plain_close(&self) -> Option<usize> {
        let (ops, entry) = (&self.shape.ops, self.shape.entry);
        let close = ops.len() - 1;
        let is_plain = self.unit.kind == EntryKind::Loop
            && self.shape.target[close] == Some(entry)
            && !ops[entry..close]
                .iter()
                .any(|op| matches!(op, Op::Open | Op::Close))
            && self.closed_form(close).is_none();
        is_plain.then_some(close)
    }

    fn iteration(&self, close: usize) -> Iteration {
        let mut moves = [0; 2];
        let mut writes = Vec::new();
        for op in &self.shape.ops[self.shape.entry..close] {
            match op {
                Op::Left0 => moves[0] -= 1,
                Op::Right0 => moves[0] += 1,
                Op::Left1 => moves[1] -= 1,
                Op::Right1 => moves[1] += 1,
                Op::Increment | Op::Decrement => writes.push((0, moves[0])),
                Op::CopyTo1 => writes.push((1, moves[1])),
                Op::CopyTo0 => {
                    writes.push((0, moves[0]));
                    moves[1] += i64::from(self.bff.dialect.copy_moves());
                }
                Op::Open | Op::Close | Op::Null | Op::Noop => {}
            }
        }
        let half = TAPE_LEN as i64 / 2;
        Iteration {
            moves: moves.map(|by| (by + half).rem_euclid(TAPE_LEN as i64) - half),
            writes,
        }
    }

    /// Where an iteration begins with steps enough for it: do all guard-free ones, where the
    /// unit is a plain loop. Building goes on where there is none.
    pub(super) fn guard_free_iterations(&mut self, here: &Here) {
        let Some(close) = self.plain_close() else {
            return;
        };
        let first = self.shape.entry;
        let count = self.count_guard_free(here, close);
        let [iteration, guarded] = [self.emit.block(), self.emit.block()];
        self.emit.set(self.guard_free, count);
        self.emit.branch(count, iteration, guarded);

        self.emit.switch_to(iteration);
        let at = self.guard_free_body(first, close);
        let to_go = self.emit.get(self.guard_free);
        let to_go = self.emit.add(to_go, -1);
        self.emit.set(self.guard_free, to_go);
        let null = self.is_null(&at);
        let [done, on, all] = [self.emit.block(), self.emit.block(), self.emit.block()];
        self.emit.branch(null, done, on);

        self.emit.switch_to(on);
        let moved = Here {
            pending: Pending::default(),
            ..at
        };
        self.commit(&moved);
        self.emit.branch(to_go, iteration, all);

        self.emit.switch_to(all);
        self.emit.commit_times(at.pending, count);
        self.emit.count_iterations(count);
        let there = self.here(first);
        self.next_iteration(&there, close, first);

        // The last iteration is no jump back.
        self.emit.switch_to(done);
        let count = self.emit.ins().isub(count, to_go);
        self.emit.commit_times(at.pending, count);
        self.emit.count_iterations(count);
        self.emit.count_iterations_by(-1);
        self.go(&moved, close + 1);

        self.emit.switch_to(guarded);
    }

    /// The ops of an iteration, its `]` counted but not written.
    fn guard_free_body(&mut self, first: usize, close: usize) -> Here {
        let mut at = self.here(first);
        self.is_guard_free = true;
        for place in first..close {
            self.op(&mut at, place);
        }
        self.is_guard_free = false;
        at.count_op();
        at
    }

    /// Iterations that the steps cover and that write nowhere near the loop; with closed forms
    /// not beyond where a period is looked for.
    fn count_guard_free(&mut self, here: &Here, close: usize) -> Value {
        let iteration = self.iteration(close);
        let steps = (close + 1 - self.shape.entry) as i64;
        let left = self.emit.steps_left_at_start();
        let mut count = self.emit.ins().udiv_imm_u(left, steps);
        if self.bff.run_loop.is_some() {
            let done = self.emit.iterations();
            let done = self.emit.ins().band_imm_u(done, ITERATIONS_BETWEEN - 1);
            let most = self.emit.constant(ITERATIONS_BETWEEN);
            let most = self.emit.ins().isub(most, done);
            count = self.emit.ins().umin(count, most);
        }
        let none = self.emit.constant(0);
        for (head, moved) in iteration.writes {
            let mut target = here.heads[head];
            target.move_by(moved);
            let at = self.distance(&target);
            let is_own = self.emit.is_at_most(at, close as i64);
            if let Some(most) = self.iterations_to_own(at, iteration.moves[head], close) {
                count = self.emit.ins().umin(count, most);
            }
            count = self.emit.ins().select(is_own, none, count);
        }
        count
    }

    /// In how many iterations a write that goes `at` this far behind the loop's start now, and
    /// `by` so much further each time, comes to the loop's bytes: from behind it to the tape's
    /// end, which is the loop's start, or back to the loop's end.
    fn iterations_to_own(&mut self, at: Value, by: i64, close: usize) -> Option<Value> {
        let distance = match by {
            0 => return None,
            1.. => {
                let end = self.emit.constant(TAPE_LEN as i64);
                self.emit.ins().isub(end, at)
            }
            _ => self.emit.add(at, -(close as i64)),
        };
        let by = by.abs();
        let distance = self.emit.add(distance, by - 1);
        Some(match by {
            1 => distance,
            _ => self.emit.ins().udiv_imm_u(distance, by),
        })
    }
}
