//! What a request is, and what a connection must know about its command.

use core::marker::PhantomData;

use super::knowledge::{Args, Blocks};
use crate::resp::{ArgSink, Encoder, Expects, FromReply, Teller};

/// One command with its arguments, ready to be sent any number of times.
pub trait Request {
    /// What the answer is made into, borrowing the receive buffer where it can.
    type Reply<'r>: FromReply<'r>;

    /// The row of the command.
    fn command(&self) -> &'static Command;

    /// Tells `sink` every argument, the command's own words first. Two visits tell the same.
    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S);

    /// Whether a string or an aggregate that answers it is told in parts, and so may be larger than the
    /// receive buffer: see [`chunked`](super::chunked).
    fn in_chunks(&self) -> bool {
        false
    }

    /// The same request, answered by another type.
    fn typed<T: for<'r> FromReply<'r>>(self) -> As<Self, T>
    where
        Self: Sized,
    {
        As { request: self, reply: PhantomData }
    }
}

/// A request of any type: what a connection needs of it. Every [`Request`] is one.
///
/// Connections and drivers take `&dyn AnyRequest`, so `submit(now, token, &get("k"))` is compiled
/// once for all commands of a program; of each command there is only what it says.
pub trait AnyRequest {
    /// [`Request::command`].
    fn row(&self) -> &'static Command;

    /// [`Request::visit`] by an encoder. If it is answered [in parts](Request::in_chunks), what a connection
    /// needs for that.
    fn encode(&self, encoder: &mut Encoder<'_>) -> Option<Teller>;

    /// [`Request::in_chunks`].
    fn is_chunked(&self) -> bool;
}

impl<R: Request> AnyRequest for R {
    fn row(&self) -> &'static Command {
        self.command()
    }

    fn encode(&self, encoder: &mut Encoder<'_>) -> Option<Teller> {
        self.visit(encoder);
        self.in_chunks().then_some(Teller::PARTS)
    }

    fn is_chunked(&self) -> bool {
        self.in_chunks()
    }
}

impl<R: Request> Request for &R {
    type Reply<'r> = R::Reply<'r>;

    fn command(&self) -> &'static Command {
        (**self).command()
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        (**self).visit(sink);
    }

    fn in_chunks(&self) -> bool {
        (**self).in_chunks()
    }
}

/// A request whose answer can be owned: what clients hand out.
#[cfg(feature = "alloc")]
pub trait OwnedReply: Request {
    /// The owned counterpart of [`Request::Reply`].
    type Owned: for<'r> FromReply<'r>;
}

#[cfg(feature = "alloc")]
impl<R: OwnedReply> OwnedReply for &R {
    type Owned = R::Owned;
}

/// A request answered by `T` instead of the type in its row. See [`Request::typed`].
#[derive(Debug)]
pub struct As<R, T> {
    request: R,
    reply: PhantomData<fn() -> T>,
}

impl<R, T> As<R, T> {
    pub(super) const fn inner_mut(&mut self) -> &mut R {
        &mut self.request
    }
}

impl<R, T> Carry<Self> for As<R, T> {
    fn map(self, change: impl FnOnce(Self) -> Self) -> Self {
        change(self)
    }
}

impl<R: Clone, T> Clone for As<R, T> {
    fn clone(&self) -> Self {
        Self { request: self.request.clone(), reply: PhantomData }
    }
}

impl<R: Request, T: for<'r> FromReply<'r>> Request for As<R, T> {
    type Reply<'r> = T;

    fn command(&self) -> &'static Command {
        self.request.command()
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        self.request.visit(sink);
    }

    fn in_chunks(&self) -> bool {
        self.request.in_chunks()
    }
}

#[cfg(feature = "alloc")]
impl<R: OwnedReply, T: for<'r> FromReply<'r>> OwnedReply for As<R, T> {
    type Owned = T;
}

/// Something that has a request of type `R` inside and can change it: the request itself, or a
/// call that a client will make. Options such as `SET … EX` are written once, on top of this.
pub trait Carry<R>: Sized {
    /// The same with the request changed.
    #[must_use]
    fn map(self, change: impl FnOnce(R) -> R) -> Self;
}

/// Someone who executes requests. Every command group is a trait of methods on top of it.
pub trait Caller {
    /// A request on its way: a value to wait for, a future, or the answer itself.
    type Call<'c, R: Request>
    where
        Self: 'c;

    /// Takes a request.
    fn call<R: Request>(&self, request: R) -> Self::Call<'_, R>;
}

/// A row of the command table.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// The words of its name: `["CONFIG", "GET"]`. Empty for a command without a row.
    pub words: &'static [&'static str],
    /// What it may touch.
    pub access: Access,
    /// What it does to the connection itself.
    pub effect: Effect,
    /// What its answer can be.
    pub expects: Expects,
    /// How to tell from the bytes of a request how long a server may wait before it answers: `None` if it
    /// never does.
    pub blocks: Option<fn(Args<'_>) -> Blocks>,
}

/// What a command may touch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[non_exhaustive]
pub enum Access {
    /// Reads keys: may be sent again without harm.
    ReadOnly,
    /// Writes keys.
    Write,
    /// Changes or inspects the server.
    Admin,
    /// Concerns this connection only.
    Connection,
    /// Not known.
    Unknown,
}

/// What a command does to the state of its connection, beyond one request and one reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// Nothing.
    None,
    /// Confirmed once for each argument.
    Subscribe(Subscription),
    /// Confirmed once for each argument; without arguments once for each subscription, or once.
    Unsubscribe(Subscription),
    /// Opens a transaction.
    Multi,
    /// Ends a transaction.
    EndMulti,
    /// Forgets all state: subscriptions, transaction, protocol, user, database.
    Reset,
    /// The server closes the connection after its answer.
    Quit,
    /// From the answer on, the server sends a line for every command that anyone runs.
    Monitor,
    /// May change protocol version and user.
    Hello,
    /// Changes the database.
    Select,
    /// Watches keys, until a transaction ends.
    Watch,
    /// Watches nothing any more.
    Unwatch,
    /// Turns on or off that the server says which keys have changed.
    Tracking,
    /// Sets something else that lasts as long as the connection and is lost with it: user, name.
    Session,
    /// Turns replies off: refused.
    ReplyMode,
}

/// The three things one can subscribe to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Subscription {
    /// Channels by name: SUBSCRIBE.
    Channel,
    /// Channels by pattern: PSUBSCRIBE.
    Pattern,
    /// Sharded channels: SSUBSCRIBE (Redis 7.0).
    Shard,
}

impl Command {
    /// A command that the table does not know.
    pub const UNKNOWN: Self = Self {
        words: &[],
        access: Access::Unknown,
        effect: Effect::None,
        expects: Expects::Anything,
        blocks: Some(Blocks::of),
    };

    /// The same for what never blocks.
    pub(crate) const PROMPT: Self = Self { blocks: None, ..Self::UNKNOWN };

    /// What the connection must know about a command that is given by its words. `second` matters
    /// for containers such as `CLIENT`. Case does not matter.
    pub fn lookup(first: &[u8], second: &[u8]) -> &'static Self {
        for row in EFFECTS {
            if let Some((word, rest)) = row.words.split_first()
                && first.eq_ignore_ascii_case(word.as_bytes())
                && rest.iter().all(|word| second.eq_ignore_ascii_case(word.as_bytes()))
            {
                return row;
            }
        }
        &Self::UNKNOWN
    }
}

/// Two rows are equal if they say the same of the command.
impl PartialEq for Command {
    fn eq(&self, other: &Self) -> bool {
        let known = |row: &Self| (row.words, row.access, row.effect, row.expects, row.blocks.is_some());
        known(self) == known(other)
    }
}

impl Eq for Command {}

const fn row(words: &'static [&'static str], effect: Effect) -> Command {
    Command { words, access: Access::Connection, effect, ..Command::PROMPT }
}

/// Every command that does something to its connection, for requests that come as words.
static EFFECTS: &[Command] = &[
    row(&["SUBSCRIBE"], Effect::Subscribe(Subscription::Channel)),
    row(&["PSUBSCRIBE"], Effect::Subscribe(Subscription::Pattern)),
    row(&["SSUBSCRIBE"], Effect::Subscribe(Subscription::Shard)),
    row(&["UNSUBSCRIBE"], Effect::Unsubscribe(Subscription::Channel)),
    row(&["PUNSUBSCRIBE"], Effect::Unsubscribe(Subscription::Pattern)),
    row(&["SUNSUBSCRIBE"], Effect::Unsubscribe(Subscription::Shard)),
    row(&["MULTI"], Effect::Multi),
    row(&["EXEC"], Effect::EndMulti),
    row(&["DISCARD"], Effect::EndMulti),
    row(&["RESET"], Effect::Reset),
    row(&["QUIT"], Effect::Quit),
    row(&["MONITOR"], Effect::Monitor),
    row(&["HELLO"], Effect::Hello),
    row(&["AUTH"], Effect::Session),
    row(&["SELECT"], Effect::Select),
    row(&["WATCH"], Effect::Watch),
    row(&["UNWATCH"], Effect::Unwatch),
    row(&["READONLY"], Effect::Session),
    row(&["CLIENT", "SETNAME"], Effect::Session),
    row(&["CLIENT", "TRACKING"], Effect::Tracking),
    row(&["CLIENT", "CACHING"], Effect::Session),
    row(&["CLIENT", "NO-EVICT"], Effect::Session),
    row(&["CLIENT", "NO-TOUCH"], Effect::Session),
    row(&["CLIENT", "REPLY"], Effect::ReplyMode),
];
