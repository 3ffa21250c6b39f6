//! Several runs in turns: what one waits for, the others use.

use std::hint::select_unpredictable;

/// Runs that take turns.
const LANES: usize = 4;

/// Give runs 0 to `count` turns until all are over but the last few, which are
/// left somewhere on their way.
///
/// `turn` is told which run has its turn and how far it is, and answers with how
/// far it has got and whether that was its last turn. A run begins at `start`.
///
/// A step waits for the one before it, which says where the next one is, and
/// most runs are over after a few, nobody can guess how many. So some of them take
/// turns, and where one is over, the next one takes its place without a branch.
#[inline(always)]
pub fn take_turns<R: Copy>(count: usize, start: R, mut turn: impl FnMut(usize, R) -> (R, bool)) {
    if count < LANES {
        return;
    }
    // By lane: which run it is at, and how far that is.
    let mut index: [usize; LANES] = std::array::from_fn(|lane| lane);
    let mut run = [start; LANES];
    let mut next = LANES;
    loop {
        for lane in 0..LANES {
            let (now, over) = turn(index[lane], run[lane]);
            if over & (next == count) {
                return;
            }
            index[lane] = select_unpredictable(over, next, index[lane]);
            run[lane] = select_unpredictable(over, start, now);
            next += usize::from(over);
        }
    }
}
