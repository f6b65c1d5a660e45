//! What clients keep: rows whose figures are not those of an operation.

use crate::json::{number, string};
use crate::table::{markdown, short};

/// One client at one of these works.
pub(crate) struct Kept {
    pub(crate) workload: &'static str,
    /// What stands above the table.
    pub(crate) title: &'static str,
    pub(crate) client: &'static str,
    /// What they are called in JSON and in the table, and what they are.
    pub(crate) figures: Vec<(&'static str, &'static str, f64)>,
}

impl Kept {
    /// One JSON object.
    pub(crate) fn line(&self) -> String {
        let names = [("client", string(self.client)), ("workload", string(self.workload))];
        let figures = self.figures.iter().map(|&(name, _, figure)| (name, number(figure)));
        let fields: Vec<_> =
            names.into_iter().chain(figures).map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", fields.join(","))
    }
}

/// A table for each work.
pub(crate) fn tables(rows: &[Kept]) -> String {
    let mut out = String::new();
    for rows in rows.chunk_by(|one, next| one.workload == next.workload) {
        let head = ["workload", "client"].into_iter().chain(rows[0].figures.iter().map(|figure| figure.1));
        let head: Vec<_> = head.map(str::to_owned).collect();
        let cells = rows.iter().map(|row| {
            let figures = row.figures.iter().map(|figure| short(figure.2));
            [row.workload.to_owned(), row.client.to_owned()].into_iter().chain(figures).collect()
        });
        out += &format!("### {}\n\n{}", rows[0].title, markdown(&head, cells));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_an_object_and_a_line_of_a_table() {
        let figures = vec![("cpu_ms", "CPU ms", 0.5)];
        let row = Kept { workload: "idle-1000", title: "Idle", client: "respire", figures };
        assert_eq!(row.line(), r#"{"client":"respire","workload":"idle-1000","cpu_ms":0.5}"#);
        let table =
            "### Idle\n\n| workload | client | CPU ms |\n|---|--:|--:|\n| idle-1000 | respire | 0.50 |\n\n";
        assert_eq!(tables(&[row]), table);
    }
}
