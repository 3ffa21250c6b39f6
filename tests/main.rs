//! All integration tests but those of `soak.rs`, in one program: linking a program takes
//! longer than most tests.

mod common;

mod ancestry;
mod bad_input;
mod bench;
mod cpu;
mod crash;
mod cubff_soups;
mod engines;
mod events;
mod examples;
mod exec;
mod file_lengths;
mod golden;
mod hostile;
#[cfg(unix)]
mod interrupts;
mod jit_cli;
mod known_answers;
mod library;
mod loading;
mod malformed;
mod newcomer;
mod no_flags;
mod observer;
mod pictures;
mod proofs;
mod properties;
mod replicators;
mod rooms;
mod runs;
mod sweep;
mod tracers;
mod unsafe_code;
mod verify;
mod view;
mod worlds;
