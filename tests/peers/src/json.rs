//! One JSON object a line.

use std::fmt::Write;

use crate::case::Case;
use crate::measure::Cost;

/// What a case cost, for one unit. What was not measured is null.
pub(crate) fn line(case: &Case, cost: &Cost) -> String {
    let mut line = String::from("{");
    for (name, text) in [("workload", case.workload), ("impl", case.by), ("kind", &case.kind.to_string())] {
        let _ = write!(line, "\"{name}\":{},", string(text));
    }
    let figures = [
        ("ns", cost.ns),
        ("instructions", cost.instructions),
        ("allocs", cost.allocs),
        ("bytes_copied", Some(case.copied)),
    ];
    for (name, figure) in figures {
        let _ = write!(line, "\"{name}\":{},", figure.map_or("null".into(), number));
    }
    if let Some(note) = &case.note {
        let _ = write!(line, "\"note\":{},", string(note));
    }
    line.pop();
    line + "}"
}

/// As many digits as the figure is worth.
pub(crate) fn number(figure: f64) -> String {
    let text = format!("{figure:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A text in quotes.
pub(crate) fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Kind;

    #[test]
    fn a_line_is_one_object() {
        let case = Case { workload: "ok", ..Case::missing("a \"peer\"\\\n", Kind::Frame, 0.25, "not\there") };
        let cost = Cost { ns: Some(1234.5), instructions: None, allocs: Some(0.0) };
        assert_eq!(
            line(&case, &cost),
            r#"{"workload":"ok","impl":"a \"peer\"\\\u000a","kind":"frame","ns":1234.5,"instructions":null,"#
                .to_owned()
                + r#""allocs":0,"bytes_copied":0.25,"note":"not\u0009here"}"#
        );
    }
}
