//! `sync --watch`.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Args, once};
use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::git::Repo;
use crate::model::key::day;
use crate::store::StoreError;
use crate::watch::{Watch, WatchError, Woken};

/// How long nothing more must be committed before what was is synced.
const QUIET: Duration = Duration::from_secs(2);

/// How long, at most, a remote that cannot be reached is left alone.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Syncs again and again, until somebody wants us to end.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let directories = directories(app)?;
    let Some(lock) = directories.first().map(|directory| directory.join("passel-watch")) else {
        return once(app, args);
    };
    let watch = Watch::new(&directories, &lock).map_err(|error| match error {
        WatchError::Taken => CliError::from_error(&error).hint("one is enough for each store"),
        error => CliError::from_error(&error),
    })?;
    let interval = Duration::from_secs(args.interval);
    let mut pause = interval;
    log(app, "watching; `kill` or Ctrl-C ends it")?;
    let mut last = String::new();
    while !watch.is_stopped() {
        watch.drain();
        let done = once(app, args);
        app.tell_notes();
        let held = app.tell_held(Ok(()));
        let told = match done.and(held) {
            Ok(()) => String::new(),
            Err(error) if error.exit_code() == exit::OFFLINE => {
                pause = (pause * 2).min(LONGEST.max(interval));
                format!("offline: once more in {} s", pause.as_secs())
            }
            Err(error) if error.exit_code() == exit::NEEDS_DECISION => "somebody has to decide".to_owned(),
            Err(error) => error.text(),
        };
        if !told.starts_with("offline") {
            pause = interval;
        }
        // The same again and again would hide what is new.
        if told != last && !told.is_empty() {
            log(app, &told)?;
        }
        if told.is_empty() && !last.is_empty() {
            log(app, "all is well again")?;
        }
        last = told;
        if watch.wait(QUIET, pause) == Woken::Stopped {
            break;
        }
    }
    log(app, "ended")
}

/// Returns the git directories of the store's repositories, the store's own first.
fn directories(app: &App) -> Result<Vec<PathBuf>, CliError> {
    let store = app.store()?;
    let below = store.beneath().below(Path::new("")).map_err(|e| app.error(StoreError::from(e).into()))?;
    let mut places = below.repositories;
    places.sort();
    Ok(places.iter().filter_map(|place| Repo::directory(&store.root().join(place))).collect())
}

/// Prints a line with the time (UTC).
fn log(app: &App, text: &str) -> Result<(), CliError> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let (of_day, date) = (seconds % 86_400, day(seconds.try_into().unwrap_or(0)));
    let (hours, minutes) = (of_day / 3600, of_day / 60 % 60);
    Ok(app.ui.say(format!("{date} {hours:02}:{minutes:02}:{:02}Z {text}", of_day % 60))?)
}
