//! What the server keeps about one connection.

use super::ClientId;
use super::reply::Outbox;
use super::request::{Inbox, Request};
use super::table::Command;
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A connection.
pub(crate) struct Client {
    pub(crate) id: ClientId,
    pub(crate) inbox: Inbox,
    pub(crate) out: Outbox,
    pub(crate) db: usize,
    pub(crate) name: Vec<u8>,
    pub(crate) library: Vec<u8>,
    pub(crate) library_version: Vec<u8>,
    pub(crate) authenticated: bool,
    /// The transaction that MULTI opened.
    pub(crate) multi: Option<Multi>,
    pub(crate) watched: Vec<(usize, Box<[u8]>)>,
    pub(crate) channels: BTreeSet<Box<[u8]>>,
    pub(crate) patterns: BTreeSet<Box<[u8]>>,
    pub(crate) silence: Silence,
    pub(crate) no_evict: bool,
    pub(crate) no_touch: bool,
    /// Whether nothing more is read, and the connection ends once the output
    /// is sent.
    pub(crate) closing: bool,
    connected: i64,
    active: i64,
    command: &'static str,
}

/// Commands between MULTI and EXEC.
#[derive(Default)]
pub(crate) struct Multi {
    pub(crate) queue: Vec<Queued>,
    /// Whether a command was refused, which makes EXEC fail.
    pub(crate) spoiled: bool,
}

/// A command that waits for EXEC.
pub(crate) struct Queued {
    pub(crate) command: &'static Command,
    pub(crate) request: Request,
}

/// Which replies CLIENT REPLY leaves out.
#[derive(Default)]
pub(crate) struct Silence {
    /// All of them.
    pub(crate) off: bool,
    /// That of the next command.
    pub(crate) skip_next: bool,
    /// That of the command at hand.
    skip: bool,
}

impl Client {
    pub(crate) fn new(id: ClientId, now: i64, authenticated: bool, bulk_limit: usize) -> Self {
        Self {
            id,
            inbox: Inbox::new(bulk_limit),
            out: Outbox::default(),
            db: 0,
            name: Vec::new(),
            library: Vec::new(),
            library_version: Vec::new(),
            authenticated,
            multi: None,
            watched: Vec::new(),
            channels: BTreeSet::new(),
            patterns: BTreeSet::new(),
            silence: Silence::default(),
            no_evict: false,
            no_touch: false,
            closing: false,
            connected: now,
            active: now,
            command: "NULL",
        }
    }

    /// How many channels and patterns it is subscribed to.
    pub(crate) fn subscriptions(&self) -> usize {
        self.channels.len() + self.patterns.len()
    }

    /// Whether only the commands of a subscriber are allowed: in RESP3,
    /// messages cannot be taken for replies, so there it never is.
    pub(crate) fn is_subscriber(&self) -> bool {
        self.subscriptions() > 0 && !self.out.resp3
    }

    /// Notes that it sent a command.
    pub(crate) fn note(&mut self, now: i64, command: &'static str) {
        self.active = now;
        self.command = command;
    }

    /// To be called after each command, with its replies written.
    pub(crate) fn end_command(&mut self) {
        self.silence.skip = core::mem::take(&mut self.silence.skip_next);
        self.out.muted = self.silence.off || self.silence.skip;
    }

    /// Its line in CLIENT LIST. Addresses, buffers and memory are made up.
    pub(crate) fn describe(&self, now: i64) -> String {
        let seconds = |since: i64| now.saturating_sub(since).max(0) / 1000;
        let mut flags = String::new();
        if self.subscriptions() > 0 {
            flags.push('P');
        }
        if self.multi.is_some() {
            flags.push('x');
        }
        if self.no_evict {
            flags.push('e');
        }
        if self.no_touch {
            flags.push('T');
        }
        if self.closing {
            flags.push('c');
        }
        if flags.is_empty() {
            flags.push('N');
        }
        let queued = match &self.multi {
            Some(multi) => i64::try_from(multi.queue.len()).unwrap_or(i64::MAX),
            None => -1,
        };
        let output = self.out.pending().len();
        format!(
            "id={id} addr={addr} laddr=127.0.0.1:6379 fd={fd} name={name} age={age} idle={idle} \
             flags={flags} db={db} sub={sub} psub={psub} ssub=0 multi={queued} qbuf={qbuf} \
             qbuf-free=0 argv-mem=0 multi-mem=0 rbs=1024 rbp=0 obl={output} oll=0 omem=0 \
             tot-mem=1024 events=r cmd={command} user=default redir=-1 resp={resp}",
            id = self.id.number(),
            addr = self.address(),
            fd = self.id.number().saturating_add(7),
            name = String::from_utf8_lossy(&self.name),
            age = seconds(self.connected),
            idle = seconds(self.active),
            db = self.db,
            sub = self.channels.len(),
            psub = self.patterns.len(),
            qbuf = self.inbox.pending(),
            command = self.command,
            resp = if self.out.resp3 { 3 } else { 2 },
        )
    }

    /// A made-up address, another one for each client.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", 49152 + self.id.number() % 16384)
    }
}
