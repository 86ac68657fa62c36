//! The API's description: that docs/openapi.json is what the program says, that what a living desk answers is what
//! is described, and that a tool that knows nothing but the description finds no fault with it.
//!
//! `MADOGUCHI_WRITE_DOCS=1 cargo test --test api` writes docs/openapi.json and web/types.d.ts.
#![allow(clippy::pedantic, clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;

mod described;
mod fuzzed;
mod living;
mod traces;
mod typed;
mod types;
