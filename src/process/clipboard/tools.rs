//! The programs that reach the clipboard.

use std::ffi::OsStr;
use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::{ClipboardError, ClipboardOptions, non_empty, run};

/// How long a tool's background process may take to offer what it was given.
const SETTLING: Duration = Duration::from_secs(2);

/// A clipboard (or another selection of the display) and the program that reaches it.
pub(super) struct Clipboard {
    tool: Tool,
    /// The variable by which the program finds the display, and its value.
    display: Option<(&'static str, std::ffi::OsString)>,
}

/// A program, with what it needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    /// wl-copy and wl-paste.
    Wayland { primary: bool, sensitive: bool },
    /// xclip.
    Xclip(Selection),
    /// xsel.
    Xsel(Selection),
    /// macOS's pbcopy and pbpaste.
    Pasteboard,
}

/// An X11 selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Selection {
    Clipboard,
    Primary,
    Secondary,
}

impl Selection {
    /// Reads a selection's name as xclip does: by how it begins, in either case.
    fn parse(name: &str) -> Option<Self> {
        match name.bytes().next()?.to_ascii_lowercase() {
            b'c' => Some(Selection::Clipboard),
            b'p' => Some(Selection::Primary),
            b's' => Some(Selection::Secondary),
            _ => None,
        }
    }

    /// Returns the name that both X11 tools know.
    fn name(self) -> &'static str {
        match self {
            Selection::Clipboard => "clipboard",
            Selection::Primary => "primary",
            Selection::Secondary => "secondary",
        }
    }
}

impl Clipboard {
    /// Returns the clipboard that `options` mean, if a program for it is installed.
    pub(super) fn open(options: &ClipboardOptions) -> Result<Self, ClipboardError> {
        if cfg!(target_os = "macos") {
            return Ok(Clipboard { tool: Tool::Pasteboard, display: None });
        }
        let (tool, display) = if let Some(wayland) = non_empty(&options.wayland) {
            (wayland_tool(options)?, ("WAYLAND_DISPLAY", wayland.into()))
        } else {
            let display = non_empty(&options.display).ok_or(ClipboardError::NoDisplay)?;
            (x11_tool(options)?, ("DISPLAY", display.into()))
        };
        Ok(Clipboard { tool, display: Some(display) })
    }

    /// Returns the X11 display and selection, if that is what this is.
    pub(super) fn x11(&self) -> Option<(&OsStr, &'static str)> {
        let (Tool::Xclip(selection) | Tool::Xsel(selection)) = self.tool else { return None };
        let (_, display) = self.display.as_ref()?;
        // By X11 convention the names are in capitals.
        let name = match selection {
            Selection::Clipboard => "CLIPBOARD",
            Selection::Primary => "PRIMARY",
            Selection::Secondary => "SECONDARY",
        };
        Some((display, name))
    }

    /// Returns whether the selection is the primary one, if this is Wayland.
    pub(super) fn wayland(&self) -> Option<bool> {
        match self.tool {
            Tool::Wayland { primary, .. } => Some(primary),
            _ => None,
        }
    }

    /// Returns the content, none if there is none that is text, or its owner does not answer.
    pub(super) fn read(&self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        run::capture(match self.tool {
            Tool::Wayland { primary, .. } => self.command("wl-paste", &["-n"], primary),
            Tool::Xclip(selection) => self.command("xclip", &["-o", "-selection", selection.name()], false),
            Tool::Xsel(selection) => self.command("xsel", &["--output", &xsel(selection)], false),
            Tool::Pasteboard => self.command("pbpaste", &[], false),
        })
    }

    /// Puts a secret there, marked as one where the program can.
    pub(super) fn write_secret(&self, secret: &[u8]) -> io::Result<bool> {
        let Tool::Wayland { primary, sensitive } = self.tool else { return self.write_and_settle(secret) };
        // Without a type, wl-copy has another program guess it from the content.
        let mut command = self.command("wl-copy", &["--type", "text/plain"], primary);
        if sensitive {
            command.arg("--sensitive");
        }
        Ok(run::feed(command, secret)? && self.settles(secret)?)
    }

    /// As [`Clipboard::write`], and waits until the content is there: a tool's process may end before the one
    /// that it leaves behind offers it. (Not for those who own the selection and would be asked themselves.)
    pub(super) fn write_and_settle(&self, content: &[u8]) -> io::Result<bool> {
        Ok(self.write(content)? && self.settles(content)?)
    }

    /// Waits until the clipboard holds `content`, but not for ever; returns whether it does.
    fn settles(&self, content: &[u8]) -> io::Result<bool> {
        let start = Instant::now();
        while start.elapsed() < SETTLING {
            if self.read()?.unwrap_or_default().as_slice() == content {
                return Ok(true);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(false)
    }

    /// Puts `content` there; nothing means to clear the clipboard.
    pub(super) fn write(&self, content: &[u8]) -> io::Result<bool> {
        let command = match self.tool {
            Tool::Wayland { primary, .. } if content.is_empty() => {
                self.command("wl-copy", &["--clear"], primary)
            }
            Tool::Wayland { primary, .. } => self.command("wl-copy", &[], primary),
            Tool::Xclip(selection) => self.command("xclip", &["-i", "-selection", selection.name()], false),
            Tool::Xsel(selection) => self.command("xsel", &["--input", &xsel(selection)], false),
            Tool::Pasteboard => self.command("pbcopy", &[], false),
        };
        run::feed(command, content)
    }

    /// Returns a command for this display.
    fn command(&self, program: &str, arguments: &[&str], primary: bool) -> Command {
        let mut command = Command::new(program);
        command.args(arguments);
        if primary {
            command.arg("--primary");
        }
        if let Some((name, value)) = &self.display {
            command.env(name, value);
        }
        command
    }
}

/// Returns xsel's option for a selection.
fn xsel(selection: Selection) -> String {
    format!("--{}", selection.name())
}

/// Returns the program for Wayland.
fn wayland_tool(options: &ClipboardOptions) -> Result<Tool, ClipboardError> {
    let help = help_of("wl-copy").ok_or_else(|| ClipboardError::Missing("wl-copy".into()))?;
    let sensitive = help.windows(b"--sensitive".len()).any(|words| words == b"--sensitive");
    Ok(Tool::Wayland { primary: options.selection == "primary", sensitive })
}

/// Returns the program for X11: xclip, as in pass, else xsel.
fn x11_tool(options: &ClipboardOptions) -> Result<Tool, ClipboardError> {
    let unknown = || ClipboardError::NoSelection(options.selection.clone());
    let selection = Selection::parse(&options.selection).ok_or_else(unknown)?;
    if help_of("xclip").is_some() {
        Ok(Tool::Xclip(selection))
    } else if help_of("xsel").is_some() {
        Ok(Tool::Xsel(selection))
    } else {
        Err(ClipboardError::Missing("xclip or xsel".into()))
    }
}

/// Returns what a program says about itself, none if it is not installed.
fn help_of(program: impl AsRef<OsStr>) -> Option<Vec<u8>> {
    let mut command = Command::new(program);
    let output = command.arg("--help").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    Some(output.stdout)
}

/// Makes KDE's clipboard manager forget its history, which it writes to a file. Nothing happens where
/// there is none.
pub(super) fn clear_klipper() {
    let mut command = Command::new("qdbus");
    command.args(["org.kde.klipper", "/klipper", "org.kde.klipper.klipper.clearClipboardHistory"]);
    let _ = run::capture(command);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_selection_names_as_xclip_does() {
        for (name, selection) in [("clipboard", "clipboard"), ("PRIMARY", "primary"), ("sec", "secondary")] {
            assert_eq!(Selection::parse(name).map(Selection::name), Some(selection));
        }
        assert!(Selection::parse("").is_none() && Selection::parse("--help").is_none());
    }
}
