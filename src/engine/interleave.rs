//! Interleaving: the steps of several runs by turns, so that while one waits the others go on.

use std::hint::select_unpredictable;

/// Runs that are interleaved.
const WIDTH: usize = 4;

/// Run numbers 0 to `count`, interleaved, until all are over but the last few, which are
/// left unfinished, wherever they are.
///
/// `step` is told which run to take a step of and how far it is, and answers with how
/// far it has got and whether it is over. A run begins at `start`.
///
/// A step waits for the one before it, which says where the next one is, and
/// most runs are over after a few, nobody can guess how many. So several of them are
/// interleaved, and where one is over, the next one takes its place without a branch.
#[inline(always)]
pub(super) fn interleave<R: Copy>(
    count: usize,
    start: R,
    mut step: impl FnMut(usize, R) -> (R, bool),
) {
    if count < WIDTH {
        return;
    }
    // For each slot, which run it is at, and how far that is.
    let mut index: [usize; WIDTH] = std::array::from_fn(|slot| slot);
    let mut run = [start; WIDTH];
    let mut next = WIDTH;
    loop {
        for slot in 0..WIDTH {
            let (now, over) = step(index[slot], run[slot]);
            if over & (next == count) {
                return;
            }
            index[slot] = select_unpredictable(over, next, index[slot]);
            run[slot] = select_unpredictable(over, start, now);
            next += usize::from(over);
        }
    }
}
