use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::*;

/// A folder of our own in memory, so that tests do not meet in /dev/shm itself.
fn memory() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("passel-test-").tempdir_in("/dev/shm").expect("/dev/shm is there")
}

fn secret() -> Plaintext {
    Plaintext::new(b"hunter2\nuser: me\n".to_vec())
}

/// What a killed process leaves: the folder without its owner.
fn orphan(memory: &Path) -> PathBuf {
    let folder = PrivateFolder::in_memory(&[memory.to_path_buf()]).expect("memory");
    folder.write(&folder.file_for(Path::new("a/b")).expect("name"), &secret()).expect("written");
    let kept = folder.path().to_path_buf();
    folder.leave_for_test();
    kept
}

#[test]
fn is_named_and_guarded_as_passs_own() {
    let memory = memory();
    let folder = PrivateFolder::in_memory(&[memory.path().to_path_buf()]).expect("memory");
    let name = folder.path().file_name().expect("named").to_str().expect("ascii");
    assert!(name.starts_with("pass.") && name.len() == 18, "{name}");
    assert_eq!(fs::metadata(folder.path()).expect("there").permissions().mode() & 0o7777, 0o700);
    let file = folder.file_for(Path::new("web/git lab/été")).expect("name");
    let file_name = file.file_name().expect("named").to_str().expect("utf-8");
    assert_eq!(&file_name[6..], "-web-git lab-été.txt");
    assert!(!file.exists());
    folder.write(&file, &secret()).expect("written");
    assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o7777, 0o600);
    assert!(folder.write(&file, &secret()).is_err(), "an existing file is never written over");
    assert_eq!(folder.read(&file).expect("read").expect("there").expose(), secret().expose());
    let path = folder.path().to_path_buf();
    drop(folder);
    assert!(!path.exists());
    assert_eq!(fs::read_dir(memory.path()).expect("there").count(), 0);
}

#[test]
fn is_made_while_others_sweep() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let memory = memory();
    let candidates = [memory.path().to_path_buf()];
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            // What it cannot remove, as its maker did so first, is no matter here.
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    drop(sweep(&candidates))
                }
            });
        }
        let made: Vec<bool> = (0..5000).map(|_| PrivateFolder::in_memory(&candidates).is_ok()).collect();
        done.store(true, Ordering::Relaxed);
        assert!(made.into_iter().all(|made| made));
    });
}

#[test]
fn is_removed_on_panic() {
    let memory = memory();
    let parent = memory.path().to_path_buf();
    let result = std::panic::catch_unwind(|| {
        let folder = PrivateFolder::in_memory(&[parent]).expect("memory");
        folder.write(&folder.file_for(Path::new("x")).expect("name"), &secret()).expect("written");
        fs::create_dir(folder.path().join("sub")).expect("made");
        fs::write(folder.path().join("sub/copy"), "hunter2").expect("made");
        panic!("on purpose");
    });
    assert!(result.is_err());
    assert_eq!(fs::read_dir(memory.path()).expect("there").count(), 0);
}

#[test]
fn only_memory_will_do() {
    let disk = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).expect("a folder on disk");
    let candidates = [disk.path().to_path_buf(), PathBuf::from("/nonexistent")];
    let refused = PrivateFolder::in_memory(&candidates);
    assert!(matches!(refused, Err(PrivateFolderError::NotInMemory)));
    let memory = memory();
    let mut candidates = candidates.to_vec();
    candidates.push(memory.path().to_path_buf());
    let folder = PrivateFolder::in_memory(&candidates).expect("the third is in memory");
    assert!(folder.path().starts_with(memory.path()));
    let on_disk = PrivateFolder::on_disk(disk.path()).expect("made on disk when asked");
    assert!(on_disk.path().starts_with(disk.path()));
    // A folder where anybody may rename ours away.
    fs::set_permissions(memory.path(), fs::Permissions::from_mode(0o777)).expect("mode");
    assert!(PrivateFolder::in_memory(&[memory.path().to_path_buf()]).is_err());
}

#[test]
fn sweeps_what_dead_processes_left() {
    let memory = memory();
    let left = orphan(memory.path());
    let link_target = memory.path().join("keep");
    fs::write(&link_target, "keep").expect("made");
    symlink(&link_target, left.join("link")).expect("linked");
    fs::hard_link(&link_target, left.join("hard")).expect("linked");
    let file = fs::read_dir(&left).expect("there").map(|e| e.expect("entry").path());
    let file = { file }.find(|p| p.extension().is_some_and(|e| e == "txt")).expect("the plaintext");
    let open = File::open(file).expect("open");
    // Killed before the folder got its name.
    fs::create_dir(memory.path().join(".passel-new.abcdefghijklm")).expect("made");
    assert!(sweep(&[memory.path().to_path_buf(), PathBuf::from("/nonexistent")]).is_empty());
    assert_eq!(fs::read_to_string(&link_target).expect("untouched"), "keep");
    assert_eq!(fs::read_dir(memory.path()).expect("there").count(), 1);
    assert_eq!(open.metadata().expect("open").size(), 0, "overwritten and cut before it was unlinked");
}

#[test]
fn sweeps_nothing_that_is_in_use_or_not_ours() {
    let memory = memory();
    let in_use = PrivateFolder::in_memory(&[memory.path().to_path_buf()]).expect("memory");
    let inherited = {
        // The process died, its editor lives.
        let folder = PrivateFolder::in_memory(&[memory.path().to_path_buf()]).expect("memory");
        let lock = folder.lock().expect("duplicated");
        let path = folder.path().to_path_buf();
        folder.leave_for_test();
        (path, lock)
    };
    let stock = memory.path().join("pass.ABCDEFGHIJKLM");
    fs::create_dir(&stock).expect("made");
    fs::write(stock.join("secret.txt"), "stock pass's").expect("made");
    let elsewhere = tempfile::tempdir().expect("made");
    fs::write(elsewhere.path().join(MARK), "").expect("made");
    symlink(elsewhere.path(), memory.path().join("pass.linklinklinkl")).expect("linked");
    fs::create_dir(memory.path().join("pass.short")).expect("made");
    fs::write(memory.path().join("pass.short/.passel"), "").expect("made");
    if rustix::process::geteuid().is_root() {
        let other = orphan(memory.path());
        std::os::unix::fs::chown(&other, Some(65534), None).expect("given away");
    }
    let before = fs::read_dir(memory.path()).expect("there").count();
    assert!(sweep(&[memory.path().to_path_buf()]).is_empty());
    assert_eq!(fs::read_dir(memory.path()).expect("there").count(), before);
    assert!(in_use.path().exists() && inherited.0.exists() && stock.join("secret.txt").exists());
    assert!(elsewhere.path().join(MARK).exists());
}

#[test]
fn reads_only_regular_files() {
    let memory = memory();
    let folder = PrivateFolder::in_memory(&[memory.path().to_path_buf()]).expect("memory");
    let file = folder.file_for(Path::new("x")).expect("name");
    assert!(folder.read(&file).expect("absent is no error").is_none());
    symlink("/etc/passwd", &file).expect("linked");
    assert!(matches!(folder.read(&file), Err(PrivateFolderError::NotRegular(_))));
    fs::remove_file(&file).expect("removed");
    rustix::fs::mkfifoat(CWD, &file, Mode::RUSR | Mode::WUSR).expect("a pipe");
    assert!(matches!(folder.read(&file), Err(PrivateFolderError::NotRegular(_))));
    fs::remove_file(&file).expect("removed");
    File::create(&file).expect("made").set_len(MAX_CONTENT + 1).expect("grown");
    assert!(matches!(folder.read(&file), Err(PrivateFolderError::TooLarge(_))));
    File::create(&file).expect("emptied");
    assert_eq!(folder.read(&file).expect("read").expect("there").expose(), b"");
}

#[test]
fn file_names_are_short_and_tame() {
    assert_eq!(file_name("abcdef", b"a/b\x1b]52;\x07\xff c"), b"abcdef-a-b_]52;__ c.txt");
    let long = "é/".repeat(300);
    let name = file_name("abcdef", long.as_bytes());
    assert!(name.len() <= MAX_NAME && name.ends_with(b".txt") && String::from_utf8(name).is_ok());
}

#[test]
fn random_names_differ() {
    let names: std::collections::HashSet<_> = (0..100).map(|_| random(RANDOM).expect("random")).collect();
    assert_eq!(names.len(), 100);
}
