//! `examples/`: the files of the layouts are what the generator makes, and each is what it is called; the cases hold.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ocilint::cases::Suite;

#[path = "../../examples/make_layouts.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "an example of its own, whose `main` writes the files; here they are compared"
)]
mod make_layouts;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/layouts");

#[test]
fn the_layouts_are_what_the_generator_makes() {
    let made: BTreeMap<String, Vec<u8>> = make_layouts::layouts()
        .into_iter()
        .flat_map(|(shape, files)| {
            files.into_iter().map(move |(path, bytes)| (format!("{shape}/{path}"), bytes.to_vec()))
        })
        .collect();
    let mut kept = BTreeMap::new();
    read(Path::new(FOLDER), "", &mut kept);
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&kept), names(&made), "run `cargo run --example make_layouts`");
    for (path, bytes) in made {
        assert!(kept[&path] == bytes, "{path} differs: run `cargo run --example make_layouts`");
    }
}

#[test]
fn each_layout_is_a_few_kilobytes() {
    for (shape, files) in make_layouts::layouts() {
        let size: usize = files.values().map(bytes::Bytes::len).sum();
        assert!(size < 24 << 10, "{shape} has {size} bytes");
    }
}

#[test]
fn the_example_cases_hold() {
    let suite = Suite::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/cases.toml"))).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for outcome in runtime.block_on(suite.run()) {
        assert_eq!(outcome.problems(), Vec::<String>::new(), "{}", outcome.name);
    }
}

fn read(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read(&entry.path(), &format!("{name}/"), files);
        } else {
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
}
