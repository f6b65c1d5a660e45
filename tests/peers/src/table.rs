//! Markdown tables: a row for each workload, a column for each implementation.

use std::fmt::Write;

use crate::case::{Case, Kind};
use crate::measure::Cost;

/// All cases with what they cost, in the order of their workloads.
pub(crate) type Results = Vec<(Case, Cost)>;

/// The tables of all that was measured, each kind under its title.
pub(crate) fn tables(results: &Results, titles: &[(Kind, &str)]) -> String {
    let mut out = String::new();
    let mut notes = Vec::new();
    for (at, &(kind, title)) in titles.iter().enumerate() {
        // Yardsticks are the same in every table: once is enough.
        let table = Table::new(results, kind, at == 0);
        let _ = writeln!(out, "### {title}\n");
        let _ = writeln!(out, "Nanoseconds for one unit, and ratios: below 1.00 respire takes less.\n");
        out += &table.times(&mut notes);
        let _ = writeln!(out, "Instructions / allocations / bytes copied for one unit:\n");
        out += &table.counts();
    }
    for (at, note) in notes.iter().enumerate() {
        let _ = writeln!(out, "{}) {note}", at + 1);
    }
    out
}

/// A row for each case, where nothing is compared.
pub(crate) fn list(results: &Results) -> String {
    let head = ["work", "by", "ns", "instructions", "allocations"].map(str::to_owned);
    let figure = |figure: Option<f64>| figure.map_or("-".into(), short);
    let rows = results.iter().map(|(case, cost)| {
        let figures = [cost.ns, cost.instructions, cost.allocs].map(figure);
        [case.workload, case.by].map(str::to_owned).into_iter().chain(figures).collect()
    });
    markdown(&head, rows)
}

struct Table<'a> {
    results: &'a Results,
    workloads: Vec<&'static str>,
    kind: Kind,
    /// What stands in the columns.
    columns: Vec<(&'static str, Kind)>,
    ours: Vec<&'static str>,
    theirs: Vec<&'static str>,
    /// The yardstick that ratios are made with.
    floor: &'static str,
}

impl<'a> Table<'a> {
    fn new(results: &'a Results, kind: Kind, yardsticks: bool) -> Self {
        let of = |kind| {
            distinct(results.iter().filter(|(case, _)| case.kind == kind).map(|(case, _)| case.by))
                .into_iter()
        };
        let mut columns: Vec<_> = of(kind).map(|name| (name, kind)).collect();
        if yardsticks {
            columns.extend(of(Kind::Yardstick).map(|name| (name, Kind::Yardstick)));
        }
        Self {
            results,
            workloads: distinct(results.iter().map(|(case, _)| case.workload)),
            kind,
            columns,
            ours: of(kind).filter(|name| is_ours(name)).collect(),
            theirs: of(kind).filter(|name| !is_ours(name)).collect(),
            floor: of(Kind::Yardstick).last().unwrap_or_default(),
        }
    }

    fn times(&self, notes: &mut Vec<String>) -> String {
        let copying: Vec<_> = self.theirs.iter().copied().filter(|name| !name.ends_with("shared")).collect();
        let some_share = copying.len() < self.theirs.len();
        let mut head = self.head();
        head.extend(self.ours.iter().map(|name| format!("{name} / best peer")));
        if some_share {
            head.push("respire / best that copies".into());
        }
        head.push(format!("respire / {}", self.floor));
        let rows = self.workloads.iter().map(|workload| {
            let mut row = vec![(*workload).to_owned()];
            row.extend(self.columns.iter().map(|&(name, kind)| self.time(workload, name, kind, notes)));
            let ns = |name: &str| self.ns(workload, name, self.kind);
            let best = |names: &[&str]| names.iter().filter_map(|name| ns(name)).reduce(f64::min);
            row.extend(self.ours.iter().map(|name| ratio(ns(name), best(&self.theirs))));
            if some_share {
                row.push(ratio(ns("respire"), best(&copying)));
            }
            row.push(ratio(ns("respire"), self.ns(workload, self.floor, Kind::Yardstick)));
            row
        });
        markdown(&head, rows)
    }

    fn counts(&self) -> String {
        let rows = self.workloads.iter().map(|workload| {
            let counts = self.columns.iter().map(|&(name, kind)| match self.find(workload, name, kind) {
                Some((case, cost)) if case.subject.is_some() => {
                    let [instructions, allocs] =
                        [cost.instructions, cost.allocs].map(|figure| figure.map_or("-".into(), short));
                    format!("{instructions} / {allocs} / {}", short(case.copied))
                }
                _ => "-".to_owned(),
            });
            [(*workload).to_owned()].into_iter().chain(counts).collect()
        });
        markdown(&self.head(), rows)
    }

    fn head(&self) -> Vec<String> {
        ["workload"]
            .into_iter()
            .chain(self.columns.iter().map(|(name, _)| *name))
            .map(str::to_owned)
            .collect()
    }

    fn time(&self, workload: &str, name: &str, kind: Kind, notes: &mut Vec<String>) -> String {
        match self.find(workload, name, kind) {
            None => "-".to_owned(),
            Some((case, Cost { ns: Some(ns), .. })) => match &case.note {
                None => short(*ns),
                Some(note) => {
                    let at = notes.iter().position(|known| known == note).unwrap_or_else(|| {
                        notes.push(note.clone());
                        notes.len() - 1
                    });
                    format!("{} {})", short(*ns), at + 1)
                }
            },
            Some((case, _)) => case.note.clone().unwrap_or_default(),
        }
    }

    fn ns(&self, workload: &str, name: &str, kind: Kind) -> Option<f64> {
        self.find(workload, name, kind)?.1.ns
    }

    fn find(&self, workload: &str, name: &str, kind: Kind) -> Option<&(Case, Cost)> {
        self.results
            .iter()
            .find(|(case, _)| case.workload == workload && case.by == name && case.kind == kind)
    }
}

fn is_ours(name: &str) -> bool {
    name.starts_with("respire")
}

fn distinct(names: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    names.fold(Vec::new(), |mut known, name| {
        if !known.contains(&name) {
            known.push(name);
        }
        known
    })
}

/// One through the other.
pub(crate) fn ratio(ours: Option<f64>, theirs: Option<f64>) -> String {
    match ours.zip(theirs).map(|(ours, theirs)| ours / theirs) {
        Some(ratio) if ratio < 10.0 => format!("{ratio:.2}"),
        Some(ratio) => short(ratio),
        None => "-".to_owned(),
    }
}

/// Three digits or more: `0.19`, `4.91`, `45.5`, `469`, `14,900`.
pub(crate) fn short(figure: f64) -> String {
    match figure {
        0.0 => "0".to_owned(),
        _ if figure < 10.0 => trimmed(format!("{figure:.2}")),
        _ if figure < 100.0 => trimmed(format!("{figure:.1}")),
        _ => {
            let digits = format!("{figure:.0}");
            let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
            groups.join(",")
        }
    }
}

fn trimmed(text: String) -> String {
    text.strip_suffix(".0").or(text.strip_suffix(".00")).map(str::to_owned).unwrap_or(text)
}

/// A table whose first column is text.
pub(crate) fn markdown(head: &[String], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut out = format!("| {} |\n|---|{}\n", head.join(" | "), "--:|".repeat(head.len() - 1));
    for row in rows {
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
    out + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        let figures = [0.0, 0.004, 0.19, 2.0, 4.906, 10.0, 45.52, 469.4, 14_900.0, 1_234_567.0];
        let shown = ["0", "0", "0.19", "2", "4.91", "10", "45.5", "469", "14,900", "1,234,567"];
        assert_eq!(figures.map(short), shown);
    }

    #[test]
    fn ratios_need_two_figures() {
        assert_eq!(ratio(Some(1.0), Some(3.0)), "0.33");
        assert_eq!(ratio(Some(1.0), None), "-");
        assert_eq!(ratio(Some(40_126.0), Some(10.0)), "4,013");
    }
}
