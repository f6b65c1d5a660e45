//! What came out: JSON for programs, tables for readers.

use std::fmt::Write as _;

use super::count::{COUNTS, Counts};
use super::meter::{FIGURES, Figures};
use super::raw;
use super::workload::{Group, Workload};
use crate::json::{number, string};
use crate::table::{markdown, ratio, short};

/// One client at one workload.
pub(crate) struct Row {
    pub(crate) client: &'static str,
    pub(crate) workload: &'static Workload,
    pub(crate) figures: Figures,
    pub(crate) counts: Counts,
    /// Why it was not measured.
    pub(crate) note: Option<&'static str>,
}

impl Row {
    const fn ops(&self) -> Option<f64> {
        self.figures[0]
    }

    const fn cpu(&self) -> Option<f64> {
        self.figures[1]
    }
}

/// One JSON object. What was not measured is null; what was not counted is not there.
pub(crate) fn line(row: &Row) -> String {
    let Row { client, workload, figures, counts, note } = row;
    let mut fields = vec![
        ("client", string(client)),
        ("workload", string(workload.name)),
        ("in_flight", workload.in_flight.to_string()),
        ("threads", workload.threads().to_string()),
    ];
    let figure = |figure: Option<f64>| figure.map_or("null".to_owned(), number);
    fields.extend(FIGURES.into_iter().zip(figures.map(figure)));
    fields.extend(
        COUNTS
            .into_iter()
            .zip(*counts)
            .filter(|(_, count)| count.is_some())
            .map(|(name, count)| (name, figure(count))),
    );
    fields.extend(note.map(|note| ("note", string(note))));
    let fields: Vec<_> = fields.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

/// A table for each group of workloads.
pub(crate) fn tables(rows: &[Row]) -> String {
    let counted = rows.iter().any(|row| row.counts.iter().any(Option::is_some));
    let mut head =
        vec!["workload", "client", "ops/s", "of raw", "CPU us/op", "x raw", "p50 us", "p99 us", "p99.9 us"];
    head.extend(["allocations/op", "faults/op", "RSS KiB"]);
    if counted {
        head.extend(["calls/op", "writes/op", "instructions/op"]);
    }
    let head: Vec<_> = head.into_iter().map(str::to_owned).collect();
    let mut out = String::new();
    for group in Group::ALL {
        let rows_of_group: Vec<_> = rows.iter().filter(|row| row.workload.group == group).collect();
        if rows_of_group.is_empty() {
            continue;
        }
        let _ = writeln!(out, "### {}\n", group.title());
        if group == Group::Pools {
            out += &pools(&rows_of_group, counted);
            continue;
        }
        out += &markdown(&head, rows_of_group.iter().map(|row| cells(row, rows, counted)));
    }
    out
}

/// Nanoseconds of one loan, by the clock and of CPU time.
fn pools(rows: &[&Row], counted: bool) -> String {
    let mut head = vec!["workload", "pool", "ns", "CPU ns", "allocations/op"];
    if counted {
        head.push("instructions/op");
    }
    let head: Vec<_> = head.into_iter().map(str::to_owned).collect();
    let cells = rows.iter().map(|row| {
        let [ops, cpu, .., allocs, _, _] = row.figures;
        let mut figures = vec![ops.map(|ops| 1e9 / ops), cpu.map(|cpu| cpu * 1e3), allocs];
        if counted {
            figures.push(row.counts[2]);
        }
        let figures = figures.into_iter().map(|figure| figure.map_or("-".to_owned(), short));
        [row.workload.name.to_owned(), row.client.to_owned()].into_iter().chain(figures).collect()
    });
    markdown(&head, cells)
}

fn cells(row: &Row, rows: &[Row], counted: bool) -> Vec<String> {
    let mut cells = vec![row.workload.name.to_owned(), row.client.to_owned()];
    if let Some(note) = row.note {
        cells.push(note.to_owned());
        cells.resize(12, "-".to_owned());
        return cells;
    }
    let is_raw =
        |other: &&Row| other.workload.name == row.workload.name && raw::NAMES.contains(&other.client);
    let raw = rows.iter().find(is_raw);
    let figure = |figure: Option<f64>| figure.map_or("-".to_owned(), short);
    let [ops, cpu, rest @ ..] = row.figures.map(figure);
    cells.extend([
        ops,
        ratio(row.ops(), raw.and_then(Row::ops)),
        cpu,
        ratio(row.cpu(), raw.and_then(Row::cpu)),
    ]);
    cells.extend(rest);
    if counted {
        cells.extend(row.counts.map(figure));
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(client: &'static str, ops: f64) -> Row {
        let figures = [Some(ops), Some(2.0), Some(3.0), Some(4.0), Some(5.0), None, Some(0.0), Some(4096.0)];
        Row { client, workload: Workload::named("get-64").unwrap(), figures, counts: [None; 3], note: None }
    }

    #[test]
    fn a_line_is_one_object() {
        let begin = r#"{"client":"fred","workload":"get-64","in_flight":64,"threads":1,"ops_per_s":1000,"#;
        let rest = r#""cpu_us_per_op":2,"p50_us":3,"p99_us":4,"p999_us":5,"allocs_per_op":null,"faults_per_op":0,"rss_kib":4096"#;
        assert_eq!(line(&row("fred", 1000.0)), format!("{begin}{rest}}}"));
        let row = Row { counts: [Some(2.5), Some(1.0), None], note: Some("why"), ..row("fred", 1000.0) };
        let more = r#","syscalls_per_op":2.5,"writes_per_op":1,"note":"why"}"#;
        assert_eq!(line(&row), format!("{begin}{rest}{more}"));
    }

    #[test]
    fn a_client_stands_beside_what_is_no_client() {
        let missing = Row { note: Some("not installed"), figures: [None; 8], ..row("hiredis", 0.0) };
        let table = tables(&[row("raw", 2000.0), row("fred", 500.0), missing]);
        assert!(
            table.contains("| get-64 | fred | 500 | 0.25 | 2 | 1.00 | 3 | 4 | 5 | - | 0 | 4,096 |"),
            "{table}"
        );
        assert!(table.contains("| get-64 | hiredis | not installed | - |"), "{table}");
        assert_eq!(table.matches("### ").count(), 1, "{table}");
    }
}
