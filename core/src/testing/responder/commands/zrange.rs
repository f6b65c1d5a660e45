//! Sorted sets: ranges by rank, by score and by member.

use super::super::call::Call;
use super::super::fault::{Done, Fault, SYNTAX};
use super::super::table::Command;
use super::super::value::{Ranked, Zset};
use super::list;
use alloc::vec::Vec;

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("zrange", -4, zrange),
    Command::new("zrevrange", -4, zrevrange),
    Command::new("zrangebyscore", -4, zrangebyscore),
    Command::new("zrevrangebyscore", -4, zrevrangebyscore),
    Command::new("zrangebylex", -4, zrangebylex),
    Command::new("zrevrangebylex", -4, zrevrangebylex),
    Command::new("zcount", 4, zcount),
    Command::new("zlexcount", 4, zlexcount),
];

/// What the two ends of a range are about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Member,
}

/// A range to look for.
enum Span<'a> {
    Ranks(i64, i64),
    Scores(Edge<f64>, Edge<f64>),
    Members(Edge<&'a [u8]>, Edge<&'a [u8]>),
}

/// One end of a range.
#[derive(Clone, Copy)]
enum Edge<T> {
    /// Before everything.
    Lowest,
    /// After everything.
    Highest,
    Included(T),
    Excluded(T),
}

fn zrange(call: &mut Call<'_>) -> Done {
    range(call, None, None)
}

fn zrevrange(call: &mut Call<'_>) -> Done {
    range(call, Some(By::Rank), Some(true))
}

fn zrangebyscore(call: &mut Call<'_>) -> Done {
    range(call, Some(By::Score), Some(false))
}

fn zrevrangebyscore(call: &mut Call<'_>) -> Done {
    range(call, Some(By::Score), Some(true))
}

fn zrangebylex(call: &mut Call<'_>) -> Done {
    range(call, Some(By::Member), Some(false))
}

fn zrevrangebylex(call: &mut Call<'_>) -> Done {
    range(call, Some(By::Member), Some(true))
}

/// All range commands; what the name or an option fixes, none says again.
fn range(call: &mut Call<'_>, mut by: Option<By>, mut reverse: Option<bool>) -> Done {
    let mut scores = false;
    let (mut offset, mut limit) = (0, -1);
    let mut at = 4;
    while at < call.len() {
        if call.is(at, "withscores") {
            scores = true;
        } else if call.is(at, "limit") && at + 2 < call.len() {
            offset = call.integer(at + 1)?;
            limit = call.integer(at + 2)?;
            at += 2;
        } else if call.is(at, "rev") && reverse.is_none() {
            reverse = Some(true);
        } else if call.is(at, "bylex") && by.is_none() {
            by = Some(By::Member);
        } else if call.is(at, "byscore") && by.is_none() {
            by = Some(By::Score);
        } else {
            return Err(SYNTAX);
        }
        at += 1;
    }
    let by = by.unwrap_or(By::Rank);
    let reverse = reverse.unwrap_or(false);
    if limit != -1 && by == By::Rank {
        return Err(Fault::new(
            "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
        ));
    }
    if scores && by == By::Member {
        return Err(Fault::new("ERR syntax error, WITHSCORES not supported in combination with BYLEX"));
    }
    let swapped = reverse && by != By::Rank;
    let (low, high) = if swapped { (3, 2) } else { (2, 3) };
    let span = match by {
        By::Rank => Span::Ranks(call.integer(2)?, call.integer(3)?),
        By::Score => score_span(call.arg(low), call.arg(high))?,
        By::Member => member_span(call.arg(low), call.arg(high))?,
    };
    let Some(zset) = call.space.read::<Zset>(call.arg(1))? else {
        call.me.out.array(0);
        return Ok(());
    };
    let found = cut(zset, &span, reverse, offset, limit);
    let out = &mut call.me.out;
    let nested = scores && out.resp3;
    let doubled = scores && !nested;
    out.array(if doubled { found.len() * 2 } else { found.len() });
    for ranked in found {
        if nested {
            out.array(2);
        }
        out.bulk(&ranked.member);
        if scores {
            out.double(ranked.score);
        }
    }
    Ok(())
}

/// What lies in the span, without the first `offset` and at most `limit` of
/// it. A negative limit is none, a negative offset skips all.
fn cut<'z>(zset: &'z Zset, span: &Span<'_>, reverse: bool, offset: i64, limit: i64) -> Vec<&'z Ranked> {
    let order = zset.order();
    let (from, count) = match span {
        Span::Ranks(start, stop) => {
            let ranks = list::span(*start, *stop, order.len());
            (ranks.start, ranks.len())
        }
        _ => (offset.try_into().unwrap_or(usize::MAX), limit.try_into().unwrap_or(usize::MAX)),
    };
    let possible = order.first().is_some_and(|first| span.ends_after(first))
        && order.last().is_some_and(|last| span.starts_before(last));
    if !possible {
        Vec::new()
    } else if reverse {
        run(order.iter().rev(), from, count, |it| span.ends_after(it), |it| span.starts_before(it))
    } else {
        run(order.iter(), from, count, |it| span.starts_before(it), |it| span.ends_after(it))
    }
}

/// The run from the first that is `inside` the near end up to the first that
/// is not `within` the far one. Where scores differ, a range of members may
/// have several such runs; servers show the first, if they look at all.
fn run<'z>(
    order: impl Iterator<Item = &'z Ranked>,
    from: usize,
    count: usize,
    inside: impl Fn(&Ranked) -> bool,
    within: impl Fn(&Ranked) -> bool,
) -> Vec<&'z Ranked> {
    let mut order = order.skip_while(|it| !inside(it)).peekable();
    if !order.peek().is_some_and(|it| within(it)) {
        return Vec::new();
    }
    order.skip(from).take_while(|it| within(it)).take(count).collect()
}

impl Span<'_> {
    /// Whether the lower end is below; ranks have no such end.
    fn starts_before(&self, ranked: &Ranked) -> bool {
        match self {
            Self::Ranks(..) => true,
            Self::Scores(low, _) => low.is_below(&ranked.score),
            Self::Members(low, _) => low.is_below(&&*ranked.member),
        }
    }

    /// Whether the upper end is above.
    fn ends_after(&self, ranked: &Ranked) -> bool {
        match self {
            Self::Ranks(..) => true,
            Self::Scores(_, high) => high.is_above(&ranked.score),
            Self::Members(_, high) => high.is_above(&&*ranked.member),
        }
    }
}

impl<T: PartialOrd> Edge<T> {
    fn is_below(&self, value: &T) -> bool {
        match self {
            Self::Lowest => true,
            Self::Highest => false,
            Self::Included(edge) => edge <= value,
            Self::Excluded(edge) => edge < value,
        }
    }

    fn is_above(&self, value: &T) -> bool {
        match self {
            Self::Lowest => false,
            Self::Highest => true,
            Self::Included(edge) => edge >= value,
            Self::Excluded(edge) => edge > value,
        }
    }
}

fn score_span<'a>(low: &[u8], high: &[u8]) -> Result<Span<'a>, Fault> {
    score_edge(low)
        .zip(score_edge(high))
        .map(|(low, high)| Span::Scores(low, high))
        .ok_or(Fault::new("ERR min or max is not a float"))
}

fn score_edge(text: &[u8]) -> Option<Edge<f64>> {
    let (open, text) = match text {
        [b'(', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    // Here, unlike in ZADD, servers take blanks before it, let nothing stand
    // for 0, and too large a number for infinity.
    let score = match text.trim_ascii_start() {
        [] => 0.0,
        text => core::str::from_utf8(text).ok()?.parse::<f64>().ok()?,
    };
    if score.is_nan() {
        return None;
    }
    Some(if open { Edge::Excluded(score) } else { Edge::Included(score) })
}

fn member_span<'a>(low: &'a [u8], high: &'a [u8]) -> Result<Span<'a>, Fault> {
    member_edge(low)
        .zip(member_edge(high))
        .map(|(low, high)| Span::Members(low, high))
        .ok_or(Fault::new("ERR min or max not valid string range item"))
}

fn member_edge(text: &[u8]) -> Option<Edge<&[u8]>> {
    match text {
        b"-" => Some(Edge::Lowest),
        b"+" => Some(Edge::Highest),
        [b'[', member @ ..] => Some(Edge::Included(member)),
        [b'(', member @ ..] => Some(Edge::Excluded(member)),
        _ => None,
    }
}

fn zcount(call: &mut Call<'_>) -> Done {
    let span = score_span(call.arg(2), call.arg(3))?;
    count(call, &span)
}

fn zlexcount(call: &mut Call<'_>) -> Done {
    let span = member_span(call.arg(2), call.arg(3))?;
    count(call, &span)
}

fn count(call: &mut Call<'_>, span: &Span<'_>) -> Done {
    let zset = call.space.read::<Zset>(call.arg(1))?;
    let found = zset.map_or(0, |zset| cut(zset, span, false, 0, -1).len());
    call.me.out.count(found);
    Ok(())
}
