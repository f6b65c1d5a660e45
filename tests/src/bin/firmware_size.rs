//! Prints how much flash and RAM firmware images take.
//!
//! ```sh
//! cargo run -p respire-tests --bin firmware_size -- FILE…
//! ```

use std::process::ExitCode;
use std::{env, fs};

use respire_tests::elf::Footprint;

fn main() -> ExitCode {
    let mut status = ExitCode::SUCCESS;
    for path in env::args_os().skip(1) {
        let name = path.display();
        let footprint = fs::read(&path)
            .map_err(|error| error.to_string())
            .and_then(|image| Footprint::of(&image).ok_or("not a 32-bit ELF file".to_owned()));
        match footprint {
            Ok(footprint) => println!("{name}: {footprint}"),
            Err(error) => {
                eprintln!("{name}: {error}");
                status = ExitCode::FAILURE;
            }
        }
    }
    status
}
