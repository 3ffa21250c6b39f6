//! What a benchmark measures: soups that broth makes, worlds, or a soup of one's own.

use std::path::Path;

use broth::bench::soups::{Prepared, Recipe, Sort};
use broth::bench::worlds::World;
use broth::format::thousands;
use broth::language::Language;
use broth::run::newest_soup;
use broth::soup::checkpoint::Checkpoint;
use broth::{Error, Settings};

use super::progress::{Progress, Watch};
use super::{BenchArgs, Languages, go_on, without_repeats};
use crate::cli::{Failure, checkpoint};

/// A soup to measure.
pub(super) enum Subject {
    Recipe(Recipe),
    World(World),
    Own(Box<Own>),
}

/// A soup of one's own.
pub(super) struct Own {
    name: String,
    settings: Settings,
    prepared: Prepared,
}

impl Subject {
    /// Those that are asked for; wrong settings end this before anything is started.
    pub(super) fn all(args: &BenchArgs) -> Result<Vec<Subject>, Failure> {
        let subjects = if let Some(path) = &args.load {
            vec![Subject::loaded(path, args)?]
        } else if let Some(path) = &args.run {
            vec![Subject::of_run(path)?]
        } else if let Some(worlds) = &args.worlds {
            Subject::worlds(worlds, args)?
        } else {
            Subject::recipes(args)
        };
        for subject in &subjects {
            let language = subject.language();
            if !Language::ALL.contains(&language) {
                return Err(Error::Usage(format!(
                    "--lang {language}: a benchmark compares engines, and {language} has one \
                     only; `broth run` says how fast it is"
                ))
                .into());
            }
            subject.settings().check()?;
        }
        Ok(subjects)
    }

    fn recipes(args: &BenchArgs) -> Vec<Subject> {
        let sorts = without_repeats(args.soups.iter().copied());
        let recipe = |language, sort| {
            Subject::Recipe(Recipe {
                language,
                num_programs: args.num,
                seed: args.seed.unwrap_or(0),
                sort,
                epochs: match sort {
                    Sort::Random => 1,
                    Sort::Prelife => args.prelife_epochs,
                    Sort::Alive => args.alive_epochs,
                },
            })
        };
        let of_language = |language| sorts.iter().map(move |sort| recipe(language, *sort));
        languages(args).into_iter().flat_map(of_language).collect()
    }

    /// Worlds in a file, or in a list.
    fn worlds(worlds: &str, args: &BenchArgs) -> Result<Vec<Subject>, Error> {
        let path = Path::new(worlds);
        let found = if worlds.contains('@') && !path.exists() {
            let mut found = Vec::new();
            for language in languages(args) {
                for text in worlds.split(',') {
                    found.push(World::parse(text, language, args.num)?);
                }
            }
            found
        } else if args.lang.is_empty() {
            World::read_all(path, args.num)?
        } else {
            return Err(Error::Usage(format!(
                "--lang: the file {} says which language each world has; leave it out",
                path.display()
            )));
        };
        Ok(found.into_iter().map(Subject::World).collect())
    }

    /// A checkpoint of broth or of cubff.
    fn loaded(path: &Path, args: &BenchArgs) -> Result<Subject, Failure> {
        let lang = match args.lang[..] {
            [] => None,
            [Languages::One(language)] => Some(language),
            _ => {
                let problem = "--lang: a checkpoint is of one language; name that one";
                return Err(Error::Usage(problem.into()).into());
            }
        };
        let given = checkpoint::given(lang, args.seed);
        let loaded = args.loading.load_to_run(path, &given)?;
        Ok(Subject::Own(Box::new(Own {
            name: path.display().to_string(),
            settings: loaded.settings,
            prepared: Prepared::of(loaded.checkpoint),
        })))
    }

    /// The newest soup of a run.
    fn of_run(path: &Path) -> Result<Subject, Error> {
        let soup = newest_soup(path)?;
        let mut checkpoint = Checkpoint::empty();
        checkpoint.copy_from(&soup);
        Ok(Subject::Own(Box::new(Own {
            name: path.display().to_string(),
            settings: soup.settings().clone(),
            prepared: Prepared::of(checkpoint),
        })))
    }

    pub(super) fn language(&self) -> &'static Language {
        match self {
            Subject::Recipe(recipe) => recipe.language,
            Subject::World(world) => world.language,
            Subject::Own(own) => own.settings.language,
        }
    }

    /// What tells it from others of its language.
    pub(super) fn name(&self) -> String {
        match self {
            Subject::Recipe(recipe) => recipe.sort.name().into(),
            Subject::World(world) => world.to_string(),
            Subject::Own(own) => own.name.clone(),
        }
    }

    pub(super) fn settings(&self) -> Settings {
        match self {
            Subject::Recipe(recipe) => recipe.settings(),
            Subject::World(world) => world.settings(),
            Subject::Own(own) => own.settings.clone(),
        }
    }

    /// The soup; where it has to be made, this shows how far it is. Nothing if that was ended.
    pub(super) fn prepare(
        &self,
        cache: &Path,
        watch: &Watch<'_>,
    ) -> Result<Option<Prepared>, Error> {
        let what = format!("making a soup of {}, {}", self.language(), self.name());
        let progress = Progress::new(what, watch);
        let epochs = match self {
            Subject::Recipe(recipe) => recipe.epochs,
            Subject::World(world) => world.epochs_done,
            Subject::Own(_) => 0,
        };
        let mut see = |done| {
            progress.show(done, epochs);
            go_on(watch.interrupt)
        };
        let prepared = match self {
            Subject::Recipe(recipe) => recipe.prepare(cache, &mut see),
            Subject::World(world) => world.prepare(cache, &mut see),
            Subject::Own(own) => Ok(Some(own.prepared.clone())),
        };
        progress.finish();
        prepared
    }

    /// What is wrong with a soup that is not as it should be.
    pub(super) fn problem(&self) -> String {
        match self {
            Subject::Recipe(recipe) => format!(
                "no {} soup of {} within {} epochs",
                recipe.sort,
                recipe.language,
                thousands(recipe.epochs as usize)
            ),
            _ => format!("the soup {} is not as it should be", self.name()),
        }
    }
}

/// The languages that are asked for, each once.
fn languages(args: &BenchArgs) -> Vec<&'static Language> {
    if args.lang.is_empty() {
        return vec![Settings::default().language];
    }
    without_repeats(args.lang.iter().flat_map(|languages| match languages {
        Languages::All => Language::ALL.to_vec(),
        Languages::One(language) => vec![*language],
    }))
}
