//! Madoguchi: a desk PBX and ACD. The modules in order of dependency are the table of contents;
//! docs/ARCHITECTURE.md says what each may see.

pub mod base;
