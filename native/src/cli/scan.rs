//! `--scan`: every key, one a line.

use super::format::Format;
use super::session::Session;
use crate::cli::output::complain;

/// Walks the key space with SCAN.
pub(super) fn run(session: &mut Session) -> u8 {
    if !session.connect() {
        return 1;
    }
    let mut cursor = b"0".to_vec();
    loop {
        let mut command = vec![b"SCAN".to_vec(), cursor];
        if let Some(pattern) = &session.options.pattern {
            command.extend([b"MATCH".to_vec(), pattern.clone()]);
        }
        let answer = session.request(&command, |reply| {
            reply.get::<(Vec<u8>, Vec<Vec<u8>>)>().map_err(|error| error.to_string())
        });
        let (next, keys) = match answer {
            Some(Ok(page)) => page,
            Some(Err(error)) => {
                complain!("ERROR: {error}");
                return 1;
            }
            None => return 1,
        };
        let quoted = session.options.printer.format == Format::Tty;
        for key in keys {
            let out = session.output.buffer();
            if quoted {
                super::format::quote([key.as_slice()], out);
            } else {
                out.extend_from_slice(&key);
            }
            out.push(b'\n');
        }
        session.output.settle();
        if next == b"0" {
            return 0;
        }
        cursor = next;
    }
}
