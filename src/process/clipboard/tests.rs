//! On a real X server of our own (Xvfb), with the real tools and the real pass.

use std::fs;
use std::io::BufRead as _;
use std::process::Child;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::*;

const SECRET: &str = "sesame-f7Qk-1903";

/// An X server on a display of its own, ended when dropped.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    fn start() -> Self {
        // Stock pass ends the keepers of :1 and of :10 together: none of ours begins as another does.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = std::process::id() % 1000 * 40 + COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!(":{}", 10_000 + number);
        let mut command = Command::new("Xvfb");
        command.args([&name, "-displayfd", "1", "-screen", "0", "64x64x8", "-nolisten", "tcp", "-noreset"]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = command.spawn().expect("Xvfb is installed");
        let mut ready = String::new();
        let out = server.stdout.as_mut().expect("piped");
        io::BufReader::new(out).read_line(&mut ready).expect("Xvfb tells when it is ready");
        assert_eq!(format!(":{}", ready.trim()), name);
        Display { server, name }
    }

    fn options(&self, selection: &str, seconds: u64) -> ClipboardOptions {
        let display = Some(self.name.clone().into());
        ClipboardOptions { wayland: None, display, selection: selection.into(), seconds }
    }

    /// Copies through a keeper that is this test program.
    fn copy(&self, secret: &str, seconds: u64) {
        self.copy_to("clipboard", secret, seconds).expect("copied");
    }

    fn copy_to(&self, selection: &str, secret: &str, seconds: u64) -> Result<(), ClipboardError> {
        copy_with(&self.options(selection, seconds), secret, &[])
    }

    fn run(&self, shell: &str) -> String {
        let mut command = Command::new("bash");
        command.args(["-c", shell]).env("DISPLAY", &self.name).env_remove("WAYLAND_DISPLAY");
        let output = command.stderr(Stdio::null()).output().expect("bash runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn content(&self) -> String {
        self.run("timeout 5 xclip -o -selection clipboard")
    }

    fn put(&self, text: &str) {
        self.run(&format!("printf %s '{text}' | xclip -selection clipboard >/dev/null"));
        // xclip ends before the process that it leaves behind owns the selection.
        self.comes_to_hold(text, Duration::from_secs(5));
    }

    /// Waits until the clipboard holds `text`.
    fn comes_to_hold(&self, text: &str, within: Duration) {
        let start = Instant::now();
        while self.content() != text {
            assert!(start.elapsed() < within, "still `{}`, not `{text}`", self.content());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until there are `count` keepers.
    fn come_to_be(&self, count: usize) {
        let start = Instant::now();
        while self.keepers().len() != count {
            assert!(start.elapsed().as_secs() < 5, "{} keepers, not {count}", self.keepers().len());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The processes whose name is a keeper's, for this display.
    fn keepers(&self) -> Vec<i32> {
        let pids = self.run("pgrep -f \"^password store sleep on display $DISPLAY\"");
        pids.lines().map(|pid| pid.parse().expect("a number")).collect()
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn copy_with(
    options: &ClipboardOptions,
    secret: &str,
    variables: &[(&str, &str)],
) -> Result<(), ClipboardError> {
    let mut program = Command::new(std::env::current_exe().expect("known"));
    program.args(["--exact", "--ignored", "--nocapture", "process::clipboard::tests::keeper"]);
    program.env_remove("WAYLAND_DISPLAY").env_remove("DISPLAY").envs(variables.iter().copied());
    // The test harness says a line before the test begins; the answer comes after it.
    match copy_through(program, &Plaintext::new(secret.into()), options) {
        Err(ClipboardError::Failed(text)) if text.starts_with("running 1 test\n") => {
            match text.as_bytes()["running 1 test\n".len()..].split_first() {
                Some((&keeper::DONE, _)) => Ok(()),
                Some((&keeper::MISSING, tool)) => Err(ClipboardError::Missing(super::text(tool))),
                other => Err(ClipboardError::Failed(format!("{other:?}"))),
            }
        }
        other => other,
    }
}

/// What [`copy_with`] runs.
#[test]
#[ignore = "run by the other tests, as the background process"]
fn keeper() {
    assert!(is_keeper(&std::env::args_os().next().expect("named")));
    assert!(crate::process::hardening::harden().is_empty());
    std::process::exit(if restore_main() == std::process::ExitCode::SUCCESS { 0 } else { 1 });
}

#[test]
fn copies_and_restores() {
    let display = Display::start();
    display.put("before\n");
    let start = Instant::now();
    display.copy(SECRET, 2);
    assert_eq!(display.content(), SECRET);
    assert_eq!(display.keepers().len(), 1);
    display.comes_to_hold("before\n", Duration::from_secs(4));
    assert!(start.elapsed() >= Duration::from_secs(2));
}

#[test]
fn marks_the_secret_for_clipboard_managers() {
    let display = Display::start();
    display.copy(SECRET, 2);
    let targets = display.run("xclip -o -selection clipboard -t TARGETS");
    for target in ["UTF8_STRING", "STRING", "TEXT", "TIMESTAMP", "TARGETS", "text/plain"] {
        assert!(targets.lines().any(|line| line == target), "{target} in {targets}");
    }
    let hint = display.run("xclip -o -selection clipboard -t x-kde-passwordManagerHint");
    assert_eq!(hint, "secret");
    assert_eq!(display.run("xsel --clipboard --output"), SECRET);
    assert_eq!(display.run("xclip -o -selection clipboard -t image/png || echo none"), "none\n");
    display.comes_to_hold("", Duration::from_secs(4));
    display.come_to_be(0);
}

#[test]
fn keeps_what_was_copied_meanwhile() {
    let display = Display::start();
    display.put("before");
    display.copy(SECRET, 1);
    display.put("something else");
    std::thread::sleep(Duration::from_millis(1500));
    display.come_to_be(0);
    assert_eq!(display.content(), "something else");
}

#[test]
fn replaces_the_secret_where_a_manager_took_it_over() {
    let display = Display::start();
    display.put("before");
    display.copy(SECRET, 1);
    display.put(SECRET);
    display.comes_to_hold("before", Duration::from_secs(4));
}

#[test]
fn restores_what_was_there_before_the_first_of_many() {
    let display = Display::start();
    display.put("before");
    for number in 0..4 {
        display.copy(&format!("{SECRET}{number}"), 30);
        assert_eq!(display.content(), format!("{SECRET}{number}"));
        assert_eq!(display.keepers().len(), 1);
    }
    std::thread::scope(|scope| {
        for number in 4..10 {
            let display = &display;
            // One that is overtaken before it has copied may say so.
            scope.spawn(move || display.copy_to("clipboard", &format!("{SECRET}{number}"), 30));
        }
    });
    display.come_to_be(1);
    assert!(display.content().starts_with(SECRET));
    let keeper = display.keepers()[0];
    Command::new("kill").arg(keeper.to_string()).status().expect("kill runs");
    display.comes_to_hold("before", Duration::from_secs(2));
}

#[test]
fn takes_turns_with_stock_pass() {
    let display = Display::start();
    display.put("before");
    // pass's own function, run by pass's own text.
    let stock = |secret: &str| {
        let script = format!(
            "exec >/dev/null; X_SELECTION=clipboard CLIP_TIME=30 BASE64=base64; die() {{ exit 1; }}; \
             eval \"$(sed -n '/^clip() {{/,/^}}/p' /usr/bin/pass)\"; clip '{secret}' entry"
        );
        display.run(&script);
        // It returns before its background process, a bash, has its name.
        let start = Instant::now();
        let is_bash = |id: &i32| fs::read(format!("/proc/{id}/comm")).is_ok_and(|name| name == b"bash\n");
        while !display.keepers().iter().any(is_bash) {
            assert!(start.elapsed().as_secs() < 5, "stock pass's keeper does not come");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    stock("stock-secret");
    assert_eq!(display.content(), "stock-secret");
    display.copy(SECRET, 30);
    assert_eq!(display.content(), SECRET);
    stock("stock-secret");
    assert_eq!(display.content(), "stock-secret");
    display.copy(SECRET, 1);
    display.comes_to_hold("before", Duration::from_secs(4));
    display.come_to_be(0);
}

#[test]
fn other_selections_and_xsel_alone() {
    let display = Display::start();
    display.copy_to("primary", SECRET, 1).expect("copied");
    assert_eq!(display.run("xclip -o -selection primary"), SECRET);
    assert_eq!(display.content(), "");
    assert!(matches!(display.copy_to("nowhere", SECRET, 1), Err(ClipboardError::Failed(_))));

    // A PATH with xsel only, then with nothing.
    let tools = tempfile::tempdir().expect("made");
    std::os::unix::fs::symlink("/usr/bin/xsel", tools.path().join("xsel")).expect("linked");
    display.put("before");
    let path = tools.path().to_str().expect("utf-8");
    copy_with(&display.options("clipboard", 1), SECRET, &[("PATH", path)]).expect("copied");
    assert_eq!(display.content(), SECRET);
    display.comes_to_hold("before", Duration::from_secs(4));
    let none = copy_with(&display.options("clipboard", 1), SECRET, &[("PATH", "/nonexistent")]);
    assert!(matches!(none, Err(ClipboardError::Missing(tool)) if tool == "xclip or xsel"));
}

#[test]
fn large_secrets_go_through_the_tool() {
    let display = Display::start();
    display.put("before");
    let large = "0123456789".repeat(100_000);
    display.copy(&large, 30);
    assert!(display.content() == large);
    Command::new("kill").arg(display.keepers()[0].to_string()).status().expect("kill runs");
    display.comes_to_hold("before", Duration::from_secs(4));
}

#[test]
fn tells_why_nothing_was_copied() {
    let mut options =
        ClipboardOptions { wayland: None, display: None, selection: "clipboard".into(), seconds: 1 };
    let none = copy_with(&options, SECRET, &[]).expect_err("there is no display");
    assert_eq!(none.to_string(), "Error: No X11 or Wayland display detected");
    options.wayland = Some("".into());
    assert!(matches!(copy_with(&options, SECRET, &[]), Err(ClipboardError::NoDisplay)));
    options.display = Some(":4711".into());
    let failed = copy_with(&options, SECRET, &[]).expect_err("there is no such display");
    assert!(matches!(failed, ClipboardError::Failed(_)), "{failed:?}");
}

#[test]
fn tells_beforehand_whether_a_clipboard_can_be_reached() {
    let display = Display::start();
    let mut options = display.options("clipboard", 1);
    assert!(check(&options, None).is_ok());
    options.selection = "nowhere".into();
    assert!(matches!(check(&options, None), Err(ClipboardError::NoSelection(name)) if name == "nowhere"));
    options = ClipboardOptions { display: Some(":4711".into()), ..display.options("clipboard", 1) };
    assert_eq!(
        check(&options, None).expect_err("nobody is there").to_string(),
        "there is no display `:4711`, which DISPLAY names"
    );
    let runtime = tempfile::tempdir().expect("made");
    options.wayland = Some("wayland-7".into());
    let unreachable = |options: &ClipboardOptions| {
        let error = check(options, Some(runtime.path().as_os_str())).err();
        matches!(error, Some(ClipboardError::Unreachable { variable: "WAYLAND_DISPLAY", .. }))
    };
    assert!(unreachable(&options));
    let socket = runtime.path().join("wayland-7");
    let listener = std::os::unix::net::UnixListener::bind(&socket).expect("bound");
    assert!(check(&options, Some(runtime.path().as_os_str())).is_ok());
    options.wayland = Some(socket.into());
    assert!(check(&options, None).is_ok(), "a path needs no folder");
    drop(listener);
    assert!(unreachable(&options));
    options.wayland = None;
    options.display = None;
    assert!(matches!(check(&options, None), Err(ClipboardError::NoDisplay)));
}

#[test]
fn no_process_shows_the_secret() {
    // That of the others stands in the shells of tests that run beside this one.
    const ALONE: &str = "thyme-w3Zp-2086";
    let display = Display::start();
    display.put("before");
    // Looks at every process, again and again, while the secret is copied, held and restored.
    let looking = AtomicBool::new(true);
    let looks = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut looks = 0;
            while looking.load(Ordering::Relaxed) {
                for entry in fs::read_dir("/proc").expect("/proc is there").flatten() {
                    for file in ["cmdline", "environ"] {
                        let shown = fs::read(entry.path().join(file)).unwrap_or_default();
                        let found = shown.windows(ALONE.len()).any(|bytes| bytes == ALONE.as_bytes());
                        let program = fs::read_link(entry.path().join("exe"));
                        assert!(!found, "{}/{file} shows the secret: {program:?}", entry.path().display());
                    }
                }
                looks += 1;
            }
            looks
        });
        display.copy(ALONE, 1);
        display.comes_to_hold("before", Duration::from_secs(4));
        looking.store(false, Ordering::Relaxed);
        watcher.join().expect("nothing shown")
    });
    assert!(looks > 20, "{looks}");
}

/// To be run by hand under a compositor (`sway` with `WLR_BACKENDS=headless` will do), with
/// `WAYLAND_DISPLAY` and `XDG_RUNTIME_DIR` set.
#[test]
#[ignore = "needs a Wayland compositor"]
fn copies_on_wayland() {
    let wayland = std::env::var_os("WAYLAND_DISPLAY").expect("WAYLAND_DISPLAY is set");
    let paste = |option: &str| {
        let output = Command::new("wl-paste").args(["-n", option]).stderr(Stdio::null()).output();
        String::from_utf8_lossy(&output.expect("wl-paste runs").stdout).into_owned()
    };
    for (selection, option) in [("clipboard", "-n"), ("primary", "--primary")] {
        let options = ClipboardOptions {
            wayland: Some(wayland.clone()),
            display: None,
            selection: selection.into(),
            seconds: 2,
        };
        let before = paste(option);
        let shown = wayland.to_str().expect("utf-8");
        copy_with(&options, SECRET, &[("WAYLAND_DISPLAY", shown)]).expect("copied");
        assert_eq!(paste(option), SECRET);
        let types = Command::new("wl-paste").args(["-l", option]).output().expect("wl-paste runs").stdout;
        assert!(String::from_utf8_lossy(&types).contains("x-kde-passwordManagerHint"));
        copy_with(&options, "another", &[("WAYLAND_DISPLAY", shown)]).expect("copied");
        assert_eq!(paste(option), "another");
        std::thread::sleep(Duration::from_secs(3));
        assert_eq!(paste(option), before);
    }
}
