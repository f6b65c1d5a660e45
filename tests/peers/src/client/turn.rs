//! One turn of one client: a process that this program starts of itself.

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::{mem, ptr};

use super::meter::{Figures, Meter, Pace};
use super::workload::{Threads, Workload};
use super::{Outcome, Target, clients};

/// The word that asks for a turn.
pub(crate) const TURN: &str = "client-run";

/// Who does what, and where.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) client: String,
    pub(crate) workload: &'static Workload,
    pub(crate) target: Target,
    pub(crate) pace: Pace,
}

impl Turn {
    /// What [`args`](Self::args) made.
    pub(crate) fn read(args: &[String]) -> Option<Self> {
        let [client, workload, target, pace] = args else { return None };
        let pace = match pace.as_str() {
            "full" => Pace::Full,
            "quick" => Pace::Quick,
            "soak" => Pace::Soak,
            ops => Pace::Ops(ops.parse().ok()?),
        };
        let target = Target::read(target);
        Some(Self { client: client.clone(), workload: Workload::named(workload)?, target, pace })
    }

    fn args(&self) -> [String; 5] {
        let pace = match self.pace {
            Pace::Full => "full".to_owned(),
            Pace::Quick => "quick".to_owned(),
            Pace::Soak => "soak".to_owned(),
            Pace::Ops(ops) => ops.to_string(),
        };
        [TURN.to_owned(), self.client.clone(), self.workload.name.to_owned(), self.target.to_string(), pace]
    }

    /// The process itself: works, and prints the figures.
    ///
    /// # Errors
    /// What went wrong, in words.
    pub(crate) fn take(&self) -> Result<(), String> {
        let client = clients(self.workload)
            .into_iter()
            .find(|client| client.name() == self.client)
            .ok_or("no client does that")?;
        // The process is for this alone.
        let meter = &*Box::leak(Box::new(Meter::new(self.workload, self.pace)));
        let work = &*Box::leak(Box::new(self.workload.work()));
        let figures = client.run(work, &self.target, meter).and_then(|()| meter.figures());
        match figures.map_err(|error| error.to_string())? {
            Some(figures) => say(&figures),
            None if self.pace == Pace::Soak => say(&meter.memory()),
            None => Ok(()),
        }
    }

    /// Starts the process and waits for its figures.
    ///
    /// # Errors
    /// What went wrong, in words.
    pub(crate) fn figures(&self, cpus: &Cpus) -> Outcome<Figures> {
        read(&self.told(&[], cpus)?)
    }

    /// Starts the process, as the last words of another command, and waits for what it prints.
    ///
    /// # Errors
    /// What went wrong, in words.
    pub(crate) fn told(&self, through: &[OsString], cpus: &Cpus) -> Outcome<String> {
        let set = if self.workload.threads == Threads::Two { cpus.all } else { cpus.of_clients };
        told(through, &self.args(), set)
    }
}

/// Starts this program with these words, as the last words of another command, and waits for what it prints.
fn told(through: &[OsString], args: &[String], set: libc::cpu_set_t) -> Outcome<String> {
    let mut words = through.to_vec();
    words.push(env::current_exe()?.into());
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).args(args).stdin(Stdio::null());
    // SAFETY: between fork and exec there is one call of the kernel.
    unsafe { command.pre_exec(move || pin(&set)) };
    let output = command.output()?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}: {}: {}", args.join(" "), output.status, words.trim()).into())
}

/// Prints figures, for who [reads](read) them.
pub(crate) fn say(figures: &[Option<f64>]) -> Result<(), String> {
    let words = figures.iter().map(|figure| figure.map_or("-".to_owned(), |figure| figure.to_string()));
    crate::say(&(words.collect::<Vec<_>>().join(" ") + "\n"))
}

/// The figures that a process has printed.
pub(crate) fn read<const N: usize>(told: &str) -> Outcome<[Option<f64>; N]> {
    let figures: Vec<_> = told.split_whitespace().map(|word| word.parse().ok()).collect();
    figures.try_into().map_err(|_| format!("{N} figures were wanted: {told}").into())
}

/// The server is on one processor and clients are on another, where there are two.
pub(crate) struct Cpus {
    of_server: libc::cpu_set_t,
    of_clients: libc::cpu_set_t,
    /// For executors of two threads.
    all: libc::cpu_set_t,
}

impl Cpus {
    /// The first two that we may use.
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: all zeros is a value of this type.
        let empty: libc::cpu_set_t = unsafe { mem::zeroed() };
        let mut ours = empty;
        // SAFETY: the kernel writes into this one value.
        if unsafe { libc::sched_getaffinity(0, size_of_val(&ours), ptr::from_mut(&mut ours)) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the set has as many places as its type says.
        let mut usable = (0..8 * size_of_val(&ours)).filter(|&cpu| unsafe { libc::CPU_ISSET(cpu, &ours) });
        let server = usable.next().unwrap_or(0);
        let client = usable.next().unwrap_or(server);
        let set = |cpus: [usize; 2]| {
            let mut set = empty;
            // SAFETY: they are places of the set.
            cpus.iter().for_each(|&cpu| unsafe { libc::CPU_SET(cpu, &mut set) });
            set
        };
        let (of_server, of_clients) = (set([server; 2]), set([client; 2]));
        Ok(Self { of_server, of_clients, all: set([server, client]) })
    }

    /// What this program prints with these words, where clients are.
    ///
    /// # Errors
    /// What went wrong, in words.
    pub(crate) fn told(&self, args: &[String]) -> Outcome<String> {
        told(&[], args, self.of_clients)
    }

    /// This program, and what it starts from now on, is where the server is.
    pub(crate) fn join_server(&self) -> io::Result<()> {
        pin(&self.of_server)
    }
}

fn pin(set: &libc::cpu_set_t) -> io::Result<()> {
    // SAFETY: the kernel reads this one value.
    match unsafe { libc::sched_setaffinity(0, size_of_val(set), set) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_read_as_it_was_written() {
        for target in ["127.0.0.1:6379", "/tmp/a socket"] {
            for pace in [Pace::Full, Pace::Quick, Pace::Soak, Pace::Ops(96)] {
                let (client, target) = ("raw".to_owned(), Target::read(target));
                let turn = Turn { client, workload: Workload::named("get-64").unwrap(), target, pace };
                let args = turn.args();
                assert_eq!(Turn::read(&args[1..]).unwrap().args(), args);
                assert_eq!(Turn::read(&args[1..]).unwrap().pace, pace);
            }
        }
        assert!(Turn::read(&["raw", "nothing", "127.0.0.1:1", "full"].map(str::to_owned)).is_none());
    }
}
