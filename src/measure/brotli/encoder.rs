//! The size that the C brotli gives; its version decides it to the byte.

use std::ffi::c_int;
use std::ptr;

use compu_brotli_sys as sys;

const QUALITY: u32 = 2;
const WINDOW_BITS: u32 = 24;

/// An encoder, freed when dropped.
struct Encoder(*mut sys::BrotliEncoderState);

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: the pointer came from BrotliEncoderCreateInstance and is
        // freed once, here.
        unsafe { sys::BrotliEncoderDestroyInstance(self.0) }
    }
}

/// Bytes of the brotli stream of `input` as one buffer, quality 2, window 24,
/// generic. The stream itself is counted and thrown away.
///
/// The parameters are those that the one-shot BrotliEncoderCompress sets, and
/// what comes out does not depend on how the output is taken, so neither does
/// its size.
pub(crate) fn compressed_size(input: &[u8]) -> usize {
    // SAFETY: null allocators ask for malloc and free.
    let state = unsafe { sys::BrotliEncoderCreateInstance(None, None, ptr::null_mut()) };
    assert!(!state.is_null(), "out of memory for the brotli encoder");
    let encoder = Encoder(state);
    for (parameter, value) in [
        (sys::BrotliEncoderParameter_BROTLI_PARAM_QUALITY, QUALITY),
        (sys::BrotliEncoderParameter_BROTLI_PARAM_LGWIN, WINDOW_BITS),
        (
            sys::BrotliEncoderParameter_BROTLI_PARAM_MODE,
            sys::BrotliEncoderMode_BROTLI_MODE_GENERIC as u32,
        ),
        (
            sys::BrotliEncoderParameter_BROTLI_PARAM_SIZE_HINT,
            input.len() as u32,
        ),
    ] {
        // SAFETY: the encoder is live and has not been used yet.
        let set = unsafe { sys::BrotliEncoderSetParameter(encoder.0, parameter, value) };
        assert_ne!(set, 0, "brotli refused a parameter");
    }
    let mut available_in = input.len();
    let mut next_in = input.as_ptr();
    let mut total = 0;
    loop {
        let mut no_room = 0;
        // SAFETY: `next_in` and `available_in` describe what is left of
        // `input`; with no room given, output stays inside the encoder.
        let fine: c_int = unsafe {
            sys::BrotliEncoderCompressStream(
                encoder.0,
                sys::BrotliEncoderOperation_BROTLI_OPERATION_FINISH,
                &mut available_in,
                &mut next_in,
                &mut no_room,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        assert_ne!(fine, 0, "out of memory in the brotli encoder");
        let mut size = 0;
        // SAFETY: the encoder is live; the bytes are not looked at.
        unsafe { sys::BrotliEncoderTakeOutput(encoder.0, &mut size) };
        total += size;
        // SAFETY: the encoder is live.
        if unsafe { sys::BrotliEncoderIsFinished(encoder.0) } != 0 {
            return total;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::mix;

    /// What the one-shot call makes of the same bytes.
    fn one_shot(input: &[u8]) -> usize {
        // SAFETY: reads a number.
        let mut size = unsafe { sys::BrotliEncoderMaxCompressedSize(input.len()) };
        let mut output = vec![0; size];
        // SAFETY: both buffers have the lengths given.
        let fine = unsafe {
            sys::BrotliEncoderCompress(
                QUALITY as c_int,
                WINDOW_BITS as c_int,
                sys::BrotliEncoderMode_BROTLI_MODE_GENERIC,
                input.len(),
                input.as_ptr(),
                &mut size,
                output.as_mut_ptr(),
            )
        };
        assert_ne!(fine, 0);
        size
    }

    #[test]
    fn counting_gives_the_size_of_the_one_shot_call() {
        let noise = |len: u64| (0..len).map(|i| mix(i) as u8).collect::<Vec<_>>();
        let repeats = |len: u64| (0..len).map(|i| mix(i % 640) as u8).collect::<Vec<_>>();
        let sparse = |len: u64| (0..len).map(|i| (mix(i) as u8) / 64).collect::<Vec<_>>();
        for len in [128, 4096, 100_000, 8 << 20, 40 << 20] {
            for input in [noise(len), repeats(len), sparse(len)] {
                assert_eq!(compressed_size(&input), one_shot(&input), "{len}");
            }
        }
    }

    #[test]
    fn the_encoder_is_at_least_1_1() {
        // SAFETY: reads a number.
        assert!(unsafe { sys::BrotliEncoderVersion() } >= 0x0100_1000);
    }
}
