//! docs/architecture.md says which room of the sources stands on which; here the sources are
//! read to see that it is so, and that no files need each other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::unsafe_code::code_of;

/// The rooms of the library, each of which may use those before it.
const ROOMS: [&str; 19] = [
    "error", "random", "format", "files", "memory", "language", "engine", "soup", "measure",
    "examples", "search", "proof", "run", "sweep", "plot", "bench", "verify", "view", "cli",
];

/// A module as a path: of src/soup/pairs.rs `["soup", "pairs"]`.
type Module = Vec<String>;

/// The words and signs of the file at `path`, without its unit tests.
fn tokens_of(path: &Path) -> Vec<String> {
    let code = code_of(&std::fs::read_to_string(path).unwrap());
    let mut tokens: Vec<String> = code.split_whitespace().map(str::to_owned).collect();
    let tests = "# [ cfg ( test ) ] mod tests {";
    let tests: Vec<&str> = tests.split(' ').collect();
    if let Some(start) = tokens.windows(tests.len()).position(|it| it == tests) {
        let mut depth = 0;
        let after = tokens[start + tests.len() - 1..].iter().position(|token| {
            match token.as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let end = start + tests.len() + after.expect("tests end");
        tokens.drain(start..end);
    }
    tokens
}

/// Every module below `folder`, with its tokens.
fn find_modules(folder: &Path, above: &Module, found: &mut BTreeMap<Module, Vec<String>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let module: Module = above.iter().cloned().chain([name.to_owned()]).collect();
        if path.is_dir() {
            find_modules(&path, &module, found);
        } else if name == "mod" {
            found.insert(above.clone(), tokens_of(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.insert(module, tokens_of(&path));
        }
    }
}

/// Read the paths that begin with `start` and go on at the first of `tokens`, as in
/// `a::{b, c::d}`; answers with the tokens behind them.
fn read_paths<'t>(
    mut tokens: &'t [String],
    start: &Module,
    found: &mut Vec<Module>,
) -> &'t [String] {
    let mut path = start.clone();
    let is = |tokens: &[String], i: usize, sign: &str| tokens.get(i).is_some_and(|it| it == sign);
    loop {
        match tokens.first().map(String::as_str) {
            Some("{") => {
                tokens = &tokens[1..];
                while !is(tokens, 0, "}") {
                    tokens = read_paths(tokens, &path, found);
                    if is(tokens, 0, ",") {
                        tokens = &tokens[1..];
                    }
                }
                return &tokens[1..];
            }
            Some("super") => {
                path.pop();
            }
            Some("self") => {}
            Some(word) if word.starts_with(|char: char| char.is_alphabetic() || char == '_') => {
                path.push(word.to_owned());
            }
            // Everything, or no path at all.
            _ => {
                found.push(path);
                return tokens.get(1..).unwrap_or_default();
            }
        }
        tokens = &tokens[1..];
        if is(tokens, 0, "as") {
            tokens = &tokens[2..];
        }
        if !(is(tokens, 0, ":") && is(tokens, 1, ":")) {
            found.push(path);
            return tokens;
        }
        tokens = &tokens[2..];
    }
}

/// All paths that the tokens of `module` name from the root or from the module itself.
fn paths_of(module: &Module, tokens: &[String]) -> Vec<Module> {
    let mut found = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        let is_first = i < 2 || tokens[i - 1] != ":" || tokens[i - 2] != ":";
        let goes_on = tokens[i + 1..].starts_with(&[":".to_owned(), ":".to_owned()]);
        let start = match token.as_str() {
            "crate" => Module::new(),
            "super" => module[..module.len() - 1].to_vec(),
            "self" => module.clone(),
            _ => continue,
        };
        if is_first && goes_on {
            read_paths(&tokens[i + 3..], &start, &mut found);
        }
    }
    found
}

/// Which other modules each module uses.
fn uses() -> BTreeMap<Module, BTreeSet<Module>> {
    let mut modules = BTreeMap::new();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    find_modules(&sources, &Module::new(), &mut modules);
    modules.remove(&vec!["main".to_owned()]);
    let root = modules.remove(&vec!["lib".to_owned()]).unwrap();
    // What the root has under names of its own, as `pub use soup::settings::Settings`.
    let mut renamed: BTreeMap<String, Module> = BTreeMap::new();
    for (i, _) in root.iter().enumerate().filter(|(_, token)| *token == "use") {
        let mut paths = Vec::new();
        read_paths(&root[i + 1..], &Module::new(), &mut paths);
        let names = paths.into_iter().map(|it| (it.last().unwrap().clone(), it));
        renamed.extend(names);
    }
    let module_of = |path: &Module| {
        let renamed = path.first().and_then(|name| renamed.get(name));
        let mut path = renamed.unwrap_or(path).clone();
        while !path.is_empty() && !modules.contains_key(&path) {
            path.pop();
        }
        path
    };
    let used = modules.iter().map(|(module, tokens)| {
        let paths = paths_of(module, tokens);
        let others = paths.iter().map(module_of);
        let others = others.filter(|it| !it.is_empty() && it != module);
        (module.clone(), others.collect())
    });
    used.collect()
}

#[test]
fn rooms_use_those_below_them_only() {
    let place = |room: &str| {
        ROOMS.iter().position(|it| *it == room).unwrap_or_else(|| {
            panic!("src/{room} is new: put it in its place in the list of rooms here")
        })
    };
    for (module, used) in uses() {
        for other in used {
            assert!(
                place(&other[0]) <= place(&module[0]),
                "src/{} uses {}, which is above it",
                module.join("/"),
                other.join("::")
            );
        }
    }
}

#[test]
fn no_files_of_a_room_need_each_other() {
    let mut left = uses();
    for (module, used) in &mut left {
        // A folder and what is in it belong together.
        used.retain(|other| !other.starts_with(module) && !module.starts_with(other));
    }
    // Take away what needs nothing else any more, again and again.
    while let Some(free) = left.keys().find(|it| left[*it].is_empty()).cloned() {
        left.remove(&free);
        for used in left.values_mut() {
            used.remove(&free);
        }
    }
    // The rest needs a circle; what no other needs is not in one.
    loop {
        let needed: BTreeSet<&Module> = left.values().flatten().collect();
        let Some(above) = left.keys().find(|it| !needed.contains(it)).cloned() else {
            break;
        };
        left.remove(&above);
    }
    let circle: Vec<String> = left
        .iter()
        .map(|(module, used)| {
            let used: Vec<String> = used.iter().map(|other| other.join("/")).collect();
            format!("{} needs {}", module.join("/"), used.join(", "))
        })
        .collect();
    assert!(circle.is_empty(), "a circle:\n{}", circle.join("\n"));
}

#[test]
fn the_code_cache_knows_no_family() {
    let is_of_family = |module: &Module| module.iter().any(|it| it == "bff" || it == "forth");
    let jit: Module = vec!["engine".into(), "jit".into()];
    let families: Module = vec!["engine".into(), "jit".into(), "families".into()];
    let shared =
        |module: &Module| module.starts_with(&jit) && !is_of_family(module) && *module != families;
    let used: Vec<_> = uses().into_iter().filter(|(it, _)| shared(it)).collect();
    assert!(used.len() > 5, "{used:?}");
    for (module, used) in used {
        let family = used.iter().find(|other| is_of_family(other));
        assert_eq!(family, None, "src/{}", module.join("/"));
    }
}

#[test]
fn paths_are_found() {
    let module: Module = vec!["a".into(), "b".into()];
    let code = code_of(
        "use crate::{Error, x::y::{self, Z as W}}; use super::c::*; fn f() -> self::D { \
         crate::v::w::<u8>(\"crate::no\"); let z = other::crate_::p; } // crate::no",
    );
    let tokens: Vec<String> = code.split_whitespace().map(str::to_owned).collect();
    let found: Vec<String> = paths_of(&module, &tokens)
        .iter()
        .map(|path| path.join("::"))
        .collect();
    assert_eq!(
        found,
        ["Error", "x::y", "x::y::Z", "a::c", "a::b::D", "v::w"]
    );
}
