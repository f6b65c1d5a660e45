//! A network of one's own: the loopback of a namespace that nobody else is in.

use std::process::{Command, ExitStatus, Stdio};
use std::{env, fs, io};

/// Tells a process which network it must not be in.
const OUTSIDE: &str = "RESPIRE_CHAOS_OUTSIDE";

/// The name of the network that this process is in.
fn network() -> Option<String> {
    fs::read_link("/proc/self/ns/net").ok()?.to_str().map(str::to_owned)
}

/// Whether this process has a network of its own, because [`run`] gave it one.
#[must_use]
pub fn is_apart() -> bool {
    let here = network();
    here.is_some() && env::var(OUTSIDE).is_ok_and(|outside| Some(outside) != here)
}

/// Runs this program again in a network of its own, with a loopback.
///
/// # Errors
/// The system's.
pub fn run(words: &[&str]) -> io::Result<ExitStatus> {
    let mut command = command(&["sh", "-c", "ip link set lo up && exec \"$@\"", "sh"])?;
    command.arg(env::current_exe()?).args(words).status()
}

/// Why this cannot be done here, if it cannot.
#[must_use]
pub fn obstacle() -> Option<String> {
    let script = "ip link set lo up && nft list tables";
    let tried = command(&["sh", "-c", script]).and_then(|mut command| command.stdout(Stdio::null()).output());
    match tried {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Some(said.lines().next().unwrap_or("unshare, ip or nft do not work").to_owned())
        }
        Err(error) => Some(error.to_string()),
    }
}

/// A command that is to be run there.
fn command(words: &[&str]) -> io::Result<Command> {
    let outside = network().ok_or(io::Error::other("there are no namespaces for networks"))?;
    let mut command = Command::new("unshare");
    // Who is root in a namespace of users may make one for a network.
    command.args(["--map-root-user", "--net", "--"]).args(words).env(OUTSIDE, outside);
    Ok(command)
}
