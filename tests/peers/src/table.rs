//! Markdown tables: a row for each workload, a column for each implementation.

use crate::case::{Case, Kind};
use crate::measure::Cost;

/// All cases with what they cost, in the order of their workloads.
pub(crate) type Results = Vec<(Case, Cost)>;

/// Prints the tables of all that was measured: first times and ratios, then what does not depend on the machine.
pub(crate) fn print(results: &Results) {
    let mut notes = Vec::new();
    for (kind, title) in [
        (Kind::Frame, "Frame only: where each reply ends"),
        (Kind::Typed, "Typed: Rust values"),
        (Kind::Owned, "Owned: a tree of values"),
    ] {
        let table = Table::new(results, kind);
        if table.names.is_empty() {
            continue;
        }
        println!("### {title}\n");
        println!("Nanoseconds for one unit, and ratios: below 1.00 respire takes less.\n");
        table.times(&mut notes);
        println!("Instructions / allocations / bytes copied for one unit:\n");
        table.counts();
    }
    for (at, note) in notes.iter().enumerate() {
        println!("{}) {note}", at + 1);
    }
}

struct Table<'a> {
    results: &'a Results,
    workloads: Vec<&'static str>,
    kind: Kind,
    names: Vec<&'static str>,
    yardsticks: Vec<&'static str>,
}

impl<'a> Table<'a> {
    fn new(results: &'a Results, kind: Kind) -> Self {
        let names =
            |kind| distinct(results.iter().filter(|(case, _)| case.kind == kind).map(|(case, _)| case.by));
        Self {
            results,
            workloads: distinct(results.iter().map(|(case, _)| case.workload)),
            kind,
            names: names(kind),
            yardsticks: names(Kind::Yardstick),
        }
    }

    fn times(&self, notes: &mut Vec<String>) {
        let ours: Vec<_> = self.names.iter().copied().filter(|name| is_ours(name)).collect();
        let floor = self.yardsticks.last().copied().unwrap_or_default();
        let mut head = vec!["workload".to_owned()];
        head.extend(self.names.iter().chain(&self.yardsticks).map(|name| (*name).to_owned()));
        head.extend(ours.iter().map(|name| format!("{name} / best peer")));
        head.push(format!("respire / {floor}"));
        let rows = self.workloads.iter().map(|workload| {
            let mut row = vec![(*workload).to_owned()];
            row.extend(self.columns().map(|(name, kind)| self.time(workload, name, kind, notes)));
            let best = self
                .names
                .iter()
                .filter(|name| !is_ours(name))
                .filter_map(|name| self.ns(workload, name, self.kind));
            let best = best.fold(f64::MAX, f64::min);
            row.extend(ours.iter().map(|name| ratio(self.ns(workload, name, self.kind), Some(best))));
            row.push(ratio(
                self.ns(workload, "respire", self.kind),
                self.ns(workload, floor, Kind::Yardstick),
            ));
            row
        });
        markdown(&head, rows.collect());
    }

    fn counts(&self) {
        let mut head = vec!["workload".to_owned()];
        head.extend(self.names.iter().chain(&self.yardsticks).map(|name| (*name).to_owned()));
        let rows = self.workloads.iter().map(|workload| {
            let counts = self.columns().map(|(name, kind)| match self.find(workload, name, kind) {
                Some((case, cost)) if case.subject.is_some() => {
                    let [instructions, allocs] =
                        [cost.instructions, cost.allocs].map(|figure| figure.map_or("-".into(), short));
                    format!("{instructions} / {allocs} / {}", short(case.copied))
                }
                _ => "-".to_owned(),
            });
            [(*workload).to_owned()].into_iter().chain(counts).collect()
        });
        markdown(&head, rows.collect());
    }

    fn columns(&self) -> impl Iterator<Item = (&'static str, Kind)> {
        let own = self.names.iter().map(|&name| (name, self.kind));
        own.chain(self.yardsticks.iter().map(|&name| (name, Kind::Yardstick)))
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

fn ratio(ours: Option<f64>, theirs: Option<f64>) -> String {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) if theirs < f64::MAX => format!("{:.2}", ours / theirs),
        _ => "-".to_owned(),
    }
}

/// Three digits or more: `0.19`, `4.91`, `45.5`, `469`, `14,900`.
fn short(figure: f64) -> String {
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

fn markdown(head: &[String], rows: Vec<Vec<String>>) {
    println!("| {} |", head.join(" | "));
    println!("|---|{}", "--:|".repeat(head.len() - 1));
    for row in rows {
        println!("| {} |", row.join(" | "));
    }
    println!();
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
        assert_eq!(ratio(Some(1.0), Some(f64::MAX)), "-");
    }
}
