//! What gpg tells its agent of the user's session, so that pinentry asks where the user is.

use std::ffi::{OsStr, OsString};

use super::variables::{category, variable};

/// Variables, with the agent's option for each; without one it is told by `putenv` (GnuPG's
/// common/session-env.c; `GPG_TTY` goes its own way).
const VARIABLES: [(&str, Option<&str>); 12] = [
    ("TERM", Some("ttytype")),
    ("DISPLAY", Some("display")),
    ("XAUTHORITY", Some("xauthority")),
    ("XMODIFIERS", None),
    ("WAYLAND_DISPLAY", None),
    ("XDG_SESSION_TYPE", None),
    ("QT_QPA_PLATFORM", None),
    ("GTK_IM_MODULE", None),
    ("DBUS_SESSION_BUS_ADDRESS", None),
    ("QT_IM_MODULE", None),
    ("INSIDE_EMACS", None),
    ("PINENTRY_USER_DATA", Some("pinentry-user-data")),
];

/// Returns the agent's options for this session, whose terminal is `tty` unless `GPG_TTY` says otherwise.
pub fn agent_options(tty: Option<&OsStr>) -> Vec<(String, OsString)> {
    let tty = variable("GPG_TTY").or_else(|| tty.map(OsStr::to_owned));
    let mut options: Vec<(String, OsString)> =
        tty.map(|tty| ("ttyname".to_owned(), tty)).into_iter().collect();
    for (name, option) in VARIABLES {
        let Some(value) = variable(name) else { continue };
        options.push(match option {
            Some(option) => (option.to_owned(), value),
            None => {
                let mut assignment = OsString::from(format!("{name}="));
                assignment.push(value);
                ("putenv".to_owned(), assignment)
            }
        });
    }
    for (option, name) in [("lc-ctype", "LC_CTYPE"), ("lc-messages", "LC_MESSAGES")] {
        options.extend(category(name).map(|locale| (option.to_owned(), locale)));
    }
    options
}
