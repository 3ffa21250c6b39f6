//! Snapshots of a soup, and the threads that measure and write them beside the epochs.
//!
//! Several snapshots are measured at once, and written in the order in which they were taken. Once
//! one of them ends the run, those behind it are dropped unwritten.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use crate::Error;
use crate::language::Language;
use crate::measure::Measures;
use crate::measure::column::{Column, View};
use crate::measure::replicators::Replicators;
use crate::measure::row::{LogRow, measure};
use crate::run::folder::performance::PerformanceRow;
use crate::soup::checkpoint::Checkpoint;
use crate::soup::tokens::TokenMeasures;
use crate::soup::{Soup, Tally};

/// What becomes of a soup's snapshots.
pub(crate) trait Sink: Send {
    /// Why a run stops before its last epoch.
    type Stop: Send;

    /// Note a log point. Answers with why the run stops there, if it does.
    fn log(
        &mut self,
        row: &LogRow,
        performance: &PerformanceRow,
    ) -> Result<Option<Self::Stop>, Error>;

    /// Draw a frame, after its log point and before it is saved.
    fn draw(&mut self, soup: &Checkpoint) -> Result<(), Error>;

    /// Save a soup, all that came before being noted. The last soup of a run is not saved here,
    /// but by whoever has the run driven.
    fn save(&mut self, snapshot: &Snapshot) -> Result<(), Error>;

    /// Whether a log point may stop the run.
    fn may_stop(&self) -> bool;
}

/// What is to be written of a soup.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Due {
    pub log: bool,
    pub frame: bool,
    pub checkpoint: bool,
}

impl Due {
    /// Whether anything is.
    pub(crate) fn any(self) -> bool {
        self.log || self.frame || self.checkpoint
    }
}

/// A copy of the soup, and what to do with it.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub soup: Checkpoint,
    /// What the last epoch came to.
    pub tally: Tally,
    /// What all epochs came to, since the soup was first driven.
    pub total: Tally,
    /// How long they took.
    pub elapsed: Duration,
    /// Set at a log point.
    pub counts: Option<Counts>,
    pub due: Due,
}

/// What was counted at a log point while the soup stood still.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    /// How many replicators there are, where they are counted.
    pub replicators: Option<Replicators>,
    /// What the tracer tokens measure, where bytes carry some.
    pub tokens: Option<TokenMeasures>,
    /// What the bytes mean.
    pub language: &'static Language,
    /// The columns that are measured besides, because the run asks for them.
    pub also: Vec<&'static Column>,
    /// The interval since the last log point; its time for measures is that of counting.
    pub performance: PerformanceRow,
}

/// A snapshot that was measured and written.
#[derive(Debug)]
pub(crate) struct Recorded<Stop> {
    pub snapshot: Snapshot,
    /// Set at a log point.
    pub row: Option<LogRow>,
    /// Set where the run stops here.
    pub stop: Option<Stop>,
}

type Outcome<S> = Result<Recorded<<S as Sink>::Stop>, Error>;

/// A sink at work, on as many snapshots at a time as there are threads for it. Each has a buffer
/// for its copy of the soup, which goes back and forth.
pub(crate) struct Recording<'scope, S: Sink> {
    worker: Worker<'scope, S>,
    /// Those that are free.
    buffers: Vec<Checkpoint>,
    /// How many snapshots may be under way.
    most: usize,
    under_way: usize,
    may_stop: bool,
}

/// Which snapshots are waited for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wait {
    /// None.
    No,
    /// As many as it takes for another one to be handed out.
    ForRoom,
    /// All.
    ForAll,
}

#[expect(clippy::large_enum_variant, reason = "a run has one")]
enum Worker<'scope, S: Sink> {
    /// In threads of their own, which end when the sender is dropped.
    Beside {
        snapshots: Sender<(u64, Snapshot)>,
        /// The number of the next snapshot.
        next: u64,
        results: Receiver<Outcome<S>>,
        turns: Arc<Turns<S>>,
        threads: Vec<ScopedJoinHandle<'scope, ()>>,
    },
    /// Between two epochs.
    InTurn { sink: S, result: Option<Outcome<S>> },
}

/// Whose turn it is to write.
struct Turns<S> {
    state: Mutex<Turn<S>>,
    changed: Condvar,
}

struct Turn<S> {
    sink: S,
    /// The number of the snapshot that is written next.
    next: u64,
    /// Set once no further one is to be written.
    is_over: bool,
}

impl<S: Sink> Turns<S> {
    fn lock(&self) -> MutexGuard<'_, Turn<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Measure a snapshot, and write it once all those before it are written, unless one of them
    /// ended the run. What comes of it is sent before it is the next one's turn.
    fn record(&self, number: u64, snapshot: Snapshot, outbox: &Sender<Outcome<S>>) {
        if self.lock().is_over {
            return;
        }
        let row = measure_snapshot(&snapshot);
        let turn = self
            .changed
            .wait_while(self.lock(), |turn| turn.next != number && !turn.is_over);
        let mut turn = turn.unwrap_or_else(PoisonError::into_inner);
        if turn.is_over {
            return;
        }
        // Also if writing panics.
        turn.is_over = true;
        let outcome = write(&mut turn.sink, snapshot, row);
        turn.is_over = !matches!(outcome, Ok(Recorded { stop: None, .. }));
        turn.is_over |= outbox.send(outcome).is_err();
        turn.next += 1;
        self.changed.notify_all();
    }
}

/// Has nobody wait for a thread that panics.
struct Alarm<'a, S: Sink>(&'a Turns<S>, &'a Sender<Outcome<S>>);

impl<S: Sink> Drop for Alarm<'_, S> {
    fn drop(&mut self) {
        if thread::panicking() {
            let Alarm(turns, outbox) = self;
            turns.lock().is_over = true;
            turns.changed.notify_all();
            let _ = outbox.send(Err(Error::recorder_gone()));
        }
    }
}

impl<'scope, S: Sink> Recording<'scope, S> {
    /// Put `sink` to work in threads of its own, of which there are `most`.
    pub(crate) fn beside(scope: &'scope Scope<'scope, '_>, sink: S, most: usize) -> Self
    where
        S: 'scope,
    {
        let may_stop = sink.may_stop();
        let (snapshots, inbox) = mpsc::channel::<(u64, Snapshot)>();
        let (outbox, results) = mpsc::channel();
        let inbox = Arc::new(Mutex::new(inbox));
        let turns = Arc::new(Turns {
            state: Mutex::new(Turn {
                sink,
                next: 0,
                is_over: false,
            }),
            changed: Condvar::new(),
        });
        let threads = (0..most)
            .map(|_| {
                let (inbox, outbox) = (Arc::clone(&inbox), outbox.clone());
                let turns = Arc::clone(&turns);
                scope.spawn(move || {
                    let _alarm = Alarm(&turns, &outbox);
                    let next = || inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    while let Ok((number, snapshot)) = next() {
                        turns.record(number, snapshot, &outbox);
                    }
                })
            })
            .collect();
        Recording {
            worker: Worker::Beside {
                snapshots,
                next: 0,
                results,
                turns,
                threads,
            },
            buffers: Vec::new(),
            most,
            under_way: 0,
            may_stop,
        }
    }

    /// Have `sink` work while the soup waits.
    pub(crate) fn in_turn(sink: S) -> Self {
        Recording {
            may_stop: sink.may_stop(),
            worker: Worker::InTurn { sink, result: None },
            buffers: Vec::new(),
            most: 1,
            under_way: 0,
        }
    }

    /// Copy the soup and hand it over. There must be room for it, see [`Wait::ForRoom`].
    pub(crate) fn submit(
        &mut self,
        soup: &Soup,
        snapshot: impl FnOnce(Checkpoint) -> Snapshot,
    ) -> Result<(), Error> {
        let buffer = self.buffers.pop().unwrap_or_else(Checkpoint::empty);
        let mut snapshot = snapshot(buffer);
        // A checkpoint that a stop rule asks for needs its tokens too.
        let may_stop = snapshot.counts.is_some() && self.may_stop;
        if snapshot.due.checkpoint || may_stop {
            snapshot.soup.copy_all_from(soup);
        } else {
            snapshot.soup.copy_from(soup);
        }
        self.under_way += 1;
        match &mut self.worker {
            Worker::Beside {
                snapshots, next, ..
            } => {
                let number = *next;
                *next += 1;
                let sent = snapshots.send((number, snapshot));
                sent.map_err(|_| Error::recorder_gone())
            }
            Worker::InTurn { sink, result } => {
                let row = measure_snapshot(&snapshot);
                *result = Some(write(sink, snapshot, row));
                Ok(())
            }
        }
    }

    /// What came of the oldest snapshot under way, once it is recorded, or for sure where that is
    /// waited for.
    pub(crate) fn collect(&mut self, wait: Wait) -> Result<Option<Recorded<S::Stop>>, Error> {
        if self.under_way == 0 {
            return Ok(None);
        }
        let is_waited_for = match wait {
            Wait::No => false,
            Wait::ForRoom => self.under_way >= self.most,
            Wait::ForAll => true,
        };
        let result = match &mut self.worker {
            Worker::Beside { results, .. } => match results.try_recv() {
                Err(_) if is_waited_for => {
                    Some(results.recv().map_err(|_| Error::recorder_gone())?)
                }
                result => result.ok(),
            },
            Worker::InTurn { result, .. } => result.take(),
        };
        self.under_way -= usize::from(result.is_some());
        result.transpose()
    }

    /// Return the buffer of a snapshot that was collected.
    pub(crate) fn give_back(&mut self, buffer: Checkpoint) {
        self.buffers.push(buffer);
    }

    /// A buffer, and the sink.
    pub(crate) fn close(mut self) -> Result<(Checkpoint, S), Error> {
        let buffer = self.buffers.pop().unwrap_or_else(Checkpoint::empty);
        let sink = match self.worker {
            Worker::Beside {
                snapshots,
                threads,
                turns,
                ..
            } => {
                drop(snapshots);
                for thread in threads {
                    thread.join().map_err(|_| Error::recorder_gone())?;
                }
                let turns = Arc::into_inner(turns).ok_or_else(Error::recorder_gone)?;
                let turn = turns.state.into_inner();
                turn.unwrap_or_else(PoisonError::into_inner).sink
            }
            Worker::InTurn { sink, .. } => sink,
        };
        Ok((buffer, sink))
    }
}

/// A row of a log point, and how long measuring it took.
type Measured = Option<(LogRow, Duration)>;

/// Measure a snapshot where that is due.
fn measure_snapshot(snapshot: &Snapshot) -> Measured {
    let counts = snapshot.counts.as_ref()?;
    let before = Instant::now();
    let (epoch, programs) = (snapshot.soup.epochs_done, &snapshot.soup.programs);
    let sample = View {
        language: counts.language,
        programs,
        epochs_done: epoch,
    };
    let row = LogRow {
        epoch,
        measures: Measures::of(programs),
        tally: snapshot.tally,
        replicators: counts.replicators,
        tokens: counts.tokens,
        also: measure(&counts.also, &sample),
    };
    Some((row, before.elapsed()))
}

/// Write what is due of a snapshot. Rows and frames come before the checkpoint of the same epoch.
fn write<S: Sink>(sink: &mut S, snapshot: Snapshot, measured: Measured) -> Outcome<S> {
    let (mut row, mut stop) = (None, None);
    if let (Some(counts), Some((measured, time))) = (&snapshot.counts, measured) {
        let mut performance = counts.performance;
        performance.measured += time;
        stop = sink.log(&measured, &performance)?;
        row = Some(measured);
    }
    if snapshot.due.frame {
        sink.draw(&snapshot.soup)?;
    }
    if snapshot.due.checkpoint && stop.is_none() {
        sink.save(&snapshot)?;
    }
    Ok(Recorded {
        snapshot,
        row,
        stop,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::mix;
    use crate::soup::settings::Settings;

    /// Notes the epochs that it draws, slowly, and panics at one of them.
    struct Slow {
        drawn: Vec<u64>,
        panics_at: u64,
    }

    impl Sink for Slow {
        type Stop = ();

        fn log(&mut self, _: &LogRow, _: &PerformanceRow) -> Result<Option<()>, Error> {
            Ok(None)
        }

        fn draw(&mut self, soup: &Checkpoint) -> Result<(), Error> {
            let epoch = soup.epochs_done;
            assert_ne!(epoch, self.panics_at, "planted");
            thread::sleep(Duration::from_micros(mix(epoch) % 300));
            self.drawn.push(epoch);
            Ok(())
        }

        fn save(&mut self, _: &Snapshot) -> Result<(), Error> {
            Ok(())
        }

        fn may_stop(&self) -> bool {
            false
        }
    }

    /// Hand out the soup after each of 100 epochs; answers with the epochs drawn, and those that
    /// came back.
    fn draw_all(most: usize, panics_at: u64) -> Result<(Vec<u64>, Vec<u64>), Error> {
        let mut soup = Soup::new(Settings {
            num_programs: 16,
            ..Settings::default()
        })?;
        let sink = Slow {
            drawn: Vec::new(),
            panics_at,
        };
        thread::scope(|scope| {
            let mut recording = Recording::beside(scope, sink, most);
            let mut back = Vec::new();
            for epoch in 0..=100 {
                let wait = if epoch < 100 {
                    Wait::ForRoom
                } else {
                    Wait::ForAll
                };
                while let Some(recorded) = recording.collect(wait)? {
                    back.push(recorded.snapshot.soup.epochs_done);
                    recording.give_back(recorded.snapshot.soup);
                }
                if epoch < 100 {
                    let tally = soup.step();
                    recording.submit(&soup, |soup| Snapshot {
                        soup,
                        tally,
                        total: tally,
                        elapsed: Duration::ZERO,
                        counts: None,
                        due: Due {
                            frame: true,
                            ..Due::default()
                        },
                    })?;
                    assert!(recording.under_way <= most);
                }
            }
            let (_, sink) = recording.close()?;
            Ok((sink.drawn, back))
        })
    }

    #[test]
    fn snapshots_are_written_and_come_back_in_order_however_many_are_under_way() {
        let all: Vec<u64> = (1..=100).collect();
        for most in [1, 2, 5, 16] {
            assert_eq!(draw_all(most, 0).unwrap(), (all.clone(), all.clone()));
        }
    }

    #[test]
    fn a_thread_that_panics_is_an_error_and_keeps_nobody_waiting() {
        for most in [1, 4] {
            let ended = std::panic::catch_unwind(|| draw_all(most, 50));
            assert!(matches!(ended, Err(_) | Ok(Err(_))), "{most}");
        }
    }
}
