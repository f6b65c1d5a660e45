//! respire beside other parsers and encoders of RESP, on the same bytes in one run; and beside whole clients.
//!
//! Every implementation first shows that it gets the right values out of the bytes, or the right bytes
//! out of the values. Then they take turns. Clients have a server to talk to. What is compared and how:
//! docs/PERFORMANCE.md.

mod case;
mod client;
mod counting;
mod document;
mod encode;
mod hiredis;
mod json;
mod machine;
mod machines;
mod measure;
mod parse;
mod table;
mod tree;
mod valgrind;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use case::{Case, Kind};
use measure::Effort;
use parse::Scale;
use valgrind::Counted;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

const USAGE: &str = "\
usage: respire-peers parse|encode|machines [--json] [--quick] [--no-instructions] [--only WORKLOAD] [--into FILE]
       respire-peers client [--json] [--quick] [--count] [--unix] [--only WORKLOAD] [--clients NAME,NAME] [--rounds N]
                            [--into FILE]

  --json             one object a line, for one unit each: a reply, an element that came in pieces,
                     or a command
  --quick            see that everything works; the figures are worth little
  --no-instructions  do not count instructions, which needs valgrind and takes most of the time
  --only WORKLOAD    that one only
  --into FILE        put the tables there, between the lines `<!-- parse -->` and `<!-- /parse -->`, or
                     the same with `encode`, `machines` or `client`
  --count            count system calls (by strace) and instructions (by valgrind) of clients
  --unix             over a Unix socket
  --clients A,B      those only
  --rounds N         how often each client has its turn; 5 unless told

--only soak and --only idle-1000 are of `client`, too: memory in the long run, and of connections that nobody uses

`client` measures whole clients and a server that it starts; the others need no server.";

/// How many commands one run encodes: for time, for instructions, quickly.
const COMMANDS: [usize; 3] = [256, 16, 16];

struct Options {
    what: What,
    json: bool,
    quick: bool,
    instructions: bool,
    /// We are the process that valgrind watches.
    counted: bool,
    only: Option<String>,
    into: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Parse,
    Encode,
    /// What the machines of the core cost by themselves.
    Machines,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.first().map(String::as_str) {
        Some("client") => client::Options::read(&args[1..]).map(|options| client::compare(&options)),
        Some(client::IDLE) => client::Idle::read(&args[1..]).map(|idle| idle.take()),
        Some(client::TURN) => client::Turn::read(&args[1..]).map(|turn| turn.take()),
        _ => Options::read(args.into_iter()).map(|options| run(&options)),
    };
    let Some(done) = done else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("respire-peers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    if options.counted {
        valgrind::run_counted(options.cases(Scale::COUNT, COMMANDS[1]).flatten());
        return Ok(());
    }
    let counted = options.instructions.then(|| options.count()).flatten();
    let (scale, commands, effort) = if options.quick {
        (Scale::QUICK, COMMANDS[2], Effort::QUICK)
    } else {
        (Scale::TIME, COMMANDS[0], Effort::FULL)
    };
    let mut results = Vec::new();
    for mut cases in options.cases(scale, commands) {
        let costs = measure::measure(&mut cases, effort);
        for (case, mut cost) in cases.into_iter().zip(costs) {
            cost.instructions = counted.as_ref().and_then(|counted| counted.get(&case));
            if options.json {
                say(&(json::line(&case, &cost) + "\n"))?;
            }
            results.push((case, cost));
        }
    }
    if results.is_empty() {
        return Err("there is no such workload".into());
    }
    if !options.json {
        let (others, tables) = match options.what {
            What::Machines => (String::new(), table::list(&results)),
            what => (machine::versions(), table::tables(&results, what.titles())),
        };
        let text = machine::described(counted.is_some(), &others) + &tables;
        match &options.into {
            Some(path) => document::replace(Path::new(path), options.what.word(), &text)?,
            None => say(&text)?,
        }
    }
    Ok(())
}

/// Whoever reads may stop reading.
pub(crate) fn say(text: &str) -> Result<(), String> {
    io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())
}

impl Options {
    fn read(args: impl Iterator<Item = String>) -> Option<Self> {
        let mut args = args;
        let what = match args.next()?.as_str() {
            "parse" => What::Parse,
            "encode" => What::Encode,
            "machines" => What::Machines,
            _ => return None,
        };
        let mut options = Self {
            what,
            json: false,
            quick: false,
            instructions: true,
            counted: false,
            only: None,
            into: None,
        };
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--json" => options.json = true,
                "--quick" => (options.quick, options.instructions) = (true, false),
                "--no-instructions" => options.instructions = false,
                "--counted" => options.counted = true,
                "--only" => options.only = Some(args.next()?),
                "--into" => options.into = Some(args.next()?),
                _ => return None,
            }
        }
        Some(options)
    }

    /// Counts instructions, if that can be done here.
    fn count(&self) -> Option<Counted> {
        if !valgrind::is_installed() {
            eprintln!("instructions are not counted: valgrind is not installed");
            return None;
        }
        let mut args = vec![self.what.word(), "--counted"];
        args.extend(self.only.iter().flat_map(|only| ["--only", only]));
        valgrind::count(&args).inspect_err(|error| eprintln!("instructions are not counted: {error}")).ok()
    }

    /// The cases of each workload that is wanted.
    fn cases(&self, scale: Scale, commands: usize) -> impl Iterator<Item = Vec<Case>> {
        let all: Box<dyn Iterator<Item = Vec<Case>>> = match self.what {
            What::Parse => Box::new(parse::cases(scale)),
            What::Encode => Box::new(encode::cases(commands)),
            What::Machines => Box::new(machines::cases(10 * commands)),
        };
        all.filter(|cases| {
            self.only.as_ref().is_none_or(|only| cases.iter().all(|case| case.workload == only))
        })
    }
}

impl What {
    const fn word(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Encode => "encode",
            Self::Machines => "machines",
        }
    }

    /// What is compared with what, and what to call it.
    const fn titles(self) -> &'static [(Kind, &'static str)] {
        match self {
            Self::Parse => &[
                (Kind::Frame, "Frame only: where each reply ends"),
                (Kind::Typed, "Typed: a reply to Rust values"),
                (Kind::Owned, "Owned: a reply to a tree of values"),
            ],
            Self::Encode => &[(Kind::Typed, "Requests: Rust values to bytes")],
            Self::Machines => &[],
        }
    }
}
