//! Memory that ends at a page which nobody may touch: whoever reads or writes past it is
//! ended by the system on the spot. Linux only.

use memmap2::MmapMut;

/// Which end of the memory a guard page touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    Behind,
}

impl Side {
    pub(crate) const BOTH: [Side; 2] = [Side::Before, Side::Behind];
}

/// Some pages between two guard pages.
pub(crate) struct Guarded {
    /// The bytes that may be touched.
    open: *mut u8,
    len: usize,
    _map: MmapMut,
}

impl Guarded {
    /// Room for so many bytes.
    pub(crate) fn new(bytes: usize) -> Guarded {
        // SAFETY: asks for a number.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap();
        let len = bytes.next_multiple_of(page);
        let mut map = MmapMut::map_anon(page + len + page).unwrap();
        let start = map.as_mut_ptr();
        for guard in [0, page + len] {
            // SAFETY: the page is the mapping's, and touched no more from here on.
            let result = unsafe { libc::mprotect(start.add(guard).cast(), page, libc::PROT_NONE) };
            assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
        }
        Guarded {
            open: start.wrapping_add(page),
            len,
            _map: map,
        }
    }

    /// These values, at this end of the room, next to the guard page.
    pub(crate) fn put<T: Copy>(&mut self, side: Side, values: &[T]) -> &mut [T] {
        let bytes = size_of_val(values);
        assert!(bytes <= self.len, "no room");
        let place = match side {
            Side::Before => self.open,
            Side::Behind => self.open.wrapping_add(self.len - bytes),
        };
        let place = place.cast::<T>();
        assert!(place.is_aligned());
        // SAFETY: so many bytes of the room, aligned, are borrowed as long as the answer; they
        // hold the values copied there, which are all that is seen of them.
        unsafe {
            place.copy_from_nonoverlapping(values.as_ptr(), values.len());
            std::slice::from_raw_parts_mut(place, values.len())
        }
    }
}
