//! What single ops of a Forth unit become.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};

use super::function::{Here, Translation};
use super::unit::FIRST_CONSTANT;
use crate::engine::jit::Exit;
use crate::language::forth::Op;
use crate::language::{PROGRAM_LEN, TAPE_LEN};

/// A place on the tape that is written.
struct Write {
    at: Value,
    byte: Value,
    /// Whether a guard byte there would answer.
    is_guarded: bool,
}

impl Translation<'_, '_> {
    pub(super) fn op(&mut self, here: &mut Here, place: usize) {
        let byte = self.shape.bytes[place];
        let op = self.shape.ops[place];
        let before = here.clone();
        let write = match op {
            Op::WriteA => Some(self.pop_write(here, 0, PROGRAM_LEN)),
            Op::WriteB => Some(self.pop_write(here, PROGRAM_LEN, PROGRAM_LEN)),
            Op::Write => Some(self.pop_write(here, 0, TAPE_LEN)),
            Op::CopyAToB => Some(self.copy_across(here, 0, PROGRAM_LEN)),
            Op::CopyBToA => Some(self.copy_across(here, PROGRAM_LEN, 0)),
            Op::Copy => Some(self.copy(here)),
            _ => {
                self.stack_op(here, op, byte);
                None
            }
        };
        if let Some(write) = write {
            self.write(&before, place, &write);
        }
        here.count(op);
    }

    /// An op that writes nothing to the tape.
    fn stack_op(&mut self, here: &mut Here, op: Op, byte: u8) {
        match op {
            Op::ReadA => self.read(here, 0, PROGRAM_LEN),
            Op::ReadB => self.read(here, PROGRAM_LEN, PROGRAM_LEN),
            Op::Read => self.read(here, 0, TAPE_LEN),
            Op::FlipSide => {
                let top = self.pop(here);
                let top = self.emit.ins().bxor_imm_u(top, PROGRAM_LEN as i64);
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
                let top = self.emit.add(top, by);
                here.pushed.push(top);
            }
            Op::Add | Op::Subtract => {
                let a = self.pop(here);
                let b = self.pop(here);
                let result = match op {
                    Op::Add => self.emit.ins().iadd(a, b),
                    _ => self.emit.ins().isub(a, b),
                };
                here.pushed.push(result);
            }
            Op::Constant => {
                let constant = i64::from(byte % PROGRAM_LEN as u8);
                let constant = self.emit.ins().iconst(types::I8, constant);
                here.pushed.push(constant);
            }
            Op::WriteA | Op::WriteB | Op::Write | Op::CopyAToB | Op::CopyBToA | Op::Copy => {
                unreachable!("writes to the tape")
            }
            Op::SkipIf => unreachable!("ends a block"),
            Op::JumpForward | Op::JumpBack | Op::Noop => {}
        }
    }

    pub(super) fn pop(&mut self, here: &mut Here) -> Value {
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
        let entry = self.emit.load_byte_at(top, from_top);
        here.entries.push(entry);
        entry
    }

    /// A pop as one of `count` places, a power of two, from `first` on.
    fn pop_place(&mut self, here: &mut Here, first: usize, count: usize) -> Value {
        let byte = self.pop(here);
        let place = self.emit.ins().uextend(types::I64, byte);
        let place = self.emit.ins().band_imm_u(place, count as i64 - 1);
        match first {
            0 => place,
            _ => self.emit.add(place, first as i64),
        }
    }

    fn read(&mut self, here: &mut Here, first: usize, count: usize) {
        let place = self.pop_place(here, first, count);
        let byte = self.emit.load_byte(place);
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

    fn copy(&mut self, here: &mut Here) -> Write {
        let at = self.pop_place(here, 0, TAPE_LEN);
        let from = self.pop_place(here, 0, TAPE_LEN);
        let byte = self.emit.load_byte(from);
        Write {
            at,
            byte,
            is_guarded: false,
        }
    }

    fn copy_across(&mut self, here: &mut Here, from: usize, to: usize) -> Write {
        let place = self.pop_place(here, 0, PROGRAM_LEN);
        let mut side = |first: usize| self.emit.add(place, first as i64);
        let (from, at) = (side(from), side(to));
        let byte = self.emit.load_byte(from);
        Write {
            at,
            byte,
            is_guarded: to == PROGRAM_LEN,
        }
    }

    /// Write, or leave before `place`, as `before` says, if the write cannot be done
    /// here.
    fn write(&mut self, before: &Here, place: usize, write: &Write) {
        if let Some(guard) = self.forth.dialect.guard()
            && write.is_guarded
        {
            let old = self.emit.load_byte(write.at);
            let guard = i64::from(guard);
            let is_guard = self.emit.is_equal(old, guard);
            self.leave_if(is_guard, before, place, Exit::Guard);
        }
        let len = self.shape.bytes.len();
        let within = self.emit.ins().isub(write.at, self.base);
        let within = self.emit.on_tape(within);
        let is_own = self.emit.is_below(within, len as i64);
        let on = self.emit.branch_aside(is_own);
        let old = self.emit.load_byte(write.at);
        let (old, new) = (self.meaning(old), self.meaning(write.byte));
        let differs = self.emit.ins().icmp(IntCC::NotEqual, old, new);
        self.leave_if(differs, before, place, Exit::Rewritten);
        self.emit.jump(on);
        self.emit.switch_to(on);
        self.emit.store_byte(write.byte, write.at);
    }

    /// A byte that means the same as `byte`; equal bytes mean the same.
    fn meaning(&mut self, byte: Value) -> Value {
        let noop = i64::from(self.forth.dialect.first_noop());
        let noop = self.emit.ins().iconst(types::I8, noop);
        let least = self.emit.ins().umin(byte, noop);
        let is_low = self.emit.is_below(byte, i64::from(FIRST_CONSTANT));
        self.emit.ins().select(is_low, least, byte)
    }
}
