//! The instrument itself: a browser that finds fault with nothing proves nothing.

use crate::browser::{Browser, Look};
use crate::support::desk::Desk;
use crate::support::s;
use serde_json::json;

#[test]
fn a_browser_logs_in_and_tells_what_is_wrong_with_a_page() {
    let desk = Desk::start("desk.toml");
    let browser = Browser::start();
    let stranger = browser.open(&desk, &Look { known: false, ..Look::default() });
    assert_eq!(stranger.evaluate("document.querySelectorAll('#token').length"), json!(1));
    let page = browser.open(&desk, &Look { language: "en", theme: "dark", ..Look::default() });
    page.wait("document.querySelector('h1').textContent === '試験の窓口'", s(5));
    let told =
        page.evaluate("[document.documentElement.lang, document.documentElement.dataset.theme]");
    assert_eq!(told, json!(["en", "dark"]));
    page.has_no_complaints("as it is");
    // What the rules against strangers' scripts keep out is heard of.
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.ran = 1' }))");
    assert_eq!(page.evaluate("window.ran ?? null"), json!(null));
    let complaints = page.complaints();
    assert!(complaints.iter().any(|it| it.contains("Content Security Policy")), "{complaints:?}");
    // Faint letters, and what is too wide, are found.
    page.evaluate(
        "const faint = document.querySelector('h1'); faint.style.color = '#101820'; \
         const wide = document.querySelector('.tile'); wide.style.width = '100px'; wide.append('W'.repeat(100))",
    );
    let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| page.is_open_to_all("")));
    assert!(found.is_err(), "faint letters");
    let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        page.nothing_overflows(".tile", "")
    }));
    assert!(found.is_err(), "what is too wide");
    page.picture("rig");
    page.close();
}
