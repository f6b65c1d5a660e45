//! The commands that are encoded.

/// A command and its arguments.
pub(crate) struct Workload {
    /// Its name in the output.
    pub(crate) name: &'static str,
    /// What is asked for.
    pub(crate) command: Command,
    /// Its bytes.
    pub(crate) frame: Vec<u8>,
    /// How many bytes its arguments have, the name among them.
    pub(crate) payload: usize,
    /// How many arguments there are, with the name.
    pub(crate) args: usize,
}

/// A command as its caller has it: everything borrowed.
#[derive(Clone, Copy)]
pub(crate) enum Command {
    /// PING
    Ping,
    /// GET key
    Get(&'static str),
    /// SET key value
    Set(&'static str, &'static str),
    /// MSET key value …
    MSet(&'static [(&'static str, &'static str)]),
    /// MGET key …
    MGet(&'static [&'static str]),
    /// XADD key * field value …
    XAdd(&'static str, [(&'static str, &'static str); 2]),
}

/// All workloads in the order of the tables.
pub(crate) fn workloads() -> Vec<Workload> {
    let keys: &_ = (0..100).map(|n| leaked(format!("user:{n:04}"))).collect::<Vec<_>>().leak();
    let pairs: &_ = keys.iter().map(|&key| (key, text(20))).collect::<Vec<_>>().leak();
    let fields = [("sensor", "kitchen"), ("temperature", "21.5")];
    [
        ("ping", Command::Ping),
        ("get", Command::Get("user:1000")),
        ("set-20", Command::Set("user:1000", text(20))),
        ("set-64", Command::Set("user:1000", text(64))),
        ("set-1k", Command::Set("user:1000", text(1 << 10))),
        ("mset-100", Command::MSet(pairs)),
        ("mget-100", Command::MGet(keys)),
        ("xadd", Command::XAdd("readings", fields)),
    ]
    .map(|(name, command)| {
        let args = command.args();
        let mut frame = format!("*{}\r\n", args.len());
        for arg in &args {
            frame += &format!("${}\r\n{arg}\r\n", arg.len());
        }
        let payload = args.iter().map(|arg| arg.len()).sum();
        Workload { name, command, frame: frame.into(), payload, args: args.len() }
    })
    .into()
}

fn text(len: usize) -> &'static str {
    leaked("abcdefghijklmnopqrstuvwxyz".chars().cycle().take(len).collect())
}

fn leaked(text: String) -> &'static str {
    text.leak()
}

impl Command {
    /// The words that go out.
    pub(crate) fn args(self) -> Vec<&'static str> {
        match self {
            Self::Ping => vec!["PING"],
            Self::Get(key) => vec!["GET", key],
            Self::Set(key, value) => vec!["SET", key, value],
            Self::MSet(pairs) => {
                ["MSET"].into_iter().chain(pairs.iter().flat_map(|&(key, value)| [key, value])).collect()
            }
            Self::MGet(keys) => ["MGET"].into_iter().chain(keys.iter().copied()).collect(),
            Self::XAdd(key, fields) => {
                let fields = fields.into_iter().flat_map(|(field, value)| [field, value]);
                ["XADD", key, "*"].into_iter().chain(fields).collect()
            }
        }
    }
}

impl Workload {
    /// Checks a frame.
    ///
    /// # Panics
    /// It is not what was to be encoded.
    pub(crate) fn check(&self, by: &str, encoded: &[u8]) {
        assert!(
            encoded == self.frame,
            "{}: {by} encodes {}, not {}",
            self.name,
            encoded.escape_ascii(),
            self.frame.escape_ascii()
        );
    }
}
