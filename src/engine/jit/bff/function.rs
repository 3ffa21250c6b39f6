//! The function of a BFF unit: its blocks, its guards, its exits. What single ops do is in
//! `ops.rs`.

use cranelift_codegen::ir::{Block, InstBuilder, SigRef, Value, types};
use cranelift_frontend::Variable;

use super::Bff;
use super::callbacks::ClosedLoop;
use super::frame::offset;
use super::shape::Shape;
use super::unit::Unit;
use crate::engine::jit::Exit;
use crate::engine::jit::emitter::{Emitter, Pending};
use crate::engine::jit::frame::offset as state;
use crate::engine::jit::unit::{EntryKind, Pinned};
use crate::language::TAPE_LEN;

/// Write the function of `unit`. What the code points to is added to `loops`, and must be
/// there as long as the code.
pub(super) fn translate(
    bff: &Bff,
    unit: &Unit,
    mut emit: Emitter<'_>,
    loops: &mut Pinned<ClosedLoop>,
) {
    let shape = Shape::of(bff.dialect, unit);
    let heads = [emit.variable(), emit.variable()];
    let (invalid, guard_free) = (emit.variable(), emit.variable());
    let run_loop = emit.import_signature(3, &[types::I32]);
    let skip_periods = emit.import_signature(2, &[]);
    let len = shape.ops.len();
    let blocks = (0..=len)
        .map(|place| (place == len || shape.begins_block(place)).then(|| emit.block()))
        .collect();
    if !shape.has_loops() {
        emit.has_no_iterations();
    }
    let mut translation = Translation {
        bff,
        unit,
        shape,
        emit,
        heads,
        invalid,
        guard_free,
        is_guard_free: false,
        base: None,
        blocks,
        signatures: Signatures {
            run_loop,
            skip_periods,
        },
        loops,
    };
    translation.prologue();
    translation.body();
    translation.emit.finish();
}

/// Where a basic block has got to: what the variables do not have yet.
#[derive(Clone, Copy)]
pub(super) struct Here {
    pub heads: [Head; 2],
    pub pending: Pending,
}

impl Here {
    /// Count an op.
    pub(super) fn count_op(&mut self) {
        self.pending.steps += 1;
        self.pending.ops += 1;
    }
}

/// A head: where it was when the variables were last set, and how far it is from
/// there; or its place, where that is known.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub value: Value,
    pub moved: i64,
    pub place: Option<usize>,
}

impl Head {
    pub(super) fn move_by(&mut self, by: i64) {
        self.moved += by;
        self.place = self
            .place
            .map(|place| (place as i64 + by).rem_euclid(TAPE_LEN as i64) as usize);
    }
}

/// What the code calls.
pub(super) struct Signatures {
    pub run_loop: SigRef,
    pub skip_periods: SigRef,
}

pub(super) struct Translation<'a, 'f> {
    pub bff: &'a Bff,
    pub unit: &'a Unit,
    pub shape: Shape,
    pub emit: Emitter<'f>,
    pub heads: [Variable; 2],
    /// The invalidation point: the first place of the unit that has changed what it means.
    pub invalid: Variable,
    /// Guard-free iterations that are left.
    pub guard_free: Variable,
    /// Whether what is being written is part of a guard-free iteration.
    pub is_guard_free: bool,
    /// The base, where it is known only when the code is run.
    base: Option<Value>,
    /// The basic block that begins at each place, the end included.
    pub blocks: Vec<Option<Block>>,
    pub signatures: Signatures,
    pub loops: &'a mut Pinned<ClosedLoop>,
}

impl Translation<'_, '_> {
    /// Take what the function begins with from the frame.
    fn prologue(&mut self) {
        let at_start = self.unit.kind == EntryKind::Left;
        let start = self.bff.dialect.fixed_start().filter(|_| at_start);
        for (head, offset) in self.heads.into_iter().zip([offset::HEAD0, offset::HEAD1]) {
            let value = match start {
                Some(place) => self.emit.constant(place as i64),
                None => self.emit.load_number(offset),
            };
            self.emit.set(head, value);
        }
        self.emit.begin_counts(at_start.then_some(0));
        if self.unit.base().is_none() {
            self.base = Some(self.emit.load_number(state::BASE));
        }
        match self.unit.kind {
            // What it means has just been looked at.
            EntryKind::Left | EntryKind::Loop => {
                let none = self.emit.constant(TAPE_LEN as i64);
                self.emit.set(self.invalid, none);
            }
            EntryKind::Right => self.load_invalidation_point(),
        }
        if self.is_single_loop() {
            // That is not told apart: hardly any loop writes and changes nothing.
            let is_dirty = i64::from(self.may_be_invalid(self.shape.ops.len()));
            let is_dirty = self.emit.constant(is_dirty);
            self.emit.store_number(is_dirty, offset::DIRTY);
        }
        if let Some(block) = self.blocks[self.shape.entry] {
            self.emit.jump(block);
        }
    }

    /// Write all blocks, one after the other.
    fn body(&mut self) {
        let len = self.shape.ops.len();
        let mut here = None;
        for place in self.shape.entry..len {
            if let Some(block) = self.blocks[place] {
                if let Some(here) = here {
                    self.guard_validity(&here, place);
                    self.go(&here, place);
                }
                self.emit.switch_to(block);
                let fresh = self.here(place);
                self.guard_steps(&fresh, place);
                if place == self.shape.entry {
                    self.guard_free_iterations(&fresh);
                }
                here = Some(fresh);
            }
            if let Some(here) = &mut here {
                self.op(here, place);
            }
        }
        if let Some(here) = here {
            self.guard_validity(&here, len);
            self.go(&here, len);
        }
        if let Some(block) = self.blocks[len] {
            self.emit.switch_to(block);
            let here = self.here(len);
            self.store(&here, len);
            if self.unit.kind == EntryKind::Left {
                self.store_invalidation_point();
            }
            let code = self.emit.exit_code(Exit::End);
            self.emit.return_code(code);
        }
    }

    /// What is known where the block at `place` begins.
    pub(super) fn here(&mut self, place: usize) -> Here {
        let is_start = self.unit.kind == EntryKind::Left
            && place == self.shape.entry
            && !self.shape.target.contains(&Some(place));
        let start = self.bff.dialect.fixed_start().filter(|_| is_start);
        Here {
            heads: self.heads.map(|head| Head {
                value: self.emit.get(head),
                moved: 0,
                place: start,
            }),
            pending: Pending::default(),
        }
    }

    /// Put everything that `here` says into the variables.
    pub(super) fn commit(&mut self, here: &Here) {
        for (head, variable) in here.heads.into_iter().zip(self.heads) {
            let place = self.place(&head);
            self.emit.set(variable, place);
        }
        self.emit.commit(here.pending);
    }

    /// Go on at `place`, where a block begins.
    pub(super) fn go(&mut self, here: &Here, place: usize) {
        self.commit(here);
        if let Some(block) = self.blocks[place] {
            self.emit.jump(block);
        }
    }

    /// Put everything into the frame, `place` being the next to be run.
    pub(super) fn store(&mut self, here: &Here, place: usize) {
        for (head, offset) in here.heads.iter().zip([offset::HEAD0, offset::HEAD1]) {
            let place = self.place(head);
            self.emit.store_number(place, offset);
        }
        self.emit.store_counts(here.pending);
        let place = self.absolute(place);
        self.emit.store_number(place, state::PC);
        self.emit.store_iterations();
    }

    /// Set the variables to what the frame says, after a call.
    pub(super) fn reload(&mut self) {
        self.emit.set_from_frame(self.heads[0], offset::HEAD0);
        self.emit.set_from_frame(self.heads[1], offset::HEAD1);
        self.emit.reload_counts();
    }

    pub(super) fn load_invalidation_point(&mut self) {
        let point = self.emit.load_number(offset::INVALIDATION_POINT);
        let base = self.absolute(0);
        let point = self.emit.ins().isub(point, base);
        self.emit.set(self.invalid, point);
    }

    pub(super) fn store_invalidation_point(&mut self) {
        let point = self.emit.get(self.invalid);
        let base = self.absolute(0);
        let point = self.emit.ins().iadd(point, base);
        self.emit.store_number(point, offset::INVALIDATION_POINT);
    }

    /// The place of a head, below 128.
    pub(super) fn place(&mut self, head: &Head) -> Value {
        match head.place {
            Some(place) => self.emit.constant(place as i64),
            None if head.moved == 0 => head.value,
            None => {
                let moved = self.emit.add(head.value, head.moved);
                self.emit.on_tape(moved)
            }
        }
    }

    /// A place of the unit as one of the tape.
    pub(super) fn absolute(&mut self, place: usize) -> Value {
        match (self.base, self.unit.base()) {
            (Some(base), _) => self.emit.add(base, place as i64),
            (None, base) => self.emit.constant((base.unwrap_or(0) + place) as i64),
        }
    }

    /// How far behind the unit's first place `head` is.
    pub(super) fn distance(&mut self, head: &Head) -> Value {
        let at = self.place(head);
        let base = self.absolute(0);
        let at = self.emit.ins().isub(at, base);
        self.emit.on_tape(at)
    }

    /// Whether the unit is one loop and nothing else, so that a byte that has changed what it
    /// means either matters at once or not at all.
    pub(super) fn is_single_loop(&self) -> bool {
        self.unit.kind == EntryKind::Loop
    }

    /// Whether something may have changed what it means when the run comes to `place`.
    pub(super) fn may_be_invalid(&self, place: usize) -> bool {
        self.unit.kind == EntryKind::Right || self.shape.writes_before(place)
    }
}

/// Guards and exits.
impl Translation<'_, '_> {
    /// Leave before `place` is run if the steps may not suffice.
    fn guard_steps(&mut self, here: &Here, place: usize) {
        let reach = self.shape.reach(place) as i64;
        let left = self.emit.steps_left_at_start();
        let short = self.emit.is_below(left, reach);
        self.leave_if(short, here, place, Exit::OutOfSteps);
    }

    /// Leave at the invalidation point if that lies before `place` or there; between the last
    /// op and `place` there are no-ops only.
    ///
    /// Within loops there is none: where they begin it is looked at for all of them.
    pub(super) fn guard_validity(&mut self, here: &Here, place: usize) {
        let nest = self.shape.nest(place);
        if nest.is_some_and(|(first, _)| place != first) || !self.may_be_invalid(place) {
            return;
        }
        if let Some((_, last)) = nest {
            let point = self.emit.get(self.invalid);
            let within = self.emit.add(point, -(place as i64));
            let within = self.emit.is_at_most(within, (last - place) as i64);
            self.leave_if(within, here, place, Exit::Rewritten);
        }
        let point = self.emit.get(self.invalid);
        let is_end = place == self.shape.ops.len();
        let is_passed = if is_end {
            self.emit.is_below(point, place as i64)
        } else {
            self.emit.is_at_most(point, place as i64)
        };
        let on = self.emit.branch_aside(is_passed);
        let here_now = self.emit.constant(place as i64);
        let not_taken = self.emit.ins().isub(here_now, point);
        let left = self.emit.steps_left(here.pending);
        let left = self.emit.ins().iadd(left, not_taken);
        let base = self.absolute(0);
        let at = self.emit.ins().iadd(base, point);
        self.leave_at(here, at, left, Exit::Rewritten);
        self.emit.switch_to(on);
    }

    /// Leave, `place` being the next to be run, if `condition` holds.
    pub(super) fn leave_if(&mut self, condition: Value, here: &Here, place: usize, exit: Exit) {
        let on = self.emit.branch_aside(condition);
        let place = self.absolute(place);
        let left = self.emit.steps_left(here.pending);
        self.leave_at(here, place, left, exit);
        self.emit.switch_to(on);
    }

    /// Leave at `place` of the tape.
    fn leave_at(&mut self, here: &Here, place: Value, steps_left: Value, exit: Exit) {
        let code = self.emit.exit_code(exit);
        let [head0, head1] = here.heads.map(|head| self.place(&head));
        let ops = self.emit.ops(here.pending);
        let numbers = [
            (state::PC, place),
            (offset::HEAD0, head0),
            (offset::HEAD1, head1),
            (state::STEPS_LEFT, steps_left),
            (state::OPS, ops),
        ];
        self.emit.leave(code, numbers);
    }
}
