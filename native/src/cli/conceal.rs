//! Keeps passwords out of the process' title.
//!
//! Arguments are for everyone on the machine to see (`ps`); the environment is for the same user
//! only. A process that was given a password on its command line therefore starts itself once more,
//! under the same process id, with its arguments in the environment. There remains the moment
//! before, and the shell's history: `REDISCLI_AUTH` is the safer way.

use std::env;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::process::Command;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// Holds the arguments, percent-encoded, with blanks between them.
const VARIABLE: &str = "RESPIRE_CONCEALED_ARGUMENTS";

/// The arguments, wherever they are.
pub(super) struct Arguments {
    pub(super) list: Vec<OsString>,
    concealed: bool,
}

impl Arguments {
    /// The arguments of this process.
    pub(super) fn of_process() -> Self {
        match env::var(VARIABLE) {
            Ok(text) => {
                let decode = |word| OsString::from_vec(percent_decode_str(word).collect());
                let list = env::args_os().take(1).chain(text.split(' ').map(decode)).collect();
                Self { list, concealed: true }
            }
            Err(_) => Self { list: env::args_os().collect(), concealed: false },
        }
    }

    /// Takes them out of the process' title. Comes back only if they are out of it, or if that
    /// cannot be done: the system may not say where the program is, or take so large a variable.
    pub(super) fn conceal(&self) {
        if self.concealed {
            return;
        }
        let Ok(program) = env::current_exe() else { return };
        let words: Vec<String> = self
            .list
            .iter()
            .skip(1)
            .map(|word| percent_encode(word.as_bytes(), NON_ALPHANUMERIC).to_string())
            .collect();
        let mut command = Command::new(program);
        if let Some(name) = self.list.first() {
            command.arg0(name);
        }
        // `exec` returns only to say that it failed.
        let _ = command.env(VARIABLE, words.join(" ")).exec();
    }
}
