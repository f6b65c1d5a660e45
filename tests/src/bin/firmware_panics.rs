//! Prints what the code of firmware images is made of, and fails if it can panic.
//!
//! ```sh
//! cargo run -p respire-tests --bin firmware_panics -- FILE…
//! ```

use std::process::ExitCode;
use std::{env, fs};

use respire_tests::elf::Functions;

fn main() -> ExitCode {
    let mut status = ExitCode::SUCCESS;
    for path in env::args_os().skip(1) {
        let name = path.display();
        let functions = fs::read(&path)
            .map_err(|error| error.to_string())
            .and_then(|image| Functions::of(&image).ok_or("not a 32-bit ELF file with symbols".to_owned()));
        match functions {
            Ok(functions) => {
                println!("{name}: {functions}");
                for function in functions.panics() {
                    println!("{name}: PANICS: {function}");
                    status = ExitCode::FAILURE;
                }
            }
            Err(error) => {
                eprintln!("{name}: {error}");
                status = ExitCode::FAILURE;
            }
        }
    }
    status
}
