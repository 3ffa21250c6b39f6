//! Scripts: a BFF tape's ops one after the other, decoded. Where each lies, how far the heads have
//! moved before it, and what it does there.
//!
//! A script is what makes the no-ops between ops cost nothing, and the moves of heads next to
//! nothing: steps, ops and places of the heads are differences between two entries. It is exact as
//! long as the program counter goes straight on and no byte ahead changes which command it is;
//! whoever follows a script looks at each byte that it writes (`walk/stretch.rs`).

use std::ops::Range;

use crate::engine::places::below;
use crate::engine::simd::Vectors;
use crate::language::bff::{Class, Dialect, Op};
use crate::language::{TAPE_LEN, Tape};

/// Ops of a script and one place more, for where it ends.
pub(crate) const LEN: usize = 64;

/// The ops of a tape from a place on, as long as the program counter goes
/// straight on and no byte changes what it means. Entry i is the i-th op.
///
/// Heads are counted from a base, which [`Script::aim`] sets once a walk gets to
/// some op with its heads in some places.
#[derive(Clone)]
#[repr(align(64))]
pub(crate) struct Script {
    /// Where each op lies, and behind the last the place where the script ends.
    pub place: [u8; 2 * LEN],
    /// How far the heads have moved before each op, modulo 256.
    pub moved0: [u8; LEN],
    pub moved1: [u8; LEN],
    /// Each event's byte, plus `add`, goes from one place to another, both below 128.
    /// A bracket leaves head 0's byte as it is. See [`Script::goes`].
    from: [u8; LEN],
    to: [u8; LEN],
    pub add: [u8; LEN],
    /// The bit of a byte's class that makes this bracket jump.
    pub jumps_at: [u8; LEN],
    /// The entries that are events: brackets, writes, and the end.
    pub events: u64,
    /// The entries that read at head 1 and that write there.
    pub from1: u64,
    pub to1: u64,
    /// The ops by their places.
    pub ops: u128,
    /// Number of ops.
    pub len: usize,
    /// First place that the script tells of.
    pub first: usize,
    base0: usize,
    base1: usize,
}

/// By the command bits of a class: how far it moves the heads, and what it
/// adds and jumps at, where it is an event.
#[repr(align(16))]
pub(crate) struct Effects {
    pub move0: [u8; 16],
    pub move1: [u8; 16],
    pub add: [u8; 16],
    pub jumps_at: [u8; 16],
}

/// Of the command bits of classes, the last that is an event.
pub(crate) const LAST_EVENT: u8 = Class::command(Op::CopyTo0);

/// Indexed by whether a copy moves head 1.
pub(crate) static EFFECTS: [Effects; 2] = [Effects::new(false), Effects::new(true)];

impl Effects {
    const fn new(copy_moves: bool) -> Effects {
        let mut effects = Effects {
            move0: [0; 16],
            move1: [0; 16],
            add: [0; 16],
            jumps_at: [0; 16],
        };
        effects.move0[Class::command(Op::Left0) as usize] = 0xff;
        effects.move0[Class::command(Op::Right0) as usize] = 1;
        effects.move1[Class::command(Op::Left1) as usize] = 0xff;
        effects.move1[Class::command(Op::Right1) as usize] = 1;
        effects.move1[Class::command(Op::CopyTo0) as usize] = copy_moves as u8;
        effects.add[Class::command(Op::Increment) as usize] = 1;
        effects.add[Class::command(Op::Decrement) as usize] = 0xff;
        effects.jumps_at[Class::command(Op::Open) as usize] = Class::NULL;
        effects.jumps_at[Class::command(Op::Close) as usize] = Class::SET;
        effects
    }

    /// The effects of a dialect's commands.
    #[inline(always)]
    pub(crate) fn of(dialect: &Dialect) -> &'static Effects {
        &EFFECTS[usize::from(dialect.copy_moves())]
    }
}

impl Script {
    pub(crate) const EMPTY: Script = Script {
        place: [0; 2 * LEN],
        moved0: [0; LEN],
        moved1: [0; LEN],
        from: [0; LEN],
        to: [0; LEN],
        add: [0; LEN],
        jumps_at: [0; LEN],
        events: 0,
        from1: 0,
        to1: 0,
        ops: 0,
        len: 0,
        first: 0,
        base0: 0,
        base1: 0,
    };

    /// Where the script ends: the tape's end, or an op too many.
    #[inline(always)]
    pub(crate) fn end(&self) -> usize {
        usize::from(self.place[self.len % LEN])
    }

    /// The number of ops before `place`.
    #[inline(always)]
    pub(crate) fn index<V: Vectors>(&self, vectors: V, place: usize) -> usize {
        let (low, high) = (self.ops as u64, (self.ops >> 64) as u64);
        let low = vectors.lowest(low, place);
        let high = vectors.lowest(high, place.saturating_sub(64));
        (low.count_ones() + high.count_ones()) as usize
    }

    /// Where the byte of entry `event` comes from and where it goes to, on the tape.
    #[inline(always)]
    pub(crate) fn goes(&self, event: usize) -> (usize, usize) {
        let (from, to) = (self.from[event % LEN], self.to[event % LEN]);
        debug_assert!(from < TAPE_LEN as u8 && to < TAPE_LEN as u8);
        // SAFETY: they are private, zeros at first, and written by `aim_each`, which takes them
        // modulo 128, and by what has promised as much to `goes_mut`. So the tape needs no look
        // at its bounds.
        unsafe {
            std::hint::assert_unchecked(from < TAPE_LEN as u8);
            std::hint::assert_unchecked(to < TAPE_LEN as u8);
        }
        (usize::from(from), usize::from(to))
    }

    /// What [`Script::goes`] tells, of all entries.
    ///
    /// # Safety
    ///
    /// Nothing but numbers below 128 may be written.
    #[inline(always)]
    pub(crate) unsafe fn goes_mut(&mut self) -> [&mut [u8; LEN]; 2] {
        [&mut self.from, &mut self.to]
    }

    /// The heads before entry `index`.
    #[inline(always)]
    pub(crate) fn heads(&self, index: usize) -> (usize, usize) {
        (
            (self.base0 + usize::from(self.moved0[index % LEN])) % TAPE_LEN,
            (self.base1 + usize::from(self.moved1[index % LEN])) % TAPE_LEN,
        )
    }

    /// Tell of `tape` from `first` on.
    #[inline(always)]
    pub(crate) fn read<V: Vectors>(
        &mut self,
        vectors: V,
        dialect: &Dialect,
        tape: &Tape,
        first: usize,
    ) {
        self.first = first;
        vectors.decode(dialect, tape, self);
    }

    /// Tell of `tape` so that `place` is told of, of all of it if possible.
    #[inline(always)]
    pub(crate) fn read_around<V: Vectors>(
        &mut self,
        vectors: V,
        dialect: &Dialect,
        tape: &Tape,
        place: usize,
    ) {
        self.read(vectors, dialect, tape, 0);
        if !self.tells_of(place) {
            self.read(vectors, dialect, tape, place);
        }
    }

    /// Whether the script tells of `place`.
    #[inline(always)]
    pub(crate) fn tells_of(&self, place: usize) -> bool {
        (self.first..self.end()).contains(&place)
    }

    /// Whether each of these places of `tape`, of which the script tells, still is the command that
    /// it says.
    #[inline(never)]
    pub(crate) fn is_true_of<V: Vectors>(
        &self,
        vectors: V,
        dialect: &Dialect,
        tape: &Tape,
        mut places: Range<usize>,
    ) -> bool {
        let effects = Effects::of(dialect);
        let mut entry = self.index(vectors, places.start);
        places.all(|place| {
            let command = dialect.class(tape[place]).bits() & Class::COMMAND;
            if self.ops >> place & 1 == 0 {
                return command == 0;
            }
            let [at, next] = [entry % LEN, (entry + 1) % LEN];
            entry += 1;
            let does = |command: u8| {
                let effect = usize::from(command);
                [
                    effects.move0[effect],
                    effects.move1[effect],
                    effects.add[effect],
                    effects.jumps_at[effect],
                    u8::from(command == Class::command(Op::CopyTo0)),
                    u8::from(command == Class::command(Op::CopyTo1)),
                ]
            };
            does(command)
                == [
                    self.moved0[next].wrapping_sub(self.moved0[at]),
                    self.moved1[next].wrapping_sub(self.moved1[at]),
                    self.add[at],
                    self.jumps_at[at],
                    (self.from1 >> at & 1) as u8,
                    (self.to1 >> at & 1) as u8,
                ]
        })
    }

    /// The entry of the `]` that matches the `[` at entry `open`, if the script
    /// tells of it.
    #[inline(always)]
    pub(crate) fn matching_close<V: Vectors>(&self, vectors: V, open: usize) -> Option<usize> {
        let (opens, closes) = vectors.brackets(self);
        let mut rest = (opens | closes) & self.all() & !1 << open;
        let mut depth = 0;
        while rest != 0 {
            let entry = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            if opens >> entry & 1 == 1 {
                depth += 1;
            } else if depth == 0 {
                return Some(entry);
            } else {
                depth -= 1;
            }
        }
        None
    }

    /// The entry of the `[` that matches the `]` at entry `close`, if the script
    /// tells of it.
    #[inline(always)]
    pub(crate) fn matching_open<V: Vectors>(&self, vectors: V, close: usize) -> Option<usize> {
        let (opens, closes) = vectors.brackets(self);
        let mut rest = (opens | closes) & !(!0 << close);
        let mut depth = 0;
        while rest != 0 {
            let entry = 63 - rest.leading_zeros() as usize;
            rest ^= 1 << entry;
            if closes >> entry & 1 == 1 {
                depth += 1;
            } else if depth == 0 {
                return Some(entry);
            } else {
                depth -= 1;
            }
        }
        None
    }

    /// The bits of all entries.
    #[inline(always)]
    fn all(&self) -> u64 {
        below(self.len) as u64
    }

    /// Have the heads at `head0` and `head1` before entry `index`.
    #[inline(always)]
    pub(crate) fn aim<V: Vectors>(&mut self, vectors: V, index: usize, head0: usize, head1: usize) {
        let back = |head: usize, moved: u8| head.wrapping_sub(usize::from(moved)) % TAPE_LEN;
        let base0 = back(head0, self.moved0[index % LEN]);
        let base1 = back(head1, self.moved1[index % LEN]);
        self.aim_first(vectors, base0, base1);
    }

    /// Have the heads at `head0` and `head1` before the first entry.
    #[inline(always)]
    pub(crate) fn aim_first<V: Vectors>(&mut self, vectors: V, head0: usize, head1: usize) {
        (self.base0, self.base1) = (head0, head1);
        vectors.aim(self, head0 as u8, head1 as u8);
    }

    /// What [`Vectors::decode`] does, entry by entry.
    #[inline(always)]
    pub(crate) fn decode(&mut self, dialect: &Dialect, tape: &Tape, ops: u128) {
        let effects = Effects::of(dialect);
        let (mut moved0, mut moved1) = (0u8, 0u8);
        let mut rest = ops;
        (self.ops, self.events, self.from1, self.to1) = (ops, 0, 0, 0);
        self.len = (ops.count_ones() as usize).min(LEN - 1);
        for i in 0..self.len {
            let place = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            let command = dialect.class(tape[place]).bits() & Class::COMMAND;
            let effect = usize::from(command);
            self.place[i] = place as u8;
            self.moved0[i] = moved0;
            self.moved1[i] = moved1;
            self.add[i] = effects.add[effect];
            self.jumps_at[i] = effects.jumps_at[effect];
            self.events |= u64::from(command <= LAST_EVENT) << i;
            self.from1 |= u64::from(command == Class::command(Op::CopyTo0)) << i;
            self.to1 |= u64::from(command == Class::command(Op::CopyTo1)) << i;
            moved0 = moved0.wrapping_add(effects.move0[effect]);
            moved1 = moved1.wrapping_add(effects.move1[effect]);
        }
        self.place[self.len] = rest.trailing_zeros() as u8;
        self.moved0[self.len] = moved0;
        self.moved1[self.len] = moved1;
        self.events |= 1 << self.len;
    }

    /// What [`Vectors::aim`] does, entry by entry.
    #[inline(always)]
    pub(crate) fn aim_each(&mut self, base0: u8, base1: u8) {
        for i in 0..self.len {
            let [head0, head1] = [
                base0.wrapping_add(self.moved0[i]),
                base1.wrapping_add(self.moved1[i]),
            ]
            .map(|head| head % TAPE_LEN as u8);
            self.from[i] = if self.from1 >> i & 1 == 1 {
                head1
            } else {
                head0
            };
            self.to[i] = if self.to1 >> i & 1 == 1 { head1 } else { head0 };
        }
    }
}
