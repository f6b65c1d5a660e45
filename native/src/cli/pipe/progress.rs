//! How far the loading is, on standard error if that is a terminal.

#[cfg(target_os = "wasi")]
pub(super) use silent::Progress;
#[cfg(not(target_os = "wasi"))]
pub(super) use visible::Progress;

#[cfg(not(target_os = "wasi"))]
mod visible {
    use std::io::IsTerminal;

    use indicatif::{ProgressBar, ProgressStyle};

    /// A bar of bytes, with an end if standard input is a file.
    pub(in crate::cli::pipe) struct Progress(ProgressBar);

    impl Progress {
        pub(in crate::cli::pipe) fn start() -> Self {
            if !std::io::stderr().is_terminal() {
                return Self(ProgressBar::hidden());
            }
            let total = std::fs::metadata("/dev/stdin")
                .ok()
                .filter(std::fs::Metadata::is_file)
                .map(|file| file.len());
            let template = match total {
                Some(_) => "{bar:32} {bytes} of {total_bytes}  {binary_bytes_per_sec}  {eta} left",
                None => "{spinner} {bytes}  {binary_bytes_per_sec}",
            };
            let style =
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
            Self(bar.with_style(style))
        }

        pub(in crate::cli::pipe) fn read(&self, bytes: usize) {
            self.0.inc(bytes as u64);
        }

        /// Says something without getting into the bar's way.
        pub(in crate::cli::pipe) fn aside(&self, say: impl FnOnce()) {
            self.0.suspend(say);
        }

        pub(in crate::cli::pipe) fn end(&self) {
            self.0.finish_and_clear();
        }
    }
}

/// The terminal of a component is the host's.
#[cfg(target_os = "wasi")]
mod silent {
    pub(in crate::cli::pipe) struct Progress;

    impl Progress {
        pub(in crate::cli::pipe) const fn start() -> Self {
            Self
        }

        pub(in crate::cli::pipe) const fn read(&self, _: usize) {}

        pub(in crate::cli::pipe) fn aside(&self, say: impl FnOnce()) {
            say();
        }

        pub(in crate::cli::pipe) const fn end(&self) {}
    }
}
