//! The one place that names the logger: `debug!` goes to the `log` facade with feature `log`, and
//! to nothing without it. No call passes argument bytes or reply bytes.

#[cfg(feature = "log")]
macro_rules! debug {
    ($($arg:tt)+) => { ::log::debug!(target: "respire", $($arg)+) };
}

#[cfg(not(feature = "log"))]
macro_rules! debug {
    ($($arg:tt)+) => {{
        let _ = || format_args!($($arg)+).as_str().is_some();
    }};
}

pub(crate) use debug;
