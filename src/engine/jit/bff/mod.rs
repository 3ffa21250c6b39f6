//! Pieces of code of the BFF family, translated.
//!
//! A piece is what some places in a row mean (their [`Skeleton`]): a loop from its
//! `[` to its `]`, or a program. Its function runs it as the rules say for as long
//! as no byte of it changes what it means, and leaves at the first op that it
//! cannot know enough about, before doing any of it.
//!
//! What makes that exact:
//!
//! - **Steps and ops** of straight code are known, so they are only counted where
//!   ways meet and where the function is left. That the steps suffice is looked
//!   at where a lap begins and behind a loop, for everything up to the next such
//!   place; a program cannot run further in between, since it goes only forwards.
//! - **Brackets** jump to partners within the piece, which stay what they are as
//!   long as the bytes between them do. One whose partner lies outside, or is none,
//!   leaves the function.
//! - **Writes** that change what a byte means: if it lies ahead, the function goes on
//!   to the first such place, its *stop*, and leaves there; if it lies in a loop
//!   that has not ended, it leaves at once; else it lies behind, the run does
//!   not come to it again, and nothing depends on it. A lap that is known to come
//!   nowhere near its loop needs no look (`free_laps.rs`).

mod free_laps;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    AbiParam, Block, BlockArg, Function, InstBuilder, MemFlagsData, SigRef, Signature, Type, Value,
    types,
};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};

use super::exit::{Exit, branch_aside};
use super::frame::{ClosedLoop, Frame, RunLoop, offset, skip_periods};
use crate::engine::bff::loops::Loop;
use crate::engine::bff::script::Script;
use crate::engine::bff::skeleton::Skeleton;
use crate::engine::simd::vectors::Portable;
use crate::language::bff::{Brackets, Class, Dialect, Op};
use crate::language::{PROGRAM_LEN, TAPE_LEN, Tape};

/// Where a piece lies, and where a run enters it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spot {
    /// The left program, entered at the run's start.
    Left,
    /// The right program, entered at its first byte.
    Right,
    /// A loop, anywhere, entered behind its `[` (or where its `]` jumps to).
    Loop,
}

/// A piece of code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Piece {
    pub spot: Spot,
    pub skeleton: Skeleton,
}

impl Piece {
    /// Places of the piece.
    pub fn len(&self) -> usize {
        match self.spot {
            Spot::Left | Spot::Right => PROGRAM_LEN,
            // Its last place is a `]`.
            Spot::Loop => {
                let ops = self.skeleton.0.iter().fold(0, |ops, plane| ops | plane);
                TAPE_LEN - ops.leading_zeros() as usize
            }
        }
    }

    /// Where a run enters.
    fn entry(&self, dialect: &Dialect) -> usize {
        match self.spot {
            Spot::Left => dialect.first_place(),
            Spot::Right => 0,
            Spot::Loop => 1,
        }
    }

    /// Where the piece lies, if that is known.
    fn base(&self) -> Option<usize> {
        match self.spot {
            Spot::Left => Some(0),
            Spot::Right => Some(PROGRAM_LEN),
            Spot::Loop => None,
        }
    }

    /// Its commands as text, a space for everything else.
    pub fn text(&self) -> String {
        use crate::language::bff::COMMANDS;
        (0..self.len())
            .map(|place| match self.skeleton.op(place) {
                Op::Null | Op::Noop => ' ',
                op => COMMANDS[op as usize],
            })
            .collect()
    }
}

/// What is known of a piece before it is translated.
struct Shape {
    ops: Vec<Op>,
    entry: usize,
    /// For each bracket the place behind its partner, where that is in the piece
    /// (its end included).
    target: Vec<Option<usize>>,
    /// First and last place of each loop that lies in no other one, from its `[`
    /// to its `]`; loops that overlap count as one.
    nests: Vec<(usize, usize)>,
}

impl Shape {
    fn of(dialect: &Dialect, piece: &Piece) -> Shape {
        let len = piece.len();
        let ops: Vec<Op> = (0..len).map(|place| piece.skeleton.op(place)).collect();
        let entry = piece.entry(dialect);
        let mut target = vec![None; len];
        match dialect.brackets() {
            Brackets::Match => {
                let mut open = Vec::new();
                // Of a loop also its `[`, of a program what is run only.
                let first = if piece.spot == Spot::Loop { 0 } else { entry };
                for place in first..len {
                    match ops[place] {
                        Op::Open => open.push(place),
                        Op::Close => {
                            if let Some(partner) = open.pop() {
                                target[partner] = Some(place + 1);
                                target[place] = Some(partner + 1);
                            }
                        }
                        _ => {}
                    }
                }
            }
            Brackets::Jump(distance) => {
                for place in entry..len {
                    let to = match ops[place] {
                        Op::Open => Some(place + distance + 1),
                        Op::Close => place.checked_sub(distance).map(|to| to + 1),
                        _ => None,
                    };
                    target[place] = to.filter(|to| (entry..=len).contains(to));
                }
            }
        }
        let mut shape = Shape {
            ops,
            entry,
            target,
            nests: Vec::new(),
        };
        let mut loops: Vec<(usize, usize)> = (0..len)
            .filter(|place| shape.is_loop_end(*place))
            .filter_map(|close| Some((shape.target[close]? - 1, close)))
            .collect();
        loops.sort_unstable();
        for (first, last) in loops {
            match shape.nests.last_mut() {
                Some(nest) if first <= nest.1 => nest.1 = nest.1.max(last),
                _ => shape.nests.push((first, last)),
            }
        }
        shape
    }

    /// The loops that `place` is in.
    fn nest(&self, place: usize) -> Option<(usize, usize)> {
        let mut nests = self.nests.iter().copied();
        nests.find(|(first, last)| (*first..=*last).contains(&place))
    }

    /// Steps that may be taken from `place` on before they are looked at again.
    fn reach(&self, place: usize) -> usize {
        let close = (place..self.ops.len()).find(|place| self.is_loop_end(*place));
        close.map_or(self.ops.len(), |close| close + 1) - place
    }

    /// Whether a jump leads to `place`, or a loop ends before it: where ways meet,
    /// and the steps are looked at.
    fn is_crossing(&self, place: usize) -> bool {
        place == self.entry
            || self.target.contains(&Some(place))
            || place > 0 && self.is_loop_end(place - 1)
    }

    /// Whether a `]` at `place` jumps back within the piece.
    fn is_loop_end(&self, place: usize) -> bool {
        self.ops[place] == Op::Close && self.target[place].is_some()
    }

    /// The loop that the `]` at `close` ends, where it has a closed form.
    fn closed_form(&self, dialect: &'static Dialect, close: usize) -> Option<Loop<'static>> {
        let first = self.target[close]?;
        let mut tape: Tape = [dialect.byte_of(Op::Noop)?; TAPE_LEN];
        for (byte, op) in tape.iter_mut().zip(&self.ops) {
            *byte = dialect.byte_of(*op)?;
        }
        let mut script = Script::EMPTY;
        // SAFETY: needs no instructions beyond those of every machine.
        unsafe { script.read_around::<Portable>(dialect, &tape, first) };
        if !script.tells_of(close) {
            return None;
        }
        // SAFETY: needs no instructions beyond those of every machine.
        let looped = unsafe { Loop::decode::<Portable>(dialect, &script, first, close)? };
        looped.has_closed_form().then_some(looped)
    }
}

/// Laps of a loop without a closed form between two looks whether it repeats.
const LAPS_BETWEEN: i64 = 16;

/// What translations are made for.
#[derive(Clone, Copy)]
pub struct Target {
    pub dialect: &'static Dialect,
    pub tables: &'static Tables,
    pub frontend: TargetFrontendConfig,
    pub call_conv: CallConv,
    /// What runs loops by their closed forms; none where that is not wanted.
    pub run_loop: Option<RunLoop>,
}

/// What changes of a byte mean.
pub struct Tables {
    /// The command bits of the class of each byte.
    pub commands: [u8; 256],
    /// Not 0 for a byte that means something else once 1 is added, or taken away.
    pub incremented: [u8; 256],
    pub decremented: [u8; 256],
}

impl Tables {
    pub fn of(dialect: &Dialect) -> Tables {
        let command = |byte: usize| dialect.class(byte as u8).bits() & Class::COMMAND;
        Tables {
            commands: std::array::from_fn(command),
            incremented: std::array::from_fn(|byte| command(byte) ^ command((byte + 1) % 256)),
            decremented: std::array::from_fn(|byte| command(byte) ^ command((byte + 255) % 256)),
        }
    }
}

/// The signature of a [`super::frame::Function`].
pub fn signature(target: &Target) -> Signature {
    let mut signature = Signature::new(target.call_conv);
    signature.params = vec![AbiParam::new(target.frontend.pointer_type()); 2];
    signature.returns = vec![AbiParam::new(types::I32)];
    signature
}

/// Whether `piece` has a loop that is to be run lap by lap.
pub fn has_open_loop(target: &Target, piece: &Piece) -> bool {
    let shape = Shape::of(target.dialect, piece);
    let closed =
        |close| target.run_loop.is_some() && shape.closed_form(target.dialect, close).is_some();
    (0..shape.ops.len()).any(|place| shape.is_loop_end(place) && !closed(place))
}

/// Translate `piece` to `function`, an empty one. What the code points to is added
/// to `loops`, and must be there as long as the code.
pub fn translate(
    target: &Target,
    piece: &Piece,
    function: &mut Function,
    context: &mut FunctionBuilderContext,
    loops: &mut Vec<Box<ClosedLoop>>,
) {
    function.signature = signature(target);
    let mut builder = FunctionBuilder::new(function, context);
    let shape = Shape::of(target.dialect, piece);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let (tape, frame) = match *builder.block_params(entry) {
        [tape, frame] => (tape, frame),
        _ => unreachable!("the signature has two parameters"),
    };
    let mut variable = || builder.declare_var(types::I64);
    let heads = [variable(), variable()];
    let (left, ops, laps) = (variable(), variable(), variable());
    let (stop, to_go) = (variable(), variable());
    let mut call_sig = |params: usize, returns: &[Type]| {
        let mut signature = Signature::new(target.call_conv);
        signature.params = vec![AbiParam::new(target.frontend.pointer_type()); params];
        signature.returns = returns.iter().copied().map(AbiParam::new).collect();
        builder.import_signature(signature)
    };
    let run_loop_sig = call_sig(3, &[types::I32]);
    let skip_sig = call_sig(2, &[]);
    let blocks = (0..=shape.ops.len())
        .map(|place| {
            let is_end = place == shape.ops.len();
            (is_end || shape.is_crossing(place)).then(|| builder.create_block())
        })
        .collect();
    let mut translation = Translation {
        target,
        piece,
        shape,
        builder,
        tape,
        frame,
        heads,
        left,
        ops,
        laps,
        stop,
        to_go,
        is_free: false,
        base: None,
        blocks,
        run_loop_sig,
        skip_sig,
        loops,
        leave: None,
    };
    translation.prologue();
    translation.body();
    translation.builder.seal_all_blocks();
    translation.builder.finalize(target.frontend);
}

/// Where straight code stands: what has not been put into variables yet.
#[derive(Clone, Copy)]
struct Here {
    heads: [Head; 2],
    steps: i64,
    ops: i64,
}

/// A head: where it was when the variables were last set, and how far it is from
/// there; or its place, where that is known.
#[derive(Clone, Copy)]
struct Head {
    value: Value,
    moved: i64,
    place: Option<usize>,
}

impl Head {
    fn move_by(&mut self, by: i64) {
        self.moved += by;
        self.place = self
            .place
            .map(|place| (place as i64 + by).rem_euclid(TAPE_LEN as i64) as usize);
    }
}

struct Translation<'a, 'b> {
    target: &'a Target,
    piece: &'a Piece,
    shape: Shape,
    builder: FunctionBuilder<'b>,
    tape: Value,
    frame: Value,
    heads: [Variable; 2],
    left: Variable,
    ops: Variable,
    laps: Variable,
    /// The first place of the piece that has changed what it means.
    stop: Variable,
    /// Free laps that are left.
    to_go: Variable,
    /// Whether what is being built is part of a lap that is free.
    is_free: bool,
    /// The base, where it is known only when the code is run.
    base: Option<Value>,
    /// The block of each place where ways meet, and of the end.
    blocks: Vec<Option<Block>>,
    run_loop_sig: SigRef,
    skip_sig: SigRef,
    loops: &'a mut Vec<Box<ClosedLoop>>,
    /// The block that leaves the function through a side exit.
    leave: Option<Block>,
}

/// Loads and stores of tape, frame and tables: never trap.
const MEMORY: MemFlagsData = MemFlagsData::trusted();

impl Translation<'_, '_> {
    fn constant(&mut self, number: i64) -> Value {
        self.builder.ins().iconst(types::I64, number)
    }

    fn load_number(&mut self, offset: i32) -> Value {
        let frame = self.frame;
        self.builder.ins().load(types::I64, MEMORY, frame, offset)
    }

    fn store_number(&mut self, value: Value, offset: i32) {
        let frame = self.frame;
        self.builder.ins().store(MEMORY, value, frame, offset);
    }

    /// Take what the function begins with from the frame.
    fn prologue(&mut self) {
        let at_start = self.piece.spot == Spot::Left;
        let start = self.target.dialect.fixed_start().filter(|_| at_start);
        for (i, offset) in [offset::HEAD0, offset::HEAD1].into_iter().enumerate() {
            let value = match start {
                Some(place) => self.constant(place as i64),
                None => self.load_number(offset),
            };
            self.builder.def_var(self.heads[i], value);
        }
        let left = self.load_number(offset::LEFT);
        self.builder.def_var(self.left, left);
        let ops = if at_start {
            self.constant(0)
        } else {
            self.load_number(offset::OPS)
        };
        self.builder.def_var(self.ops, ops);
        let laps = self.constant(0);
        self.builder.def_var(self.laps, laps);
        if self.piece.base().is_none() {
            self.base = Some(self.load_number(offset::BASE));
        }
        match self.piece.spot {
            // What it means has just been looked at.
            Spot::Left | Spot::Loop => {
                let stop = self.constant(TAPE_LEN as i64);
                self.builder.def_var(self.stop, stop);
            }
            Spot::Right => self.load_stop(),
        }
        if self.nothing_ahead() {
            // That is not told apart: hardly any loop writes and changes nothing.
            let changed = i64::from(self.may_have_stop(self.shape.ops.len()));
            let changed = self.constant(changed);
            self.store_number(changed, offset::CHANGED);
        }
        let first = self.shape.entry;
        if let Some(block) = self.blocks[first] {
            self.builder.ins().jump(block, &[]);
        }
    }

    fn load_stop(&mut self) {
        let stop = self.load_number(offset::STOP);
        let base = self.absolute(0);
        let stop = self.builder.ins().isub(stop, base);
        self.builder.def_var(self.stop, stop);
    }

    fn store_stop(&mut self) {
        let stop = self.builder.use_var(self.stop);
        let base = self.absolute(0);
        let stop = self.builder.ins().iadd(stop, base);
        self.store_number(stop, offset::STOP);
    }

    /// What is known where ways meet, at `place`.
    fn here(&mut self, place: usize) -> Here {
        let is_start = self.piece.spot == Spot::Left
            && place == self.shape.entry
            && !self.shape.target.contains(&Some(place));
        let start = self.target.dialect.fixed_start().filter(|_| is_start);
        let heads = self.heads.map(|head| Head {
            value: self.builder.use_var(head),
            moved: 0,
            place: start,
        });
        Here {
            heads,
            steps: 0,
            ops: 0,
        }
    }

    fn body(&mut self) {
        let len = self.shape.ops.len();
        let mut here = None;
        for place in self.shape.entry..len {
            if let Some(block) = self.blocks[place] {
                if let Some(here) = here {
                    self.look_at_stop(&here, place);
                    self.go(&here, place);
                }
                self.builder.switch_to_block(block);
                let fresh = self.here(place);
                self.look_at_steps(&fresh, place);
                if place == self.shape.entry {
                    self.free_laps(&fresh);
                }
                here = Some(fresh);
            }
            if let Some(here) = &mut here {
                self.op(here, place);
            }
        }
        if let Some(here) = here {
            self.look_at_stop(&here, len);
            self.go(&here, len);
        }
        if let Some(block) = self.blocks[len] {
            self.builder.switch_to_block(block);
            let here = self.here(len);
            self.store(&here, len);
            if self.piece.spot == Spot::Left {
                self.store_stop();
            }
            self.return_exit(Exit::End);
        }
    }

    fn return_exit(&mut self, exit: Exit) {
        let code = self.builder.ins().iconst(types::I32, exit as i64);
        self.builder.ins().return_(&[code]);
    }

    /// Put everything that `here` says into the variables.
    fn settle(&mut self, here: &Here) {
        for (head, variable) in here.heads.into_iter().zip(self.heads) {
            let place = self.place(&head);
            self.builder.def_var(variable, place);
        }
        let left = self.left_at(here);
        self.builder.def_var(self.left, left);
        let ops = self.ops_at(here);
        self.builder.def_var(self.ops, ops);
    }

    /// Go on at `place`, where ways meet.
    fn go(&mut self, here: &Here, place: usize) {
        self.settle(here);
        if let Some(block) = self.blocks[place] {
            self.builder.ins().jump(block, &[]);
        }
    }

    fn left_at(&mut self, here: &Here) -> Value {
        let left = self.builder.use_var(self.left);
        self.builder.ins().iadd_imm_s(left, -here.steps)
    }

    fn ops_at(&mut self, here: &Here) -> Value {
        let ops = self.builder.use_var(self.ops);
        self.builder.ins().iadd_imm_s(ops, here.ops)
    }

    /// The place of a head, below 128.
    fn place(&mut self, head: &Head) -> Value {
        match head.place {
            Some(place) => self.constant(place as i64),
            None if head.moved == 0 => head.value,
            None => {
                let moved = self.builder.ins().iadd_imm_s(head.value, head.moved);
                self.builder.ins().band_imm_u(moved, TAPE_LEN as i64 - 1)
            }
        }
    }

    /// Leave the function before `place` is run if the steps may not suffice.
    fn look_at_steps(&mut self, here: &Here, place: usize) {
        let reach = self.shape.reach(place) as i64;
        let left = self.builder.use_var(self.left);
        let short = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::UnsignedLessThan, left, reach);
        self.leave_if(short, here, place, Exit::OutOfSteps);
    }

    /// Leave the function at the stop if that lies before `place` or there; between
    /// the last op and `place` there are no-ops only.
    ///
    /// Within loops there is none: where they begin it is looked at for all of them.
    fn look_at_stop(&mut self, here: &Here, place: usize) {
        let nest = self.shape.nest(place);
        if nest.is_some_and(|(first, _)| place != first) || !self.may_have_stop(place) {
            return;
        }
        if let Some((_, last)) = nest {
            let stop = self.builder.use_var(self.stop);
            let within = self.builder.ins().iadd_imm_s(stop, -(place as i64));
            let within = self.builder.ins().icmp_imm_u(
                IntCC::UnsignedLessThanOrEqual,
                within,
                (last - place) as i64,
            );
            self.leave_if(within, here, place, Exit::Rewritten);
        }
        let stop = self.builder.use_var(self.stop);
        let is_end = place == self.shape.ops.len();
        let less = match is_end {
            true => IntCC::UnsignedLessThan,
            false => IntCC::UnsignedLessThanOrEqual,
        };
        let stops = self.builder.ins().icmp_imm_u(less, stop, place as i64);
        let on = branch_aside(&mut self.builder, stops);
        let here_now = self.constant(place as i64);
        let not_taken = self.builder.ins().isub(here_now, stop);
        let left = self.left_at(here);
        let left = self.builder.ins().iadd(left, not_taken);
        let base = self.absolute(0);
        let at = self.builder.ins().iadd(base, stop);
        self.leave_with(here, at, left, Exit::Rewritten);
        self.builder.switch_to_block(on);
    }

    /// Whether there may be a stop when the run comes to `place`.
    fn may_have_stop(&self, place: usize) -> bool {
        let writes = |op: &Op| {
            matches!(
                op,
                Op::Increment | Op::Decrement | Op::CopyTo0 | Op::CopyTo1
            )
        };
        self.piece.spot == Spot::Right || self.shape.ops[self.shape.entry..place].iter().any(writes)
    }

    /// Leave the function, `place` being the next to be run, if `condition` holds.
    fn leave_if(&mut self, condition: Value, here: &Here, place: usize, exit: Exit) {
        let on = branch_aside(&mut self.builder, condition);
        self.leave(here, place, exit);
        self.builder.switch_to_block(on);
    }

    /// Leave through the shared way out.
    fn leave(&mut self, here: &Here, place: usize, exit: Exit) {
        let place = self.absolute(place);
        let left = self.left_at(here);
        self.leave_with(here, place, left, exit);
    }

    /// As [`Self::leave`], `place` being one of the tape.
    fn leave_with(&mut self, here: &Here, place: Value, left: Value, exit: Exit) {
        let code = self.builder.ins().iconst(types::I32, exit as i64);
        let [head0, head1] = here.heads.map(|head| self.place(&head));
        let ops = self.ops_at(here);
        let block = match self.leave {
            Some(block) => block,
            None => {
                let block = self.builder.create_block();
                self.builder.set_cold_block(block);
                for _ in 0..5 {
                    self.builder.append_block_param(block, types::I64);
                }
                self.builder.append_block_param(block, types::I32);
                self.leave = Some(block);
                block
            }
        };
        let values = [place, head0, head1, left, ops, code].map(BlockArg::from);
        self.builder.ins().jump(block, &values);
        // What the block does is written down with its first use.
        if self.builder.func.layout.is_block_inserted(block) {
            return;
        }
        self.builder.switch_to_block(block);
        let values: Vec<Value> = self.builder.block_params(block).to_vec();
        let offsets = [
            offset::PC,
            offset::HEAD0,
            offset::HEAD1,
            offset::LEFT,
            offset::OPS,
        ];
        for (value, offset) in values.iter().zip(offsets) {
            self.store_number(*value, offset);
        }
        self.store_laps();
        self.builder.ins().return_(&values[5..]);
    }

    /// Put everything into the frame, `place` being the next to be run.
    fn store(&mut self, here: &Here, place: usize) {
        for (head, offset) in here.heads.iter().zip([offset::HEAD0, offset::HEAD1]) {
            let place = self.place(head);
            self.store_number(place, offset);
        }
        let left = self.left_at(here);
        self.store_number(left, offset::LEFT);
        let ops = self.ops_at(here);
        self.store_number(ops, offset::OPS);
        let place = self.absolute(place);
        self.store_number(place, offset::PC);
        self.store_laps();
    }

    fn store_laps(&mut self) {
        if self.has_native_loops() {
            let laps = self.builder.use_var(self.laps);
            self.store_number(laps, offset::LAPS);
        }
    }

    fn has_native_loops(&self) -> bool {
        (0..self.shape.ops.len()).any(|place| self.shape.is_loop_end(place))
    }

    /// A place of the piece as one of the tape.
    fn absolute(&mut self, place: usize) -> Value {
        match (self.base, self.piece.base()) {
            (Some(base), _) => self.builder.ins().iadd_imm_s(base, place as i64),
            (None, base) => self.constant((base.unwrap_or(0) + place) as i64),
        }
    }

    fn op(&mut self, here: &mut Here, place: usize) {
        let op = self.shape.ops[place];
        let starts_nest = self.shape.nests.iter().any(|(first, _)| *first == place);
        if matches!(op, Op::Null | Op::Noop) && !starts_nest {
            here.steps += 1;
            return;
        }
        self.look_at_stop(here, place);
        match op {
            Op::Open => return self.open(here, place),
            Op::Close => return self.close(here, place),
            Op::Null | Op::Noop => {
                here.steps += 1;
                return;
            }
            _ => {}
        }
        here.steps += 1;
        here.ops += 1;
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

    /// Address of the byte at a head.
    fn address(&mut self, head: &Head) -> Value {
        let (tape, place) = (self.tape, self.place(head));
        self.builder.ins().iadd(tape, place)
    }

    fn load_byte(&mut self, head: &Head) -> Value {
        let address = self.address(head);
        self.builder.ins().load(types::I8, MEMORY, address, 0)
    }

    fn store_byte(&mut self, byte: Value, head: &Head) {
        let address = self.address(head);
        self.builder.ins().store(MEMORY, byte, address, 0);
    }

    /// The entry of a table for a byte.
    fn look_up(&mut self, table: &'static [u8; 256], byte: Value) -> Value {
        let pointer = self.target.frontend.pointer_type();
        let byte = self.builder.ins().uextend(pointer, byte);
        let table = self
            .builder
            .ins()
            .iconst(pointer, table.as_ptr() as usize as i64);
        let address = self.builder.ins().iadd(table, byte);
        self.builder
            .ins()
            .load(types::I8, MEMORY.with_readonly(), address, 0)
    }

    fn copy(&mut self, here: &mut Here, place: usize, from: usize, to: usize) {
        let (from, to) = (here.heads[from], here.heads[to]);
        let moves = self.shape.ops[place] == Op::CopyTo0 && self.target.dialect.copy_moves();
        if moves {
            here.heads[1].move_by(1);
        }
        let new = self.load_byte(&from);
        if !self.may_matter(place, &to) {
            self.store_byte(new, &to);
            return;
        }
        let old = self.load_byte(&to);
        if self.nothing_ahead() {
            self.store_byte(new, &to);
            return self.leave_if_own(here, place, &to, |this| this.change(old, new));
        }
        let differs = self.builder.ins().icmp(IntCC::NotEqual, old, new);
        let write = self.builder.create_block();
        let on = self.builder.create_block();
        self.builder.ins().brif(differs, write, &[], on, &[]);
        self.builder.switch_to_block(write);
        self.store_byte(new, &to);
        let change = self.change(old, new);
        self.changed_if(change, here, place, &to, on);
        self.builder.switch_to_block(on);
    }

    /// Not 0 where two bytes are different commands.
    fn change(&mut self, old: Value, new: Value) -> Value {
        let commands = &self.target.tables.commands;
        let (old, new) = (self.look_up(commands, old), self.look_up(commands, new));
        self.builder.ins().bxor(old, new)
    }

    fn add(&mut self, here: &mut Here, place: usize, by: i64) {
        let head = here.heads[0];
        let old = self.load_byte(&head);
        let new = self.builder.ins().iadd_imm_s(old, by);
        self.store_byte(new, &head);
        if self.may_matter(place, &head) {
            let tables = self.target.tables;
            let table = match by {
                1 => &tables.incremented,
                _ => &tables.decremented,
            };
            if self.nothing_ahead() {
                return self.leave_if_own(here, place, &head, |this| this.look_up(table, old));
            }
            let change = self.look_up(table, old);
            let on = self.builder.create_block();
            self.changed_if(change, here, place, &head, on);
            self.builder.switch_to_block(on);
        }
    }

    /// Whether a write at `place` to where `head` is can change what anything
    /// means that is yet to be run, as far as is known.
    fn may_matter(&self, place: usize, head: &Head) -> bool {
        if self.is_free {
            return false;
        }
        let nest = self.shape.nest(place);
        let first = nest.map_or(place + 1, |(first, _)| first);
        // Behind the left program lies the right one.
        let end = match self.piece.spot {
            Spot::Left => TAPE_LEN,
            Spot::Right | Spot::Loop => self.shape.ops.len(),
        };
        match (self.piece.base(), head.place) {
            (Some(base), Some(at)) => at >= base && (first..end).contains(&(at - base)),
            (Some(_), None) => first < end,
            (None, _) => true,
        }
    }

    /// Whether there is nothing in the piece but one loop, in which a byte that has
    /// changed what it means either matters at once or not at all.
    fn nothing_ahead(&self) -> bool {
        self.piece.spot == Spot::Loop
    }

    /// How far behind the piece's first place `head` is.
    fn distance(&mut self, head: &Head) -> Value {
        let at = self.place(head);
        let base = self.absolute(0);
        let at = self.builder.ins().isub(at, base);
        self.builder.ins().band_imm_u(at, TAPE_LEN as i64 - 1)
    }

    /// Leave the function behind a write at `place` if it went to the loop that it is in
    /// and a byte there means something else now, which is where the number that
    /// `change` builds is not 0. (A head comes to the loop once a time around the tape:
    /// that is easier to guess than whether a byte changes.)
    fn leave_if_own(
        &mut self,
        here: &Here,
        place: usize,
        head: &Head,
        change: impl FnOnce(&mut Self) -> Value,
    ) {
        let at = self.distance(head);
        let (first, last) = self.shape.nest(place).unwrap_or((0, place));
        let at = self.builder.ins().iadd_imm_s(at, -(first as i64));
        let last = (last - first) as i64;
        let is_own = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::UnsignedLessThanOrEqual, at, last);
        let on = branch_aside(&mut self.builder, is_own);
        let change = change(self);
        self.leave_if(change, here, place + 1, Exit::Rewritten);
        self.builder.ins().jump(on, &[]);
        self.builder.switch_to_block(on);
    }

    /// Where `change` is not 0, a byte at `head` means something else now: say so,
    /// stop there if it lies ahead, and leave the function if it lies behind and
    /// the run may come to it again. Otherwise go `on`.
    fn changed_if(&mut self, change: Value, here: &Here, place: usize, head: &Head, on: Block) {
        let changed = self.builder.create_block();
        self.builder.set_cold_block(changed);
        self.builder.ins().brif(change, changed, &[], on, &[]);
        self.builder.switch_to_block(changed);
        let one = self.constant(1);
        self.store_number(one, offset::CHANGED);
        let at = self.distance(head);
        let last = match self.shape.nest(place) {
            None => place,
            Some((first, last)) => {
                let distance = self.builder.ins().iadd_imm_s(at, -(first as i64));
                let is_kept = self.builder.ins().icmp_imm_u(
                    IntCC::UnsignedLessThanOrEqual,
                    distance,
                    (last - first) as i64,
                );
                self.leave_if(is_kept, here, place + 1, Exit::Rewritten);
                last
            }
        };
        // A place behind is none to stop at.
        let is_ahead = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::UnsignedGreaterThan, at, last as i64);
        let stop = self.builder.use_var(self.stop);
        let nearer = self.builder.ins().umin(stop, at);
        let stop = self.builder.ins().select(is_ahead, nearer, stop);
        self.builder.def_var(self.stop, stop);
        self.builder.ins().jump(on, &[]);
    }

    /// Whether the byte at head 0 is null.
    fn is_null(&mut self, here: &Here) -> Value {
        let byte = self.load_byte(&here.heads[0]);
        let mask = i64::from(self.target.dialect.significant_bits());
        let byte = match mask {
            0xff => byte,
            _ => self.builder.ins().band_imm_u(byte, mask),
        };
        self.builder.ins().icmp_imm_u(IntCC::Equal, byte, 0)
    }

    fn open(&mut self, here: &mut Here, place: usize) {
        let null = self.is_null(here);
        match self.shape.target[place] {
            None => self.leave_if(null, here, place, Exit::Bracket),
            Some(target) => {
                let mut there = *here;
                there.steps += 1;
                there.ops += 1;
                let jump = self.builder.create_block();
                let on = self.builder.create_block();
                self.builder.ins().brif(null, jump, &[], on, &[]);
                self.builder.switch_to_block(jump);
                let nest = self.shape.nest(place);
                // Jumps by so many bytes may lead out of loops.
                let leads_out = nest.is_none_or(|(_, last)| target > last + 1);
                let behind = nest.map_or(place, |(_, last)| last + 1);
                if leads_out && self.may_have_stop(behind) {
                    // The partner may be another one.
                    let stop = self.builder.use_var(self.stop);
                    // Nor may it lie in loops that this jumps into.
                    let last = self.shape.nest(target).map_or(target - 1, |(_, last)| last);
                    let stops = self.builder.ins().icmp_imm_u(
                        IntCC::UnsignedLessThanOrEqual,
                        stop,
                        last as i64,
                    );
                    self.leave_if(stops, here, place, Exit::Rewritten);
                }
                self.go(&there, target);
                self.builder.switch_to_block(on);
            }
        }
        here.steps += 1;
        here.ops += 1;
    }

    fn close(&mut self, here: &mut Here, place: usize) {
        let null = self.is_null(here);
        let set = self.builder.ins().icmp_imm_u(IntCC::Equal, null, 0);
        let Some(target) = self.shape.target[place] else {
            self.leave_if(set, here, place, Exit::Bracket);
            here.steps += 1;
            here.ops += 1;
            return;
        };
        here.steps += 1;
        here.ops += 1;
        let jump = self.builder.create_block();
        let on = self.builder.create_block();
        self.builder.ins().brif(set, jump, &[], on, &[]);
        self.builder.switch_to_block(jump);
        match self.closed_form(place) {
            Some((run_loop, looped)) => self.call_loop(here, place, target, run_loop, looped),
            None => self.jump_back(here, place, target),
        }
        self.builder.switch_to_block(on);
    }

    fn closed_form(&self, close: usize) -> Option<(RunLoop, Loop<'static>)> {
        let run_loop = self.target.run_loop?;
        let looped = self.shape.closed_form(self.target.dialect, close)?;
        Some((run_loop, looped))
    }

    /// Have all laps of the loop that ends at `close` run by its closed form.
    fn call_loop(
        &mut self,
        here: &Here,
        close: usize,
        first: usize,
        run_loop: RunLoop,
        looped: Loop<'static>,
    ) {
        let data = Box::new(ClosedLoop {
            looped,
            dialect: self.target.dialect,
            first,
            behind: close + 1,
            nest: self.shape.nest(close).unwrap_or((first - 1, close)),
        });
        let address = std::ptr::from_ref(&*data) as usize as i64;
        self.loops.push(data);
        self.store(here, first);
        self.store_stop();
        let pointer = self.target.frontend.pointer_type();
        let callee = self.builder.ins().iconst(pointer, run_loop as usize as i64);
        let data = self.builder.ins().iconst(pointer, address);
        let (tape, frame) = (self.tape, self.frame);
        let call =
            self.builder
                .ins()
                .call_indirect(self.run_loop_sig, callee, &[tape, frame, data]);
        let code = self.builder.inst_results(call)[0];
        let on = branch_aside(&mut self.builder, code);
        // The frame is exact.
        self.builder.ins().return_(&[code]);
        self.builder.switch_to_block(on);
        self.reload();
        self.load_stop();
        if let Some(block) = self.blocks[close + 1] {
            self.builder.ins().jump(block, &[]);
        }
    }

    /// Set the variables to what the frame says.
    fn reload(&mut self) {
        for (variable, offset) in [
            (self.heads[0], offset::HEAD0),
            (self.heads[1], offset::HEAD1),
            (self.left, offset::LEFT),
            (self.ops, offset::OPS),
        ] {
            let value = self.load_number(offset);
            self.builder.def_var(variable, value);
        }
    }

    /// Begin another lap of the loop that ends at `close`.
    fn jump_back(&mut self, here: &Here, close: usize, first: usize) {
        let laps = self.builder.use_var(self.laps);
        let laps = self.builder.ins().iadd_imm_s(laps, 1);
        self.builder.def_var(self.laps, laps);
        self.next_lap(here, close, first);
    }

    /// Go on at `first`, having looked for a period now and then.
    fn next_lap(&mut self, here: &Here, close: usize, first: usize) {
        if self.target.run_loop.is_none() {
            return self.go(here, first);
        }
        let laps = self.builder.use_var(self.laps);
        // A lap with loops inside takes long enough to look each time.
        let has_loops = (first..close).any(|place| self.shape.is_loop_end(place));
        let look = self.builder.create_block();
        let on = self.builder.create_block();
        self.settle(here);
        if has_loops {
            self.builder.ins().jump(look, &[]);
        } else {
            let rest = self.builder.ins().band_imm_u(laps, LAPS_BETWEEN - 1);
            self.builder.ins().brif(rest, on, &[], look, &[]);
        }
        self.builder.switch_to_block(look);
        let settled = self.here(first);
        let settled = Here {
            heads: settled.heads.map(|head| Head {
                place: None,
                ..head
            }),
            ..settled
        };
        self.store(&settled, first);
        let pointer = self.target.frontend.pointer_type();
        let callee = skip_periods as unsafe extern "C" fn(&mut Tape, &mut Frame);
        let callee = self.builder.ins().iconst(pointer, callee as usize as i64);
        let (tape, frame) = (self.tape, self.frame);
        self.builder
            .ins()
            .call_indirect(self.skip_sig, callee, &[tape, frame]);
        self.reload();
        self.builder.ins().jump(on, &[]);
        self.builder.switch_to_block(on);
        if let Some(block) = self.blocks[first] {
            self.builder.ins().jump(block, &[]);
        }
    }
}
