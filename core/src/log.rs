//! The one place that names the logger: `debug!` goes to the `log` facade with feature `log`, else
//! to defmt with feature `defmt`, and to nothing without either. No call passes argument bytes or
//! reply bytes.

#[cfg(feature = "log")]
macro_rules! debug {
    ($($arg:tt)+) => { ::log::debug!(target: "respire", $($arg)+) };
}

#[cfg(all(feature = "defmt", not(feature = "log")))]
macro_rules! debug {
    ($($arg:tt)+) => { ::defmt::debug!($($arg)+) };
}

#[cfg(not(any(feature = "log", feature = "defmt")))]
macro_rules! debug {
    ($($arg:tt)+) => {{
        let _ = || format_args!($($arg)+).as_str().is_some();
    }};
}

pub(crate) use debug;
