//! Manual pages and completions: generated from the definitions of the command line, committed, and
//! compared here. `make generated` writes them anew.

#[path = "generated/man.rs"]
mod man;
#[path = "generated/shells.rs"]
mod shells;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Returns every generated file's text, by its path in this repository.
fn generated() -> BTreeMap<PathBuf, String> {
    let definitions = passel::cli::args::command();
    let mut files = man::pages(&definitions);
    for program in ["passel", "pass"] {
        files.extend(shells::scripts(&definitions, program));
    }
    files.into_iter().map(|(path, text)| (PathBuf::from(path), text)).collect()
}

/// Returns the generated files that are there.
fn committed(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    for folder in ["man", "completions"] {
        for entry in fs::read_dir(root.join(folder)).into_iter().flatten() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let path = PathBuf::from(folder).join(name);
            if path.extension().is_none_or(|end| end != "in") {
                files.insert(path.clone(), fs::read_to_string(root.join(path)).unwrap());
            }
        }
    }
    files
}

#[test]
fn generated_files_are_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let wanted = generated();
    if std::env::var_os("PASSEL_WRITE_GENERATED").is_some() {
        for path in committed(root).keys().filter(|path| !wanted.contains_key(*path)) {
            fs::remove_file(root.join(path)).unwrap();
        }
        for (path, text) in &wanted {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), text).unwrap();
        }
        return;
    }
    let found = committed(root);
    let all: std::collections::BTreeSet<_> = wanted.keys().chain(found.keys()).collect();
    let stale: Vec<_> = all.into_iter().filter(|path| wanted.get(*path) != found.get(*path)).collect();
    assert!(stale.is_empty(), "not up to date: {stale:?}; run `make generated`");
}

/// Says what a completion script lacks of what can be typed.
fn missing(script: &str) -> Vec<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '-';
    let words: std::collections::HashSet<&str> = script.split(|c| !is_word(c)).collect();
    let mut missing = Vec::new();
    for command in passel::cli::args::command().get_subcommands() {
        let names = std::iter::once(command.get_name()).chain(command.get_visible_aliases());
        missing.extend(names.filter(|name| !words.contains(name)).map(str::to_owned));
        for option in command.get_arguments().filter(|arg| !arg.is_positional()) {
            let long = option.get_long().expect("every option has a long name");
            if !words.contains(long) && !words.contains(format!("--{long}").as_str()) {
                missing.push(format!("{} --{long}", command.get_name()));
            }
        }
    }
    missing
}

#[test]
fn completions_know_every_command_and_option() {
    for (path, text) in generated().into_iter().filter(|(path, _)| path.starts_with("completions")) {
        assert_eq!(missing(&text), [""; 0], "{}", path.display());
    }
}

#[test]
fn manual_pages_are_well_formed() {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in generated().into_iter().filter(|(path, _)| path.starts_with("man")) {
        let file = folder.path().join(path.file_name().unwrap());
        fs::write(&file, text).unwrap();
        let checked = std::process::Command::new("groff")
            .args(["-man", "-Tutf8", "-ww", "-rCHECKSTYLE=3", "-z"])
            .arg(&file)
            .output()
            .expect("groff is needed for this test");
        let complaints = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success() && complaints.is_empty(), "{}: {complaints}", path.display());
    }
}
