//! Errors of the library, in the words of the command line.

use broth::Error;
use broth::run::folder::settings::key_of;

/// The message of `error`, with flags for settings and arguments.
pub(super) fn of(error: &Error) -> String {
    error.naming(flag)
}

/// The flag, or the flags, of what errors call `name`.
fn flag(name: &str) -> Option<String> {
    /// Those of no setting.
    const OTHERS: [&str; 13] = [
        "epoch",
        "every",
        "from",
        "host",
        "out",
        "override-settings",
        "pair",
        "port",
        "preset",
        "program",
        "programs",
        "resume",
        "to",
    ];
    let flags = |keys: &str| {
        let flags: Vec<String> = keys.split(", ").map(|key| format!("--{key}")).collect();
        flags.join(", ")
    };
    key_of(name).map(|keys| flags(&keys)).or_else(|| {
        let other = name.replace('_', "-");
        OTHERS.contains(&other.as_str()).then(|| flags(&other))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use broth::Settings;
    use broth::soup::settings::{Meeting, World};

    #[test]
    fn fields_become_flags() {
        for (name, expected) in [
            ("num_programs", Some("--num")),
            ("language", Some("--lang")),
            ("mutation_prob", Some("--mutation-prob")),
            ("override_settings", Some("--override-settings")),
            ("every", Some("--every")),
            ("broth census", None),
            ("", None),
        ] {
            assert_eq!(flag(name).as_deref(), expected);
        }
    }

    #[test]
    fn the_library_speaks_of_fields_and_the_command_line_of_flags() {
        let odd = Settings {
            num_programs: 3,
            ..Settings::default()
        };
        let error = odd.check().unwrap_err();
        assert!(error.to_string().starts_with("`num_programs` 3: "));
        assert!(of(&error).starts_with("--num 3: "));

        let zff = Settings {
            meeting: Meeting::FixedShuffle,
            ..Settings::usual(World::Zff.language(None), World::Zff)
        };
        let message = of(&Settings {
            num_programs: 1 << 15,
            ..zff
        }
        .check()
        .unwrap_err());
        for hint in [
            "--world zff",
            "--grid",
            "--fixed-shuffle",
            "--no-permute-programs",
        ] {
            assert!(message.contains(hint), "{message}");
        }
    }
}
