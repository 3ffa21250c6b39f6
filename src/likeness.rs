//! How alike two names are, for hints where one was misspelt.

/// Jaro and Winkler's likeness of two names, from 0 (nothing in common) to 1 (the same).
pub(crate) fn likeness(a: &str, b: &str) -> f64 {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let jaro = jaro(&a, &b);
    let alike = a.iter().zip(&b).take(4);
    let prefix = alike.take_while(|(a, b)| a == b).count();
    if jaro > 0.7 {
        jaro + 0.1 * prefix as f64 * (1.0 - jaro)
    } else {
        jaro
    }
}

fn jaro(a: &[char], b: &[char]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return f64::from(u8::from(a.len() == b.len()));
    }
    // Letters match that are the same and not far apart, each once.
    let window = (a.len().max(b.len()) / 2).saturating_sub(1);
    let mut taken = vec![false; b.len()];
    let mut matched = Vec::new();
    for (i, letter) in a.iter().enumerate() {
        let near = i.saturating_sub(window)..(i + window + 1).min(b.len());
        if let Some(j) = near.into_iter().find(|j| !taken[*j] && b[*j] == *letter) {
            taken[j] = true;
            matched.push(*letter);
        }
    }
    if matched.is_empty() {
        return 0.0;
    }
    let others = b.iter().zip(taken).filter(|(_, taken)| *taken);
    let moved = matched.iter().zip(others).filter(|(a, (b, _))| a != b);
    let (count, moved) = (matched.len() as f64, (moved.count() / 2) as f64);
    (count / a.len() as f64 + count / b.len() as f64 + (count - moved) / count) / 3.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values from Winkler's papers, and corners.
    #[test]
    fn likenesses_are_those_of_the_literature() {
        for (a, b, expected) in [
            ("martha", "marhta", 0.961),
            ("dixon", "dicksonx", 0.813),
            ("dwayne", "duane", 0.84),
            ("jones", "johnson", 0.832),
            ("bff", "bff", 1.0),
            ("", "", 1.0),
            ("a", "", 0.0),
            ("abc", "xyz", 0.0),
        ] {
            let found = likeness(a, b);
            assert!((found - expected).abs() < 5e-4, "{a} {b}: {found}");
            assert_eq!(found, likeness(b, a), "{a} {b}");
        }
    }
}
