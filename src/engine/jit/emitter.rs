//! Writes native functions: what those of every family have in common.
//!
//! A function gets a tape and a frame that begins with a [`RunState`](super::frame::RunState).
//! It keeps the state's counts in variables, which are up to date where basic blocks begin;
//! what a block has taken so far is [`Pending`]. All guards share one side exit, which puts the
//! numbers back into the frame.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    AbiParam, Block, BlockArg, Function, InstBuilder, MemFlagsData, SigRef, Signature, Type, Value,
    types,
};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig, TargetIsa};
use cranelift_frontend::{FuncInstBuilder, FunctionBuilder, FunctionBuilderContext, Variable};

use super::exit::Exit;
use super::frame::offset;
use crate::language::TAPE_LEN;

/// What functions are written for.
#[derive(Clone, Copy)]
pub(crate) struct Machine {
    frontend: TargetFrontendConfig,
    call_conv: CallConv,
}

impl Machine {
    pub(crate) fn of(isa: &dyn TargetIsa) -> Machine {
        Machine {
            frontend: isa.frontend_config(),
            call_conv: CallConv::triple_default(isa.triple()),
        }
    }

    /// The signature of a function of `pointers`.
    fn signature(&self, pointers: usize, returns: &[Type]) -> Signature {
        let mut signature = Signature::new(self.call_conv);
        signature.params = vec![AbiParam::new(self.frontend.pointer_type()); pointers];
        signature.returns = returns.iter().copied().map(AbiParam::new).collect();
        signature
    }
}

/// Steps and ops of a basic block that the variables do not have yet.
#[derive(Clone, Copy, Default)]
pub(crate) struct Pending {
    pub steps: i64,
    pub ops: i64,
}

/// Writes one native function.
pub(crate) struct Emitter<'f> {
    pub builder: FunctionBuilder<'f>,
    machine: Machine,
    tape: Value,
    frame: Value,
    steps_left: Variable,
    ops: Variable,
    iterations: Variable,
    counts_iterations: bool,
    /// The block that every guard leaves the function through.
    side_exit: Option<Block>,
}

/// Loads and stores of tape, stack, frame and tables: never trap.
const MEMORY: MemFlagsData = MemFlagsData::trusted();

impl<'f> Emitter<'f> {
    /// Begin `function`, an empty one.
    pub(crate) fn start(
        machine: Machine,
        function: &'f mut Function,
        context: &'f mut FunctionBuilderContext,
    ) -> Emitter<'f> {
        function.signature = machine.signature(2, &[types::I32]);
        let mut builder = FunctionBuilder::new(function, context);
        let entry = builder.create_block();
        builder.append_block_params_for_function_params(entry);
        builder.switch_to_block(entry);
        let [tape, frame] = *builder.block_params(entry) else {
            unreachable!("the signature has two parameters");
        };
        let mut variable = || builder.declare_var(types::I64);
        let [steps_left, ops, iterations] = [variable(), variable(), variable()];
        Emitter {
            builder,
            machine,
            tape,
            frame,
            steps_left,
            ops,
            iterations,
            counts_iterations: true,
            side_exit: None,
        }
    }

    /// Set the variables of the state's counts, ops from the frame or to what they are known
    /// to be.
    pub(crate) fn begin_counts(&mut self, known_ops: Option<i64>) {
        self.set_from_frame(self.steps_left, offset::STEPS_LEFT);
        let ops = match known_ops {
            Some(ops) => self.constant(ops),
            None => self.load_number(offset::OPS),
        };
        self.set(self.ops, ops);
        let none = self.constant(0);
        self.set(self.iterations, none);
    }

    /// Do not tell the frame of iterations: there are none.
    pub(crate) fn has_no_iterations(&mut self) {
        self.counts_iterations = false;
    }

    /// The function is complete.
    pub(crate) fn finish(mut self) {
        self.builder.seal_all_blocks();
        self.builder.finalize(self.machine.frontend);
    }

    /// The next instruction.
    pub(crate) fn ins(&mut self) -> FuncInstBuilder<'_, 'f> {
        self.builder.ins()
    }

    pub(crate) fn constant(&mut self, number: i64) -> Value {
        self.ins().iconst(types::I64, number)
    }

    /// The address of what lives as long as the code.
    pub(crate) fn address(&mut self, of: usize) -> Value {
        let pointer = self.machine.frontend.pointer_type();
        self.ins().iconst(pointer, of as i64)
    }

    pub(crate) fn add(&mut self, value: Value, by: i64) -> Value {
        self.ins().iadd_imm_s(value, by)
    }

    /// `value` modulo the tape's length.
    pub(crate) fn on_tape(&mut self, value: Value) -> Value {
        self.ins().band_imm_u(value, TAPE_LEN as i64 - 1)
    }

    pub(crate) fn is_below(&mut self, value: Value, end: i64) -> Value {
        self.ins().icmp_imm_u(IntCC::UnsignedLessThan, value, end)
    }

    pub(crate) fn is_at_most(&mut self, value: Value, last: i64) -> Value {
        let less = IntCC::UnsignedLessThanOrEqual;
        self.ins().icmp_imm_u(less, value, last)
    }

    pub(crate) fn is_above(&mut self, value: Value, than: i64) -> Value {
        let greater = IntCC::UnsignedGreaterThan;
        self.ins().icmp_imm_u(greater, value, than)
    }

    pub(crate) fn is_equal(&mut self, value: Value, to: i64) -> Value {
        self.ins().icmp_imm_u(IntCC::Equal, value, to)
    }
}

/// Variables and blocks.
impl Emitter<'_> {
    pub(crate) fn variable(&mut self) -> Variable {
        self.builder.declare_var(types::I64)
    }

    pub(crate) fn get(&mut self, variable: Variable) -> Value {
        self.builder.use_var(variable)
    }

    pub(crate) fn set(&mut self, variable: Variable, value: Value) {
        self.builder.def_var(variable, value);
    }

    pub(crate) fn set_from_frame(&mut self, variable: Variable, offset: i32) {
        let value = self.load_number(offset);
        self.set(variable, value);
    }

    pub(crate) fn block(&mut self) -> Block {
        self.builder.create_block()
    }

    /// A block that hardly any run comes to.
    pub(crate) fn cold_block(&mut self) -> Block {
        let block = self.builder.create_block();
        self.builder.set_cold_block(block);
        block
    }

    pub(crate) fn switch_to(&mut self, block: Block) {
        self.builder.switch_to_block(block);
    }

    pub(crate) fn jump(&mut self, block: Block) {
        self.ins().jump(block, &[]);
    }

    /// Go to `then` where `condition` is not 0.
    pub(crate) fn branch(&mut self, condition: Value, then: Block, otherwise: Block) {
        self.ins().brif(condition, then, &[], otherwise, &[]);
    }

    /// Where `condition` is not 0, go to a cold block, where building goes on; the block of all
    /// other runs, which is empty yet.
    pub(crate) fn branch_aside(&mut self, condition: Value) -> Block {
        let side = self.builder.create_block();
        let on = self.builder.create_block();
        self.builder.set_cold_block(side);
        self.branch(condition, side, on);
        self.switch_to(side);
        on
    }
}

/// Memory.
impl Emitter<'_> {
    pub(crate) fn load_number(&mut self, offset: i32) -> Value {
        let frame = self.frame;
        self.ins().load(types::I64, MEMORY, frame, offset)
    }

    pub(crate) fn load_pointer(&mut self, offset: i32) -> Value {
        let (pointer, frame) = (self.machine.frontend.pointer_type(), self.frame);
        self.ins().load(pointer, MEMORY, frame, offset)
    }

    pub(crate) fn store_number(&mut self, value: Value, offset: i32) {
        let frame = self.frame;
        self.ins().store(MEMORY, value, frame, offset);
    }

    /// The byte of the tape at `place`, which must be below its length.
    pub(crate) fn load_byte(&mut self, place: Value) -> Value {
        let tape = self.tape;
        let address = self.ins().iadd(tape, place);
        self.load_byte_at(address, 0)
    }

    /// As [`Emitter::load_byte`].
    pub(crate) fn store_byte(&mut self, byte: Value, place: Value) {
        let tape = self.tape;
        let address = self.ins().iadd(tape, place);
        self.store_byte_at(byte, address, 0);
    }

    pub(crate) fn load_byte_at(&mut self, address: Value, offset: i32) -> Value {
        self.ins().load(types::I8, MEMORY, address, offset)
    }

    pub(crate) fn store_byte_at(&mut self, byte: Value, address: Value, offset: i32) {
        self.ins().store(MEMORY, byte, address, offset);
    }

    /// The entry of a table for a byte.
    pub(crate) fn look_up(&mut self, table: &'static [u8; 256], byte: Value) -> Value {
        let pointer = self.machine.frontend.pointer_type();
        let byte = self.ins().uextend(pointer, byte);
        let table = self.address(table.as_ptr() as usize);
        let address = self.ins().iadd(table, byte);
        let memory = MEMORY.with_readonly();
        self.ins().load(types::I8, memory, address, 0)
    }
}

/// Counts of steps, ops and iterations.
impl Emitter<'_> {
    /// Steps left once `pending` is paid for.
    pub(crate) fn steps_left(&mut self, pending: Pending) -> Value {
        let left = self.get(self.steps_left);
        self.add(left, -pending.steps)
    }

    /// The steps left as of the start of the basic block.
    pub(crate) fn steps_left_at_start(&mut self) -> Value {
        self.get(self.steps_left)
    }

    /// Ops with those of `pending`.
    pub(crate) fn ops(&mut self, pending: Pending) -> Value {
        let ops = self.get(self.ops);
        self.add(ops, pending.ops)
    }

    /// Have the variables count `pending`.
    pub(crate) fn commit(&mut self, pending: Pending) {
        let left = self.steps_left(pending);
        self.set(self.steps_left, left);
        let ops = self.ops(pending);
        self.set(self.ops, ops);
    }

    /// Have the variables count `times` as much as `pending`.
    pub(crate) fn commit_times(&mut self, pending: Pending, times: Value) {
        let steps = self.ins().imul_imm_s(times, pending.steps);
        let left = self.get(self.steps_left);
        let left = self.ins().isub(left, steps);
        self.set(self.steps_left, left);
        let more = self.ins().imul_imm_s(times, pending.ops);
        let ops = self.get(self.ops);
        let ops = self.ins().iadd(ops, more);
        self.set(self.ops, ops);
    }

    /// Take steps and ops from the frame again, which a call has changed.
    pub(crate) fn reload_counts(&mut self) {
        self.set_from_frame(self.steps_left, offset::STEPS_LEFT);
        self.set_from_frame(self.ops, offset::OPS);
    }

    /// Put steps and ops into the frame.
    pub(crate) fn store_counts(&mut self, pending: Pending) {
        let left = self.steps_left(pending);
        self.store_number(left, offset::STEPS_LEFT);
        let ops = self.ops(pending);
        self.store_number(ops, offset::OPS);
    }

    pub(crate) fn iterations(&mut self) -> Value {
        self.get(self.iterations)
    }

    /// Count `times` more iterations; how many there are then.
    pub(crate) fn count_iterations(&mut self, times: Value) -> Value {
        let iterations = self.get(self.iterations);
        let iterations = self.ins().iadd(iterations, times);
        self.set(self.iterations, iterations);
        iterations
    }

    /// As [`Emitter::count_iterations`], a number that is known.
    pub(crate) fn count_iterations_by(&mut self, times: i64) -> Value {
        let iterations = self.get(self.iterations);
        let iterations = self.add(iterations, times);
        self.set(self.iterations, iterations);
        iterations
    }

    pub(crate) fn store_iterations(&mut self) {
        if self.counts_iterations {
            let iterations = self.get(self.iterations);
            self.store_number(iterations, offset::ITERATIONS);
        }
    }
}

/// Calls and exits.
impl Emitter<'_> {
    /// The signature of a function to call, of so many pointers.
    pub(crate) fn import_signature(&mut self, pointers: usize, returns: &[Type]) -> SigRef {
        let signature = self.machine.signature(pointers, returns);
        self.builder.import_signature(signature)
    }

    /// Call `function` with the tape, the frame and this address, if any; the results.
    pub(crate) fn call(
        &mut self,
        signature: SigRef,
        function: usize,
        data: Option<usize>,
    ) -> &[Value] {
        let callee = self.address(function);
        let data = data.map(|data| self.address(data));
        let (tape, frame) = (self.tape, self.frame);
        let arguments: Vec<Value> = [tape, frame].into_iter().chain(data).collect();
        let call = self.ins().call_indirect(signature, callee, &arguments);
        self.builder.inst_results(call)
    }

    pub(crate) fn exit_code(&mut self, exit: Exit) -> Value {
        self.ins().iconst(types::I32, exit as i64)
    }

    pub(crate) fn return_code(&mut self, code: Value) {
        self.ins().return_(&[code]);
    }

    /// Leave through the shared side exit, with `code` and with `numbers` put at these offsets
    /// of the frame: the same offsets for every exit of a function.
    pub(crate) fn leave<const N: usize>(&mut self, code: Value, numbers: [(i32, Value); N]) {
        let is_new = self.side_exit.is_none();
        let block = match self.side_exit {
            Some(block) => block,
            None => self.cold_block(),
        };
        self.side_exit = Some(block);
        let values = numbers.map(|(_, value)| BlockArg::from(value));
        let values: Vec<BlockArg> = values.into_iter().chain([code.into()]).collect();
        if is_new {
            for _ in numbers {
                self.builder.append_block_param(block, types::I64);
            }
            self.builder.append_block_param(block, types::I32);
        }
        self.ins().jump(block, &values);
        if is_new {
            self.write_side_exit(block, numbers.map(|(offset, _)| offset));
        }
    }

    fn write_side_exit<const N: usize>(&mut self, block: Block, offsets: [i32; N]) {
        self.switch_to(block);
        let values = self.builder.block_params(block).to_vec();
        for (value, offset) in values.iter().zip(offsets) {
            self.store_number(*value, offset);
        }
        self.store_iterations();
        self.return_code(values[N]);
    }
}
