//! Manual pages: one for the program, written by hand around its list of commands, and one a command.

#[path = "examples.rs"]
mod examples;

use clap::Command;
use clap_mangen::Man;

/// Returns the pages, by their paths.
pub fn pages(definitions: &Command) -> Vec<(String, String)> {
    let mut pages = vec![("man/passel.1".to_owned(), program(definitions))];
    for command in definitions.get_subcommands() {
        pages.push((format!("man/passel-{}.1", command.get_name()), of_command(command)));
    }
    pages
}

/// Returns the page of the program.
fn program(definitions: &Command) -> String {
    let mut list = String::new();
    for command in definitions.get_subcommands() {
        let usage = command.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").trim_start_matches("passel ");
        let (name, rest) = usage.split_once(' ').unwrap_or((usage, ""));
        list.push_str(&format!(".TP\n\\fB{}\\fR {}\n", escaped(name), escaped(rest)));
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        list.push_str(&format!("{}.\n", escaped(&about)));
        let aliases: Vec<&str> = command.get_visible_aliases().collect();
        if !aliases.is_empty() {
            list.push_str(&format!("Also: {}.\n", aliases.join(", ")));
        }
        list.push_str(&format!("See \\fBpassel\\-{}\\fR(1).\n", escaped(command.get_name())));
    }
    include_str!("../../man/passel.1.in")
        .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
        .replace("@COMMANDS@\n", &list)
}

/// Returns the page of a command.
fn of_command(command: &Command) -> String {
    let title = format!("PASSEL-{}", command.get_name().to_uppercase());
    let man = Man::new(command.clone())
        .title(title)
        .section("1")
        .source(concat!("passel ", env!("CARGO_PKG_VERSION")))
        .manual("passel");
    let mut page = Vec::new();
    man.render_title(&mut page).unwrap();
    man.render_name_section(&mut page).unwrap();
    man.render_synopsis_section(&mut page).unwrap();
    man.render_description_section(&mut page).unwrap();
    if command.get_arguments().any(|arg| !arg.is_hide_set()) {
        man.render_options_section(&mut page).unwrap();
    }
    let mut page = String::from_utf8(page).expect("the definitions are UTF-8");
    let aliases: Vec<&str> = command.get_visible_aliases().collect();
    if !aliases.is_empty() {
        page.push_str(&format!(".SH \"OTHER NAMES\"\n{}\n", aliases.join(", ")));
    }
    page.push_str(&nested(command));
    // Of commands with commands, each has its own.
    if let Some(help) = command.get_after_long_help().filter(|_| !command.has_subcommands()) {
        let described = help.to_string();
        let json = described.split("\n\n").find(|part| part.starts_with("JSON:"));
        page.push_str(
            &json.map(|json| format!(".SH JSON\n.nf\n{}\n.fi\n", escaped(json))).unwrap_or_default(),
        );
    }
    page.push_str(&examples::section(command.get_name(), escaped));
    page.push_str(".SH \"SEE ALSO\"\n\\fBpassel\\fR(1), where everything is that commands have in common\n");
    page
}

/// Returns the section on the commands of a command, each with its options; empty if it has none.
fn nested(command: &Command) -> String {
    let mut section = String::new();
    for one in command.get_subcommands().filter(|one| one.get_name() != "help") {
        if section.is_empty() {
            section.push_str(".SH COMMANDS\n");
        }
        let usage = one.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").trim_start_matches("passel ");
        section.push_str(&format!(".SS \"{}\"\n", escaped(usage)));
        let about = one.get_long_about().or(one.get_about()).map(ToString::to_string).unwrap_or_default();
        section.push_str(&format!("{}.\n", escaped(about.trim_end_matches('.'))));
        let options = one.get_arguments().filter(|arg| !arg.is_hide_set() && arg.get_id() != "help");
        for arg in options {
            section.push_str(&format!(".TP\n\\fB{}\\fR\n", escaped(&arg.to_string())));
            let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
            section.push_str(&format!("{}.\n", escaped(help.trim_end_matches('.'))));
        }
        let more = one.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        section.push_str(&paragraphs(more.split("Example").next().unwrap_or_default()));
    }
    section
}

/// Returns what a command's help says at its end, as it is laid out there: columns stay columns.
fn paragraphs(text: &str) -> String {
    let mut section = String::new();
    for paragraph in text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()) {
        match paragraph.split_once('\n') {
            Some((first, rest)) if rest.starts_with("  ") => {
                section.push_str(&format!(".PP\n{}\n.PP\n.nf\n{}\n.fi\n", escaped(first), escaped(rest)));
            }
            _ => section.push_str(&format!(".PP\n{}\n", escaped(paragraph))),
        }
    }
    section
}

/// Writes a text so that roff takes it as it is.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace("...", "\\&...")
}
