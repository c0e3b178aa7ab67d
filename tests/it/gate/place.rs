//! Layouts and archives of a scenario, and what is done to them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::scenario::Scenario;
use super::shelf::Shelf;

/// Writes the documents as an OCI image layout and damages it.
pub(crate) fn layout(scenario: &Scenario, shelf: &mut Shelf, directory: &Path) -> PathBuf {
    let layout = directory.join("layout");
    let root = shelf.build(&scenario.root);
    let index = if shelf.texts.contains_key("index.json") {
        shelf.build("index.json").bytes.to_vec()
    } else {
        let name = r#""annotations":{"org.opencontainers.image.ref.name":"1.0"}"#;
        let entry = format!(
            r#""mediaType":"{}","digest":"{}","size":{},{name}"#,
            root.media_type,
            root.digest,
            root.bytes.len()
        );
        format!(r#"{{"schemaVersion":2,"manifests":[{{{entry}}}]}}"#).into_bytes()
    };
    put(&layout.join("index.json"), &index);
    put(&layout.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#);
    for (name, built) in shelf.built().clone() {
        if !scenario.missing.contains(&name) {
            let body = scenario.swapped.get(&name).map_or_else(|| built.bytes.to_vec(), |text| shelf.expand(text));
            put(&layout.join("blobs").join(built.digest.replace(':', "/")), &body);
        }
    }
    for deed in &scenario.damage {
        damage(&shelf.expand_text(deed), &layout, directory);
    }
    layout
}

fn put(path: &Path, body: &[u8]) {
    fs::create_dir_all(path.parent().expect("a file in a directory")).expect("a directory");
    fs::write(path, body).expect("a file");
}

/// One deed on a layout: `remove PATH`, `write PATH TEXT`, `link PATH TARGET`, `fifo PATH`, `directory PATH`, `cut PATH BYTES`,
/// `hide PATH` (no permissions). Deeds on archives are left for later.
fn damage(deed: &str, layout: &Path, directory: &Path) {
    let (word, rest) = deed.split_once(' ').unwrap_or((deed, ""));
    let (name, argument) = rest.split_once(' ').unwrap_or((rest, ""));
    let path = layout.join(name);
    let remove = || {
        if path.is_dir() {
            fs::remove_dir_all(&path).expect("a directory that was there");
        } else {
            fs::remove_file(&path).expect("a file that was there");
        }
    };
    match word {
        "remove" => remove(),
        "write" => put(&path, argument.as_bytes()),
        "cut" => {
            let mut body = fs::read(&path).expect("a file that was there");
            body.truncate(argument.parse().expect("a number"));
            put(&path, &body);
        }
        "directory" => {
            remove();
            fs::create_dir(&path).expect("a directory");
        }
        // The file goes outside, and a link leads to it.
        "link-out" => {
            fs::rename(&path, directory.join("outside")).expect("a file that was there");
            std::os::unix::fs::symlink(directory.join("outside"), &path).expect("a link");
        }
        "link" => {
            remove();
            std::os::unix::fs::symlink(argument, &path).expect("a link");
        }
        "fifo" => {
            remove();
            let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo");
            assert!(made.success(), "mkfifo");
        }
        "tar" => {}
        other => panic!("`{other}` is no damage"),
    }
}

/// A tar file of nothing but what the deeds write.
pub(crate) fn saved(scenario: &Scenario, shelf: &mut Shelf, directory: &Path) -> PathBuf {
    let files = directory.join("saved");
    fs::create_dir(&files).expect("a directory");
    for deed in &scenario.damage {
        damage(&shelf.expand_text(deed), &files, directory);
    }
    archive(scenario, shelf, &files, directory)
}

/// The layout as a tar file, damaged by deeds that begin with `tar`: `tar cut BYTES`, `tar twice PATH TEXT`,
/// `tar link PATH TARGET`, `tar hardlink PATH TARGET`, `tar fifo PATH`, `tar endless-size PATH`, `tar gzip`, `tar bomb MIB`,
/// `tar add PATH TEXT`.
pub(crate) fn archive(scenario: &Scenario, shelf: &mut Shelf, layout: &Path, directory: &Path) -> PathBuf {
    let mut builder = tar::Builder::new(Vec::new());
    let deeds: Vec<String> =
        scenario.damage.iter().filter_map(|deed| deed.strip_prefix("tar ")).map(str::to_owned).collect();
    let deeds: Vec<String> = deeds.iter().map(|deed| shelf.expand_text(deed)).collect();
    let mut files = Vec::new();
    walk(layout, layout, &mut files);
    for (name, body) in &files {
        member(&mut builder, name, body);
    }
    for deed in &deeds {
        let (word, rest) = deed.split_once(' ').unwrap_or((deed, ""));
        let (name, argument) = rest.split_once(' ').unwrap_or((rest, ""));
        match word {
            "twice" | "add" => member(&mut builder, name, argument.as_bytes()),
            "link" => special(&mut builder, tar::EntryType::Symlink, name, argument),
            "hardlink" => special(&mut builder, tar::EntryType::Link, name, argument),
            "fifo" => special(&mut builder, tar::EntryType::Fifo, name, ""),
            "bomb" => zeros(&mut builder, name, argument.parse().expect("a number of MiB")),
            _ => {}
        }
    }
    let mut bytes = builder.into_inner().expect("a vector takes all bytes");
    for deed in &deeds {
        let (word, argument) = deed.split_once(' ').unwrap_or((deed, ""));
        match word {
            "cut" => bytes.truncate(argument.parse().expect("a number")),
            "gzip" => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(&bytes).expect("a vector takes all bytes");
                bytes = encoder.finish().expect("a vector takes all bytes");
            }
            "cut-after" => bytes.truncate(bytes.len() - argument.parse::<usize>().expect("a number")),
            _ => {}
        }
    }
    let file = directory.join("image.tar");
    fs::write(&file, bytes).expect("a file");
    file
}

/// The regular files of a layout, sorted.
fn walk(directory: &Path, base: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(directory).expect("a directory").flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, base, files);
        } else if path.is_file() {
            let name = path.strip_prefix(base).expect("a path below").to_str().expect("a text").to_owned();
            files.push((name, fs::read(&path).expect("a file")));
        }
    }
}

fn header(kind: tar::EntryType, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header
}

fn member(builder: &mut tar::Builder<Vec<u8>>, name: &str, body: &[u8]) {
    let mut header = header(tar::EntryType::Regular, body.len() as u64);
    // Names such as `../x` are refused by the builder itself, so they are written by hand.
    let field = &mut header.as_old_mut().name;
    field[..name.len()].copy_from_slice(name.as_bytes());
    header.set_cksum();
    builder.append(&header, body).expect("a vector takes all bytes");
}

fn special(builder: &mut tar::Builder<Vec<u8>>, kind: tar::EntryType, name: &str, target: &str) {
    let mut header = header(kind, 0);
    builder.append_link(&mut header, name, target).expect("a vector takes all bytes");
}

fn zeros(builder: &mut tar::Builder<Vec<u8>>, name: &str, mebibytes: u64) {
    let size = mebibytes << 20;
    let mut header = header(tar::EntryType::Regular, size);
    builder
        .append_data(&mut header, name, std::io::Read::take(std::io::repeat(0), size))
        .expect("a vector takes all bytes");
}
