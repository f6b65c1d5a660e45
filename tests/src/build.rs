//! Programs for other machines, built by the tests that run them: with the same cargo and Rust as
//! the tests, and at once if nothing has changed.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::process::{run_with_limit, target_dirs};

/// Downloading and building everything, on a slow and busy machine.
const LIMIT: Duration = Duration::from_secs(600);

/// What to build.
#[derive(Debug)]
pub struct Build<'a> {
    /// The folder of its workspace, from the repository's root.
    pub workspace: &'a str,
    /// The machine; `None` for this one.
    pub target: Option<&'a str>,
    /// The profile.
    pub profile: &'a str,
    /// More arguments of `cargo build`.
    pub args: &'a [&'a str],
    /// Where cargo builds to.
    pub output: PathBuf,
}

impl Build<'_> {
    /// Builds, and says which folder the programs are in. `None`: Rust for the target is not installed.
    ///
    /// # Panics
    ///
    /// When something does not build; the message holds what cargo said.
    #[must_use]
    pub fn run(&self) -> Option<PathBuf> {
        let target = match self.target {
            Some(target) if !has_target(target) => return None,
            target => target.map_or(vec![], |target| vec!["--target", target]),
        };
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--locked", "--color", "never", "--profile", self.profile]);
        command.args(target).args(self.args).current_dir(root().join(self.workspace));
        // What is set for the tests, flags for coverage perhaps, would replace the program's own settings.
        for (name, _) in env::vars_os().filter(|(name, _)| changes_the_build(name)) {
            command.env_remove(name);
        }
        command.env("CARGO_TARGET_DIR", &self.output);
        let done = run_with_limit(&mut command, b"", LIMIT);
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.code(), Some(0), "{self:?} fails:\n{said}");
        let folder = if self.profile == "dev" { "debug" } else { self.profile };
        Some(self.output.join(self.target.unwrap_or_default()).join(folder))
    }
}

fn has_target(target: &str) -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "target-libdir", "--target", target]).output();
    output.is_ok_and(|output| {
        output.status.success() && Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir()
    })
}

fn changes_the_build(variable: &OsStr) -> bool {
    const PREFIXES: [&str; 4] = ["RUSTFLAGS", "CARGO_BUILD_", "CARGO_PROFILE_", "CARGO_TARGET_"];
    let name = variable.to_string_lossy();
    name == "CARGO_ENCODED_RUSTFLAGS" || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// The components that tests run. Each is built once by a test program, into the folder that the
/// tests are built into: what `./check` has built there is not built again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// The command line tool: `RESPIRE_COMPONENT` may name the file.
    Respire,
    /// The program of `tests/probe`.
    Probe,
    /// The smallest component, of `tests/component`.
    Minimal,
}

impl Component {
    /// The file with this component. `None`: Rust for WASI is not installed.
    ///
    /// # Panics
    ///
    /// When it does not build, or when `RESPIRE_COMPONENT` names something that is not a file.
    #[must_use]
    pub fn path(self) -> Option<&'static Path> {
        static PATHS: [OnceLock<Option<PathBuf>>; 3] = [const { OnceLock::new() }; 3];
        PATHS[self as usize].get_or_init(|| self.find()).as_deref()
    }

    fn find(self) -> Option<PathBuf> {
        if let (Self::Respire, Some(path)) = (self, env::var_os("RESPIRE_COMPONENT")) {
            let path = PathBuf::from(path);
            assert!(path.is_file(), "RESPIRE_COMPONENT={} is not a file", path.display());
            return Some(path);
        }
        let (workspace, profile, args, file): (_, _, &[&str], _) = match self {
            Self::Respire => (".", "component", &["-p", "respire"], "respire.wasm"),
            Self::Probe => (".", "component", &["-p", "respire-probe"], "respire-probe.wasm"),
            Self::Minimal => ("tests/component", "release", &[], "respire_minimal_component.wasm"),
        };
        let output = target_dirs().iter().find_map(|path| path.canonicalize().ok())?;
        let output = if workspace == "." { output } else { output.join(workspace.replace('/', "-")) };
        let build = Build { workspace, target: Some("wasm32-wasip2"), profile, args, output };
        Some(build.run()?.join(file))
    }
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
