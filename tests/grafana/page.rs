//! A metrics page as Prometheus reads it.

use std::collections::{BTreeMap, BTreeSet};

/// One metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Family {
    pub kind: String,
    pub help: String,
    /// Labels with the values seen; a histogram's `le` is none of them.
    pub labels: BTreeMap<String, BTreeSet<String>>,
    /// Label names and values of each sample, with its value.
    pub samples: Vec<(BTreeMap<String, String>, f64)>,
}

/// All of a page, by name.
pub fn families(page: &str) -> BTreeMap<String, Family> {
    let mut found: BTreeMap<String, Family> = BTreeMap::new();
    let mut name = String::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (of, help) = rest.split_once(' ').expect("a name and a help");
            found.entry(of.to_owned()).or_default().help = help.to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (of, kind) = rest.split_once(' ').expect("a name and a type");
            found.entry(of.to_owned()).or_default().kind = kind.to_owned();
            name = of.to_owned();
        } else if !line.is_empty() {
            let (series, value) = line.rsplit_once(' ').expect("a series and a value");
            assert!(series.starts_with(&name), "{line} stands below {name}");
            let family = found.get_mut(&name).expect("its type stands before");
            let labels = labels(series);
            for (label, value) in labels.iter().filter(|(label, _)| *label != "le") {
                family.labels.entry(label.clone()).or_default().insert(value.clone());
            }
            family.samples.push((labels, value.parse().expect("a number")));
        }
    }
    found
}

fn labels(series: &str) -> BTreeMap<String, String> {
    let inner = series.split_once('{').and_then(|(_, rest)| rest.strip_suffix('}'));
    let Some(mut rest) = inner else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    while let Some((label, behind)) = rest.split_once("=\"") {
        let (value, behind) = behind.split_once('"').expect("a closed value");
        found.insert(label.trim_start_matches(',').to_owned(), value.to_owned());
        rest = behind;
    }
    found
}

#[test]
fn a_page_is_read_as_it_stands() {
    let page = "# HELP a_total A, and more.\n# TYPE a_total counter\na_total{x=\"1, 2\",y=\"\"} 3\na_total{x=\"4\",y=\"\"} 5\n\
                # HELP b B.\n# TYPE b histogram\nb_bucket{le=\"+Inf\"} 0\nb_sum 0\nb_count 0\n";
    let found = families(page);
    let a = &found["a_total"];
    assert_eq!((a.kind.as_str(), a.help.as_str()), ("counter", "A, and more."));
    assert_eq!(a.labels["x"], ["1, 2", "4"].map(str::to_owned).into());
    assert_eq!(a.samples.iter().map(|(_, value)| *value).sum::<f64>(), 8.0);
    assert!(found["b"].labels.is_empty(), "{found:?}");
}
