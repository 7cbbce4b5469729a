//! What needs no store. Extensions at work are tested with the whole program (tests/cli/extension.rs).

use std::fs;

use super::*;

#[test]
fn finds_executable_files_of_user_and_system() {
    let folder = tempfile::tempdir().expect("made");
    let [user, system] = ["user", "system"].map(|name| folder.path().join(name));
    for (place, name, mode) in
        [(&user, "both", "755"), (&system, "both", "755"), (&user, "plain", "644"), (&system, "sys", "755")]
    {
        fs::create_dir_all(place).expect("made");
        let file = place.join(format!("{name}.bash"));
        fs::write(&file, "").expect("written");
        assert!(Command::new("chmod").arg(mode).arg(file).status().expect("chmod runs").success());
    }
    fs::create_dir(user.join("folder.bash")).expect("made");
    let find = |name: &str, user: Option<&Path>| Extension::find(OsStr::new(name), user, &system);
    let origin = |found: Option<Extension>| found.map(|extension| extension.origin);
    assert_eq!(origin(find("both", Some(&user))), Some(Origin::User));
    assert_eq!(origin(find("/both", Some(&user))), Some(Origin::User));
    assert_eq!(origin(find("both", None)), Some(Origin::System));
    assert_eq!(origin(find("sys", Some(&user))), Some(Origin::System));
    for name in ["plain", "folder", "none", ""] {
        assert_eq!(find(name, Some(&user)), None, "{name}");
    }
}

#[test]
fn clip_and_qrcode_call_us_back_through_a_pipe() {
    let folder = tempfile::tempdir().expect("made");
    let [own, file] = ["own", "try.bash"].map(|name| folder.path().join(name));
    fs::write(&file, "clip 'se cret' 'the label'; qrcode 'se cret' other; clip x y; exit 5")
        .expect("written");
    let stub = "#!/bin/sh\nif [ \"$2\" = y ]; then exit 3; fi\n\
                printf '%s|%s|%s|%s\\n' \"$1\" \"$2\" \"$(cat)\" \"$PASSWORD_STORE_CLIP_TIME\"\n";
    // Written by another process: a file that is open for writing anywhere cannot be run.
    let mut install = Command::new("install");
    install.args(["-m755", "/dev/stdin"]).arg(&own);
    assert!(
        crate::process::Filter::new(install, stub.as_bytes()).run().expect("install runs").exit.success()
    );
    let extension = Extension { file, origin: Origin::System };
    let mut bash = extension.bash(&own, OsStr::new("/x/pass"), OsStr::new("try"), &[]);
    bash.env_clear().env("PATH", std::env::var_os("PATH").expect("PATH is set")).env("HOME", folder.path());
    let output = bash.output().expect("bash runs");
    let expected = "--internal-clip|the label|se cret|45\n--internal-qrcode|other|se cret|45\n";
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    assert_eq!(output.status.code(), Some(1));
}
