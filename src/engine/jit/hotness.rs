//! How often units that are not native come up.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// How often units come up that are not native, about: many units share few
/// counters, and one that comes up more often than the others drives them out.
///
/// Threads count without waiting for each other; a count that gets lost makes a unit
/// native later, and changes nothing else.
pub(super) struct Hotness {
    counters: Box<[Counter]>,
}

#[derive(Default)]
struct Counter {
    fingerprint: AtomicU64,
    count: AtomicU32,
}

impl Hotness {
    pub(super) fn new(counters: usize) -> Hotness {
        Hotness {
            counters: (0..counters.next_power_of_two())
                .map(|_| Counter::default())
                .collect(),
        }
    }

    /// Count a unit that came up so many `times`, one or more; whether that made it
    /// reach `threshold`.
    #[inline]
    pub(super) fn count(&self, fingerprint: u64, times: u32, threshold: u32) -> bool {
        let counter = &self.counters[(fingerprint >> 32) as usize & (self.counters.len() - 1)];
        let count = counter.count.load(Relaxed);
        let is_same = counter.fingerprint.load(Relaxed) == fingerprint;
        if !is_same && count >= times {
            counter.count.store(count - times, Relaxed);
            return false;
        }
        let before = if is_same { count } else { 0 };
        let now = before.saturating_add(times);
        counter.fingerprint.store(fingerprint, Relaxed);
        counter.count.store(now, Relaxed);
        before < threshold && now >= threshold
    }

    /// Forget everything.
    pub(super) fn clear(&mut self) {
        for counter in &mut self.counters {
            *counter = Counter::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_becomes_hot_once() {
        let hotness = Hotness::new(16);
        let counts = [3, 4, 4, 1].map(|times| hotness.count(7, times, 10));
        assert_eq!(counts, [false, false, true, false]);
    }

    #[test]
    fn units_that_share_a_counter_drive_each_other_out() {
        let mut hotness = Hotness::new(16);
        assert!(!hotness.count(7, 3, 5));
        // The other one's count is used up first.
        assert!(!hotness.count(8, 3, 5));
        assert!(hotness.count(8, 5, 5));
        hotness.clear();
        assert!(!hotness.count(8, 4, 5));
    }
}
