//! One contract that every ticket system keeps, on systems of ours that answer as the real ones do, with all
//! that can go wrong on the way; and on real ones where the environment names them (`redmine.rs`, `rt.rs`).
#![allow(clippy::pedantic, clippy::disallowed_methods)]
// What fails is told by the system's name alone.
#![allow(clippy::expect_fun_call)]

mod apart;
mod changes;
mod contract;
mod faults;
mod folder;
mod redmine;
mod rt;
mod schema;
mod serve;
mod system;
mod webhook;
mod zammad;

use madoguchi::feed::Value;
use system::System;

/// Values that a field is configured for, by their names; the caller's name is not among them.
const CONFIGURED: [(&str, Value); 5] = [
    ("call", Value::Call),
    ("caller", Value::Caller),
    ("arrived_at", Value::ArrivedAt),
    ("outcome", Value::Outcome),
    ("wait_s", Value::WaitS),
];

/// Every system, each made anew but the real ones.
fn all() -> Vec<Box<dyn System>> {
    let mut all: Vec<Box<dyn System>> = vec![
        Box::new(redmine::Redmine::own()),
        Box::new(rt::Rt::own()),
        Box::new(zammad::Zammad::own()),
        Box::new(webhook::Webhook::own()),
        Box::new(folder::Folder::own(false)),
        Box::new(folder::Folder::own(true)),
    ];
    if let Some(real) = redmine::Redmine::real() {
        all.push(Box::new(real));
    }
    if let Some(real) = rt::Rt::real() {
        all.push(Box::new(real));
    }
    all
}
