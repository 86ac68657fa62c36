//! Software that nobody here wrote, at the running desk: Linphone, sipsak, Kamailio, SIPp with the flows
//! of RFC 3665 and as carriers, and a small router that rewrites addresses. Names say what a person notices.
#![allow(clippy::pedantic, clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;

mod attended;
mod baresip;
mod carrier;
mod carriers;
mod chromium;
mod encrypted;
mod flood;
mod flows;
mod jssip;
mod kamailio;
mod linphone;
mod listening;
mod nat;
mod outside;
mod recording;
mod secured;
mod servers;
mod sipsak;
mod talk;
mod transfers;
