//! Looks at frames more closely, beside the soup: its commonest programs, families of relatives
//! and when programs changed. This takes little of the machine, however large the soup is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::frame::Frame;
use super::protocol::Plane;
use super::scene::Scene;
use super::shared::Shared;
use crate::Error;
use crate::engine::{Engine, Options};
use crate::format::hex;
use crate::measure::census::{Portrait, group};
use crate::measure::families::{Families, Relatives};
use crate::measure::replicators::Scorer;
use crate::random::Streams;
use crate::soup::settings::World;

/// Families that have a colour.
const CLASSES: usize = 7;
/// The class of programs without relatives.
pub(super) const NO_CLASS: u8 = 255;
/// Commonest programs that are listed.
const LISTED: usize = 12;
/// Looks follow each other no faster.
const LEAST_PAUSE: Duration = Duration::from_millis(700);
/// Of the time of one core, a look takes about one part in so many, if that is no longer than
/// anybody would wait.
const SHARE: u32 = 10;
/// Looks follow each other no more slowly.
const MOST_PAUSE: Duration = Duration::from_secs(3);

/// What is known of the families of a soup; they keep their colours as long as they last.
#[derive(Debug, Default)]
struct Kin {
    generation: u32,
    /// The classes' middles, the largest family first.
    classes: Vec<(u8, Vec<u8>)>,
    relatives: Option<Relatives>,
    /// Counts up with each look.
    version: u64,
}

/// A byte for each program, of one frame.
#[derive(Debug, Default)]
struct Told {
    frame: Option<Arc<Frame>>,
    /// Of classes: the look that they are by.
    version: u64,
    values: Arc<Vec<u8>>,
    /// Of ages: epochs done when each program was found changed.
    changed: Vec<u64>,
}

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Looker {
    shared: Arc<Shared>,
    kin: Mutex<Kin>,
    classes: Mutex<Told>,
    ages: Mutex<Told>,
}

impl Looker {
    /// A looker with a thread of its own.
    pub(super) fn start(shared: Arc<Shared>) -> Arc<Looker> {
        let looker = Arc::new(Looker {
            shared,
            kin: Mutex::default(),
            classes: Mutex::default(),
            ages: Mutex::default(),
        });
        let own = Arc::clone(&looker);
        thread::spawn(move || own.look_on());
        looker
    }

    fn look_on(&self) {
        // One thread, so that the soup keeps the others.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let mut scores = Scores::default();
        let mut seen = (0, 0);
        loop {
            let began = Instant::now();
            let newest = self.shared.newest();
            let is_watched = self.shared.census.receiver_count() > 0;
            if let (Some((frame, scene)), true) = (newest, is_watched)
                && frame.generation == scene.generation
                && seen != (frame.id, frame.generation)
            {
                seen = (frame.id, frame.generation);
                let mut look = || {
                    self.find_families(&frame, &scene);
                    self.census(&frame, &scene, &mut scores)
                };
                let census = match &pool {
                    Ok(pool) => pool.install(look),
                    Err(_) => look(),
                };
                if let Ok(census) = census {
                    self.shared.census.send_replace(census.into());
                }
            } else if is_watched {
                // Of a soup that stands still, the newest frame may be an old one.
                self.shared.want_frame();
            }
            thread::sleep((began.elapsed() * SHARE).clamp(LEAST_PAUSE, MOST_PAUSE));
        }
    }

    /// Find the families of a frame, with the colours that they had before.
    fn find_families(&self, frame: &Frame, scene: &Scene) {
        let (language, programs) = (scene.settings.language, frame.programs());
        let mut middles: Vec<Vec<u8>> = Vec::new();
        // On a long tape, what copies itself begins anywhere.
        if !matches!(scene.settings.world, World::LongTape { .. }) {
            let found = Families::of(language, programs, CLASSES as u8);
            let program = |it: usize| frame.program(it).map(<[u8]>::to_vec);
            middles.extend(found.families.iter().filter_map(|it| program(it.middle)));
        }
        let mut kin = lock(&self.kin);
        let before = if kin.generation == frame.generation {
            std::mem::take(&mut kin.classes)
        } else {
            Vec::new()
        };
        let relatives = Relatives::of(middles.iter().map(|it| &it[..]), programs);
        let mut numbers = vec![None; middles.len()];
        for (number, old) in &before {
            if let Some(at) = relatives.first(old).filter(|at| numbers[*at].is_none()) {
                numbers[at] = Some(*number);
            }
        }
        let mut free = (0..CLASSES as u8).filter(|it| !numbers.contains(&Some(*it)));
        let free: Vec<u8> = free.by_ref().collect();
        let mut free = free.into_iter();
        let numbers = numbers.into_iter().map(|it| it.or_else(|| free.next()));
        kin.classes = numbers.map(|it| it.unwrap_or(0)).zip(middles).collect();
        kin.relatives = Some(relatives);
        kin.generation = frame.generation;
        kin.version += 1;
    }

    /// Counts up with each look at the families.
    pub(super) fn version(&self) -> u64 {
        lock(&self.kin).version
    }

    /// A byte for each program of a frame.
    pub(super) fn plane(&self, plane: Plane, frame: &Arc<Frame>) -> Arc<Vec<u8>> {
        match plane {
            Plane::None => Arc::default(),
            Plane::Class => self.classes_of(frame),
            Plane::Age => self.ages_of(frame),
        }
    }

    fn classes_of(&self, frame: &Arc<Frame>) -> Arc<Vec<u8>> {
        let kin = lock(&self.kin);
        let mut told = lock(&self.classes);
        let relatives = kin
            .relatives
            .as_ref()
            .filter(|_| kin.generation == frame.generation);
        let Some(relatives) = relatives else {
            return Arc::new(vec![NO_CLASS; frame.num_programs()]);
        };
        let is_known = told.version == kin.version;
        if is_known && told.frame.as_ref().is_some_and(|it| it.id == frame.id) {
            return Arc::clone(&told.values);
        }
        let class = |program: &[u8]| match relatives.first(program) {
            Some(place) => kin.classes[place].0,
            None => NO_CLASS,
        };
        let len = frame.program_len;
        let programs = frame.programs().chunks_exact(len);
        let values: Vec<u8> = match &told.frame {
            Some(before) if is_known && before.programs().len() == frame.programs().len() => {
                let old = before.programs().chunks_exact(len).zip(told.values.iter());
                programs
                    .zip(old)
                    .map(|(now, (before, known))| if now == before { *known } else { class(now) })
                    .collect()
            }
            _ => programs.map(class).collect(),
        };
        told.version = kin.version;
        told.frame = Some(Arc::clone(frame));
        told.values = Arc::new(values);
        Arc::clone(&told.values)
    }

    fn ages_of(&self, frame: &Arc<Frame>) -> Arc<Vec<u8>> {
        let mut told = lock(&self.ages);
        if told.frame.as_ref().is_some_and(|it| it.id == frame.id) {
            return Arc::clone(&told.values);
        }
        let (now, len) = (frame.epoch, frame.program_len);
        let before = told.frame.take().filter(|before| {
            before.generation == frame.generation
                && before.epoch <= now
                && before.programs().len() == frame.programs().len()
        });
        match before {
            Some(before) => {
                let pairs = before.programs().chunks_exact(len);
                let pairs = pairs.zip(frame.programs().chunks_exact(len));
                for (changed, (old, new)) in told.changed.iter_mut().zip(pairs) {
                    if old != new {
                        *changed = now;
                    }
                }
            }
            None => told.changed = vec![now; frame.num_programs()],
        }
        let age = |changed: &u64| {
            let epochs = (now - changed) as f64;
            (16.0 * (1.0 + epochs).log2()).min(255.0) as u8
        };
        told.values = Arc::new(told.changed.iter().map(age).collect());
        told.frame = Some(Arc::clone(frame));
        Arc::clone(&told.values)
    }

    /// The commonest programs and the families of a frame, as a message.
    fn census(&self, frame: &Frame, scene: &Scene, scores: &mut Scores) -> Result<String, Error> {
        let language = scene.settings.language;
        let n = frame.num_programs();
        let mut groups = group(language.program_len, frame.programs(), frame.programs());
        let distinct = groups.len();
        // Of noise every program is as common as any.
        groups.truncate(LISTED);
        groups.retain(|group| group.count > 1);
        let classes: Vec<(u8, Vec<u8>)> = lock(&self.kin).classes.clone();
        let relatives = Relatives::of(classes.iter().map(|it| &it.1[..]), frame.programs());
        let class = |program: &[u8]| relatives.first(program).map(|place| classes[place].0);
        let listed = groups.iter().map(|group| {
            let portrait = scores.of(frame, scene, group.index, &group.program)?;
            Ok(json!({
                "hex": hex(&group.program),
                "count": group.count,
                "share": group.count as f64 / n as f64,
                "mirrored": group.mirrored,
                "index": group.index,
                "score": portrait.score,
                "loop": portrait.copying_loop.map(|it| [it.start, it.end]),
                "class": class(&group.program),
            }))
        });
        let listed = listed.collect::<Result<Vec<Value>, Error>>()?;
        Ok(json!({
            "type": "census",
            "generation": frame.generation,
            "epoch": frame.epoch,
            "distinct": distinct,
            "commonest": listed,
            "classes": classes.iter().map(|it| it.0).collect::<Vec<_>>(),
        })
        .to_string())
    }
}

/// Portraits that were made, since the commonest programs stay the same for a while.
#[derive(Default)]
struct Scores {
    known: HashMap<Vec<u8>, Portrait>,
    language: &'static str,
}

impl Scores {
    const MOST: usize = 512;

    fn of(
        &mut self,
        frame: &Frame,
        scene: &Scene,
        index: usize,
        program: &[u8],
    ) -> Result<Portrait, Error> {
        if self.language != scene.settings.language.name || self.known.len() > Scores::MOST {
            self.known.clear();
            self.language = scene.settings.language.name;
        }
        if let Some(known) = self.known.get(program) {
            return Ok(known.clone());
        }
        let portrait = portrait(scene, frame.epoch, index, program)?;
        self.known.insert(program.to_vec(), portrait.clone());
        Ok(portrait)
    }
}

/// What there is to say of one program of a soup.
pub(super) fn portrait(
    scene: &Scene,
    epoch: u64,
    index: usize,
    program: &[u8],
) -> Result<Portrait, Error> {
    let settings = &scene.settings;
    let scorer = Scorer::new(settings.language, Engine::Auto, &Options::default());
    Portrait::of(
        settings.language,
        &scorer,
        &Streams::new(settings.seed),
        settings.num_programs,
        epoch,
        (index, program),
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
