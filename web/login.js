// The theme of the login page: what is asked for or was chosen on the other pages, or else what the machine likes.
// Before anything is drawn, so that nothing flashes.
"use strict";

const asked = new URLSearchParams(location.search);
const kept = (name) => { try { return localStorage.getItem(name); } catch { return null; } };

document.documentElement.dataset.theme = asked.get("theme") || kept("theme")
  || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
