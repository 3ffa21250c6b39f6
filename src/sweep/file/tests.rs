use super::*;
use crate::soup::settings::World;

fn parse(text: &str) -> Result<Sweep, Error> {
    Sweep::parse("test", text, Path::new(""))
}

#[test]
fn seeds_are_numbers_ranges_and_lists() {
    let seeds = |text: &str| -> Vec<u64> {
        let sweep = parse(&format!("seeds = {text}")).unwrap();
        sweep.runs.iter().map(|run| run.seed).collect()
    };
    assert_eq!(seeds("7"), [7]);
    assert_eq!(seeds("\"3-5\""), [3, 4, 5]);
    assert_eq!(
        seeds("[1, \"4-5, 9\", \"18446744073709551615\"]"),
        [1, 4, 5, 9, u64::MAX]
    );
}

#[test]
fn conditions_change_settings_and_grids_multiply() {
    let sweep = parse(
        "seeds = \"1-2\"\n[settings]\nnum = 64\n[vary]\nmutation-prob = [0, \"1/4096\"]\n\
         [[condition]]\nname = \"a\"\n[[condition]]\nname = \"b\"\nseeds = 5\n\
         fixed-shuffle = true\n[condition.vary]\nmax-steps = [1, 2]\n",
    )
    .unwrap();
    assert_eq!(sweep.varying, ["fixed-shuffle", "max-steps"]);
    let shown: Vec<(&str, u64, u32, f64)> = sweep
        .runs
        .iter()
        .map(|run| {
            let settings = &run.combination.settings;
            let name = run.combination.condition.as_str();
            (name, run.seed, settings.max_steps, settings.mutation_prob)
        })
        .collect();
    assert_eq!(shown.len(), 2 * 2 + 2 * 2);
    assert_eq!(shown[0], ("a, mutation-prob 0", 1, 8192, 0.0));
    assert_eq!(shown[3], ("a, mutation-prob 1/4096", 2, 8192, 1.0 / 4096.0));
    assert_eq!(
        shown[5],
        ("b, max-steps 1, mutation-prob 1/4096", 5, 1, 1.0 / 4096.0)
    );
    assert_eq!(sweep.runs[7].combination.varying, ["true", "2"]);
    // Empty: a flag that is not given.
    assert_eq!(sweep.runs[0].combination.varying, ["", "8192"]);
}

/// The key is that of what decides the result, and of nothing else.
#[test]
fn keys_tell_results_apart() {
    let key = |settings: &str| {
        let text = format!("seeds = 3\n[settings]\n{settings}");
        parse(&text).unwrap().runs[0].key.clone()
    };
    let plain = key("num = 64");
    for same in [
        "engine = \"reference\"",
        "checkpoint-interval = 7",
        "budget-seconds = 9",
        "checkpoints = \"all\"",
        "lang = \"bff_noheads\"",
        "mutation-prob = \"1/4096\"",
        "no-closed-forms = true",
    ] {
        assert_eq!(key(&format!("num = 64\n{same}")), plain, "{same}");
    }
    let mut keys = HashSet::from([plain]);
    for other in [
        "lang = \"bff\"",
        "max-epochs = 7",
        "log-interval = 7",
        "epochs-after-alive = 7",
        "eval-selfrep = true",
        "eval-selfrep = true\nstop-at-replicators = 7",
        "stop-high-order-entropy = 3",
        "zero-init = true",
        "initial-program = \"[]\"",
        "grid = \"8x8\"",
    ] {
        assert!(keys.insert(key(&format!("num = 64\n{other}"))), "{other}");
    }
    let other_seed = parse("seeds = 4\n[settings]\nnum = 64").unwrap();
    assert!(keys.insert(other_seed.runs[0].key.clone()));
}

/// Languages and worlds have what they have in `broth run`, where nothing else is said.
#[test]
fn what_is_not_said_is_as_in_broth_run() {
    let of = |settings: &str| {
        let sweep = parse(&format!("seeds = 3\n[settings]\n{settings}")).unwrap();
        sweep.runs[0].combination.settings.clone()
    };
    let usual = |world, language: &str| Settings::usual(language.parse().unwrap(), world);
    let tape = World::LongTape { head_offset: 0 };
    for (settings, world, language) in [
        ("", World::Pairs, "bff_noheads"),
        ("lang = \"z80\"", World::Pairs, "z80"),
        ("world = \"zff\"", World::Zff, "z80_zff"),
        ("world = \"zff\"\nlang = \"z80\"", World::Zff, "z80_zff"),
        ("world = \"long-tape\"\nlang = \"i8080\"", tape, "i8080"),
    ] {
        assert_eq!(of(settings), usual(world, language), "{settings}");
    }
    assert_eq!(of("lang = \"z80\"").max_steps, 512);
    let bytes = of("world = \"long-tape\"\nlang = \"i8080\"\ntape-bytes = 4096");
    assert_eq!(bytes.num_programs * bytes.language.program_len, 4096);
}

#[test]
fn a_grid_says_how_many_programs_there_are() {
    let sweep = parse("seeds = 3\n[settings]\ngrid = \"240x135\"").unwrap();
    assert_eq!(sweep.runs[0].combination.settings.num_programs, 32_400);
}

#[test]
fn shards_share_all_runs() {
    let whole = parse("seeds = \"1-10\"").unwrap();
    let mut seeds: Vec<u64> = Vec::new();
    for number in 1..=3 {
        let mut part = parse("seeds = \"1-10\"").unwrap();
        part.take_shard(Shard { number, of: 3 });
        assert!((3..=4).contains(&part.runs.len()));
        seeds.extend(part.runs.iter().map(|run| run.seed));
    }
    seeds.sort();
    assert_eq!(seeds, (1..=10).collect::<Vec<_>>());
    assert_eq!(whole.runs.len(), 10);
    for wrong in ["0/3", "4/3", "3", "a/b", "1/0", "-1/3"] {
        assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
    }
}

#[test]
fn wrong_files_are_told_what_and_how() {
    for (text, hints) in [
        ("", &["no seeds", "seeds = "][..]),
        ("seeds = 1\nexpected = 40", &["expected = 40", "0.4"]),
        ("seeds = 1\nexpected = nan", &["expected = NaN"]),
        (
            "seeds = 1\n[vary]\nmutation-prob = [0, 0.0]",
            &["mutation-prob 0`", "the same run"],
        ),
        (
            "seeds = 1\n[vary]\nbudget-seconds = [1, 2]",
            &["budget-seconds 2", "the same run"],
        ),
        (
            "seeds = 1\n[[condition]]\nname = \"x\"\n[[condition]]\nname = \"y\"\n\
             budget-seconds = 1",
            &["`x` and `y`", "two ways"],
        ),
        ("seeds = -1", &["seeds", "-1"]),
        ("seeds = \"5-2\"", &["backwards", "2-5"]),
        ("seeds = \"1-9999999999\"", &["more than"]),
        ("seeds = [1, \"1-3\"]", &["1 is there twice"]),
        ("seeds = []", &["empty"]),
        ("seeds = 1.5", &["1.5"]),
        ("seeds = 1\nseedz = 2", &["seedz"]),
        (
            "seeds = 1\n[settings]\nmutation-rate = 2",
            &["mutation-rate", "mutation-prob"],
        ),
        (
            "seeds = 1\n[settings]\nmutation-prob = 2",
            &["mutation-prob", "between 0 and 1"],
        ),
        (
            "seeds = 1\n[settings]\nmutation-prob = \"1/0\"",
            &["mutation-prob", "1/0"],
        ),
        ("seeds = 1\n[settings]\nnum = 7", &["num 7", "even"]),
        ("seeds = 1\n[settings]\nnum = \"x\"", &["num", "2^17"]),
        (
            "seeds = 1\n[settings]\ntape-bytes = 4096",
            &["tape-bytes", "long-tape"],
        ),
        (
            "seeds = 1\n[settings]\nworld = \"long-tape\"\nlang = \"i8080\"\n\
             tape-bytes = 4096\nnum = 64",
            &["num and tape-bytes"],
        ),
        ("seeds = 1\n[settings]\nlang = \"bfff\"", &["bfff"]),
        ("seeds = 1\n[settings]\nseed = 7", &["`seed`", "seeds"]),
        (
            "seeds = 1\n[settings]\ntracers = true",
            &["`tracers`", "alone, with tracers"],
        ),
        (
            "seeds = 1\n[settings]\nbudget-seconds = 0",
            &["budget-seconds"],
        ),
        (
            "seeds = 1\n[settings]\nstop-at-replicators = 1",
            &["eval-selfrep"],
        ),
        (
            "seeds = 1\n[settings]\ncheckpoints = \"some\"",
            &["some", "last"],
        ),
        ("seeds = 1\n[vary]\nnum = 64", &["vary", "num", "list"]),
        ("seeds = 1\n[vary]\nnum = [64, 7]", &["num 7"]),
        ("seeds = 1\n[[condition]]\nnum = 7", &["number 1", "name"]),
        (
            "seeds = 1\n[[condition]]\nname = \"x\"\nnum = 7",
            &["condition `x`", "num 7"],
        ),
        (
            "seeds = 1\n[[condition]]\nname = \"x\"\n[[condition]]\nname = \"x\"",
            &["two conditions", "`x`"],
        ),
        (
            "seeds = \"1-90000\"\n[vary]\nnum = [2, 4]",
            &["more than 100000 runs"],
        ),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.is_usage(), "{text}");
        for hint in hints {
            assert!(error.to_string().contains(hint), "{text}: {error}");
        }
    }
}

/// Results on disk are found by these keys.
#[test]
fn keys_stay_what_they_were() {
    let sweep = parse(
        r#"
            seeds = 3
            [settings]
            num = 64
            max-epochs = 2
            [[condition]]
            name = "plain"
            [[condition]]
            name = "much"
            lang = "bff"
            grid = "8x8"
            radius = 1
            engine = "reference"
            mutation-prob = "1/1024"
            eval-selfrep = true
            stop-at-replicators = 60
            stop-high-order-entropy = 7.5
            [[condition]]
            name = "tape"
            world = "long-tape"
            lang = "i8080"
            head-offset = 0
        "#,
    )
    .unwrap();
    let keys: Vec<&str> = sweep.runs.iter().map(|run| run.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "0b3d14a2141e72d7285f3cb5caca42f1",
            "a9955b951d19da8d3727b3ce482ab4a8",
            "8e0cad244da6513fb3c860861a08c82d",
        ]
    );
}
