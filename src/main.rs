//! The `cspine` program: parse the arguments, call the library, print the error chain.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cspine::cli::Cli::parse();
    match cspine::cli::run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cspine: {}", error.chain());
            error.exit_code()
        }
    }
}
