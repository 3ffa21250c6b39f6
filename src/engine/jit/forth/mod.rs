//! Loops of the Forth family, translated.
//!
//! A loop is the bytes from where a jump back leads to that jump (a [`Span`]). Its
//! function runs it as the rules say for as long as none of these bytes changes what
//! it means, and leaves before the first op that it cannot know enough about.
//!
//! What makes that exact:
//!
//! - **Jumps** are relative and their distance is part of the byte: where one leads is
//!   known wherever the loop lies. One that leads out of it leaves the function.
//! - **Steps and ops** of straight code are known, so they are only counted where
//!   ways meet and where the function is left. That the steps suffice is looked at
//!   wherever a jump back leads, for the longest way from there to the next such
//!   place: all others go only forwards.
//! - **The stack** is looked at where straight code begins: that it has the entries
//!   which are popped there, and room for what is pushed. So no pop finds it empty and
//!   no push overflows it. In between its entries are values; what has changed is put
//!   back where ways meet and where the function is left.
//! - **Writes** to the loop that change what a byte means leave the function, and so
//!   do those that a guard answers to.

mod frame;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    AbiParam, Block, BlockArg, Function, InstBuilder, MemFlagsData, Signature, Value, types,
};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};

use super::exit::{Exit, branch_aside};
pub(crate) use frame::run;

use crate::language::forth::{Dialect, Op, STACK_LEN, distance};
use crate::language::{PROGRAM_LEN, TAPE_LEN, Tape};
use frame::offset;

/// The bytes of a loop before its jump back; which jump that is their number tells.
///
/// They are kept as they are, apart from no-ops, which are all the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    bytes: [u8; MOST],
    len: u8,
}

/// Bytes before the jump, at most: as far as a jump goes.
const MOST: usize = PROGRAM_LEN;

impl Span {
    /// No loop's.
    pub const NONE: Span = Span {
        bytes: [0; MOST],
        len: 0,
    };

    /// That of the loop from `first` to the jump back at `last`.
    #[inline(always)]
    pub fn of(dialect: &Dialect, tape: &Tape, first: usize, last: usize) -> Span {
        let body = &tape[first..last];
        let mut bytes = [0; MOST];
        bytes[..body.len()].copy_from_slice(body);
        let noop = dialect.first_noop();
        for byte in &mut bytes {
            *byte = meaning(*byte, noop);
        }
        Span {
            bytes,
            len: body.len() as u8,
        }
    }

    /// The shortest loop there is.
    pub fn shortest(dialect: &Dialect) -> Span {
        let mut tape = [0; TAPE_LEN];
        tape[0] = dialect.first_noop();
        Span::of(dialect, &tape, 0, 1)
    }

    /// Its bytes, the jump back included.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.bytes[..usize::from(self.len)].to_vec();
        bytes.push(JUMP_BACK + (self.len - 1));
        bytes
    }

    /// Eight bytes at a time.
    #[inline(always)]
    pub fn words(&self) -> [u64; MOST / 8] {
        let (words, _) = self.bytes.as_chunks();
        std::array::from_fn(|i| u64::from_le_bytes(words[i]))
    }

    /// Bytes before the jump back.
    #[inline(always)]
    pub fn body_len(&self) -> u64 {
        u64::from(self.len)
    }
}

/// The first jump back.
const JUMP_BACK: u8 = 0xc0;
/// The bytes from here on all mean something of their own.
const FIRST_CONSTANT: u8 = 0x40;

/// A byte that means the same as `byte`: itself, or the first no-op.
#[inline(always)]
fn meaning(byte: u8, first_noop: u8) -> u8 {
    match byte < FIRST_CONSTANT {
        true => byte.min(first_noop),
        false => byte,
    }
}

/// Where an op leads to, in places of the loop; nothing where that is out of it.
#[derive(Clone, Copy)]
enum Next {
    To(Option<usize>),
    /// On, or over the next byte.
    Either(usize, Option<usize>),
}

/// What is known of a loop before it is translated.
struct Shape {
    bytes: Vec<u8>,
    ops: Vec<Op>,
    /// Whether a run may come to a place.
    is_reached: Vec<bool>,
    /// Whether a jump back leads to it, as it did on entering.
    is_head: Vec<bool>,
    /// Whether it can be come to in more ways than one.
    is_crossing: Vec<bool>,
}

impl Shape {
    fn of(dialect: &Dialect, span: &Span) -> Shape {
        let bytes = span.bytes();
        let len = bytes.len();
        let mut shape = Shape {
            ops: bytes.iter().map(|byte| dialect.op(*byte)).collect(),
            bytes,
            is_reached: vec![false; len],
            is_head: vec![false; len],
            is_crossing: Vec::new(),
        };
        let mut ways = vec![0; len];
        let mut open = vec![0];
        // The function begins there.
        shape.is_head[0] = true;
        while let Some(place) = open.pop() {
            if std::mem::replace(&mut shape.is_reached[place], true) {
                continue;
            }
            for next in shape.followers(place) {
                ways[next] += 1;
                shape.is_head[next] |= next < place;
                open.push(next);
            }
        }
        let ways = shape.is_head.iter().zip(ways);
        shape.is_crossing = ways.map(|(is_head, ways)| *is_head || ways > 1).collect();
        shape
    }

    fn next(&self, place: usize) -> Next {
        let len = self.ops.len();
        let distance = usize::from(distance(self.bytes[place]));
        let within = |next: usize| (next < len).then_some(next);
        match self.ops[place] {
            Op::JumpForward => Next::To(within(place + distance)),
            Op::JumpBack => Next::To(place.checked_sub(distance)),
            // The last byte is a jump.
            Op::SkipIf => Next::Either(place + 1, within(place + 2)),
            _ => Next::To(within(place + 1)),
        }
    }

    fn followers(&self, place: usize) -> impl Iterator<Item = usize> + use<> {
        let both = match self.next(place) {
            Next::To(next) => [next, None],
            Next::Either(next, skipped) => [Some(next), skipped],
        };
        both.into_iter().flatten()
    }

    /// The most steps from `place` until the next time that a jump back leads
    /// somewhere or the function is left.
    fn reach(&self, place: usize) -> usize {
        let mut reach = vec![0; self.ops.len()];
        for place in (place..self.ops.len()).rev() {
            let ahead = self.followers(place).filter(|next| *next > place);
            reach[place] = 1 + ahead.map(|next| reach[next]).max().unwrap_or(0);
        }
        reach[place]
    }

    /// What straight code from `place` on does to a stack that is `rise` entries
    /// deeper than where that is counted from: how many entries it needs there, and
    /// how far it rises above that.
    fn stack_use(&self, mut place: usize, mut rise: i64) -> (i64, i64) {
        let (mut needs, mut highest) = (0, rise);
        loop {
            let op = self.ops[place];
            needs = needs.max(op.pops() as i64 - rise);
            rise += op.pushes() as i64 - op.pops() as i64;
            highest = highest.max(rise);
            match self.next(place) {
                Next::To(Some(next)) if next > place && !self.is_crossing[next] => place = next,
                _ => return (needs, highest),
            }
        }
    }
}

/// Laps between two looks whether the run repeats.
const LAPS_BETWEEN: i64 = 64;

/// What translations are made for.
#[derive(Clone, Copy)]
pub struct Target {
    pub dialect: &'static Dialect,
    pub frontend: TargetFrontendConfig,
    pub call_conv: CallConv,
    /// Whether to leave now and then, for others to see whether the run repeats.
    pub pauses: bool,
}

/// Translate `span` to `function`, an empty one.
pub fn translate(
    target: &Target,
    span: &Span,
    function: &mut Function,
    context: &mut FunctionBuilderContext,
) {
    let pointer = target.frontend.pointer_type();
    let mut signature = Signature::new(target.call_conv);
    signature.params = vec![AbiParam::new(pointer); 2];
    signature.returns = vec![AbiParam::new(types::I32)];
    function.signature = signature;
    let mut builder = FunctionBuilder::new(function, context);
    let shape = Shape::of(target.dialect, span);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let (tape, frame) = match *builder.block_params(entry) {
        [tape, frame] => (tape, frame),
        _ => unreachable!("the signature has two parameters"),
    };
    let stack = builder.ins().load(pointer, MEMORY, frame, offset::STACK);
    let base = builder.ins().load(types::I64, MEMORY, frame, offset::BASE);
    let mut variable = |offset| {
        let variable = builder.declare_var(types::I64);
        let value = builder.ins().load(types::I64, MEMORY, frame, offset);
        builder.def_var(variable, value);
        variable
    };
    let depth = variable(offset::DEPTH);
    let left = variable(offset::LEFT);
    let ops = variable(offset::OPS);
    let laps = variable(offset::LAPS);
    let blocks = (0..shape.ops.len())
        .map(|place| {
            let has_block = shape.is_crossing[place] && shape.is_reached[place];
            has_block.then(|| builder.create_block())
        })
        .collect();
    let mut translation = Translation {
        target,
        shape,
        builder,
        tape,
        frame,
        stack,
        base,
        depth,
        left,
        ops,
        laps,
        blocks,
        leave: None,
    };
    translation.go(0);
    translation.crossings();
    translation.builder.seal_all_blocks();
    translation.builder.finalize(target.frontend);
}

/// Where straight code stands: what has not been put into variables and on the
/// stack yet.
#[derive(Clone, Default)]
struct Here {
    steps: i64,
    ops: i64,
    /// The entries that lay on the stack where ways last met, the topmost first, as
    /// far as they have been loaded; and how many of them have been popped.
    entries: Vec<Value>,
    popped: usize,
    /// What lies on the stack in their stead.
    pushed: Vec<Value>,
    /// The entries and the room that the stack is known to have had.
    needs: i64,
    highest: i64,
}

impl Here {
    /// How much deeper the stack is than where ways last met.
    fn rise(&self) -> i64 {
        self.pushed.len() as i64 - self.popped as i64
    }

    /// Count an op.
    fn count(&mut self, op: Op) {
        self.steps += 1;
        self.ops += i64::from(op != Op::Noop);
    }
}

/// A place on the tape that is written.
struct Write {
    at: Value,
    byte: Value,
    /// Whether a guard there would answer.
    is_guarded: bool,
}

struct Translation<'a, 'b> {
    target: &'a Target,
    shape: Shape,
    builder: FunctionBuilder<'b>,
    tape: Value,
    frame: Value,
    stack: Value,
    base: Value,
    depth: Variable,
    left: Variable,
    ops: Variable,
    laps: Variable,
    /// The block of each place where ways meet.
    blocks: Vec<Option<Block>>,
    /// The block that leaves the function.
    leave: Option<Block>,
}

/// Loads and stores of tape, stack and frame: never trap.
const MEMORY: MemFlagsData = MemFlagsData::trusted();

impl Translation<'_, '_> {
    /// Translate everything, from each place on where ways meet.
    fn crossings(&mut self) {
        for place in 0..self.blocks.len() {
            let Some(block) = self.blocks[place] else {
                continue;
            };
            self.builder.switch_to_block(block);
            let mut here = Here::default();
            if self.shape.is_head[place] {
                self.look_at_steps(&here, place);
            }
            if self.look_at_stack(&mut here, place) {
                self.straight(here, place);
            }
        }
    }

    /// Translate straight code from `place` on, and what it leads to as long as no
    /// other way does.
    fn straight(&mut self, mut here: Here, mut place: usize) {
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
                    if !self.skip_if(&mut here, place, skipped) {
                        return;
                    }
                    place = next;
                }
            }
            if self.shape.is_crossing[place] {
                self.settle(&here);
                return self.go(place);
            }
            let follows_skip = place > 0 && self.shape.ops[place - 1] == Op::SkipIf;
            if follows_skip && !self.look_at_stack(&mut here, place) {
                return;
            }
        }
    }

    /// Translate the skip at `place`, and what it skips to; whether there is more to
    /// translate, behind it.
    fn skip_if(&mut self, here: &mut Here, place: usize, skipped: Option<usize>) -> bool {
        let before = here.clone();
        let top = self.pop(here);
        here.pushed.push(top);
        let Some(skipped) = skipped else {
            self.leave_if(top, &before, place, Exit::End);
            here.count(Op::SkipIf);
            return true;
        };
        here.count(Op::SkipIf);
        let skip = self.builder.create_block();
        let on = self.builder.create_block();
        self.builder.ins().brif(top, skip, &[], on, &[]);
        self.builder.switch_to_block(skip);
        if self.shape.is_crossing[skipped] {
            self.settle(here);
            self.go(skipped);
        } else {
            let mut there = here.clone();
            if self.look_at_stack(&mut there, skipped) {
                self.straight(there, skipped);
            }
        }
        self.builder.switch_to_block(on);
        true
    }

    fn op(&mut self, here: &mut Here, place: usize) {
        let byte = self.shape.bytes[place];
        let op = self.shape.ops[place];
        let before = here.clone();
        let mut write = None;
        match op {
            Op::ReadA => self.read(here, 0, PROGRAM_LEN),
            Op::ReadB => self.read(here, PROGRAM_LEN, PROGRAM_LEN),
            Op::Read => self.read(here, 0, TAPE_LEN),
            Op::WriteA => write = Some(self.pop_write(here, 0, PROGRAM_LEN)),
            Op::WriteB => write = Some(self.pop_write(here, PROGRAM_LEN, PROGRAM_LEN)),
            Op::Write => write = Some(self.pop_write(here, 0, TAPE_LEN)),
            Op::CopyAToB => write = Some(self.copy_across(here, 0, PROGRAM_LEN)),
            Op::CopyBToA => write = Some(self.copy_across(here, PROGRAM_LEN, 0)),
            Op::Copy => {
                let at = self.pop_place(here, 0, TAPE_LEN);
                let from = self.pop_place(here, 0, TAPE_LEN);
                let byte = self.load_byte(from);
                let is_guarded = false;
                write = Some(Write {
                    at,
                    byte,
                    is_guarded,
                });
            }
            Op::FlipSide => {
                let top = self.pop(here);
                let top = self.builder.ins().bxor_imm_u(top, PROGRAM_LEN as i64);
                here.pushed.push(top);
            }
            Op::Dup => {
                let top = self.pop(here);
                here.pushed.extend([top, top]);
            }
            Op::Drop => {
                self.pop(here);
            }
            Op::Swap => {
                let a = self.pop(here);
                let b = self.pop(here);
                here.pushed.extend([a, b]);
            }
            Op::Increment | Op::Decrement => {
                let by = if op == Op::Increment { 1 } else { -1 };
                let top = self.pop(here);
                let top = self.builder.ins().iadd_imm_s(top, by);
                here.pushed.push(top);
            }
            Op::Add | Op::Subtract => {
                let a = self.pop(here);
                let b = self.pop(here);
                let result = match op {
                    Op::Add => self.builder.ins().iadd(a, b),
                    _ => self.builder.ins().isub(a, b),
                };
                here.pushed.push(result);
            }
            Op::Constant => {
                let constant = i64::from(byte % PROGRAM_LEN as u8);
                let constant = self.builder.ins().iconst(types::I8, constant);
                here.pushed.push(constant);
            }
            Op::SkipIf => unreachable!("has been translated"),
            Op::JumpForward | Op::JumpBack | Op::Noop => {}
        }
        if let Some(write) = write {
            self.write(&before, place, &write);
        }
        here.count(op);
    }

    fn pop(&mut self, here: &mut Here) -> Value {
        if let Some(value) = here.pushed.pop() {
            return value;
        }
        let index = here.popped;
        here.popped += 1;
        if let Some(entry) = here.entries.get(index) {
            return *entry;
        }
        let top = self.top();
        let from_top = -1 - index as i32;
        let entry = self.builder.ins().load(types::I8, MEMORY, top, from_top);
        here.entries.push(entry);
        entry
    }

    /// A pop as one of `count` places, a power of two, from `first` on.
    fn pop_place(&mut self, here: &mut Here, first: usize, count: usize) -> Value {
        let byte = self.pop(here);
        let place = self.builder.ins().uextend(types::I64, byte);
        let place = self.builder.ins().band_imm_u(place, count as i64 - 1);
        match first {
            0 => place,
            _ => self.builder.ins().iadd_imm_s(place, first as i64),
        }
    }

    /// Where the stack ended when ways last met.
    fn top(&mut self) -> Value {
        let depth = self.builder.use_var(self.depth);
        self.builder.ins().iadd(self.stack, depth)
    }

    fn load_byte(&mut self, place: Value) -> Value {
        let address = self.builder.ins().iadd(self.tape, place);
        self.builder.ins().load(types::I8, MEMORY, address, 0)
    }

    fn read(&mut self, here: &mut Here, first: usize, count: usize) {
        let place = self.pop_place(here, first, count);
        let byte = self.load_byte(place);
        here.pushed.push(byte);
    }

    fn pop_write(&mut self, here: &mut Here, first: usize, count: usize) -> Write {
        let byte = self.pop(here);
        let at = self.pop_place(here, first, count);
        Write {
            at,
            byte,
            is_guarded: first == PROGRAM_LEN,
        }
    }

    fn copy_across(&mut self, here: &mut Here, from: usize, to: usize) -> Write {
        let place = self.pop_place(here, 0, PROGRAM_LEN);
        let mut side = |first: usize| self.builder.ins().iadd_imm_s(place, first as i64);
        let (from, at) = (side(from), side(to));
        let byte = self.load_byte(from);
        Write {
            at,
            byte,
            is_guarded: to == PROGRAM_LEN,
        }
    }

    /// Write, or leave before `place`, as `before` says, if the write is none that can
    /// be done here.
    fn write(&mut self, before: &Here, place: usize, write: &Write) {
        if let Some(guard) = self.target.dialect.guard()
            && write.is_guarded
        {
            let old = self.load_byte(write.at);
            let guard = i64::from(guard);
            let is_guard = self.builder.ins().icmp_imm_u(IntCC::Equal, old, guard);
            self.leave_if(is_guard, before, place, Exit::Guard);
        }
        let len = self.shape.bytes.len();
        let within = self.builder.ins().isub(write.at, self.base);
        let within = self.builder.ins().band_imm_u(within, TAPE_LEN as i64 - 1);
        let is_own = IntCC::UnsignedLessThan;
        let is_own = self.builder.ins().icmp_imm_u(is_own, within, len as i64);
        let on = branch_aside(&mut self.builder, is_own);
        let old = self.load_byte(write.at);
        let (old, new) = (self.meaning(old), self.meaning(write.byte));
        let differs = self.builder.ins().icmp(IntCC::NotEqual, old, new);
        self.leave_if(differs, before, place, Exit::Rewritten);
        self.builder.ins().jump(on, &[]);
        self.builder.switch_to_block(on);
        let address = self.builder.ins().iadd(self.tape, write.at);
        self.builder.ins().store(MEMORY, write.byte, address, 0);
    }

    /// [`meaning`], as code.
    fn meaning(&mut self, byte: Value) -> Value {
        let noop = i64::from(self.target.dialect.first_noop());
        let noop = self.builder.ins().iconst(types::I8, noop);
        let least = self.builder.ins().umin(byte, noop);
        let is_low =
            self.builder
                .ins()
                .icmp_imm_u(IntCC::UnsignedLessThan, byte, i64::from(FIRST_CONSTANT));
        self.builder.ins().select(is_low, least, byte)
    }

    /// Go on at `place`, where ways meet.
    fn go(&mut self, place: usize) {
        if let Some(block) = self.blocks[place] {
            self.builder.ins().jump(block, &[]);
        }
    }

    /// Begin another lap, at `head`.
    fn jump_back(&mut self, here: &Here, head: usize) {
        self.settle(here);
        let laps = self.builder.use_var(self.laps);
        let laps = self.builder.ins().iadd_imm_s(laps, 1);
        self.builder.def_var(self.laps, laps);
        if self.target.pauses {
            let rest = self.builder.ins().band_imm_u(laps, LAPS_BETWEEN - 1);
            let is_due = self.builder.ins().icmp_imm_u(IntCC::Equal, rest, 0);
            self.leave_if(is_due, &Here::default(), head, Exit::Pause);
        }
        self.go(head);
    }

    /// Put everything that `here` says into the variables and on the stack.
    fn settle(&mut self, here: &Here) {
        self.store_stack(here);
        let [depth, left, ops] = self.numbers(here);
        self.builder.def_var(self.depth, depth);
        self.builder.def_var(self.left, left);
        self.builder.def_var(self.ops, ops);
    }

    /// Depth, steps left and ops.
    fn numbers(&mut self, here: &Here) -> [Value; 3] {
        let changes = [
            (self.depth, here.rise()),
            (self.left, -here.steps),
            (self.ops, here.ops),
        ];
        changes.map(|(variable, by)| {
            let value = self.builder.use_var(variable);
            self.builder.ins().iadd_imm_s(value, by)
        })
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
            self.builder.ins().store(MEMORY, value, top, from_top);
        }
    }

    /// Leave the function before `place` is run if the steps may not suffice.
    fn look_at_steps(&mut self, here: &Here, place: usize) {
        let reach = self.shape.reach(place) as i64;
        let left = self.builder.use_var(self.left);
        let less = IntCC::SignedLessThan;
        let short = self.builder.ins().icmp_imm_s(less, left, reach);
        self.leave_if(short, here, place, Exit::OutOfSteps);
    }

    /// Leave the function before `place` is run if the stack has too few entries for
    /// the straight code there, or too little room. Whether it may go on at all.
    fn look_at_stack(&mut self, here: &mut Here, place: usize) -> bool {
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
        let depth = self.builder.use_var(self.depth);
        let above = self.builder.ins().iadd_imm_s(depth, -here.needs);
        let greater = IntCC::UnsignedGreaterThan;
        let is_out = self.builder.ins().icmp_imm_u(greater, above, depths);
        self.leave_if(is_out, here, place, Exit::Stack);
        true
    }

    /// Leave the function, `place` being the next to be run, if `condition` holds.
    fn leave_if(&mut self, condition: Value, here: &Here, place: usize, exit: Exit) {
        let on = branch_aside(&mut self.builder, condition);
        self.leave(here, place, exit);
        self.builder.switch_to_block(on);
    }

    /// Leave the function, `place` being the next to be run.
    fn leave(&mut self, here: &Here, place: usize, exit: Exit) {
        self.store_stack(here);
        let [depth, left, ops] = self.numbers(here);
        let pc = self.builder.ins().iadd_imm_s(self.base, place as i64);
        let code = self.builder.ins().iconst(types::I32, exit as i64);
        let values = [pc, depth, left, ops, code].map(BlockArg::from);
        match self.leave {
            Some(block) => {
                self.builder.ins().jump(block, &values);
            }
            None => {
                let block = self.builder.create_block();
                self.leave = Some(block);
                self.builder.ins().jump(block, &values);
                self.way_out(block);
            }
        }
    }

    /// What `block` does, which all exits share.
    fn way_out(&mut self, block: Block) {
        self.builder.set_cold_block(block);
        for number in [types::I64, types::I64, types::I64, types::I64, types::I32] {
            self.builder.append_block_param(block, number);
        }
        self.builder.switch_to_block(block);
        let values = self.builder.block_params(block).to_vec();
        let offsets = [offset::PC, offset::DEPTH, offset::LEFT, offset::OPS];
        for (value, offset) in values.iter().zip(offsets) {
            self.builder.ins().store(MEMORY, *value, self.frame, offset);
        }
        let laps = self.builder.use_var(self.laps);
        self.builder
            .ins()
            .store(MEMORY, laps, self.frame, offset::LAPS);
        self.builder.ins().return_(&values[4..]);
    }
}
