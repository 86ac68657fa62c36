//! Expressions of PromQL read as far as the rules for them need: which metrics they select, with which matchers
//! and range, inside which function. Whether an expression is one at all says Prometheus itself (`living`).

use std::collections::BTreeMap;

/// One selector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    pub metric: String,
    /// Label → operator and value.
    pub matchers: BTreeMap<String, (String, String)>,
    pub range: Option<String>,
    /// The function whose argument it is directly.
    pub function: Option<String>,
}

/// A word that is no metric even without a parenthesis behind it.
const WORDS: &[&str] = &["and", "or", "unless", "bool", "offset"];
/// Words before a list of labels.
const LISTS: &[&str] = &["by", "without", "on", "ignoring", "group_left", "group_right"];

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

/// The part up to the closing mark, strings passed over, and what is behind it.
fn closed(text: &str, open: char, close: char) -> (&str, &str) {
    let (mut depth, mut quoted) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            c if c == open => depth += 1,
            c if c == close && depth == 1 => return (&text[1..at], &text[at + 1..]),
            c if c == close => depth -= 1,
            _ => {}
        }
    }
    panic!("{text} is not closed");
}

/// All selectors, in order. No string of ours has an escaped quotation mark in it.
pub fn selectors(expr: &str) -> Vec<Selector> {
    assert!(!expr.contains('\\') && !expr.contains('\''), "{expr}: not read here");
    let mut found = Vec::new();
    let mut rest = expr;
    // The words before the parentheses that are open.
    let mut open: Vec<Option<String>> = Vec::new();
    // Whether the parenthesis stands directly before.
    let mut directly = false;
    while let Some(c) = rest.chars().next() {
        if c == '"' {
            rest = rest[1..].split_once('"').expect("a closed string").1;
        } else if is_word(c) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            let next = behind.trim_start();
            rest = behind;
            if LISTS.contains(&word) {
                rest = closed(next, '(', ')').1;
            } else if let Some(inside) = next.strip_prefix('(') {
                open.push((!WORDS.contains(&word)).then(|| word.to_owned()));
                rest = inside;
                directly = true;
                continue;
            } else if next.starts_with("by ") || next.starts_with("without ") {
                // An aggregation; its argument follows the list.
            } else if !c.is_ascii_digit() && !WORDS.contains(&word) {
                let function = open.last().cloned().flatten().filter(|_| directly);
                let mut selector =
                    Selector { metric: word.to_owned(), function, ..Selector::default() };
                if next.starts_with('{') {
                    let (inner, behind) = closed(next, '{', '}');
                    selector.matchers = matchers(inner);
                    rest = behind;
                }
                if rest.starts_with('[') {
                    let (range, behind) = closed(rest, '[', ']');
                    selector.range = Some(range.to_owned());
                    rest = behind;
                }
                found.push(selector);
            }
        } else {
            match c {
                '(' => open.push(None),
                ')' => drop(open.pop()),
                _ => {}
            }
            directly = c == '(' || directly && c.is_whitespace();
            rest = &rest[c.len_utf8()..];
            continue;
        }
        directly = false;
    }
    found
}

fn matchers(inner: &str) -> BTreeMap<String, (String, String)> {
    let mut found = BTreeMap::new();
    let mut rest = inner;
    while let Some((before, behind)) = rest.split_once('"') {
        let (value, behind) = behind.split_once('"').expect("a closed value");
        let before = before.trim_start_matches([',', ' ']);
        let at = before.find(|c| !is_word(c)).expect("an operator");
        let (label, operator) = before.split_at(at);
        found.insert(label.to_owned(), (operator.trim().to_owned(), value.to_owned()));
        rest = behind;
    }
    found
}

/// An alert's expression that is never empty while its metrics are there: comparisons tell 0 or 1, and what is
/// absent is asked for itself.
pub fn always_there(expr: &str) -> String {
    if let Some(inner) = expr.strip_prefix("absent(").and_then(|rest| rest.strip_suffix(')')) {
        return inner.to_owned();
    }
    let mut out = expr.to_owned();
    for operator in [" == ", " != ", " >= ", " <= ", " > ", " < "] {
        out = out.replace(operator, &format!("{operator}bool "));
    }
    out.replace("bool bool ", "bool ")
}

#[test]
fn selectors_are_found_with_their_range_and_function() {
    let read = |expr: &str| -> Vec<String> {
        let one = |it: Selector| {
            let matchers: Vec<String> = it
                .matchers
                .iter()
                .map(|(label, (op, value))| format!("{label}{op}{value}"))
                .collect();
            format!(
                "{} {} {} {}",
                it.metric,
                matchers.join(","),
                it.range.unwrap_or_default(),
                it.function.unwrap_or_default()
            )
        };
        selectors(expr).into_iter().map(one).collect()
    };
    let table: &[(&str, &[&str])] = &[
        ("a", &["a   "]),
        ("a{b=\"c\"} > 5", &["a b=c  "]),
        (
            "rate(a_total{b=~\"c|d\",e!=\"f\"}[$__rate_interval])",
            &["a_total b=~c|d,e!=f $__rate_interval rate"],
        ),
        ("sum by (outcome, x) (increase(a_total[5m])) / b", &["a_total  5m increase", "b   "]),
        ("(a) or on (x) group_left (y) b", &["a   ", "b   "]),
        ("histogram_quantile(0.1, sum by (le) (rate(a_bucket[1m])))", &["a_bucket  1m rate"]),
        (
            "label_replace(a >= b, \"rate\", \"abandon\", \"\", \"\")",
            &["a   label_replace", "b   "],
        ),
        ("time() - a_seconds * 1000", &["a_seconds   "]),
        ("rate(a[1m] offset 5m) and not_b", &["a  1m rate", "not_b   "]),
        ("a{b=\"(}\"} unless c", &["a b=(}  ", "c   "]),
        ("x:y:rate5m == bool 1", &["x:y:rate5m   "]),
    ];
    for (expr, due) in table {
        assert_eq!(read(expr), *due, "{expr}");
    }
    assert_eq!(always_there("absent(up{job=\"x\"})"), "up{job=\"x\"}");
    assert_eq!(always_there("a == 0 or b > 5"), "a == bool 0 or b > bool 5");
}
