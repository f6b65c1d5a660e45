//! A request that is bytes already.

use super::{Args, Command, Request};
use crate::resp::{ArgSink, Reply};

/// A request that was encoded before, as bytes that somebody kept: to be sent later, or again.
///
/// What is not a whole request stops where it stops being one, as [`Args`] does. What was marked as a secret
/// is an argument like any other here.
///
/// ```
/// use respire_core::command::{Frame, Request, get};
/// use respire_core::resp::Encoder;
///
/// let mut kept = [0; 32];
/// let mut encoder = Encoder::new(&mut kept);
/// let request = get("k");
/// request.visit(&mut encoder);
/// let len = encoder.finish().len();
///
/// let again = Frame::new(&kept[..len], request.command());
/// let mut out = [0; 32];
/// let mut encoder = Encoder::new(&mut out);
/// again.visit(&mut encoder);
/// assert_eq!(encoder.finish().len(), len);
/// assert_eq!(out, kept);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    args: Args<'a>,
    command: &'static Command,
}

impl<'a> Frame<'a> {
    /// The request in `bytes`, which starts with its first byte, of the command that it has been.
    pub fn new(bytes: &'a [u8], command: &'static Command) -> Self {
        Self { args: Args::new(bytes), command }
    }
}

impl Request for Frame<'_> {
    type Reply<'r> = Reply<'r>;

    fn command(&self) -> &'static Command {
        self.command
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        self.args.for_each(|arg| sink.arg(arg));
    }
}
