//! The `respire` command line tool.

fn main() -> std::process::ExitCode {
    respire::cli::main()
}
