//! Owning an X11 selection ourselves: to mark what we offer as a secret, which no tool can, and to keep the
//! secret in this process, which nobody may trace, instead of in a tool's.
//!
//! See ICCCM, section 2. Reading the selection and restoring it are left to the tools.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use x11rb::connection::Connection as _;
use x11rb::errors::ReplyOrIdError;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ConnectionExt as _, CreateWindowAux, EventMask, PropMode, SELECTION_NOTIFY_EVENT,
    SelectionNotifyEvent, SelectionRequestEvent, Timestamp, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;
use zeroize::Zeroizing;

/// The largest secret that fits into one request, in bytes; larger ones would have to be given in parts.
const MAX_SECRET: usize = 200_000;
/// How long the server may take to tell its time.
const PATIENCE: Duration = Duration::from_secs(2);

x11rb::atom_manager! {
    /// The names that programs ask for.
    Atoms: AtomsCookie {
        TARGETS,
        TIMESTAMP,
        UTF8_STRING,
        TEXT,
        PLAIN_UTF8: b"text/plain;charset=utf-8",
        PLAIN: b"text/plain",
        // Clipboard managers (KDE's, and others since) keep no history of what has this target.
        HINT: b"x-kde-passwordManagerHint",
        CLIPBOARD,
    }
}

/// Whether a server answers at `display`, and lets us in.
pub(super) fn answers(display: &OsStr) -> bool {
    display.to_str().is_some_and(|display| x11rb::connect(Some(display)).is_ok())
}

/// The owner of a selection, for as long as it lives or until another takes it.
pub(super) struct Owner {
    connection: RustConnection,
    selection: Atom,
    atoms: Atoms,
    since: Timestamp,
    secret: Zeroizing<Vec<u8>>,
    /// Until the server says otherwise.
    owns: bool,
}

impl Owner {
    /// Becomes the owner of `selection` on `display` and offers `secret`; none where that cannot be done.
    pub(super) fn take(display: &OsStr, selection: &str, secret: &[u8]) -> Option<Self> {
        if secret.len() > MAX_SECRET {
            return None;
        }
        Self::try_take(display.to_str()?, selection, secret).ok().flatten()
    }

    /// As [`Owner::take`].
    fn try_take(display: &str, selection: &str, secret: &[u8]) -> Result<Option<Self>, ReplyOrIdError> {
        let Ok((connection, screen)) = x11rb::connect(Some(display)) else { return Ok(None) };
        let atoms = Atoms::new(&connection)?.reply()?;
        let selection = connection.intern_atom(false, selection.as_bytes())?.reply()?.atom;
        let window = connection.generate_id()?;
        let root = connection.setup().roots[screen].root;
        let wanted = CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        let class = WindowClass::INPUT_ONLY;
        connection.create_window(0, window, root, -1, -1, 1, 1, 0, class, 0, &wanted)?.check()?;
        let Some(since) = server_time(&connection, window, &atoms)? else { return Ok(None) };
        connection.set_selection_owner(window, selection, since)?.check()?;
        let taken = connection.get_selection_owner(selection)?.reply()?.owner == window;
        let secret = Zeroizing::new(secret.to_vec());
        Ok(taken.then_some(Owner { connection, selection, atoms, since, secret, owns: true }))
    }

    /// Answers everybody who has asked by now. Returns whether we still are the owner.
    pub(super) fn answer_all(&mut self) -> bool {
        while self.owns {
            match self.connection.poll_for_event() {
                Ok(None) => break,
                Ok(Some(Event::SelectionClear(event))) if event.selection == self.selection => {
                    self.owns = false;
                }
                Ok(Some(Event::SelectionRequest(request))) => {
                    // One who asks and is gone before the answer is none of our concern.
                    let _ = self.answer(&request);
                }
                Ok(Some(_)) => {}
                Err(_) => self.owns = false,
            }
        }
        self.owns
    }

    /// Waits until another program has taken the selection: a tool's process may end before the one that it
    /// leaves behind has done so.
    pub(super) fn hand_over(mut self) {
        self.answer_until_lost();
        self.give_up();
    }

    /// Stops to offer the secret, having answered those who asked before: they would wait for ever.
    pub(super) fn give_up(mut self) {
        // With our time: where somebody else took over since, the server does nothing.
        let given_up = self.connection.set_selection_owner(x11rb::NONE, self.selection, self.since);
        drop(given_up);
        let _ = self.connection.flush();
        self.answer_until_lost();
        // A question answered: the server has taken all that we sent.
        let _ = self.connection.get_input_focus().map(|asked| asked.reply());
    }

    /// Answers until we are the owner no more, but not for ever. The server tells of the loss after the last
    /// request.
    fn answer_until_lost(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self.owns && self.answer_all() && Instant::now() < deadline {
            wait_for_event(&self.connection, deadline);
        }
    }

    /// Gives one program what it asks for, or tells it that we cannot.
    fn answer(&self, request: &SelectionRequestEvent) -> Result<(), ReplyOrIdError> {
        // Old programs name no property; the target's name then serves.
        let property = if request.property == x11rb::NONE { request.target } else { request.property };
        // From before our time: meant for another owner.
        let early = request.time != x11rb::CURRENT_TIME && request.time < self.since;
        let given = !early && self.give(request.requestor, property, request.target)?;
        let event = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: request.requestor,
            selection: request.selection,
            target: request.target,
            property: if given { property } else { x11rb::NONE },
        };
        self.connection.send_event(false, request.requestor, EventMask::NO_EVENT, event)?;
        Ok(self.connection.flush()?)
    }

    /// Stores what `target` means in a property of the asking window. Returns whether we know the target.
    fn give(&self, window: Window, property: Atom, target: Atom) -> Result<bool, ReplyOrIdError> {
        let (connection, atoms) = (&self.connection, &self.atoms);
        let replace = PropMode::REPLACE;
        let texts = [atoms.UTF8_STRING, atoms.TEXT, atoms.PLAIN_UTF8, atoms.PLAIN, AtomEnum::STRING.into()];
        if target == atoms.TARGETS {
            let mut known = vec![atoms.TARGETS, atoms.TIMESTAMP, atoms.HINT];
            known.extend(texts);
            connection.change_property32(replace, window, property, AtomEnum::ATOM, &known)?;
        } else if target == atoms.TIMESTAMP {
            connection.change_property32(replace, window, property, AtomEnum::INTEGER, &[self.since])?;
        } else if target == atoms.HINT {
            connection.change_property8(replace, window, property, target, b"secret")?;
        } else if texts.contains(&target) {
            // TEXT leaves the encoding to us.
            let kind = if target == atoms.TEXT { atoms.UTF8_STRING } else { target };
            connection.change_property8(replace, window, property, kind, &self.secret)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }
}

impl AsFd for Owner {
    /// Returns the connection: when it can be read, somebody asks.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.stream().as_fd()
    }
}

/// Returns the server's time, which a selection must be taken with: an empty change of a property is told
/// back with it.
fn server_time(
    connection: &RustConnection,
    window: Window,
    atoms: &Atoms,
) -> Result<Option<Timestamp>, ReplyOrIdError> {
    connection.change_property8(PropMode::APPEND, window, atoms.HINT, AtomEnum::STRING, b"")?;
    connection.flush()?;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        match connection.poll_for_event()? {
            Some(Event::PropertyNotify(event)) if event.window == window => return Ok(Some(event.time)),
            Some(_) => {}
            None => wait_for_event(connection, deadline),
        }
    }
    Ok(None)
}

/// Waits until the server has something to tell, or `deadline`.
fn wait_for_event(connection: &RustConnection, deadline: Instant) {
    let left = Timespec::try_from(deadline.saturating_duration_since(Instant::now())).ok();
    // Interrupted or not, the caller looks again.
    let _ = rustix::event::poll(&mut [PollFd::new(connection.stream(), PollFlags::IN)], left.as_ref());
}
