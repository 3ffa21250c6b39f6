//! Memory for programs and pairings.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use memmap2::MmapMut;
use rayon::prelude::*;

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

/// The bytes of programs, which several may read. Whoever changes them while others read has a
/// copy of its own from then on.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    memory: Arc<Memory>,
    num_programs: usize,
}

impl Shared {
    /// As [`Memory::zeroed`].
    pub(crate) fn zeroed(num_programs: usize, bytes: usize) -> Result<Shared, Error> {
        let memory = Arc::new(Memory::zeroed(num_programs, bytes)?);
        Ok(Shared {
            memory,
            num_programs,
        })
    }

    /// Copy the bytes if others read them, so that they can be changed.
    pub(crate) fn unshare(&mut self) -> Result<(), Error> {
        if Arc::get_mut(&mut self.memory).is_none() {
            const CHUNK: usize = 1 << 18;
            let bytes = self.len() / self.num_programs.max(1);
            let mut copy = Memory::zeroed(self.num_programs, bytes)?;
            let chunks = copy.par_chunks_mut(CHUNK).zip(self.par_chunks(CHUNK));
            chunks.for_each(|(copy, bytes)| copy.copy_from_slice(bytes));
            self.memory = Arc::new(copy);
        }
        Ok(())
    }
}

impl Deref for Shared {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory
    }
}

impl DerefMut for Shared {
    /// # Panics
    ///
    /// Where a copy is needed and there is no memory for it; [`Shared::unshare`] tells before.
    fn deref_mut(&mut self) -> &mut [u8] {
        if let Err(error) = self.unshare() {
            panic!("{error}");
        }
        match Arc::get_mut(&mut self.memory) {
            Some(memory) => memory,
            None => unreachable!("nobody else has a copy that was just made"),
        }
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

    #[test]
    fn what_others_read_is_copied_before_it_changes() {
        let mut shared = Shared::zeroed(100, PROGRAM_LEN).unwrap();
        let first = shared.as_ptr();
        shared.fill(1);
        assert_eq!(shared.as_ptr(), first);
        let reader = shared.clone();
        shared.fill(2);
        assert!(reader.iter().all(|byte| *byte == 1) && reader.as_ptr() == first);
        assert!(shared.iter().all(|byte| *byte == 2) && shared.len() == 6400);
        let own = shared.as_ptr();
        drop(reader);
        shared.fill(3);
        assert_eq!(shared.as_ptr(), own);
    }
}
