//! Madoguchi: a desk PBX and ACD. The modules in order of dependency are the table of contents;
//! docs/ARCHITECTURE.md says what each may see.

pub mod base;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod demo;
pub mod dialplan;
pub mod dtls;
pub mod engine;
pub mod event;
pub mod feed;
pub mod ice;
pub mod io;
pub mod notice;
pub mod pbx;
pub mod people;
pub mod recording;
pub mod rehearse;
pub mod report;
pub mod rtp;
pub mod sdp;
pub mod simulate;
pub mod sip;
pub mod srtp;
pub mod tickets;
pub mod trace;
pub mod view;
