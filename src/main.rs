//! The `passel` program: see the library for everything it does.

fn main() -> std::process::ExitCode {
    passel::cli::main()
}
