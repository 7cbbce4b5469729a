//! The commands: one definition feeds parser, help, manual pages and completions.

use clap::{CommandFactory as _, Parser, Subcommand};

use super::commands::{
    adopt, audit, cache, client, clone, conflicts, doctor, edit, find, fsck, generate, git, git_setup, grep,
    group, help, history, init, insert, keys, log, merge_driver, recipients, relocate, remove, rotate, show,
    sync, trust,
};

/// A team password store, compatible with pass, that clients can be let into.
#[derive(Debug, Parser)]
#[command(name = "passel", version, disable_help_subcommand = true, infer_long_args = true)]
pub struct Root {
    /// Before the command: tell in the end how many entries were encrypted and decrypted, and how many of
    /// them by gpg.
    #[arg(long)]
    pub verbose: bool,
    /// What to do; a bare name shows the entry or folder of that name.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Set the recipients of the store or a folder, and encrypt its entries to them.
    Init(init::Args),
    /// Show an entry, or list a folder.
    #[command(visible_aliases = ["ls", "list"])]
    Show(show::Args),
    /// List entries and folders whose names match.
    #[command(visible_alias = "search")]
    Find(find::Args),
    /// Search the decrypted entries.
    Grep(grep::Args),
    /// Store a password or a text.
    #[command(visible_alias = "add")]
    Insert(insert::Args),
    /// Edit an entry, or write a new one, in an editor.
    Edit(edit::Args),
    /// Make a password and store it.
    Generate(generate::Args),
    /// Remove an entry or a folder.
    #[command(visible_aliases = ["remove", "delete"])]
    Rm(remove::Args),
    /// Move an entry or a folder; what lands under other recipients is encrypted anew.
    #[command(visible_alias = "rename", override_usage = "passel mv [OPTIONS] OLD-NAME NEW-NAME")]
    Mv(relocate::Args),
    /// Copy an entry or a folder; what lands under other recipients is encrypted anew.
    #[command(visible_alias = "copy", override_usage = "passel cp [OPTIONS] OLD-NAME NEW-NAME")]
    Cp(relocate::Args),
    /// Show or change who can read a folder.
    Recipients(recipients::Args),
    /// Show or change groups of recipients, and the folders that follow them.
    Group(group::Args),
    /// Let clients read a folder of their own.
    Client(client::Args),
    /// Let the public keys of all recipients travel in the store.
    Keys(keys::Args),
    /// Look over a store that another program has made, and mend what is safe to mend.
    #[command(long_about = adopt::LONG)]
    Adopt(adopt::Args),
    /// Tell who could read what, what was exposed to whom, and what people should look after.
    #[command(long_about = audit::LONG)]
    Audit(audit::Args),
    /// List what must be changed, and why.
    #[command(long_about = rotate::LONG)]
    Rotate(rotate::Args),
    /// Look over the store as a whole: entries, recipients, files, history and git.
    #[command(long_about = fsck::LONG)]
    Fsck(fsck::Args),
    /// Forget the session keys that are remembered for speed.
    #[command(long_about = cache::LONG)]
    Cache(cache::Args),
    /// Tell how long work on many entries takes here, and what would make it quicker.
    #[command(long_about = doctor::LONG)]
    Doctor(doctor::Args),
    /// Take a store from a remote repository to this machine.
    #[command(long_about = clone::LONG)]
    Clone(clone::Args),
    /// Exchange changes with the remote repository, and merge them.
    #[command(long_about = sync::LONG)]
    Sync(sync::Args),
    /// Tell who changed what, and when.
    #[command(long_about = log::LONG)]
    Log(log::Args),
    /// List the versions of an entry, show one, compare two, or put one back.
    History(history::Args),
    /// Say whose signature on a change of recipients is taken without a question.
    #[command(long_about = trust::LONG)]
    Trust(trust::Args),
    /// Run git in the store.
    Git(git::Args),
    /// Tell git, in this clone, to merge entries by line and field.
    #[command(name = "git-setup", long_about = git_setup::LONG)]
    GitSetup(git_setup::Args),
    /// List entries of which two versions are kept, compare them, and choose.
    #[command(long_about = conflicts::LONG)]
    Conflicts(conflicts::Args),
    /// Merge two versions of an entry: git calls this.
    #[command(name = "merge-driver", long_about = merge_driver::LONG, hide = true)]
    MergeDriver(merge_driver::Args),
    /// Show the commands, or how to use one.
    Help(help::Args),
    /// Show the version.
    #[command(override_usage = "passel version", disable_help_flag = true)]
    Version,
}

/// The commands that pass does not have. Their arguments are parsed as clap does it.
pub const OWN: &[&str] = &[
    "recipients",
    "group",
    "client",
    "keys",
    "adopt",
    "audit",
    "rotate",
    "fsck",
    "cache",
    "doctor",
    "clone",
    "sync",
    "trust",
    "git-setup",
    "conflicts",
    "merge-driver",
    "log",
    "history",
];

/// Returns the definitions, built.
pub fn command() -> clap::Command {
    let mut command = Root::command();
    command.build();
    command
}

/// Returns the definitions for one run of the program: what it needs of them is built when it is needed, and
/// nothing is given back (both together took half a millisecond).
pub fn for_one_run() -> &'static mut clap::Command {
    Box::leak(Box::new(Root::command()))
}
