//! Families of programs: those that have more bytes in common, place by place, than chance would
//! have it.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::language::Language;

/// How many programs are tried as the middle of the next family.
const CANDIDATES: usize = 48;
/// How many programs each of them is compared with.
const COMPARED: usize = 1024;
/// Standard deviations above what chance brings about, from which on two programs are relatives.
/// Of a hundred thousand random programs, one or two are relatives of a given one.
const DEVIATIONS: f64 = 8.0;
/// One in so many programs belongs to a family, unless it holds copies.
const LEAST_SHARE: usize = 200;
/// No family has fewer members.
const LEAST_MEMBERS: usize = 3;

/// Programs that resemble one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// The program that all of them resemble, by its index.
    pub middle: usize,
    /// How many they are.
    pub members: usize,
    /// How many of these resemble its mirror image, its bytes in the opposite order: many
    /// replicators copy themselves backwards.
    pub mirrored: usize,
}

/// The families of a soup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Families {
    /// The families, the largest first.
    pub families: Vec<Family>,
    /// For each program its family, by its place among them, if it has one.
    pub of_program: Vec<Option<u8>>,
}

impl Families {
    /// Find the `most` largest families (at most 255) of the programs of a soup. A family has
    /// at least three members, and one in 200 programs or three that are the same.
    pub fn of(language: &Language, programs: &[u8], most: u8) -> Families {
        let len = language.program_len;
        let n = programs.len() / len;
        let program = |i: usize| &programs[i * len..][..len];
        let chance = Chance::of(programs);
        let least = (n / LEAST_SHARE).max(LEAST_MEMBERS);
        let mut free: Vec<usize> = (0..n).collect();
        let mut of_program = vec![None; n];
        let mut found: Vec<(u8, Family)> = Vec::new();
        let mut copied: Option<Vec<usize>> = None;
        while (found.len() as u8) < most {
            let relations_to = |middle: usize| -> Vec<Option<Relation>> {
                let middle = Middle::new(program(middle), &chance);
                let relations = free.par_iter().map(|i| middle.relation(program(*i)));
                relations.collect()
            };
            let members_of = |it: &[Option<Relation>]| it.iter().flatten().count();
            let compared = sample(&free, COMPARED);
            let relatives = |middle: &usize| {
                let middle = Middle::new(program(*middle), &chance);
                let related = compared.iter().filter(|i| middle.is_related(program(**i)));
                related.count()
            };
            // The first of those that have the most.
            let candidates = sample(&free, CANDIDATES);
            let Some(sampled) = candidates.into_iter().rev().max_by_key(relatives) else {
                break;
            };
            let (mut best, mut relations) = (sampled, relations_to(sampled));
            if members_of(&relations) < least {
                // A small family is missed by samples, but its copies are not.
                let copied = copied.get_or_insert_with(|| copies(programs, len));
                let next = copied.iter().find(|i| of_program[**i].is_none());
                let Some(next) = next else { break };
                (best, relations) = (*next, relations_to(*next));
            }
            let members = members_of(&relations);
            let is_mirrored = |it: &&Relation| **it == Relation::Mirrored;
            let name = found.len() as u8;
            found.push((
                name,
                Family {
                    middle: best,
                    members,
                    mirrored: relations.iter().flatten().filter(is_mirrored).count(),
                },
            ));
            let mut relations = relations.into_iter();
            free.retain(|i| {
                let is_free = relations.next().flatten().is_none();
                if !is_free {
                    of_program[*i] = Some(name);
                }
                is_free
            });
        }
        found.sort_by_key(|(name, family)| (std::cmp::Reverse(family.members), *name));
        let mut place = vec![0; found.len()];
        for (at, (name, _)) in found.iter().enumerate() {
            place[usize::from(*name)] = at as u8;
        }
        for name in of_program.iter_mut().flatten() {
            *name = place[usize::from(*name)];
        }
        Families {
            families: found.into_iter().map(|it| it.1).collect(),
            of_program,
        }
    }

    /// How many programs have a family.
    pub fn members(&self) -> usize {
        self.families.iter().map(|family| family.members).sum()
    }
}

/// Of programs that a soup holds at least [`LEAST_MEMBERS`] times the first ones, the commonest
/// in front.
fn copies(programs: &[u8], len: usize) -> Vec<usize> {
    let mut found: HashMap<&[u8], (usize, usize)> = HashMap::new();
    for (i, program) in programs.chunks_exact(len).enumerate() {
        found.entry(program).or_insert((0, i)).0 += 1;
    }
    let mut copied: Vec<(usize, usize)> = found.into_values().collect();
    copied.retain(|(count, _)| *count >= LEAST_MEMBERS);
    copied.sort_by_key(|(count, first)| (std::cmp::Reverse(*count), *first));
    copied.into_iter().map(|(_, first)| first).collect()
}

/// At most so many of `all`, evenly spaced.
fn sample(all: &[usize], most: usize) -> Vec<usize> {
    let len = all.len().min(most);
    (0..len).map(|i| all[i * all.len() / len]).collect()
}

/// How often each byte comes, and how much it says where it does.
struct Chance {
    share: [f64; 256],
    /// In bits.
    information: [f64; 256],
}

impl Chance {
    fn of(programs: &[u8]) -> Chance {
        let mut counts = [0_u64; 256];
        for byte in programs {
            counts[usize::from(*byte)] += 1;
        }
        let share = counts.map(|count| count as f64 / programs.len().max(1) as f64);
        let information = share.map(|share| if share > 0.0 { -share.log2() } else { 0.0 });
        Chance { share, information }
    }
}

/// How a program resembles the middle of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Direct,
    Mirrored,
}

/// A program to compare others with.
#[derive(Debug)]
struct Middle {
    bytes: Vec<u8>,
    /// For each byte what it says that a program has it there.
    information: Vec<f32>,
    mirror: Vec<u8>,
    mirror_information: Vec<f32>,
    /// What a relative has in common with it says more.
    threshold: f32,
}

impl Middle {
    fn new(program: &[u8], chance: &Chance) -> Middle {
        let (mut mean, mut variance) = (0.0, 0.0);
        for byte in program {
            let byte = usize::from(*byte);
            let (share, bits) = (chance.share[byte], chance.information[byte]);
            mean += share * bits;
            variance += share * (1.0 - share) * bits * bits;
        }
        let bits = |byte: &u8| chance.information[usize::from(*byte)] as f32;
        Middle {
            bytes: program.to_vec(),
            information: program.iter().map(bits).collect(),
            mirror: program.iter().rev().copied().collect(),
            mirror_information: program.iter().rev().map(bits).collect(),
            threshold: (mean + DEVIATIONS * f64::sqrt(variance)) as f32,
        }
    }

    fn relation(&self, program: &[u8]) -> Option<Relation> {
        let is_close = |bytes: &[u8], information: &[f32]| {
            let common = |((a, b), bits): ((&u8, &u8), &f32)| if a == b { *bits } else { 0.0 };
            let pairs = bytes.iter().zip(program).zip(information);
            // Of bytes that are everywhere, having them all in common says nothing.
            pairs.map(common).sum::<f32>() > self.threshold || bytes == program
        };
        if is_close(&self.bytes, &self.information) {
            Some(Relation::Direct)
        } else if is_close(&self.mirror, &self.mirror_information) {
            Some(Relation::Mirrored)
        } else {
            None
        }
    }

    fn is_related(&self, program: &[u8]) -> bool {
        self.relation(program).is_some()
    }
}

/// Tells relatives of some programs in a soup.
#[cfg(feature = "view")]
#[derive(Debug)]
pub(crate) struct Relatives(Vec<Middle>);

#[cfg(feature = "view")]
impl Relatives {
    /// Of these programs, in a soup of the bytes `programs`.
    pub(crate) fn of<'a>(
        middles: impl IntoIterator<Item = &'a [u8]>,
        programs: &[u8],
    ) -> Relatives {
        let chance = Chance::of(programs);
        let middles = middles.into_iter();
        Relatives(middles.map(|it| Middle::new(it, &chance)).collect())
    }

    /// The first of them that `program` is a relative of, by its place among them.
    pub(crate) fn first(&self, program: &[u8]) -> Option<usize> {
        self.0.iter().position(|middle| middle.is_related(program))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::PROGRAM_LEN;
    use crate::soup::Soup;
    use crate::soup::settings::Settings;

    fn noise(num_programs: usize, seed: u64) -> Vec<u8> {
        let settings = Settings {
            num_programs,
            seed,
            ..Settings::default()
        };
        Soup::new(settings).unwrap().programs().to_vec()
    }

    fn bff() -> &'static Language {
        "bff".parse().unwrap()
    }

    #[test]
    fn noise_has_no_families() {
        for seed in 0..4 {
            for n in [2, 64, 4096] {
                let families = Families::of(bff(), &noise(n, seed), 7);
                assert_eq!(families.families, [], "{n} programs, seed {seed}");
                assert_eq!(families.of_program, vec![None; n]);
            }
        }
    }

    /// Copies of three programs with a third of their bytes changed, some of them mirrored, are
    /// found among others; the largest family comes first.
    #[test]
    fn relatives_are_found_by_what_they_have_in_common() {
        let mut programs = noise(2000, 1);
        let models = noise(4, 2);
        // Of each hundred programs, 10, 40 and 20.
        let family_of = |i: usize| match i % 100 {
            0..10 => Some(0),
            10..50 => Some(1),
            50..70 => Some(2),
            _ => None,
        };
        for (i, program) in programs.chunks_exact_mut(PROGRAM_LEN).enumerate() {
            let Some(model) = family_of(i) else { continue };
            for (at, byte) in program.iter_mut().enumerate() {
                if (i * 7 + at * 5) % 3 > 0 {
                    *byte = models[model * PROGRAM_LEN + at];
                }
            }
            if i % 4 == 0 {
                program.reverse();
            }
        }
        let found = Families::of(bff(), &programs, 7);
        let members: Vec<usize> = found.families.iter().map(|it| it.members).collect();
        assert_eq!(members, [800, 400, 200]);
        assert_eq!(found.members(), 1400);
        let place = [2, 0, 1];
        for (i, family) in found.of_program.iter().enumerate() {
            assert_eq!(*family, family_of(i).map(|model| place[model]), "{i}");
        }
        for (place, family) in found.families.iter().enumerate() {
            assert_eq!(found.of_program[family.middle], Some(place as u8));
            // The middle may be one that was mirrored itself.
            let members = found.of_program.iter().enumerate();
            let of_family = members.filter(|(_, it)| **it == Some(place as u8));
            let mirrored = of_family.filter(|(i, _)| i % 4 == 0).count();
            let expected = [mirrored, family.members - mirrored];
            assert!(expected.contains(&family.mirrored), "{family:?}");
        }
        // Of so many only.
        let largest = Families::of(bff(), &programs, 1);
        assert_eq!(largest.families.len(), 1);
    }

    /// A family begins small: a few copies in a large soup.
    #[test]
    fn few_copies_are_found_in_a_large_soup() {
        let mut programs = noise(20_000, 3);
        for place in [70, 9000, 19_999] {
            programs.copy_within(7 * PROGRAM_LEN..8 * PROGRAM_LEN, place * PROGRAM_LEN);
        }
        let found = Families::of(bff(), &programs, 7);
        assert!(found.families[0].members >= 4, "{:?}", found.families);
        for place in [7, 70, 9000, 19_999] {
            assert_eq!(found.of_program[place], Some(0));
        }
        assert!(found.families.len() == 1 && found.members() < 10);
    }

    /// Programs of one byte say nothing, and are the same nonetheless.
    #[test]
    fn an_empty_soup_is_one_family() {
        let found = Families::of(bff(), &[0; 64 * PROGRAM_LEN], 7);
        assert_eq!(found.members(), 64);
    }
}
