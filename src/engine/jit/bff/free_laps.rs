//! Laps of a plain loop that need no look at what they write nor at the steps left:
//! before them it is known how many there are.
//!
//! Every lap of a loop without brackets inside moves the heads by the same. So from
//! where a write goes in one lap follows in how many laps none comes to the loop's
//! own bytes.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value};

use super::{Here, LAPS_BETWEEN, Spot, Translation};
use crate::language::TAPE_LEN;
use crate::language::bff::Op;

/// What a lap does, as far as it matters to its own code.
struct Lap {
    /// Its net moves of the heads, from -64 to 63.
    moves: [i64; 2],
    /// For each write its head, and how far that has moved before.
    writes: Vec<(usize, i64)>,
}

impl Translation<'_, '_> {
    /// The `]` of the piece, if that is a plain loop and nothing else.
    fn plain_close(&self) -> Option<usize> {
        let (ops, entry) = (&self.shape.ops, self.shape.entry);
        let close = ops.len() - 1;
        let is_plain = self.piece.spot == Spot::Loop
            && self.shape.target[close] == Some(entry)
            && !ops[entry..close]
                .iter()
                .any(|op| matches!(op, Op::Open | Op::Close))
            && self.closed_form(close).is_none();
        is_plain.then_some(close)
    }

    fn lap(&self, close: usize) -> Lap {
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
                    moves[1] += i64::from(self.target.dialect.copy_moves());
                }
                Op::Open | Op::Close | Op::Null | Op::Noop => {}
            }
        }
        let half = TAPE_LEN as i64 / 2;
        Lap {
            moves: moves.map(|by| (by + half).rem_euclid(TAPE_LEN as i64) - half),
            writes,
        }
    }

    /// At the start of a lap with steps enough for it: do all laps that are free, where
    /// the piece is a plain loop. Building goes on where there is none.
    pub(super) fn free_laps(&mut self, here: &Here) {
        let Some(close) = self.plain_close() else {
            return;
        };
        let first = self.shape.entry;
        let free = self.count_free_laps(here, close);
        let [lap, careful] = [(); 2].map(|()| self.builder.create_block());
        self.builder.def_var(self.to_go, free);
        self.builder.ins().brif(free, lap, &[], careful, &[]);

        self.builder.switch_to_block(lap);
        let mut at = self.here(first);
        self.is_free = true;
        for place in first..close {
            self.op(&mut at, place);
        }
        self.is_free = false;
        at.steps += 1;
        at.ops += 1;
        let to_go = self.builder.use_var(self.to_go);
        let to_go = self.builder.ins().iadd_imm_s(to_go, -1);
        self.builder.def_var(self.to_go, to_go);
        let null = self.is_null(&at);
        let [done, on, all] = [(); 3].map(|()| self.builder.create_block());
        self.builder.ins().brif(null, done, &[], on, &[]);

        self.builder.switch_to_block(on);
        let moved = Here {
            steps: 0,
            ops: 0,
            ..at
        };
        self.settle(&moved);
        self.builder.ins().brif(to_go, lap, &[], all, &[]);

        self.builder.switch_to_block(all);
        self.pay_laps(&at, free);
        let laps = self.builder.use_var(self.laps);
        let laps = self.builder.ins().iadd(laps, free);
        self.builder.def_var(self.laps, laps);
        let there = self.here(first);
        self.next_lap(&there, close, first);

        // The last lap is no jump back.
        self.builder.switch_to_block(done);
        let count = self.builder.ins().isub(free, to_go);
        self.pay_laps(&at, count);
        let laps = self.builder.use_var(self.laps);
        let laps = self.builder.ins().iadd(laps, count);
        let laps = self.builder.ins().iadd_imm_s(laps, -1);
        self.builder.def_var(self.laps, laps);
        self.go(&moved, close + 1);

        self.builder.switch_to_block(careful);
    }

    /// Account for the steps and ops of so many laps, each of which takes those of `lap`.
    fn pay_laps(&mut self, lap: &Here, count: Value) {
        let steps = self.builder.ins().imul_imm_s(count, lap.steps);
        let left = self.builder.use_var(self.left);
        let left = self.builder.ins().isub(left, steps);
        self.builder.def_var(self.left, left);
        let more = self.builder.ins().imul_imm_s(count, lap.ops);
        let ops = self.builder.use_var(self.ops);
        let ops = self.builder.ins().iadd(ops, more);
        self.builder.def_var(self.ops, ops);
    }

    /// Laps that the steps cover and that write nowhere near the loop; with closed forms
    /// not beyond where a period is looked for.
    fn count_free_laps(&mut self, here: &Here, close: usize) -> Value {
        let lap = self.lap(close);
        let steps = (close + 1 - self.shape.entry) as i64;
        let left = self.builder.use_var(self.left);
        let mut free = self.builder.ins().udiv_imm_u(left, steps);
        if self.target.run_loop.is_some() {
            let laps = self.builder.use_var(self.laps);
            let laps = self.builder.ins().band_imm_u(laps, LAPS_BETWEEN - 1);
            let most = self.constant(LAPS_BETWEEN);
            let most = self.builder.ins().isub(most, laps);
            free = self.builder.ins().umin(free, most);
        }
        let none = self.constant(0);
        for (head, moved) in lap.writes {
            let mut target = here.heads[head];
            target.move_by(moved);
            let at = self.distance(&target);
            let is_own =
                self.builder
                    .ins()
                    .icmp_imm_u(IntCC::UnsignedLessThanOrEqual, at, close as i64);
            // Behind the loop it goes on to the tape's end, which is the loop's start;
            // or back to the loop's end.
            let by = lap.moves[head];
            let way = match by {
                0 => None,
                1.. => {
                    let end = self.constant(TAPE_LEN as i64);
                    Some(self.builder.ins().isub(end, at))
                }
                _ => Some(self.builder.ins().iadd_imm_s(at, -(close as i64))),
            };
            if let Some(way) = way {
                let by = by.abs();
                let way = self.builder.ins().iadd_imm_s(way, by - 1);
                let laps = match by {
                    1 => way,
                    _ => self.builder.ins().udiv_imm_u(way, by),
                };
                free = self.builder.ins().umin(free, laps);
            }
            free = self.builder.ins().select(is_own, none, free);
        }
        free
    }
}
