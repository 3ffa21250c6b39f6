//! Frames: copies of a soup as it stood after an epoch, for pages to draw.

use std::sync::Arc;

use rayon::prelude::*;

/// Bytes before the payload of a frame's message.
pub(super) const HEADER_LEN: usize = 32;
/// The type of a message with all bytes of the soup.
pub(super) const WHOLE: u8 = 1;

/// A copy of a soup. Its bytes are kept as the message that shows it whole.
#[derive(Debug)]
pub(super) struct Frame {
    /// Counted from 1; no two frames have the same.
    pub id: u32,
    /// Epochs done.
    pub epoch: u64,
    /// Which soup it is of, counted from 1: the number changes with settings, jumps and plants.
    pub generation: u32,
    /// Bytes of a program.
    pub program_len: usize,
    message: Vec<u8>,
}

impl Frame {
    /// A frame of no programs.
    pub(super) fn empty() -> Frame {
        Frame {
            id: 0,
            epoch: 0,
            generation: 0,
            program_len: 1,
            message: vec![0; HEADER_LEN],
        }
    }

    /// The programs' bytes, one program behind the other.
    pub(super) fn programs(&self) -> &[u8] {
        &self.message[HEADER_LEN..]
    }

    /// The number of programs.
    pub(super) fn num_programs(&self) -> usize {
        self.programs().len() / self.program_len
    }

    /// The program at `index`, where there is one.
    pub(super) fn program(&self, index: usize) -> Option<&[u8]> {
        self.programs().chunks_exact(self.program_len).nth(index)
    }

    /// The first bytes of a message of this type, with one in so many bytes of columns and rows.
    /// Of changes, with the frame before and how many programs have changed.
    pub(super) fn header(
        &self,
        kind: u8,
        sampling: u8,
        (base, changed): (u32, u32),
    ) -> [u8; HEADER_LEN] {
        let mut header = [0; HEADER_LEN];
        header[0] = kind;
        header[1] = sampling;
        header[2..4].copy_from_slice(&(self.program_len as u16).to_le_bytes());
        header[4..8].copy_from_slice(&(self.num_programs() as u32).to_le_bytes());
        header[8..16].copy_from_slice(&self.epoch.to_le_bytes());
        header[16..20].copy_from_slice(&self.id.to_le_bytes());
        header[20..24].copy_from_slice(&base.to_le_bytes());
        header[24..28].copy_from_slice(&self.generation.to_le_bytes());
        header[28..32].copy_from_slice(&changed.to_le_bytes());
        header
    }

    /// The message that shows it whole.
    pub(super) fn message(&self) -> &[u8] {
        &self.message
    }
}

/// Makes frames. Their memory is used again once nobody looks at them any more.
#[derive(Debug, Default)]
pub(super) struct Camera {
    old: Vec<Arc<Frame>>,
    last_id: u32,
}

impl Camera {
    /// Frames whose memory is kept.
    const KEPT: usize = 4;

    /// A frame of these programs. The soup waits for it, so all threads copy.
    pub(super) fn take(
        &mut self,
        programs: &[u8],
        program_len: usize,
        epoch: u64,
        generation: u32,
    ) -> Arc<Frame> {
        self.last_id += 1;
        let free = self.old.iter().position(|it| Arc::strong_count(it) == 1);
        let unused = free.map(|place| self.old.swap_remove(place));
        let mut frame = unused
            .and_then(Arc::into_inner)
            .unwrap_or_else(Frame::empty);
        frame.id = self.last_id;
        frame.epoch = epoch;
        frame.generation = generation;
        frame.program_len = program_len;
        frame.message.resize(HEADER_LEN + programs.len(), 0);
        let header = frame.header(WHOLE, 1, (0, 0));
        let (head, bytes) = frame.message.split_at_mut(HEADER_LEN);
        head.copy_from_slice(&header);
        const CHUNK: usize = 1 << 18;
        bytes
            .par_chunks_mut(CHUNK)
            .zip(programs.par_chunks(CHUNK))
            .for_each(|(copy, programs)| copy.copy_from_slice(programs));
        let frame = Arc::new(frame);
        if self.old.len() >= Camera::KEPT {
            self.old.remove(0);
        }
        self.old.push(Arc::clone(&frame));
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_frames_is_used_again_once_nobody_looks() {
        let mut camera = Camera::default();
        let first = camera.take(&[1; 128], 64, 5, 1);
        let place = first.message().as_ptr();
        let second = camera.take(&[2; 128], 64, 6, 1);
        assert_ne!(place, second.message().as_ptr());
        assert_eq!((first.programs(), first.epoch), (&[1; 128][..], 5));
        drop(first);
        let third = camera.take(&[3; 128], 64, 7, 1);
        assert_eq!(place, third.message().as_ptr());
        assert_eq!((third.id, third.num_programs()), (3, 2));
        assert_eq!(third.program(1), Some(&[3; 64][..]));
        assert_eq!(third.program(2), None);
        // However many are looked at, each is its own.
        let held: Vec<_> = (0..9).map(|i| camera.take(&[i; 64], 64, 8, 1)).collect();
        for (i, frame) in held.iter().enumerate() {
            assert_eq!(frame.programs(), [i as u8; 64]);
        }
    }
}
