//! Going straight on, from event to event.

use std::hint::select_unpredictable;

use crate::engine::bff::script::{LEN, Script};
use crate::language::bff::{Class, Dialect};
use crate::language::{TAPE_LEN, Tape};

/// A stretch of a walk that went straight on.
pub(super) struct Stretch {
    /// Where it began, and the script's first entry there.
    pub pc: usize,
    pub index: usize,
    /// The place where it ended: where the steps end, or the script, or where a
    /// byte has changed what it means.
    pub end: usize,
    /// The entry and the place of the bracket that jumped before that.
    pub jump: Option<(usize, usize)>,
    /// Whether any byte has changed what it means, and whether one did that
    /// does not lie ahead of the op that changed it.
    pub dirty: bool,
    pub dirty_behind: bool,
}

impl Stretch {
    /// Walk from `pc`, the place of or before entry `index` of the script, for
    /// at most `steps` steps.
    #[inline(always)]
    pub(super) fn walk(
        dialect: &Dialect,
        tape: &mut Tape,
        script: &Script,
        (pc, index): (usize, usize),
        steps: u32,
    ) -> Stretch {
        // Behind the program counter a changed byte matters only once it jumps.
        let mut end = script.end().min(pc + steps as usize);
        let mut lowest_change = TAPE_LEN;
        let mut events = script.events & !0 << index;
        let jump = loop {
            let event = events.trailing_zeros() as usize % LEN;
            let place = usize::from(script.place[event]);
            if place >= end {
                break None;
            }
            events &= events - 1;
            let (from, to) = script.goes(event);
            let old = tape[to];
            let new = tape[from].wrapping_add(script.add[event]);
            tape[to] = new;
            let class = dialect.class(old).bits();
            let change = (class ^ dialect.class(new).bits()) & Class::COMMAND;
            let changed = select_unpredictable(change == 0, TAPE_LEN, to);
            lowest_change = lowest_change.min(changed);
            end = end.min(select_unpredictable(changed > place, changed, TAPE_LEN));
            if class & script.jumps_at[event] != 0 {
                break Some((event, place));
            }
        };
        Stretch {
            pc,
            index,
            end,
            jump,
            dirty: lowest_change < TAPE_LEN,
            // What changed ahead lies behind the bracket, or the stretch had not
            // come here.
            dirty_behind: jump.is_some_and(|(_, bracket)| lowest_change <= bracket),
        }
    }
}
