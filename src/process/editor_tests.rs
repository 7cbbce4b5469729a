use std::fs;

use super::*;

/// A private folder, its file and a place for scripts.
struct Scene {
    folder: PrivateFolder,
    file: PathBuf,
    scripts: tempfile::TempDir,
    _memory: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let memory = tempfile::Builder::new().prefix("passel-test-").tempdir_in("/dev/shm").expect("memory");
        let folder = PrivateFolder::in_memory(&[memory.path().to_path_buf()]).expect("memory");
        let file = folder.file_for(Path::new("web/site")).expect("name");
        Scene { folder, file, scripts: tempfile::tempdir().expect("made"), _memory: memory }
    }

    /// Writes a script and returns its path as an editor command.
    fn script(&self, name: &str, body: &str) -> String {
        let path = self.scripts.path().join(name);
        let text = self.scripts.path().join("text");
        fs::write(&text, format!("#!/bin/sh\n{body}\n")).expect("written");
        // By another program: were the script open for writing here while a parallel test forks, running
        // it would fail with "text file busy".
        let made = Command::new("install").args(["-m755", "--"]).args([&text, &path]).status();
        assert!(made.expect("install runs").success());
        fs::remove_file(text).expect("removed");
        path.to_str().expect("utf-8").to_string()
    }

    fn edit(&self, editor: &str) -> Result<Edited, EditorError> {
        let path = std::env::var_os("PATH").expect("PATH is set");
        edit(OsStr::new(editor), &path, &self.folder, &self.file)
    }

    fn content(&self, text: &str) {
        self.folder.write(&self.file, &Plaintext::new(text.into())).expect("written");
    }
}

fn saved(result: Result<Edited, EditorError>) -> Vec<u8> {
    match result.expect("the editor ran") {
        Edited::Saved(content) => content.expose().to_vec(),
        Edited::NotSaved => panic!("not saved"),
    }
}

#[test]
fn returns_what_was_saved_in_place_or_by_rename() {
    let scene = Scene::new();
    scene.content("old\n");
    let editor = scene.script("ed", "test \"$1\" = -x || exit 9; echo new >>\"$2\"");
    assert_eq!(saved(scene.edit(&format!("{editor} \t -x"))), b"old\nnew\n");
    let editor = scene.script("ren", "echo other >\"$1.tmp\"; mv \"$1.tmp\" \"$1\"");
    assert_eq!(saved(scene.edit(&editor)), b"other\n");
}

#[test]
fn a_new_entry_may_be_left_unsaved() {
    let scene = Scene::new();
    let editor = scene.script("quit", "test ! -e \"$1\"");
    assert!(matches!(scene.edit(&editor), Ok(Edited::NotSaved)));
}

#[test]
fn tells_how_an_editor_failed() {
    let scene = Scene::new();
    assert!(matches!(scene.edit(" \t"), Err(EditorError::Unnamed)));
    let missing = scene.edit("no-such-editor-here -x");
    assert!(matches!(missing, Err(EditorError::Missing(name)) if name == "no-such-editor-here"));
    let fails = scene.script("fails", "exit 7");
    assert!(matches!(scene.edit(&fails), Err(EditorError::Failed { code: 7, .. })));
    let killed = scene.script("killed", "kill -9 $$");
    assert!(matches!(scene.edit(&killed), Err(EditorError::Killed { signal: 9, .. })));
    let link = scene.script("link", "ln -sf /etc/passwd \"$1\"");
    assert!(matches!(scene.edit(&link), Err(EditorError::Folder(PrivateFolderError::NotRegular(_)))));
    assert!(matches!(scene.edit("/etc/passwd"), Err(EditorError::NotRun { .. })));
}

#[test]
fn survives_the_terminals_interrupt_but_the_editor_hears_it() {
    let scene = Scene::new();
    scene.content("x");
    // $PPID is this very process; a shell without a trap would die of its own SIGINT.
    let editor = scene.script("int", "kill -INT $PPID; sleep 0.1; (kill -INT $$); sleep 5");
    assert!(matches!(scene.edit(&editor), Err(EditorError::Killed { signal: 2, .. })));
}

#[test]
fn the_editor_keeps_the_folders_lock() {
    let scene = Scene::new();
    scene.content("x");
    // It leaves somebody behind who still edits: the folder must not be swept.
    let marker = scene.scripts.path().join("pid");
    let editor = scene.script("bg", &format!("sleep 60 >/dev/null 2>&1 & echo $! >{}", marker.display()));
    saved(scene.edit(&editor));
    let Scene { folder, file, _memory, .. } = scene;
    let path = folder.path().to_path_buf();
    // As if we had been killed: our descriptor closes, nothing is wiped.
    folder.leave_for_test();
    assert!(super::super::tmpdir::sweep(&[_memory.path().to_path_buf()]).is_empty());
    assert!(file.exists());
    let pid = fs::read_to_string(&marker).expect("written").trim().to_string();
    Command::new("kill").arg(pid).status().expect("kill runs");
    let start = std::time::Instant::now();
    while path.exists() && start.elapsed().as_secs() < 5 {
        super::super::tmpdir::sweep(&[_memory.path().to_path_buf()]);
    }
    assert!(!path.exists(), "swept once the editor is gone");
}

#[test]
fn vim_leaves_nothing_elsewhere() {
    let scene = Scene::new();
    scene.content("sesame-old\n");
    let away = scene.scripts.path();
    let dir = away.display();
    // A vimrc that wants every kind of copy, looks at what it got, edits and leaves.
    let vimrc = format!(
        "set nocompatible\nset swapfile updatecount=1 directory={dir} undofile undodir={dir}\n\
         set backup writebackup backupdir={dir} viminfo='100,n{dir}/viminfo\n\
         autocmd VimEnter * call setline(1, 'sesame-new') | write | %!cat\n\
         autocmd VimEnter * call writefile([swapname('%'), &undofile, &backup, &viminfo, tempname()], \
         '{dir}/report') | wall | qall\n"
    );
    // The second throws away what was set up before it.
    for (editor, head) in [("vim", ""), ("vim", "autocmd!\n"), ("vi", "")] {
        fs::write(away.join("vimrc"), format!("{head}{vimrc}")).expect("written");
        let content = saved(scene.edit(&format!("{editor} -es -u {dir}/vimrc")));
        assert_eq!(String::from_utf8_lossy(&content), "sesame-new\n", "{editor}");
        let report = fs::read_to_string(away.join("report")).expect("vim wrote a report");
        let report: Vec<_> = report.split('\n').collect();
        assert_eq!(report[..4], ["", "0", "0", ""], "{editor}");
        assert!(report[4].starts_with(scene.folder.path().to_str().expect("utf-8")), "{}", report[4]);
        fs::remove_file(away.join("report")).expect("removed");
        let left: Vec<_> =
            fs::read_dir(away).expect("there").map(|e| e.expect("entry").file_name()).collect();
        assert_eq!(left, ["vimrc"], "{editor}");
        let own = fs::read_dir(scene.folder.path()).expect("there").count();
        assert_eq!(own, 2, "{editor}: the mark and the file only");
    }
}

#[test]
fn knows_vim_by_any_name() {
    let scene = Scene::new();
    let path = std::env::var_os("PATH").expect("PATH is set");
    let known = |name: &str| is_vim(OsStr::new(name), &path);
    assert!(known("vim") && known("vi") && known("/usr/bin/vim"));
    assert!(!known("true") && !known("no-such-program"));
    let vi = scene.script("vi", "echo 'VIM - Vi IMproved 9.0'");
    assert!(known(&vi));
    assert!(!known(&scene.script("ex", "echo 'ex 050325'")));
    assert!(known(&scene.script("nvim", "")));
}
