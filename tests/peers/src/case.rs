//! What is measured: one implementation at one piece of work.

use std::fmt;

/// What an implementation has made when it is done. Only the same is compared with the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Where each reply ends, and that it is one.
    Frame,
    /// From a reply to a Rust type, or from Rust types to a request.
    Typed,
    /// A tree of values that owns its bytes, or shares the buffer they came in.
    Owned,
    /// Not an implementation: less work than any could do.
    Yardstick,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Frame => "frame",
            Self::Typed => "typed",
            Self::Owned => "owned",
            Self::Yardstick => "yardstick",
        })
    }
}

/// One implementation at one workload.
pub(crate) struct Case {
    /// Which workload.
    pub(crate) workload: &'static str,
    /// Whose code.
    pub(crate) by: &'static str,
    /// What it makes.
    pub(crate) kind: Kind,
    /// How many replies, elements or commands one run handles: all figures are for one of them.
    pub(crate) units: usize,
    /// Bytes copied for one of them, from the design of the implementation.
    pub(crate) copied: f64,
    /// Whether its allocations can be counted.
    pub(crate) counted: bool,
    /// What a reader must know about this row.
    pub(crate) note: Option<String>,
    /// The work; none if it cannot be done here.
    pub(crate) subject: Option<Box<dyn Subject>>,
}

/// Work that can be done again and again.
pub(crate) trait Subject {
    /// Makes ready for one run: not measured.
    fn prepare(&mut self) {}

    /// Handles all units once.
    fn run(&mut self);

    /// Whether every run needs [`prepare`](Self::prepare) before it.
    fn consumes(&self) -> bool {
        false
    }
}

impl Case {
    /// Work that needs nothing before it.
    pub(crate) fn new(by: &'static str, kind: Kind, copied: f64, run: impl FnMut() + 'static) -> Self {
        Self::of(by, kind, copied, Some(Box::new(Plain(run))))
    }

    /// Work that uses up what `prepare` lays out.
    pub(crate) fn fed<S: 'static>(
        by: &'static str,
        kind: Kind,
        copied: f64,
        state: S,
        prepare: impl FnMut(&mut S) + 'static,
        run: impl FnMut(&mut S) + 'static,
    ) -> Self {
        Self::of(by, kind, copied, Some(Box::new(Fed { state, prepare, run })))
    }

    /// Work that cannot be done here.
    pub(crate) fn missing(by: &'static str, kind: Kind, copied: f64, why: &str) -> Self {
        Self { note: Some(why.into()), ..Self::of(by, kind, copied, None) }
    }

    /// The same with a remark.
    pub(crate) fn noted(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// The same; whether its allocations can be counted.
    pub(crate) fn counted(self, counted: bool) -> Self {
        Self { counted, ..self }
    }

    /// The same for that many units.
    pub(crate) fn units(self, units: usize) -> Self {
        Self { units, ..self }
    }

    fn of(by: &'static str, kind: Kind, copied: f64, subject: Option<Box<dyn Subject>>) -> Self {
        Self { workload: "", by, kind, units: 0, copied, counted: true, note: None, subject }
    }
}

struct Plain<R>(R);

impl<R: FnMut()> Subject for Plain<R> {
    fn run(&mut self) {
        (self.0)();
    }
}

struct Fed<S, P, R> {
    state: S,
    prepare: P,
    run: R,
}

impl<S, P: FnMut(&mut S), R: FnMut(&mut S)> Subject for Fed<S, P, R> {
    fn prepare(&mut self) {
        (self.prepare)(&mut self.state);
    }

    fn run(&mut self) {
        (self.run)(&mut self.state);
    }

    fn consumes(&self) -> bool {
        true
    }
}
