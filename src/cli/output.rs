//! Trees, the clipboard and QR codes: where a command's result goes besides plain lines.

use std::ffi::OsStr;

use crate::model::Plaintext;
use crate::process::clipboard::{self, ClipboardOptions};
use crate::store::listing::{Listing, ListingError, Node};
use crate::store::locale::Locale;

use super::app::App;
use super::commands::typed;
use super::error::CliError;
use super::explain;
use super::tree::{TreeEnvironment, TreeStyle, draw};
use super::variables::{category, variable};

impl App {
    /// Prints `header`, then the tree that `list` returns, as pass does through tree(1).
    pub fn tree(
        &self,
        header: String,
        list: impl FnOnce(&Listing<'_>) -> Result<Node, ListingError>,
    ) -> Result<(), CliError> {
        let variable = |name: &str| std::env::var_os(name);
        let locale = |name: &str| category(name).unwrap_or_default();
        let locale = Locale::new(&locale("LC_COLLATE"), &locale("LC_CTYPE"));
        let style = TreeStyle::new(&TreeEnvironment {
            tree_charset: variable("TREE_CHARSET"),
            utf8: locale.is_utf8(),
            term: variable("TERM"),
            tree_colors: variable("TREE_COLORS"),
            ls_colors: variable("LS_COLORS"),
        });
        let listing = Listing { locale: &locale, permissions: style.needs_permissions() };
        let tree = list(&listing).map_err(|error| CliError::from_error(&error))?;
        self.ui.say(header)?;
        Ok(self.ui.draw(|out| draw(&tree, &style, out))?)
    }

    /// Puts a secret on the clipboard for a while.
    pub fn clip(&self, secret: &Plaintext, name: &OsStr) -> Result<(), CliError> {
        let options = self.clipboard()?;
        clipboard::copy(secret, &options).map_err(|error| {
            // What made a program fail is clearer than that it failed.
            let cause = clipboard::check(&options, variable("XDG_RUNTIME_DIR").as_deref()).err();
            explain::clipboard(&cause.unwrap_or(error), &typed(name))
        })?;
        let time = &self.environment.clip_time;
        Ok(self.ui.say(format!("Copied {} to clipboard. Will clear in {time} seconds.", typed(name)))?)
    }

    /// Fails if a secret could not be copied now: for use before it is stored.
    pub fn check_clipboard(&self, name: &OsStr) -> Result<(), CliError> {
        let checked = clipboard::check(&self.clipboard()?, variable("XDG_RUNTIME_DIR").as_deref());
        checked.map_err(|error| explain::clipboard(&error, &typed(name)))
    }

    /// Returns where to copy to, and for how long.
    fn clipboard(&self) -> Result<ClipboardOptions, CliError> {
        let time = &self.environment.clip_time;
        let seconds = time.parse().map_err(|_| {
            CliError::new(format!("PASSWORD_STORE_CLIP_TIME is `{time}`, which is no number of seconds"))
        })?;
        Ok(ClipboardOptions {
            wayland: variable("WAYLAND_DISPLAY"),
            display: variable("DISPLAY"),
            selection: self.environment.selection.clone(),
            seconds,
        })
    }

    /// Shows a secret as a QR code in the terminal.
    pub fn qrcode(&self, secret: &Plaintext) -> Result<(), CliError> {
        let code = super::qr::draw(secret.expose()).map_err(|error| CliError::from_error(&error))?;
        Ok(self.ui.secret_drawing(&code)?)
    }
}
