//! Colours: a dark theme for screens and a light one for paper.

use crate::language::{Language, Role};

/// A colour: red, green, blue.
pub type Rgb = [u8; 3];

/// The colours of everything that is drawn. Those that tell things apart are Okabe and Ito's,
/// which are safe for colour-blind readers, as far as they can be seen on the background.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// On a dark background, which is part of each picture, so that it looks the same on any page.
    #[default]
    Dark,
    /// On white.
    Light,
}

impl Theme {
    /// Both themes.
    pub const ALL: [Theme; 2] = [Theme::Dark, Theme::Light];

    /// `dark` or `light`, whichever it is.
    fn pick<T>(self, dark: T, light: T) -> T {
        match self {
            Theme::Dark => dark,
            Theme::Light => light,
        }
    }

    /// The background.
    pub fn background(self) -> Rgb {
        self.pick([0x12, 0x13, 0x18], [0xff, 0xff, 0xff])
    }

    /// The colour of text.
    pub fn text(self) -> Rgb {
        self.pick([0xe8, 0xe8, 0xec], [0x16, 0x17, 0x1c])
    }

    /// The colour of text that matters less.
    pub(super) fn faint_text(self) -> Rgb {
        self.pick([0xb4, 0xb6, 0xc0], [0x55, 0x58, 0x64])
    }

    /// The colour of a chart's mesh.
    pub(super) fn mesh(self) -> Rgb {
        self.pick([0x3a, 0x3c, 0x48], [0xdc, 0xde, 0xe5])
    }

    /// The colour of a role.
    pub fn role_colour(self, role: Role) -> Rgb {
        match role {
            Role::Open => [0xe6, 0x9f, 0x00],
            Role::Close => [0xd5, 0x5e, 0x00],
            Role::Arithmetic => [0xcc, 0x79, 0xa7],
            Role::Copy => self.pick([0xf0, 0xe4, 0x42], [0xbf, 0xab, 0x00]),
            Role::Read => [0x00, 0x9e, 0x73],
            Role::Move => [0x56, 0xb4, 0xe9],
            Role::MoveSecond => [0x00, 0x72, 0xb2],
            Role::Number => self.pick([0x87, 0x90, 0xa6], [0x8a, 0x92, 0xa6]),
            Role::NumberHigh => self.pick([0x52, 0x5f, 0x8c], [0xae, 0xb8, 0xdc]),
            Role::Null => self.pick([0xff, 0xff, 0xff], [0x00, 0x00, 0x00]),
            Role::Noop => self.pick([0x42, 0x45, 0x50], [0xcc, 0xce, 0xd6]),
        }
    }

    /// A colour for each kind of a language, in the order of [`Language::kinds`]: that of its
    /// role, a shade darker for each further kind of the same role.
    pub fn kind_colours(self, language: &Language) -> Vec<Rgb> {
        let kinds = language.kinds();
        let number = |role: Role, upto: usize| {
            let same_role = kinds[..upto].iter().filter(|kind| kind.role == role);
            same_role.count()
        };
        let shaded = kinds.iter().enumerate().map(|(i, kind)| {
            // Down to half of the colour, so that the last one can be seen.
            let steps = number(kind.role, kinds.len()).saturating_sub(1).max(3);
            let strength = 1.0 - 0.5 * number(kind.role, i) as f32 / steps as f32;
            self.role_colour(kind.role)
                .map(|part| (f32::from(part) * strength) as u8)
        });
        shaded.collect()
    }

    /// The colours of programs without a family.
    pub(crate) fn greys(self) -> [Rgb; 3] {
        self.pick([0x38, 0x42, 0x4d], [0xc2, 0xcb, 0xd4])
            .map(|part| [part, part, part + 5])
    }

    /// The colours of curves and of families of programs, the most telling ones first.
    pub(crate) fn series(self) -> [Rgb; 7] {
        self.pick(
            [
                [0x56, 0xb4, 0xe9],
                [0xe6, 0x9f, 0x00],
                [0x00, 0x9e, 0x73],
                [0xf0, 0xe4, 0x42],
                [0xd5, 0x5e, 0x00],
                [0xcc, 0x79, 0xa7],
                [0xb4, 0xb6, 0xc0],
            ],
            [
                [0x00, 0x72, 0xb2],
                [0xe6, 0x9f, 0x00],
                [0x00, 0x9e, 0x73],
                [0x56, 0xb4, 0xe9],
                [0xd5, 0x5e, 0x00],
                [0xcc, 0x79, 0xa7],
                [0x70, 0x73, 0x80],
            ],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, as the Web Content Accessibility Guidelines define it.
    fn luminance(rgb: Rgb) -> f64 {
        let [red, green, blue] = rgb.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.03928 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(a: Rgb, b: Rgb) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_kind_has_a_colour_of_its_own() {
        for theme in Theme::ALL {
            for language in Language::every() {
                let colours = theme.kind_colours(language);
                let kinds = language.kinds();
                assert_eq!(colours.len(), kinds.len());
                for (i, colour) in colours.iter().enumerate() {
                    assert!(
                        !colours[..i].contains(colour),
                        "{language}: {}",
                        kinds[i].name
                    );
                    assert_ne!(*colour, theme.background());
                }
            }
        }
    }

    /// Nothing is lost on the background: not a kind, not a null or a no-op, no curve, no text.
    #[test]
    fn everything_can_be_seen_in_both_themes() {
        for theme in Theme::ALL {
            let seen = |rgb| contrast(rgb, theme.background());
            for language in Language::every() {
                let kinds = language.kinds();
                for (kind, rgb) in kinds.iter().zip(theme.kind_colours(language)) {
                    assert!(
                        seen(rgb) > 1.5,
                        "{theme:?} {language} {}: {rgb:x?}",
                        kind.name
                    );
                }
            }
            let [null, noop] = [Role::Null, Role::Noop].map(|role| theme.role_colour(role));
            assert!(seen(null) > 4.0 && contrast(null, noop) > 4.0, "{theme:?}");
            for rgb in theme.series() {
                assert!(seen(rgb) > 2.0, "{theme:?} {rgb:x?}");
            }
            assert!(seen(theme.text()) > 12.0 && seen(theme.faint_text()) > 6.0);
        }
    }
}
