//! What was measured, and where.

use std::fs;
use std::process::Command;

use crate::hiredis::hiredis;

/// The lock file says which versions are built in.
const LOCK: &str = include_str!("../../../Cargo.lock");

/// Versions of all that is compared.
pub(crate) fn versions() -> String {
    with_hiredis(&["redis", "redis-protocol", "rustis"])
}

/// Versions of all whole clients.
pub(crate) fn clients() -> String {
    with_hiredis(&["redis", "fred", "rustis", "tokio"])
}

fn with_hiredis(built: &[&str]) -> String {
    let built: Vec<_> = built.iter().map(|name| format!("{name} {}", version(LOCK, name))).collect();
    let hiredis = match hiredis() {
        Ok(library) => library.version.as_str(),
        Err(why) => why,
    };
    format!(", {}, hiredis {hiredis}", built.join(", "))
}

/// Our version, those of others, and the machine in one paragraph.
pub(crate) fn described(counted: bool, others: &str) -> String {
    let cpu = file("/proc/cpuinfo");
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cpu = cpu.map_or("an unknown processor", |(_, name)| name.trim());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = file("/proc/sys/kernel/osrelease");
    let kernel = kernel.split('-').next().unwrap_or_default().trim();
    let compiler = told("rustc", "--version");
    let counted = if counted { told("valgrind", "--version") } else { "instructions not counted".into() };
    let ours = env!("CARGO_PKG_VERSION");
    format!("respire {ours}{others}.\n{cpu}, {cores} cores, Linux {kernel}, {compiler}, {counted}.\n\n")
}

fn file(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn told(program: &str, option: &str) -> String {
    let output = Command::new(program).arg(option).output();
    let words = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    words.unwrap_or_else(|_| format!("{program} not installed"))
}

/// The version of a package in a lock file.
fn version<'a>(lock: &'a str, name: &str) -> &'a str {
    let mut lines = lock.lines();
    lines.find(|line| line.strip_prefix("name = ").is_some_and(|found| found.trim_matches('"') == name));
    lines.next().and_then(|line| line.strip_prefix("version = ")).map_or("", |found| found.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_from_the_lock_file() {
        let lock = "[[package]]\nname = \"redis-protocol\"\nversion = \"6.0.0\"\n\n[[package]]\nname = \"redis\"\nversion = \"1.8.1\"\n";
        assert_eq!(version(lock, "redis"), "1.8.1");
        assert_eq!(version(lock, "nobody"), "");
        assert!(version(LOCK, "rustis").starts_with("0.27."));
    }
}
