//! What is written into docs/ and web/ is what the program says.

use std::path::{Path, PathBuf};

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The file must hold the text, or is written.
#[track_caller]
pub fn holds(file: PathBuf, text: &str) {
    if std::env::var_os("MADOGUCHI_WRITE_DOCS").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == text,
        "{} is not up to date: MADOGUCHI_WRITE_DOCS=1 cargo test --test api",
        file.display()
    );
}

#[test]
fn the_description_in_docs_is_what_the_program_says() {
    let document = madoguchi::io::http::openapi();
    let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
    holds(root().join("docs/openapi.json"), &text);
}
