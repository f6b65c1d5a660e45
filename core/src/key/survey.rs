//! A look at a request before anything is sent: its keys, where it goes, and whether it may.

use super::mapped::{cursor, lookup, pattern};
use super::{KeyError, Mapped, Policy, Shard};
use crate::command::{ArgRole, Merge, Request, Returned, Roles, Spread};
use crate::resp::ArgSink;

/// Where a request goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Target {
    /// It has no key and concerns no data of one database: to any connection.
    Anywhere,
    /// To this database.
    One(Shard),
    /// In parts to each of [`Survey::shards`], and the answers become one. The parts are not atomic together: an `MSET`
    /// over two databases is two.
    Split(Merge),
    /// As it is to every database, which is each of [`Survey::shards`], and the answers become one.
    Every(Merge),
}

/// What was found out about a request under a policy. It keeps nothing of either.
#[derive(Clone, Copy, Debug)]
pub struct Survey {
    /// Before the first argument behind the command's first word.
    pub(super) roles: Roles,
    target: Target,
    /// A bit for each database.
    shards: u64,
    keys: usize,
    room: usize,
}

impl Survey {
    /// Looks at all of the request. Whatever is wrong with its keys is said now, and it must not be sent then.
    ///
    /// The request is visited twice. Its keys are hashed if there are several databases.
    pub fn of<R: Request + ?Sized>(policy: &Policy<'_>, request: &R) -> Result<Self, KeyError> {
        let mut count = Count::default();
        request.visit(&mut count);
        let mut look = Look::new(policy, count);
        request.visit(&mut look);
        look.finish()
    }

    /// Where it goes.
    pub const fn target(&self) -> Target {
        self.target
    }

    /// The databases that it goes to, if it goes to several: all, or those that have some of its keys.
    pub fn shards(&self, policy: &Policy<'_>) -> impl Iterator<Item = Shard> {
        let (shards, databases) = (self.shards, *policy.databases());
        (0..databases.count())
            .filter(move |&ordinal| shards >> ordinal & 1 == 1)
            .filter_map(move |ordinal| databases.shard(ordinal))
    }

    /// How many keys it has.
    pub const fn keys(&self) -> usize {
        self.keys
    }

    /// How many bytes of memory [`mapped`](Self::mapped) must be lent.
    pub const fn room(&self) -> usize {
        self.room
    }

    /// Where its answer has keys.
    pub const fn returned(&self) -> Returned {
        self.roles.returned()
    }

    /// A sink that tells `sink` the request with its keys changed: visit the request with it, then
    /// [finish](Mapped::finish). With `only` it is the part of the request for that database.
    ///
    /// Fails if `scratch` has less than [`room`](Self::room).
    pub fn mapped<'a, S: ArgSink + ?Sized>(
        &self,
        policy: &'a Policy<'a>,
        only: Option<Shard>,
        scratch: &'a mut [u8],
        sink: &'a mut S,
    ) -> Result<Mapped<'a, S>, KeyError> {
        if scratch.len() < self.room {
            return Err(KeyError::NoRoom { needed: self.room });
        }
        let only = only.filter(|_| matches!(self.target, Target::Split(_)));
        Ok(Mapped::new(self, policy, only, scratch, sink))
    }

    /// Tells `each` key of the request with its database, in order: what [`Merge::InOrder`] needs to take the elements
    /// of several answers in turn, and who wants to know which key of the request a hashed one is.
    pub fn each_key<R: Request + ?Sized>(
        &self,
        policy: &Policy<'_>,
        request: &R,
        mut each: impl FnMut(Shard, &[u8]),
    ) {
        request.visit(&mut Each { policy, roles: None, first: self.roles, each: &mut each });
    }
}

/// How many arguments there are, and how many are marked as keys.
#[derive(Clone, Copy, Default)]
struct Count {
    args: usize,
    marked: usize,
}

impl ArgSink for Count {
    fn arg(&mut self, _bytes: &[u8]) {
        self.args = self.args.saturating_add(1);
    }

    fn key(&mut self, _key: &[u8]) {
        self.args = self.args.saturating_add(1);
        self.marked = self.marked.saturating_add(1);
    }

    fn integer(&mut self, _n: i64) {
        self.arg(b"");
    }

    fn unsigned(&mut self, _n: u64) {
        self.arg(b"");
    }

    fn double(&mut self, _n: f64) {
        self.arg(b"");
    }
}

/// Looks at every argument.
struct Look<'a> {
    policy: &'a Policy<'a>,
    count: Count,
    /// As they were, and as they are.
    roles: Option<(Roles, Roles)>,
    shards: u64,
    keys: usize,
    room: usize,
    cursor: Option<Shard>,
    bound: bool,
    error: Option<KeyError>,
}

impl<'a> Look<'a> {
    const fn new(policy: &'a Policy<'a>, count: Count) -> Self {
        Self {
            policy,
            count,
            roles: None,
            shards: 0,
            keys: 0,
            room: 0,
            cursor: None,
            bound: false,
            error: None,
        }
    }

    fn take(&mut self, bytes: &[u8], marked: bool, later: bool) {
        if self.error.is_none() {
            self.error = self.judge(bytes, marked, later).err();
        }
    }

    fn judge(&mut self, bytes: &[u8], marked: bool, later: bool) -> Result<(), KeyError> {
        let Some((_, roles)) = &mut self.roles else {
            let behind = self.count.args.saturating_sub(1);
            let known = Roles::of(bytes, behind).filter(|_| !later);
            let roles = known.or_else(|| (self.count.marked > 0).then(|| Roles::marked(behind)));
            let roles = roles.ok_or(KeyError::UnknownCommand)?;
            self.roles = Some((roles, roles));
            return Ok(());
        };
        match roles.next(bytes) {
            ArgRole::Plain if marked => self.key_of(bytes),
            ArgRole::Key if later => Err(KeyError::Later),
            ArgRole::Key => self.key_of(bytes),
            ArgRole::Pattern => {
                self.bound = true;
                self.longest(pattern(self.policy, bytes, &mut []).map(<[u8]>::len))
            }
            ArgRole::Lookup => self.longest(lookup(self.policy, bytes, &mut []).map(<[u8]>::len)),
            ArgRole::Cursor => {
                // A single database takes whatever it gave.
                if self.policy.databases().count() > 1 {
                    self.cursor = Some(cursor(self.policy, bytes)?.0);
                }
                Ok(())
            }
            ArgRole::Database if self.policy.databases().count() > 1 => Err(KeyError::Database),
            _ => Ok(()),
        }
    }

    #[inline]
    fn key_of(&mut self, key: &[u8]) -> Result<(), KeyError> {
        let (shard, room) = self.policy.look(key)?;
        self.keys = self.keys.saturating_add(1);
        self.shards |= 1_u64.checked_shl(shard.ordinal.into()).unwrap_or_default();
        self.room = self.room.max(room);
        Ok(())
    }

    /// Counts the room for something that has none yet; passes other errors on.
    fn longest(&mut self, made: Result<usize, KeyError>) -> Result<(), KeyError> {
        match made {
            Ok(_) => Ok(()),
            Err(KeyError::NoRoom { needed }) => {
                self.room = self.room.max(needed);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn finish(mut self) -> Result<Survey, KeyError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let roles = self.roles.map_or(Roles::marked(0), |(first, _)| first);
        if roles.is_scan() && !self.bound {
            self.longest(pattern(self.policy, b"*", &mut []).map(<[u8]>::len))?;
        }
        let databases = self.policy.databases();
        let several = self.shards & self.shards.wrapping_sub(1) != 0;
        let one = |shards: u64| databases.shard(shards.trailing_zeros() as u8).unwrap_or_default();
        let target = match roles.spread() {
            _ if databases.count() == 1 => Target::One(databases.first()),
            Spread::ByCursor => Target::One(self.cursor.unwrap_or_default()),
            Spread::Everywhere(merge) => {
                self.shards = u64::MAX;
                Target::Every(merge)
            }
            _ if self.keys == 0 => Target::Anywhere,
            Spread::ByKey(merge) if several => Target::Split(merge),
            Spread::Whole if several => return Err(KeyError::CrossShard { keys: self.keys }),
            _ => Target::One(one(self.shards)),
        };
        Ok(Survey { roles, target, shards: self.shards, keys: self.keys, room: self.room })
    }
}

impl ArgSink for Look<'_> {
    fn arg(&mut self, bytes: &[u8]) {
        self.take(bytes, false, false);
    }

    fn key(&mut self, key: &[u8]) {
        self.take(key, true, false);
    }

    fn later(&mut self, _len: u64) {
        self.take(b"", false, true);
    }
}

/// Tells the keys alone.
struct Each<'a, F> {
    policy: &'a Policy<'a>,
    first: Roles,
    roles: Option<Roles>,
    each: &'a mut F,
}

impl<F: FnMut(Shard, &[u8])> Each<'_, F> {
    fn take(&mut self, bytes: &[u8], marked: bool) {
        let Some(roles) = &mut self.roles else {
            self.roles = Some(self.first);
            return;
        };
        let role = roles.next(bytes);
        if (role == ArgRole::Key || marked && role == ArgRole::Plain)
            && let Ok(shard) = self.policy.shard(bytes)
        {
            (self.each)(shard, bytes);
        }
    }
}

impl<F: FnMut(Shard, &[u8])> ArgSink for Each<'_, F> {
    fn arg(&mut self, bytes: &[u8]) {
        self.take(bytes, false);
    }

    fn key(&mut self, key: &[u8]) {
        self.take(key, true);
    }
}
