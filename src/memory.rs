//! Memory for programs and pairings.

use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;

use crate::Error;

/// Size of a huge page. Programs meet at random, so with small pages every access would miss the
/// TLB; with huge pages it does not.
const HUGE_PAGE: usize = 2 << 20;

/// Zeroed bytes, aligned to a huge page and in huge pages if the system provides them. A program
/// that starts at a multiple of its length lies in one cache line.
#[derive(Debug)]
pub(crate) struct Memory {
    map: MmapMut,
    start: usize,
    len: usize,
}

impl Memory {
    /// Room for `bytes` bytes for each of `num_programs` programs.
    pub(crate) fn zeroed(num_programs: usize, bytes: usize) -> Result<Memory, Error> {
        let too_big = || too_big(num_programs, bytes);
        let len = num_programs.checked_mul(bytes).ok_or_else(too_big)?;
        let with_margin = len.checked_add(HUGE_PAGE).ok_or_else(too_big)?;
        let map = MmapMut::map_anon(with_margin).map_err(|_| too_big())?;
        let start = map.as_ptr().align_offset(HUGE_PAGE);
        #[cfg(target_os = "linux")]
        {
            // It is only slower without huge pages, so a refusal is not an error.
            let _ = map.advise_range(memmap2::Advice::HugePage, start, len);
        }
        Ok(Memory { map, start, len })
    }
}

impl Deref for Memory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map[self.start..self.start + self.len]
    }
}

impl DerefMut for Memory {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.map[self.start..self.start + self.len]
    }
}

/// Whether there is memory for a soup of this many programs of this length, and a copy of it.
pub(crate) fn check_memory(num_programs: usize, program_len: usize) -> Result<(), Error> {
    let needed = num_programs.saturating_mul(2 * program_len) as u64;
    if available().is_some_and(|available| needed > available) {
        return Err(too_big(num_programs, program_len));
    }
    Ok(())
}

fn too_big(num_programs: usize, bytes: usize) -> Error {
    Error::Setting(format!(
        "a soup of {num_programs} programs needs {} MiB of memory, more than this machine has \
         free; choose a smaller `num_programs`",
        num_programs.saturating_mul(2 * bytes) >> 20
    ))
}

/// Bytes of memory available without swapping, if the system tells.
pub(crate) fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::PROGRAM_LEN;

    #[test]
    fn programs_lie_in_one_cache_line_each() {
        for num_programs in [2, 1000, 1 << 16] {
            let mut programs = Memory::zeroed(num_programs, PROGRAM_LEN).unwrap();
            assert_eq!(programs.as_ptr() as usize % HUGE_PAGE, 0);
            assert_eq!(programs.len(), num_programs * PROGRAM_LEN);
            programs.fill(7);
        }
        assert!(Memory::zeroed(1 << 60, PROGRAM_LEN).is_err());
        assert!(check_memory(1 << 40, PROGRAM_LEN).is_err());
    }
}
