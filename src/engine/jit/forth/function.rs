//! The function of a Forth unit: its blocks, its guards, its exits. What single ops do is in
//! `ops.rs`.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value};
use cranelift_frontend::Variable;

use super::Forth;
use super::frame::offset;
use super::shape::{Next, Shape};
use super::unit::LoopBody;
use crate::engine::jit::Exit;
use crate::engine::jit::emitter::{Emitter, Pending};
use crate::engine::jit::frame::offset as state;
use crate::language::forth::{Op, STACK_LEN};

/// Iterations between two looks whether the run repeats.
const ITERATIONS_BETWEEN: i64 = 64;

/// Write the function of `body`.
pub(super) fn translate(forth: &Forth, body: &LoopBody, mut emit: Emitter<'_>) {
    let shape = Shape::of(forth.dialect, body);
    let stack = emit.load_pointer(offset::STACK);
    let base = emit.load_number(state::BASE);
    let depth = emit.variable();
    emit.set_from_frame(depth, offset::DEPTH);
    emit.begin_counts(None);
    let blocks = (0..shape.ops.len())
        .map(|place| (shape.is_join[place] && shape.is_reached[place]).then(|| emit.block()))
        .collect();
    let mut translation = Translation {
        forth,
        shape,
        emit,
        stack,
        base,
        depth,
        blocks,
    };
    translation.go(0);
    translation.blocks();
    translation.emit.finish();
}

/// Where a basic block has got to: what is neither in the variables nor on the stack yet.
#[derive(Clone, Default)]
pub(super) struct Here {
    pub pending: Pending,
    /// The entries that lay on the stack where the block began, the topmost first, as far as
    /// they have been loaded; and how many of them have been popped.
    pub entries: Vec<Value>,
    pub popped: usize,
    /// What lies on the stack in their stead.
    pub pushed: Vec<Value>,
    /// The entries and the room that the stack is known to have had.
    needs: i64,
    highest: i64,
}

impl Here {
    /// How much deeper the stack is than where the block began.
    fn rise(&self) -> i64 {
        self.pushed.len() as i64 - self.popped as i64
    }

    /// Count an op.
    pub(super) fn count(&mut self, op: Op) {
        self.pending.steps += 1;
        self.pending.ops += i64::from(op != Op::Noop);
    }
}

pub(super) struct Translation<'a, 'f> {
    pub forth: &'a Forth,
    pub shape: Shape,
    pub emit: Emitter<'f>,
    pub stack: Value,
    pub base: Value,
    pub depth: Variable,
    /// The block of each join point.
    blocks: Vec<Option<Block>>,
}

impl Translation<'_, '_> {
    /// Write everything, from each join point on.
    fn blocks(&mut self) {
        for place in 0..self.blocks.len() {
            let Some(block) = self.blocks[place] else {
                continue;
            };
            self.emit.switch_to(block);
            let mut here = Here::default();
            if self.shape.is_head[place] {
                self.guard_steps(&here, place);
            }
            if self.guard_stack(&mut here, place) {
                self.block(here, place);
            }
        }
    }

    /// Write the code from `place` on, and what it leads to up to the next join points.
    fn block(&mut self, mut here: Here, mut place: usize) {
        loop {
            match self.shape.next(place) {
                Next::To(None) => return self.leave(&here, place, Exit::End),
                Next::To(Some(next)) => {
                    self.op(&mut here, place);
                    if next < place {
                        return self.jump_back(&here, next);
                    }
                    place = next;
                }
                Next::Either(next, skipped) => {
                    self.skip_if(&mut here, place, skipped);
                    place = next;
                }
            }
            if self.shape.is_join[place] {
                self.commit(&here);
                return self.go(place);
            }
            let follows_skip = place > 0 && self.shape.ops[place - 1] == Op::SkipIf;
            if follows_skip && !self.guard_stack(&mut here, place) {
                return;
            }
        }
    }

    /// Write the skip at `place`, and what it skips to.
    fn skip_if(&mut self, here: &mut Here, place: usize, skipped: Option<usize>) {
        let before = here.clone();
        let top = self.pop(here);
        here.pushed.push(top);
        let Some(skipped) = skipped else {
            self.leave_if(top, &before, place, Exit::End);
            here.count(Op::SkipIf);
            return;
        };
        here.count(Op::SkipIf);
        let skip = self.emit.block();
        let on = self.emit.block();
        self.emit.branch(top, skip, on);
        self.emit.switch_to(skip);
        if self.shape.is_join[skipped] {
            self.commit(here);
            self.go(skipped);
        } else {
            let mut there = here.clone();
            if self.guard_stack(&mut there, skipped) {
                self.block(there, skipped);
            }
        }
        self.emit.switch_to(on);
    }

    /// Go on at the join point `place`.
    fn go(&mut self, place: usize) {
        if let Some(block) = self.blocks[place] {
            self.emit.jump(block);
        }
    }

    /// Begin another iteration, at `head`.
    fn jump_back(&mut self, here: &Here, head: usize) {
        self.commit(here);
        let iterations = self.emit.count_iterations_by(1);
        if self.forth.pauses {
            let rest = self.emit.ins();
            let rest = rest.band_imm_u(iterations, ITERATIONS_BETWEEN - 1);
            let is_due = self.emit.is_equal(rest, 0);
            self.leave_if(is_due, &Here::default(), head, Exit::Pause);
        }
        self.go(head);
    }

    /// Put everything that `here` says into the variables and on the stack.
    fn commit(&mut self, here: &Here) {
        self.store_stack(here);
        let depth = self.depth_at(here);
        self.emit.set(self.depth, depth);
        self.emit.commit(here.pending);
    }

    fn depth_at(&mut self, here: &Here) -> Value {
        let depth = self.emit.get(self.depth);
        self.emit.add(depth, here.rise())
    }

    /// Where the stack ended when the block began.
    pub(super) fn top(&mut self) -> Value {
        let depth = self.emit.get(self.depth);
        self.emit.ins().iadd(self.stack, depth)
    }

    /// Put on the stack what is not there.
    fn store_stack(&mut self, here: &Here) {
        let changed = here.pushed.iter().enumerate().filter(|(i, value)| {
            let below_top = here.popped.checked_sub(1 + i);
            let was = below_top.and_then(|index| here.entries.get(index));
            was != Some(value)
        });
        let changed: Vec<(usize, Value)> = changed.map(|(i, value)| (i, *value)).collect();
        if changed.is_empty() {
            return;
        }
        let top = self.top();
        for (i, value) in changed {
            let from_top = i as i32 - here.popped as i32;
            self.emit.store_byte_at(value, top, from_top);
        }
    }
}

/// Guards and exits.
impl Translation<'_, '_> {
    /// Leave before `place` is run if the steps may not suffice.
    fn guard_steps(&mut self, here: &Here, place: usize) {
        let reach = self.shape.reach(place) as i64;
        let left = self.emit.steps_left_at_start();
        let less = IntCC::SignedLessThan;
        let short = self.emit.ins().icmp_imm_s(less, left, reach);
        self.leave_if(short, here, place, Exit::OutOfSteps);
    }

    /// Leave before `place` is run if the stack has too few entries for the block there, or
    /// too little room. Whether it may go on at all.
    fn guard_stack(&mut self, here: &mut Here, place: usize) -> bool {
        let (needs, highest) = self.shape.stack_use(place, here.rise());
        let is_known = needs <= here.needs && highest <= here.highest;
        if is_known {
            return true;
        }
        here.needs = here.needs.max(needs);
        here.highest = here.highest.max(highest);
        let depths = STACK_LEN as i64 - here.highest - here.needs;
        if depths < 0 {
            self.leave(here, place, Exit::Stack);
            return false;
        }
        let depth = self.emit.get(self.depth);
        let above = self.emit.add(depth, -here.needs);
        let is_out = self.emit.is_above(above, depths);
        self.leave_if(is_out, here, place, Exit::Stack);
        true
    }

    /// Leave, `place` being the next to be run, if `condition` holds.
    pub(super) fn leave_if(&mut self, condition: Value, here: &Here, place: usize, exit: Exit) {
        let on = self.emit.branch_aside(condition);
        self.leave(here, place, exit);
        self.emit.switch_to(on);
    }

    /// Leave, `place` being the next to be run.
    fn leave(&mut self, here: &Here, place: usize, exit: Exit) {
        self.store_stack(here);
        let depth = self.depth_at(here);
        let left = self.emit.steps_left(here.pending);
        let ops = self.emit.ops(here.pending);
        let pc = self.emit.add(self.base, place as i64);
        let code = self.emit.exit_code(exit);
        let numbers = [
            (state::PC, pc),
            (offset::DEPTH, depth),
            (state::STEPS_LEFT, left),
            (state::OPS, ops),
        ];
        self.emit.leave(code, numbers);
    }
}
