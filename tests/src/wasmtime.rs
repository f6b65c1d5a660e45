//! Components as commands: on the wasmtime that `./check` installs.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::build::Component;
use crate::process::target_dirs;
use crate::skip::skip;

/// What the host grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Nothing, as hosts do that are not told.
    Denied,
    /// Connections, but no names.
    Addresses,
    /// Connections and names.
    Granted,
}

impl Component {
    /// The command line that runs this component, up to its own arguments; it inherits the environment,
    /// and sees the folder `dir`, if any. `None`: it cannot run here, and the calling test
    /// was reported as skipped.
    #[must_use]
    pub fn command_or_skip(self, network: Network, dir: Option<&str>) -> Option<Vec<OsString>> {
        let Some(package) = package() else {
            skip("no wasmtime here: run ./check");
            return None;
        };
        let Some(path) = self.path() else {
            skip("no Rust for components here: rustup target add wasm32-wasip2");
            return None;
        };
        let mut variable = OsString::from("RESPIRE_WASMTIME=");
        variable.push(package);
        let runner = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/wasmtime");
        let grants = match network {
            Network::Denied => "inherit-env",
            Network::Addresses => "inherit-env,inherit-network",
            Network::Granted => "inherit-env,inherit-network,allow-ip-name-lookup",
        };
        let mut words: Vec<OsString> = vec!["env".into(), variable];
        words.extend([runner, "run", "-S", grants].map(OsString::from));
        words.extend(dir.into_iter().flat_map(|dir| ["--dir", dir]).map(OsString::from));
        words.push(path.into());
        Some(words)
    }
}

/// The folder of the Python package: `RESPIRE_WASMTIME`, or where `./check` puts it.
fn package() -> Option<PathBuf> {
    let named = env::var_os("RESPIRE_WASMTIME").map(PathBuf::from);
    let found = target_dirs().into_iter().map(|folder| folder.join("wasmtime"));
    named.into_iter().chain(found).find(|folder| is_package(folder))
}

fn is_package(folder: &Path) -> bool {
    folder.join("wasmtime/__init__.py").is_file()
}
