//! Completion scripts for bash, zsh and fish: templates beside this file, filled from the definitions.

use clap::{Arg, Command};

/// Returns the scripts for one name of the program, by their paths.
pub fn scripts(definitions: &Command, program: &str) -> Vec<(String, String)> {
    let fill = |template: &str| template.replace("@PROGRAM@", program).replace("@F@", &format!("_{program}"));
    vec![
        (format!("completions/{program}.bash"), fill(&bash(definitions))),
        (format!("completions/_{program}"), fill(&zsh(definitions))),
        (format!("completions/{program}.fish"), fill(&fish(definitions))),
    ]
}

/// What the names of a command's arguments stand for.
fn kind(command: &Command) -> &'static str {
    match command.get_name() {
        _ if !nested(command).is_empty() => "nested",
        "show" => "entries",
        "insert" | "edit" | "generate" | "rm" | "mv" | "cp" | "log" | "history" | "fsck" => "names",
        other => [
            "init",
            "find",
            "grep",
            "git",
            "help",
            "version",
            "adopt",
            "doctor",
            "git-setup",
            "merge-driver",
            "sync",
            "clone",
        ]
        .into_iter()
        .find(|known| *known == other)
        .unwrap_or_else(|| panic!("say in tests/generated/shells.rs what follows `{other}`")),
    }
}

/// Returns a command's names.
fn names(command: &Command) -> Vec<&str> {
    std::iter::once(command.get_name()).chain(command.get_visible_aliases()).collect()
}

/// Returns the options that a command takes, those of its own commands included.
fn options(command: &Command) -> Vec<&Arg> {
    let mut options: Vec<&Arg> = command.get_arguments().filter(|arg| !arg.is_positional()).collect();
    for arg in nested(command).into_iter().flat_map(Command::get_arguments) {
        if !arg.is_positional() && options.iter().all(|known| known.get_long() != arg.get_long()) {
            options.push(arg);
        }
    }
    options
}

/// Returns the commands of a command.
fn nested(command: &Command) -> Vec<&Command> {
    command.get_subcommands().filter(|one| one.get_name() != "help").collect()
}

/// Returns the names of the commands of a command, and what a person types after one.
fn nested_names(command: &Command) -> String {
    nested(command).iter().map(|one| one.get_name()).collect::<Vec<_>>().join(" ")
}

/// Returns what a definition says about itself, in one line without a full stop.
fn about(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default().trim_end_matches('.').to_owned()
}

/// Returns every command with its other names.
fn all_names(definitions: &Command) -> Vec<&str> {
    definitions.get_subcommands().flat_map(names).collect()
}

fn bash(definitions: &Command) -> String {
    let mut cases = String::new();
    for command in definitions.get_subcommands() {
        let options: Vec<String> = options(command)
            .into_iter()
            .flat_map(|arg| {
                [arg.get_short().map(|c| format!("-{c}")), arg.get_long().map(|long| format!("--{long}"))]
            })
            .flatten()
            .collect();
        if !options.is_empty() {
            let names = names(command).join(" | ");
            let names = if command.get_name() == "show" { format!("{names} | -*") } else { names };
            cases.push_str(&format!("    {names}) @F@_offer {} ;;\n", options.join(" ")));
        }
    }
    let main: Vec<&str> = definitions
        .get_subcommands()
        .map(|command| if command.get_name() == "show" { "show ls" } else { command.get_name() })
        .collect();
    let mut own = String::new();
    for command in definitions.get_subcommands().filter(|command| !nested(command).is_empty()) {
        let (name, words) = (command.get_name(), nested_names(command));
        own.push_str(&format!(
            "    {name})\n        if ((${{#typed[@]}} == 3)); then\n            @F@_offer {words}\n        \
             else\n            @F@_complete_folders\n            @F@_complete_keys\n        fi\n        ;;\n"
        ));
    }
    include_str!("bash.in")
        .replace("@NESTED@\n", &own)
        .replace("@OPTIONS@\n", &cases)
        .replace("@MAIN_COMMANDS@", &main.join(" "))
        .replace("@COMMANDS@", &all_names(definitions).join(" "))
}

fn zsh(definitions: &Command) -> String {
    let quoted = |text: &str| text.replace('\'', "'\\''");
    let mut commands = String::new();
    let mut cases = String::new();
    for command in definitions.get_subcommands() {
        for name in names(command) {
            let about = about(command.get_about()).replace(':', "\\:");
            commands.push_str(&format!("        '{name}:{}'\n", quoted(&about)));
        }
        let mut specs: Vec<String> = options(command).into_iter().map(zsh_option).collect();
        match kind(command) {
            "entries" => specs.push("'*: : @F@_names entries'".to_owned()),
            "names" => specs.push("'*: : @F@_names names'".to_owned()),
            "init" => specs.push("'*: : @F@_keys'".to_owned()),
            "git" => specs.push("'1: : @F@_git'".to_owned()),
            "help" => specs.push("'1: : @F@_commands'".to_owned()),
            "nested" => {
                specs.push(format!("'1: :({})'", nested_names(command)));
                specs.push("'*: : @F@_folders_and_keys'".to_owned());
            }
            _ => specs.push("'*: :'".to_owned()),
        }
        let names = names(command).join(" | ");
        cases.push_str(&format!("    {names})\n        _arguments -s -S \\\n            "));
        cases.push_str(&specs.join(" \\\n            "));
        cases.push_str("\n        ;;\n");
    }
    include_str!("zsh.in")
        .replace("@COMMANDS@\n", &commands)
        .replace("@CASES@\n", &cases)
        .replace("@NAMES@", &all_names(definitions).join(" | "))
}

/// Returns the specification of an option for zsh's `_arguments`.
fn zsh_option(arg: &Arg) -> String {
    let long = arg.get_long().expect("every option has a name");
    let about = about(arg.get_help()).replace('\'', "'\\''").replace(['[', ']'], "");
    let takes_value = arg.get_action().takes_values();
    let optional = arg.get_num_args().is_some_and(|count| count.min_values() == 0);
    let Some(short) = arg.get_short() else {
        return match (takes_value, optional) {
            (false, _) => format!("'--{long}[{about}]'"),
            (true, true) => format!("'--{long}=-[{about}]:: :'"),
            (true, false) => format!("'--{long}=[{about}]: :_files'"),
        };
    };
    match (takes_value, optional) {
        (false, _) => format!("'(-{short} --{long})'{{-{short},--{long}}}'[{about}]'"),
        (true, true) => format!("'(-{short} --{long})'{{-{short}-,--{long}=-}}'[{about}]:: :'"),
        (true, false) => {
            format!("'(-{short} --{long})'{{-{short}+,--{long}=}}'[{about}]: : @F@_names folders'")
        }
    }
}

fn fish(definitions: &Command) -> String {
    let quoted = |text: String| text.replace('\\', "\\\\").replace('\'', "\\'");
    let mut commands = String::new();
    let mut cases = String::new();
    for command in definitions.get_subcommands() {
        for name in names(command) {
            let about = quoted(about(command.get_about()));
            commands
                .push_str(&format!("complete -c @PROGRAM@ -n _@F@_needs_command -a {name} -d '{about}'\n"));
        }
        let is = format!("_@F@_is {}", names(command).join(" "));
        let is = if command.get_name() == "show" { format!("_@F@_is_bare; or {is}") } else { is };
        for arg in options(command) {
            let about = quoted(about(arg.get_help()));
            let forms = [
                arg.get_short().map(|short| format!(" -s {short}")),
                arg.get_long().map(|long| format!(" -l {long}")),
            ];
            let forms: String = forms.into_iter().flatten().collect();
            let optional = arg.get_num_args().is_some_and(|count| count.min_values() == 0);
            let needs_value = arg.get_action().takes_values() && !optional;
            let value = match needs_value {
                true if nested(command).is_empty() => " -x -a '(_@F@_ask folders)'",
                true => " -r -F",
                false => "",
            };
            cases.push_str(&format!("complete -c @PROGRAM@ -n '{is}'{forms}{value} -d '{about}'\n"));
        }
        let follows = match kind(command) {
            "entries" => {
                // `ls` is for folders, too.
                cases.push_str("complete -c @PROGRAM@ -n '_@F@_is ls list' -a '(_@F@_ask names)'\n");
                cases.push_str(
                    "complete -c @PROGRAM@ -n '_@F@_is_bare; or _@F@_is show' -a '(_@F@_ask entries)'\n",
                );
                continue;
            }
            "names" => "_@F@_ask names",
            "init" => "_@F@_ask keys",
            "git" => "_@F@_git",
            "nested" => {
                let words = nested_names(command);
                let at = format!("_@F@_is {}; and test (count (commandline -opc)) -eq 2", command.get_name());
                cases.push_str(&format!("complete -c @PROGRAM@ -n '{at}' -a '{words}'\n"));
                "_@F@_ask folders; _@F@_ask keys"
            }
            "help" => {
                cases.push_str(&format!(
                    "complete -c @PROGRAM@ -n '{is}' -a '{}'\n",
                    all_names(definitions).join(" ")
                ));
                continue;
            }
            _ => continue,
        };
        cases.push_str(&format!("complete -c @PROGRAM@ -n '{is}' -a '({follows})'\n"));
    }
    include_str!("fish.in").replace("@COMMANDS@\n", &commands).replace("@CASES@\n", &cases)
}
