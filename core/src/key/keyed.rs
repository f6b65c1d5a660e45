//! A request with its keys changed, as a request.

use super::{KeyError, Policy, Shard, Survey};
use crate::command::{Command, Request};
use crate::resp::ArgSink;

/// A request as the policy sends it. `ROOM` is how many bytes of the stack its longest key takes:
/// [`Policy::room`] is always enough.
///
/// ```
/// use respire_core::command::mget;
/// use respire_core::key::{Keyed, Policy};
/// use respire_core::resp::Encoder;
///
/// let policy = Policy::PLAIN.with_prefix(b"shop:")?;
/// let request = Keyed::<_, 64>::new(&policy, mget(&["a", "b"]))?;
/// let mut frame = [0; 64];
/// let mut encoder = Encoder::new(&mut frame);
/// respire_core::command::Request::visit(&request, &mut encoder);
/// let len = encoder.finish().len();
/// assert_eq!(&frame[..len], b"*3\r\n$4\r\nMGET\r\n$6\r\nshop:a\r\n$6\r\nshop:b\r\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Keyed<'p, R, const ROOM: usize> {
    policy: &'p Policy<'p>,
    request: R,
    survey: Survey,
    only: Option<Shard>,
}

impl<'p, R: Request, const ROOM: usize> Keyed<'p, R, ROOM> {
    /// Looks at the request; see [`Survey::of`]. Fails, too, if a key takes more than `ROOM`.
    pub fn new(policy: &'p Policy<'p>, request: R) -> Result<Self, KeyError> {
        let survey = Survey::of(policy, &request)?;
        if survey.room() > ROOM {
            return Err(KeyError::NoRoom { needed: survey.room() });
        }
        Ok(Self { policy, request, survey, only: None })
    }

    /// What was found out about it.
    pub const fn survey(&self) -> &Survey {
        &self.survey
    }

    /// The part of it for one of the databases it is [split](super::Target::Split) over, or all of it.
    pub fn part(&self, shard: Shard) -> Keyed<'p, &R, ROOM> {
        Keyed { policy: self.policy, request: &self.request, survey: self.survey, only: Some(shard) }
    }
}

impl<R: Request, const ROOM: usize> Request for Keyed<'_, R, ROOM> {
    type Reply<'r> = R::Reply<'r>;

    fn command(&self) -> &'static Command {
        self.request.command()
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        let mut scratch = [0; ROOM];
        if let Ok(mut mapped) = self.survey.mapped(self.policy, self.only, &mut scratch, sink) {
            self.request.visit(&mut mapped);
            // It was surveyed: only a request that tells something else each time fails, and the server refuses it.
            let _ = mapped.finish();
        }
    }

    fn in_chunks(&self) -> bool {
        self.request.in_chunks()
    }
}

#[cfg(feature = "alloc")]
impl<R: crate::command::OwnedReply, const ROOM: usize> crate::command::OwnedReply for Keyed<'_, R, ROOM> {
    type Owned = R::Owned;
}
