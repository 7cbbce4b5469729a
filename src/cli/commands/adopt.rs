//! `adopt`.

use super::recipients::people::{counted, no_environment};
use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::ops::adopt::{self, Finding, Hint, Kind};

/// What is said of the command at length.
pub const LONG: &str = "\
Look over a store that pass, gopass, prs or ripasso has made, and mend what is safe to mend.

Nothing of this is needed before passel can be used. Without `--fix` nothing is changed. With it, in one commit: names \
in recipients files become full fingerprints where it is sure whom they mean, lines end as pass reads them, and missing \
public keys are exported. No recipient is added or dropped, no entry is touched, and a list with a line that cannot be \
used stays as it is. Exits with 1 if something is left to a person.";

/// Look over a store that pass, gopass, prs or ripasso has made, and mend what is safe to mend.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "passel adopt [OPTIONS]",
    after_long_help = "Examples:\n  passel adopt\n  passel adopt --fix"
)]
pub struct Args {
    /// Mend what is safe.
    #[arg(short, long)]
    pub fix: bool,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = no_environment(app, &store);
    let failed = |error| app.error(error);
    let mut left = false;
    if args.fix {
        let mended = adopt::fix(&context).map_err(failed)?;
        app.tell(&mended.changed.published, &mended.changed.reencrypted);
        left = !mended.left.is_empty();
        for (file, error) in mended.left {
            app.ui.warn(format!("`{file}` stays as it is:\n{}", app.error(error).text()));
        }
        show(app, "Mended:", &mended.done.iter().collect::<Vec<_>>())?;
    }
    let findings = adopt::look(&context).map_err(failed)?;
    let of = |kind| findings.iter().filter(|finding| finding.kind == kind).collect::<Vec<_>>();
    let (person, mendable) = (of(Kind::Person), of(Kind::Mendable));
    show(app, "Left to a person:", &person)?;
    let program = &app.ui.program;
    show(app, &format!("Mended by `{program} adopt --fix`:"), &mendable)?;
    show(app, "Worth knowing:", &of(Kind::Note))?;
    app.ui.say(match (person.len(), mendable.len()) {
        (0, 0) => "The store is as passel would have made it.".to_owned(),
        (0, _) => "passel can be used with the store as it is.".to_owned(),
        (count, _) => {
            let things = counted(count, "thing needs", "things need");
            format!("{things} a person. passel can be used with the rest as it is.")
        }
    })?;
    match person.is_empty() && !left {
        true => Ok(()),
        false => Err(CliError::silent(exit::FAILURE)),
    }
}

/// Shows findings under a heading.
fn show(app: &App, heading: &str, findings: &[&Finding]) -> Result<(), CliError> {
    if findings.is_empty() {
        return Ok(());
    }
    app.ui.say(heading)?;
    for (index, finding) in findings.iter().enumerate() {
        app.ui.say(format!("  {}: {}", finding.place, finding.what))?;
        let next = findings.get(index + 1).and_then(|next| next.hint.as_ref());
        // Said once for those in a row that it mends.
        if let Some(hint) = finding.hint.as_ref().filter(|hint| next != Some(*hint)) {
            app.ui.say(match hint {
                Hint::Command(words) => format!("    hint: `{} {words}`", app.ui.program),
                Hint::Words(words) => {
                    format!("    hint: {}", words.replace("`passel ", &format!("`{} ", app.ui.program)))
                }
            })?;
        }
    }
    Ok(())
}
