//! The report for one client, in plain words.
//!
//! It is written from a [`Share`] and nothing else, so that nothing of others can come into it.

use std::path::{Path, PathBuf};

use super::document::{Block, Document, Piece, Section, Text, Tone, joined, ours};
use crate::cli::commands::incident::words;
use crate::cli::commands::recipients::people::{counted, list_names};
use crate::ops::incident::{Deed, How, Share, Shared, SharedState as State};

/// So many accounts that are still to be changed are named once more; more are summed up.
const LISTED: usize = 10;

/// What the report is written from.
pub struct Sources<'a> {
    /// What the client is told.
    pub share: &'a Share,
    /// The first digits of the incident's name, to refer to it by.
    pub reference: &'a str,
    /// What the team has to say besides.
    pub say: Option<&'a str>,
    /// When it is written, in seconds since 1970.
    pub now: i64,
}

/// Returns the report.
pub fn client(sources: &Sources<'_>) -> Document {
    let Sources { share, reference, say, now } = sources;
    Document {
        kind: "Security incident",
        title: vec![ours("Report for "), Piece::Foreign(share.client.to_string_lossy().into_owned())],
        lead: vec![
            Block::Paragraph(vec![
                ours("As things stood on "),
                Piece::Day(*now),
                ours(". When you write to us about it, please give the reference "),
                Piece::Name((*reference).to_owned()),
                ours("."),
            ]),
            Block::Figures(figures(&share.accounts)),
        ],
        sections: vec![
            Section { id: "happened", heading: "What happened", blocks: happened(share, *say) },
            Section { id: "means", heading: "What this means for you", blocks: means(share) },
            Section { id: "done", heading: "What was done", blocks: vec![Block::List(done(&share.deeds))] },
            Section { id: "remains", heading: "What remains to be done", blocks: remains(share) },
        ],
        footer: vec![ours("This report is about your accounts alone. It holds no passwords.")],
    }
}

fn figures(accounts: &[Shared]) -> Vec<(usize, &'static str)> {
    let count =
        |is_meant: fn(&State) -> bool| accounts.iter().filter(|shared| is_meant(&shared.state)).count();
    let figures = [
        (accounts.len(), "accounts concerned"),
        (count(|state| *state == State::Open), "still to be changed"),
        (count(|state| matches!(state, State::Unknown | State::Elsewhere)), "being checked"),
        (count(|state| *state == State::Gone), "no longer kept by us"),
        (count(State::is_done), "dealt with"),
    ];
    // Noughts of what is nothing to worry about only unsettle.
    let rest = figures.into_iter().enumerate().filter(|(place, (count, _))| *place < 2 || *count > 0);
    rest.map(|(_, figure)| figure).collect()
}

fn happened(share: &Share, say: Option<&str>) -> Vec<Block> {
    let what = |count: usize| {
        format!("sign-in details of {} that we keep for you", counted(count, "account", "accounts"))
    };
    let mut blocks: Vec<Block> = Vec::new();
    for how in &share.how {
        blocks.push(Block::Paragraph(match how {
            How::Person { until, is_still, names, accounts } => {
                person(*until, *is_still, names, &what(*accounts))
            }
            How::Reused(accounts) => vec![ours(format!(
                "A person knows the password of {} that we keep for you, since the same one was in use elsewhere.",
                counted(*accounts, "account", "accounts")
            ))],
            How::Leak(accounts) => {
                let what = what(*accounts);
                vec![ours(format!("The {what} came, or may have come, to be known to others."))]
            }
        }));
    }
    let lines = say.iter().flat_map(|say| say.lines()).filter(|line| !line.trim().is_empty());
    blocks.extend(lines.map(|line| Block::Paragraph(vec![Piece::Foreign(line.to_owned())])));
    blocks
}

fn person(until: Option<i64>, is_still: bool, names: &[String], what: &str) -> Text {
    // After a name, the clause is one that could be left out.
    let (who, comma) = match names {
        [] => (ours("A person"), ""),
        names => (Piece::Foreign(list_names(names)), ","),
    };
    match (until, is_still) {
        (Some(when), _) => vec![
            who,
            ours(format!("{comma} who had access until ")),
            Piece::Day(when),
            ours(format!("{comma} could read the {what}.")),
        ],
        // Whoever it is about: a person who is to go, or one whose laptop was lost.
        (None, true) => {
            let whose = if names.is_empty() { "a person" } else { "" };
            vec![
                ours(format!("The key of {whose}")),
                if names.is_empty() { ours("") } else { who },
                ours(format!(
                    "{comma} who still has access{comma} is, or may be, in the wrong hands. It can read the {what}."
                )),
            ]
        }
        (None, false) => vec![who, ours(format!("{comma} who had access{comma} could read the {what}."))],
    }
}

fn means(share: &Share) -> Vec<Block> {
    let mut blocks = vec![Block::Paragraph(vec![ours(
        "Whoever knows a password can sign in with it until it is changed, and what was read once may have been kept. So we \
         treat the passwords of these accounts as known, whether or not anybody has used them, and have them changed.",
    )])];
    blocks.push(accounts(&share.accounts));
    blocks.push(match share.is_incomplete {
        true => Block::Note(vec![ours(
            "Not all of our records could be examined when this was written. More of your accounts may be concerned.",
        )]),
        false => Block::Paragraph(vec![ours(
            "By our records, no other account that we keep for you is concerned.",
        )]),
    });
    blocks
}

fn accounts(accounts: &[Shared]) -> Block {
    let headings: &[&str] = &["Account", "What may be known", "How things stand", "Address"];
    let has_addresses = accounts.iter().any(|shared| shared.url.is_some());
    let headings = if has_addresses { headings } else { &headings[..3] };
    let row = |shared: &Shared| {
        let address = shared.url.iter().map(|url| Piece::Name(url.clone())).collect();
        let mut row = vec![vec![words::entry(&shared.entry)], secrets(shared), state(shared), address];
        row.truncate(headings.len());
        row
    };
    Block::Table("Your accounts", headings, accounts.iter().map(row).collect())
}

fn secrets(shared: &Shared) -> Text {
    let secrets = match &shared.secrets[..] {
        [] => "sign-in details".to_owned(),
        secrets => secrets.join(", "),
    };
    vec![Piece::Foreign(secrets)]
}

fn state(shared: &Shared) -> Text {
    let mut text = stands(&shared.state);
    if shared.has_same_lines && matches!(shared.state, State::Changed(_)) {
        text.push(ours("; other lines that were noted with it are as they were"));
    }
    text
}

fn stands(state: &State) -> Text {
    let on = |when: Option<i64>| -> Text {
        when.into_iter().flat_map(|when| [ours(" on "), Piece::Day(when)]).collect()
    };
    match state {
        State::Open => vec![Piece::Mark(Tone::Bad, "still to be changed")],
        State::Unknown => vec![Piece::Mark(Tone::Care, "being checked")],
        State::Gone => vec![Piece::Mark(Tone::Care, "no longer kept by us")],
        State::Changed(when) => [vec![Piece::Mark(Tone::Good, "changed")], on(*when)].concat(),
        State::ChangedBefore => vec![Piece::Mark(Tone::Good, "changed"), ours(" already")],
        State::Elsewhere => vec![Piece::Mark(Tone::Care, "no longer in your folder")],
        State::Settled(when) => [vec![Piece::Mark(Tone::Good, "settled")], on(Some(*when))].concat(),
    }
}

fn done(deeds: &[(i64, Deed)]) -> Vec<Text> {
    let told = deeds.iter().map(|(when, deed)| {
        let words = match deed {
            Deed::AccessEnded => vec![ours("we ended the access by which these accounts could be read.")],
            Deed::Opened => {
                vec![ours("we recorded the incident, and looked up which accounts are concerned.")]
            }
            Deed::Changed(entries) => [vec![ours("we changed ")], names(entries), vec![ours(".")]].concat(),
            Deed::Settled(entries) => [
                vec![ours("we looked into ")],
                names(entries),
                vec![ours(": there was nothing to change any more, or it was changed elsewhere.")],
            ]
            .concat(),
            Deed::Closed => vec![ours("we closed the incident.")],
        };
        [vec![Piece::Day(*when), ours(": ")], words].concat()
    });
    told.collect()
}

fn names(entries: &[PathBuf]) -> Text {
    joined(entries.iter().map(|path: &PathBuf| vec![words::entry(Path::new(path))]), ", ")
}

fn remains(share: &Share) -> Vec<Block> {
    let open = share.accounts.iter().filter(|shared| shared.state == State::Open).count();
    // So many were only the table above once more.
    let is_long = open > LISTED;
    let listed = share.accounts.iter().filter(|shared| !(is_long && shared.state == State::Open));
    let mut items: Vec<Text> = listed.filter_map(remaining).collect();
    if is_long {
        let many = format!("We still have to change {open} of the accounts above: those that are marked so.");
        items.insert(0, vec![ours(many)]);
    }
    let is_open = share.accounts.iter().any(|shared| matches!(shared.state, State::Open | State::Unknown));
    let mut blocks = match items.is_empty() {
        true => vec![Block::Paragraph(vec![ours(
            "On our side nothing: all of these accounts have been dealt with.",
        )])],
        false => vec![Block::List(items)],
    };
    let mut can = Vec::new();
    if is_open {
        can.push(vec![ours(
            "If you would rather not wait for us, change the password yourself, and tell us that you did.",
        )]);
    }
    can.push(vec![ours(
        "Where you use one of these passwords for anything else as well, change it there too.",
    )]);
    can.push(vec![ours(
        "If the service shows when and from where somebody signed in, look for what was not you or us, and tell us about it.",
    )]);
    blocks.push(Block::Paragraph(vec![ours("What you can do:")]));
    blocks.push(Block::List(can));
    blocks
}

/// Returns what remains to be done about an account; none if nothing does.
fn remaining(shared: &Shared) -> Option<Text> {
    let name = words::entry(&shared.entry);
    let at = shared.url.iter().flat_map(|url| [ours(" (at "), Piece::Name(url.clone()), ours(")")]);
    // What is still as it was, where other secrets of the account have been changed.
    let is_part = !shared.left.is_empty() && shared.left.len() < shared.secrets.len();
    let words: [Piece; 2] = match shared.state {
        State::Open if is_part => {
            let left = format!("We still have to change the rest ({}) of ", shared.left.join(", "));
            [Piece::Foreign(left), ours(".")]
        }
        State::Open => [ours("We still have to change "), ours(".")],
        State::Unknown => [ours("We are finding out whether this was changed already: "), ours(".")],
        State::Elsewhere => [
            ours("We keep the details of "),
            ours(" in another place by now. Ask us how things stand with it."),
        ],
        State::Gone => [
            ours("We no longer keep the details of "),
            ours(". If there is still such an account, have its password changed, or the account closed."),
        ],
        State::Changed(_) | State::ChangedBefore | State::Settled(_) => return None,
    };
    let [before, after] = words;
    Some([before, name].into_iter().chain(at).chain([after]).collect())
}
