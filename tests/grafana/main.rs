//! Metrics, dashboards and alerts: against the page that the program makes, Prometheus's own tools, and a real
//! Prometheus that watches a desk with real callers. Grafana itself is not run: its dashboards are held to rules
//! (`lint`) and every expression in them is asked of that Prometheus (`living`).
#![allow(clippy::pedantic, clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;

mod document;
mod expr;
mod lint;
mod living;
mod page;
mod prometheus;
mod rules;
mod runbook;
