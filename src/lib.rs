//! Madoguchi: a desk PBX and ACD. The modules in order of dependency are the table of contents;
//! docs/ARCHITECTURE.md says what each may see.

pub mod base;
pub mod sdp;
pub mod rtp;
pub mod sip;
pub mod dialplan;
pub mod event;
pub mod pbx;
pub mod view;
pub mod engine;
pub mod simulate;
pub mod config;
pub mod io;
pub mod cli;
pub mod demo;
pub mod daemon;
