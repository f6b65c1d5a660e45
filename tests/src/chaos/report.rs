//! What came of a row, for people and for programs.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::book::{Tally, Verdict};
use super::news::Heard;
use super::process::Usage;
use super::rows::Row;
use super::scene::Played;

/// What came of one fault, all rounds together.
#[derive(Debug)]
pub struct Line {
    row: &'static Row,
    rounds: u64,
    tally: Tally,
    verdict: Verdict,
    stuck: u64,
    down: u64,
    deaf: u64,
    leaked: Usage,
    outages: Vec<Duration>,
    noise: Duration,
    /// How much later than its deadline the last one was told, and how many beyond grace and noise.
    latest: Duration,
    late: u64,
    slow_reads: u64,
    connections: u64,
}

impl Line {
    pub(super) fn new(row: &'static Row) -> Self {
        Self {
            row,
            rounds: 0,
            tally: Tally::default(),
            verdict: Verdict::default(),
            stuck: 0,
            down: 0,
            deaf: 0,
            leaked: Usage { descriptors: 0, threads: 0 },
            outages: Vec::new(),
            noise: Duration::ZERO,
            latest: Duration::ZERO,
            late: 0,
            slow_reads: 0,
            connections: 0,
        }
    }

    pub(super) fn add(&mut self, mut played: Played) {
        self.rounds += 1;
        // A caller is woken by a thread that is woken by another: each may be as late as one that only sleeps.
        let limit = self.row.grace + 3 * played.noise;
        let late = std::mem::take(&mut played.tally.late);
        self.latest = late.iter().copied().fold(self.latest, Duration::max);
        self.late += late.into_iter().filter(|late| *late > limit).count() as u64;
        played.tally.claims.clear();
        self.tally.add(played.tally);
        self.verdict.duplicates += played.verdict.duplicates;
        self.verdict.lost += played.verdict.lost;
        self.verdict.untrue += played.verdict.untrue;
        self.verdict.strange += played.verdict.strange;
        self.stuck += played.stuck as u64;
        self.down += played.down as u64;
        self.deaf += played.deaf as u64;
        self.leaked.descriptors += played.leaked.descriptors;
        self.leaked.threads += played.leaked.threads;
        self.outages.extend(played.outages);
        self.outages.sort_unstable();
        self.tally.heard.silences.sort_unstable();
        self.tally.heard.again.sort_unstable();
        self.noise = self.noise.max(played.noise);
        let too_slow = self.row.read_within.is_some_and(|most| played.slowest_read > most + played.noise);
        self.slow_reads += u64::from(too_slow);
        self.connections += played.connections;
    }

    /// What was promised and did not hold.
    #[must_use]
    pub fn broken(&self) -> Vec<String> {
        let Verdict { duplicates, lost, untrue, strange } = self.verdict;
        let Usage { descriptors, threads } = self.leaked;
        let counts = [
            (self.tally.wrong.len() as u64, "wrong answers"),
            (duplicates, "executed twice"),
            (lost, "answered and not executed"),
            (untrue, "executed although they were said not to be"),
            (strange, "executed and asked for by nobody"),
            (self.late, "told too late"),
            (self.stuck, "callers never came back"),
            (self.down, "clients did not recover"),
            (self.deaf, "subscribers heard nothing after the fault"),
            (self.tally.heard.silent, "messages missed in silence"),
            (self.tally.heard.disordered, "messages twice or out of order"),
            (self.tally.heard.strange, "messages that nobody had asked for"),
            (self.tally.loads.untold, "items without a result"),
            (self.tally.loads.wrong.len() as u64, "items with a wrong answer or fate"),
            (self.slow_reads, "rounds in which reads did not flow"),
            (descriptors as u64, "descriptors left"),
            (threads as u64, "threads left"),
        ];
        let mut broken: Vec<_> =
            counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        if self.tally.ok == 0 {
            broken.push("nothing was answered".to_owned());
        }
        let Tally { wrong, heard, loads, .. } = &self.tally;
        if heard.subscribers > 0 && heard.messages == 0 {
            broken.push("nothing was heard".to_owned());
        }
        if loads.items > 0 && loads.ok == 0 {
            broken.push("no item was answered".to_owned());
        }
        broken.extend(wrong.iter().take(5).chain(loads.wrong.iter().take(5)).cloned());
        broken
    }

    fn outage(&self, percent: usize) -> Option<Duration> {
        percentile(&self.outages, percent)
    }

    /// How long subscribers heard nothing: around gaps if there is a proxy, else since the fault was over.
    fn silence(&self, percent: usize) -> Option<Duration> {
        let Heard { silences, again, .. } = &self.tally.heard;
        percentile(if silences.is_empty() || self.row.script.is_none() { again } else { silences }, percent)
    }

    fn failed(&self) -> u64 {
        self.tally.failed.values().sum()
    }

    /// The line of a row that cannot be played here.
    #[must_use]
    pub fn skipped(row: &Row, why: &str, json: bool) -> String {
        let Row { number, name, how, .. } = row;
        if json {
            format!("{{\"row\":{number},\"fault\":{name:?},\"how\":{how:?},\"skipped\":{why:?}}}")
        } else {
            format!("{number:>3} {name:<37} skipped: {why}\n    {how}")
        }
    }

    /// As one line of JSON.
    #[must_use]
    pub fn json(&self) -> String {
        let broken: Vec<_> = self.broken().iter().map(|text| format!("{text:?}")).collect();
        format!(
            "{{\"row\":{},\"fault\":{:?},\"how\":{:?},\"rounds\":{},\"ops\":{},\"ok\":{},\"cancelled\":{},\
             \"flipped\":{},\"failed\":{{{}}},\"wrong\":{},\"duplicates\":{},\"lost\":{},\"untrue\":{},\
             \"late\":{},\"latest_ms\":{},\"noise_ms\":{},\"stuck\":{},\"descriptors\":{},\"threads\":{},\
             \"recovery_p50_ms\":{},\"recovery_p99_ms\":{},\"connections\":{},{},\"broken\":[{}]}}",
            self.row.number,
            self.row.name,
            self.row.how,
            self.rounds,
            self.tally.ops,
            self.tally.ok,
            self.tally.cancelled,
            self.tally.flipped,
            counts_json(&self.tally.failed),
            self.tally.wrong.len(),
            self.verdict.duplicates,
            self.verdict.lost,
            self.verdict.untrue,
            self.late,
            millis(Some(self.latest)),
            millis(Some(self.noise)),
            self.stuck,
            self.leaked.descriptors,
            self.leaked.threads,
            millis(self.outage(50)),
            millis(self.outage(99)),
            self.connections,
            self.json_beside(),
            broken.join(",")
        )
    }

    /// What became of subscribers and bulks.
    fn json_beside(&self) -> String {
        let Tally { heard, loads, .. } = &self.tally;
        format!(
            "\"subscribers\":{},\"messages\":{},\"gaps\":{},\"dropped\":{},\"missing\":{},\"silent\":{},\
             \"disordered\":{},\"strange\":{},\"news_p50_ms\":{},\"news_p99_ms\":{},\"items\":{},\
             \"items_ok\":{},\"items_again\":{},\"items_failed\":{{{}}},\"items_untold\":{},\"items_wrong\":{}",
            heard.subscribers,
            heard.messages,
            heard.gaps,
            heard.dropped,
            heard.missing,
            heard.silent,
            heard.disordered,
            heard.strange,
            millis(self.silence(50)),
            millis(self.silence(99)),
            loads.items,
            loads.ok,
            loads.again,
            counts_json(&loads.failed),
            loads.untold,
            loads.wrong.len()
        )
    }
}

/// One of these, which are in order.
fn percentile(times: &[Duration], percent: usize) -> Option<Duration> {
    let last = times.len().checked_sub(1)?;
    times.get(last * percent / 100).copied()
}

fn most_first(counts: &BTreeMap<String, u64>) -> Vec<String> {
    let mut kinds: Vec<_> = counts.iter().collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect()
}

fn counts_json(counts: &BTreeMap<String, u64>) -> String {
    let counts: Vec<_> = counts.iter().map(|(kind, count)| format!("{kind:?}:{count}")).collect();
    counts.join(",")
}

fn millis(time: Option<Duration>) -> String {
    time.map_or("null".to_owned(), |time| format!("{:.3}", time.as_secs_f64() * 1e3))
}

/// The heads of what a line shows.
#[must_use]
pub fn table() -> String {
    format!(
        "{:>3} {:<37}{:>8}{:>8}{:>7}{:>7}{:>6}{:>5}{:>5}{:>5}{:>8}{:>8}{:>4}{:>4}{:>9}{:>9}{:>6}",
        "row",
        "fault",
        "ops",
        "ok",
        "gone",
        "failed",
        "wrong",
        "dup",
        "lie",
        "late",
        "latest",
        "noise",
        "fd",
        "thr",
        "rec p50",
        "rec p99",
        "conns"
    )
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e3);
        let outage = |percent| self.outage(percent).map_or("-".to_owned(), millis);
        let silence = |percent| self.silence(percent).map_or("-".to_owned(), millis);
        write!(
            f,
            "{:>3} {:<37}{:>8}{:>8}{:>7}{:>7}{:>6}{:>5}{:>5}{:>5}{:>8}{:>8}{:>4}{:>4}{:>9}{:>9}{:>6}",
            self.row.number,
            self.row.name,
            self.tally.ops,
            self.tally.ok,
            self.tally.cancelled,
            self.failed(),
            self.tally.wrong.len(),
            self.verdict.duplicates,
            self.verdict.lost + self.verdict.untrue,
            self.late,
            millis(self.latest),
            millis(self.noise),
            self.leaked.descriptors,
            self.leaked.threads,
            outage(50),
            outage(99),
            self.connections
        )?;
        let mut kinds = most_first(&self.tally.failed);
        if self.tally.flipped > 0 {
            kinds.push(format!("{} with the bit that was flipped", self.tally.flipped));
        }
        write!(f, "\n    {}", self.row.how)?;
        if !kinds.is_empty() {
            write!(f, ": {}", kinds.join(", "))?;
        }
        let Tally { heard, loads, .. } = &self.tally;
        if heard.subscribers > 0 {
            let Heard { subscribers, messages, gaps, missing, silent, .. } = heard;
            let (p50, p99) = (silence(50), silence(99));
            write!(
                f,
                "\n    {subscribers} subscribers: {messages} messages, {gaps} gaps, {missing} missing and told,"
            )?;
            write!(f, " {silent} in silence; news again after {p50}, p99 {p99}")?;
        }
        if loads.items > 0 {
            write!(f, "\n    {} items: {} answered, {} sent again", loads.items, loads.ok, loads.again)?;
            for kind in most_first(&loads.failed) {
                write!(f, ", {kind}")?;
            }
        }
        for broken in self.broken() {
            write!(f, "\n    BROKEN: {broken}")?;
        }
        Ok(())
    }
}
