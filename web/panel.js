// The agent's panel: shows what its event stream says, orders what is clicked or keyed, and keeps what is typed. How
// it looks is in view.js.
import { html, nothing, render } from "/lib/lit-html.js";
import * as tickets from "./tickets.js";
import * as view from "./view.js";
import { WORDS, refusal } from "./words.js";

const STALE_MS = 6000; // Three signs of life missed.
const PATIENCE_MS = 10000; // For an answer to an order.
const NOTE_MOST = 1000;
const DONE_MS = 6000;
const LINE_MS = 30000; // Between two questions which line there is, for who has none to be shown.
const PARTS = ["me", "call", "notes", "drafts", "slots", "colleagues", "queue", "earlier", "messages", "callbacks", "unanswered", "lines"];
const TOGETHER_MS = 250; // Letters so close are words of who believes to be in a field: nothing is done.

const asked = new URLSearchParams(location.search);
const kept = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
const keep = (name, value) => { try { localStorage.setItem(name, value); } catch { /* not kept, then */ } };
const $ = (id) => document.getElementById(id);
const say = (id, text) => { if ($(id).textContent !== text) $(id).textContent = text; };

let language = asked.get("lang") || kept("lang") || (navigator.language.startsWith("ja") ? "ja" : "en");
if (!WORDS[language]) language = "ja";
let theme = asked.get("theme") || kept("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

let extension = null;
let panelAt = 0; // By this page's clock.
let heardAt = 0; // The last sign of life.
/** @type {import("./types").Health | null} */
let health = null;
const NOTHING = () => "";
let outside = NOTHING; // What keeps the stream from us, in words.
let moved = NOTHING; // Which line it is now, in words, until something is ordered there.
let lineAsked = -Infinity; // When it was asked last which line there is.
let toWhat = null; // transfer or consult, while a number is asked for.
let rung = null; // The call whose ringing was announced.
let inPlayer = null; // The message that was played last.

// What the templates see.
const it = {
  /** @type {import("./types").Panel | null} */
  panel: null, t: WORDS[language], sound: kept("panel-sound") === "on", choosing: null,
  keyOf: (name) => ACTIONS[name]?.key ?? "",
  // What is about the page itself needs no panel.
  can: (name, of) => !ACTIONS[name].can || (it.panel !== null && ACTIONS[name].can(of)),
  act, pass, write, logout, error, done, draw: () => { if (it.panel) draw(); }, now: () => Math.round(serverNow()),
  refusal: (status, text) => refusal(language, status, text), patience: PATIENCE_MS, account: null, drafts: otherDrafts, noteIsOther,
  parked: () => it.panel.slots.filter((row) => row.parked),
  keyedToPlay: (row) => row === messageToPlay(), keyedToMark: (row) => row === played(),
  tapeRuns: () => it.panel.call?.recordings.at(-1)?.state !== "paused",
  time: (ms) => inZone(ms, { hour: "2-digit", minute: "2-digit", hour12: false }),
  day: (ms) => inZone(ms, { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false }),
  table: keyTable,
};
const inZone = (ms, options) => new Intl.DateTimeFormat(language === "ja" ? "ja-JP" : "en-GB", { timeZone: it.panel.timezone, ...options }).format(ms);
const serverNow = () => it.panel.now_ms + performance.now() - panelAt;

// ---- what can be done

const talking = () => it.panel.call?.role === "talking";
const agent = () => it.panel.agent;
const mine = (what) => `/api/v1/agents/${encodeURIComponent(extension)}/${what}`;
const ofCall = (what) => `/api/v1/calls/${it.panel.call.call}/${what}`;
const ofMessage = (row, what) => `/api/v1/messages/${row.call}/${row.number}/${what}`;

// Each with its key, when it can be done, and how; `label` is for the list of keys.
const ACTIONS = {
  sign_in: { key: "i", can: () => !agent().signed_in, run: () => send("me", "sign_in", mine("sign-in")) },
  sign_out: { key: "o", can: () => agent().signed_in, run: () => send("me", "sign_out", mine("sign-out")) },
  pause: { key: "p", can: () => agent().signed_in && agent().paused === null, run: askReason },
  pause_for: { can: () => it.can("pause"), run: (reason) => { choose(null); return send("me", "pause", mine("pause"), { reason }); } },
  unpause: { key: "u", can: () => agent().paused !== null, run: () => send("me", "unpause", mine("unpause")) },
  wrap_up_longer: { key: "w", can: () => agent().wrap_up_until_ms !== null, run: () => send("me", "wrap_up_longer", mine("wrap-up-longer")) },
  wrap_up_end: { key: "e", can: () => agent().wrap_up_until_ms !== null, run: () => send("me", "wrap_up_end", mine("wrap-up-end")) },
  park: { key: "k", can: () => talking() && !it.panel.call.asks && it.panel.slots.length > 0, run: (slot) => send(slot ? "slots" : "call", "park", ofCall("park"), slot ? { slot } : null) },
  transfer: { key: "t", can: () => talking() && !it.panel.call.asks, run: () => askNumber("transfer") },
  consult: { key: "c", can: () => talking() && !it.panel.call.asks, run: () => askNumber("consult") },
  swap: { key: "s", can: () => talking() && it.panel.call.asks !== null, run: () => send("call", "swap", ofCall("talk/swap")) },
  join: { key: "j", can: () => talking() && it.panel.call.asks?.answered === true, run: () => send("call", "join", ofCall("talk/join")) },
  back: { key: "b", can: () => talking() && it.panel.call.asks !== null, run: () => send("call", "back", ofCall("talk/back")) },
  tape: { key: "x", can: () => talking() && ["running", "paused"].includes(it.panel.call.recordings.at(-1)?.state), run: () => send("call", it.tapeRuns() ? "tape_pause" : "tape_resume", ofCall(`recording/${it.tapeRuns() ? "pause" : "resume"}`)) },
  retrieve: { key: "r", can: () => it.parked().length > 0 && agent().state !== "talking", run: retrieve },
  note: { key: "n", can: () => noteFor !== null, run: () => $("note").focus() },
  play: { key: "m", can: () => messageToPlay() !== undefined, run: play },
  heard: { key: "h", can: (row) => row !== undefined || played() !== undefined, run: (row) => send("messages", "heard", ofMessage(row ?? played(), "heard")) },
  sound: { key: "a", run: () => { it.sound = !it.sound; keep("panel-sound", it.sound ? "on" : "off"); if (it.sound) beep(); draw(); } },
  language: { key: "l", run: () => { language = language === "ja" ? "en" : "ja"; keep("lang", language); translate(); } },
  theme: { key: "d", run: () => { theme = theme === "dark" ? "light" : "dark"; keep("theme", theme); translate(); } },
  help: { key: "?", run: () => ($("help").open ? $("help").close() : $("help").showModal()) },
};

const label = (name) => ({ tape: it.t[it.panel && !it.tapeRuns() ? "tape_resume" : "tape_pause"], sound: it.t.sound(it.sound), help: it.t.keys,
  wrap_up_longer: it.t.wrap_up_longer(Math.round((it.panel?.wrap_up_more_ms ?? 60000) / 1000)) }[name] ?? it.t[name]);

function keyTable() {
  const words = it.t.help_keys;
  const rows = Object.entries(ACTIONS).filter(([, action]) => action.key).map(([name, action]) => [action.key.toUpperCase(), label(name)]);
  return [...rows, ["1–9", words.digits], ["Ctrl+Enter", words.save], ["Esc", words.escape]];
}

function act(name, of) {
  if (!it.can(name, of)) { done(it.t.cannot(label(name))); return; }
  Promise.resolve(ACTIONS[name].run(of)).then(draw);
}

function choose(what) { it.choosing = what; draw(); }

function askReason() {
  if (it.panel.pause_reasons.length > 0) { choose("pause"); return; }
  $("reason-form").hidden = false;
  $("reason").focus();
}

// What stands against it is told where it was ordered; of a key, in the call's tile, which is in sight, if it is that call.
function retrieve(of) {
  const rows = it.parked();
  if (!of && rows.length > 1) { choose("retrieve"); return null; }
  choose(null);
  const slot = of?.slot ?? rows[0].slot;
  const area = of?.area ?? (it.panel.call?.parked?.slot === slot ? "call" : "slots");
  return send(area, "retrieve", `/api/v1/parked/${encodeURIComponent(slot)}/fetch`, { agent: extension });
}

function askNumber(what) {
  toWhat = what;
  $("to-form").hidden = false;
  drawTo();
  $("to").focus();
}

function drawTo() {
  if (!toWhat) return;
  say("to-label", it.t[toWhat === "transfer" ? "to_transfer" : "to_consult"]);
  say("to-go", it.t[toWhat]);
}

function pass(what, to, area) { return send(area, what, ofCall(`talk/${what}`), { to }); }

// The message that is in the player, while it is listed: keys mean that one, whatever came meanwhile.
const played = () => it.panel.messages.rows.find((row) => row.call === inPlayer?.call && row.number === inPlayer.number);
const messageToPlay = () => played() ?? it.panel.messages.rows.find((row) => row.kept);

function play(row) {
  const message = row ?? messageToPlay();
  if (!message) return;
  inPlayer = message;
  const player = $("player");
  const source = `/api/v1/calls/${message.call}/recordings/${message.number}`;
  error("messages", "");
  if (player.getAttribute("src") !== source) player.src = source;
  else if (!player.paused) { player.pause(); return; }
  player.hidden = false;
  player.setAttribute("aria-label", it.t.playing(view.callerOf(it, message.caller)));
  player.play().catch(() => { /* its `error` says so */ });
}

// ---- orders

const under = new Set(); // Orders that are under way: a key held down orders once.

// Gives an order; what stands against it is told beside `area`. Whether it was obeyed.
async function send(area, name, path, body = null) {
  if (under.has(path)) return false;
  under.add(path);
  moved = NOTHING;
  error(area, "");
  say("done", "");
  try {
    const answer = await fetch(path, {
      method: "POST", headers: { "X-Madoguchi": "1", ...(body ? { "Content-Type": "application/json" } : {}) },
      body: body ? JSON.stringify(body) : undefined, signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (answer.ok) { done(it.t.done(label(name))); return true; }
    const said = await answer.json().catch(() => ({}));
    error(area, refusal(language, answer.status, said.error ?? answer.statusText, body?.to));
  } catch {
    error(area, it.t.unreached);
  } finally {
    under.delete(path);
  }
  return false;
}

function error(area, text) {
  say(`${area}-error`, text);
  $(`${area}-error`).hidden = text === "";
}

let doneTimer = 0;
function done(text) {
  say("done", text);
  clearTimeout(doneTimer);
  doneTimer = setTimeout(() => say("done", ""), DONE_MS);
}

// ---- notes: what is typed belongs to one call, whatever the panel shows meanwhile

const drafts = new Map(); // By call: whose call it is, and the words not saved yet.
let noteFor = null; // The call that the field is about.

// The whole of it in the tab, so that a page that is loaded again has it still.
function keepDrafts() {
  try { sessionStorage.setItem(`drafts ${it.account?.user ?? ""}`, JSON.stringify([...drafts].filter(([, draft]) => draft.text !== ""))); } catch { /* not kept, then */ }
}
function readDrafts() {
  try { for (const [id, draft] of JSON.parse(sessionStorage.getItem(`drafts ${it.account?.user ?? ""}`) ?? "[]")) drafts.set(id, draft); } catch { /* nothing was kept */ }
}

function noteIsOther() { return noteFor !== null && it.panel.call !== null && it.panel.call.call !== noteFor; }
function otherDrafts() { return [...drafts].filter(([id, draft]) => id !== noteFor && draft.text !== ""); }

function write(id) {
  noteFor = id;
  $("note").value = drafts.get(id)?.text ?? "";
  draw();
}

// The field follows the call shown, but never away from words that are not saved or from who is in it.
function followCall() {
  const call = it.panel.call;
  const busy = document.activeElement === $("note") || $("note").value !== "";
  if (call && noteFor !== call.call && !(noteFor && busy)) {
    noteFor = call.call;
    $("note").value = drafts.get(noteFor)?.text ?? "";
  }
  if (call && noteFor === call.call) {
    const who = view.callerOf(it, call.caller);
    if (drafts.get(noteFor)?.who !== who) drafts.set(noteFor, { text: $("note").value, ...drafts.get(noteFor), who });
  }
}

function drawNote() {
  const who = drafts.get(noteFor)?.who;
  say("note-label", who ? it.t.note_label(who) : it.t.note_nobody);
  $("note").disabled = noteFor === null;
  $("note-save").disabled = noteFor === null;
  render(html`${it.t.save}<kbd aria-hidden="true">Ctrl+Enter</kbd>`, $("note-save"));
  const left = NOTE_MOST - [...$("note").value].length;
  say("note-count", left < 100 ? it.t.left(left) : "");
  $("note").placeholder = noteFor === null ? "" : `${it.t.note} (N)`;
}

function typed() {
  if (noteFor === null) return;
  drafts.set(noteFor, { who: "–", ...drafts.get(noteFor), text: $("note").value });
  keepDrafts();
  drawNote();
}

async function saveNote() {
  const [id, text] = [noteFor, $("note").value];
  if (id === null || text.trim() === "") return;
  const saved = await send("note", "note", `/api/v1/calls/${id}/notes`, { agent: extension, text });
  if (!saved) return; // The words stay where they are.
  done(it.t.saved);
  if (drafts.get(id)?.text === text) drafts.set(id, { ...drafts.get(id), text: "" });
  if (noteFor === id && $("note").value === text) $("note").value = "";
  keepDrafts();
  draw();
}

// ---- what is shown

function translate() {
  it.t = WORDS[language];
  document.documentElement.lang = language;
  document.documentElement.dataset.theme = theme;
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = it.t[node.dataset.t];
  render(view.nav(it), $("nav"));
  render(view.help(it), $("help-keys"));
  draw();
  watchLink();
}

function draw() {
  render(view.nav(it), $("nav"));
  if (!it.panel) return;
  const panel = it.panel;
  $("board").hidden = false;
  $("who").hidden = true;
  $("demonstration").hidden = !panel.demonstration;
  say("desk", panel.desk);
  followCall();
  tickets.follow(it);
  if (it.choosing === "retrieve" && it.parked().length === 0) it.choosing = null;
  if (!talking()) { toWhat = null; $("to-form").hidden = true; }
  if (panel.agent.paused !== null) $("reason-form").hidden = true;
  say("call-h", view.callHeading(it));
  say("queue-h", it.t.queue(panel.queue.count));
  say("messages-h", it.t.messages(panel.messages.count));
  say("callbacks-h", it.t.callbacks(panel.callbacks.count));
  $("call-tile").className = `tile ${panel.call?.role ?? ""}`;
  for (const part of PARTS) render(view[part](it), $(part));
  tickets.draw(it);
  render(view.colleagueList(it), $("colleague-list"));
  render(view.help(it), $("help-keys"));
  drawTo();
  drawNote();
  announce();
  tick();
}

// Who rings is said once, shown in the title, and heard if that is wanted.
function announce() {
  const call = it.panel.call;
  const rings = call?.role === "ringing" ? call : null;
  if (rings && rung !== rings.call) {
    say("announce", it.t.rings(view.callerOf(it, rings.caller)));
    if (it.sound) beep();
  }
  if (!rings && rung) say("announce", "");
  rung = rings?.call ?? null;
  const waiting = it.panel.queue.count;
  document.title = rings ? it.t.rings_title(view.callerOf(it, rings.caller)) : `${waiting > 0 ? `(${waiting}) ` : ""}${it.panel.desk} – ${agent().name}`;
}

let audio = null;
function beep() {
  try {
    audio ??= new AudioContext();
    audio.resume();
    const [tone, volume] = [audio.createOscillator(), audio.createGain()];
    tone.frequency.value = 660;
    volume.gain.value = 0.15;
    tone.connect(volume).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.4);
  } catch { /* without a sound, then */ }
}

function tick() {
  if (!it.panel) return;
  const now = serverNow();
  for (const node of document.querySelectorAll(".clock")) {
    const { since, until } = node.dataset;
    const text = view.clock(since ? now - Number(since) : Number(until) - now);
    if (node.textContent !== text) node.textContent = text;
  }
}

function watchLink() {
  const silent = heardAt > 0 && performance.now() - heardAt > STALE_MS;
  const link = heardAt === 0 ? "connecting" : silent ? "stale" : "live";
  document.body.className = link;
  say("link-text", it.t[link]);
  const alarm = outside() || (silent && it.panel ? it.t.stale_since(it.time(it.panel.now_ms + (heardAt - panelAt)))
    : health && health.status !== "ok" ? it.t.failing : moved());
  $("alarm").hidden = alarm === "";
  say("alarm", alarm);
  if (!silent) tick();
}

// ---- the stream

let source = null;
function listen() {
  if (source) source.close();
  const path = `/api/v1/panel/${encodeURIComponent(extension)}`;
  source = new EventSource(`${path}/events`);
  // Once more: perhaps because somebody else has logged in.
  source.onopen = () => { if (heardAt > 0) followAccount(); };
  const heard = () => { heardAt = performance.now(); outside = NOTHING; watchLink(); };
  source.addEventListener("panel", (event) => {
    it.panel = JSON.parse(event.data);
    panelAt = performance.now();
    draw();
    heard();
  });
  source.addEventListener("beat", (event) => { health = JSON.parse(event.data); heard(); });
  source.onerror = async () => {
    if (source.readyState !== EventSource.CLOSED) return; // It tries again by itself.
    let refused = false;
    try {
      const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      // Never away from this page: something may be typed.
      outside = answer.status === 401 ? () => it.t.logged_out : answer.status === 404 ? () => it.t.no_agent(extension) : NOTHING;
      refused = answer.status === 403;
      if (answer.status === 404 && !it.panel) $("who").hidden = false;
      watchLink();
    } catch { /* The daemon is away: try again below. */ }
    if (refused) leaveLine(); else setTimeout(listen, 2000);
  };
}

// The line is another's now, or the role is gone: nothing of it stays, but what is typed.
function leaveLine() {
  const left = extension;
  source.close();
  outside = () => it.t.not_yours(left);
  it.panel = null;
  it.choosing = null;
  clearTimeout(pressed);
  closeForms();
  if ($("note").value === "") noteFor = null;
  tickets.leave();
  inPlayer = null;
  $("player").removeAttribute("src");
  $("player").load(); // Nothing, from now on.
  $("player").hidden = true;
  for (const part of [...PARTS, "colleague-list", "who-calls"]) render(nothing, $(part));
  for (const node of document.querySelectorAll("#board .error")) node.hidden = true;
  $("board").hidden = true;
  rung = null;
  say("announce", "");
  document.title = $("desk").textContent;
  draw();
  watchLink();
  findLine();
}

// Listens at the line that the account has now, once there is one. Who has none is not refused over and over: it is
// asked seldom.
async function findLine() {
  const early = lineAsked + LINE_MS - performance.now();
  if (early > 0) { setTimeout(findLine, early); return; }
  lineAsked = performance.now();
  const { me, nobody } = await askAccount();
  if (nobody) outside = () => it.t.logged_out;
  if (me) {
    if (!takeAccount(me)) return;
    const left = extension;
    outside = () => it.t.not_yours(left);
    const line = !["agent", "supervisor", "admin"].includes(me.role) ? null : me.extension ?? (me.role === "agent" ? null : asked.get("extension"));
    if (line) {
      if (line !== left) moved = () => it.t.line_is(left, line);
      extension = line;
      listen();
      return;
    }
  }
  watchLink();
  findLine();
}

// Who is logged in: null while the daemon is away or refuses, and whether it says that nobody is.
/** @returns {Promise<{ me: import("./types").Me | null, nobody: boolean }>} */
async function askAccount() {
  try {
    const answer = await fetch("/api/v1/me", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    return { me: answer.ok ? await answer.json() : null, nobody: answer.status === 401 };
  } catch { return { me: null, nobody: false }; }
}

// Where somebody else has logged in in this browser, the page begins anew. What was typed stays in the tab, for who
// typed it.
function takeAccount(me) {
  if (it.account !== null && me.user !== it.account.user) { location.reload(); return false; }
  const known = it.account !== null;
  it.account = me;
  if (!known) readDrafts();
  return true;
}

// Who may see every panel, from now on perhaps, is refused none: whether the account's own line is still the one shown must be asked.
async function followAccount() {
  if (!it.panel) return;
  const { me } = await askAccount();
  if (!me) return;
  // A line that was asked for is nobody's own, and goes on to be shown. Whose it was is not known where the account
  // could not be asked for when the page began.
  const own = it.account !== null && it.account.extension !== null && it.account.extension === extension;
  if (takeAccount(me) && it.panel && own && me.extension !== extension) leaveLine();
}

// What is not saved is not left behind for who logs in next in this tab.
function logout() {
  const unsaved = tickets.isBegun() || [...drafts.values()].some((draft) => draft.text !== "");
  if (unsaved && !confirm(it.t.drop_drafts)) return;
  drafts.clear();
  keepDrafts();
  tickets.drop();
  fetch("/logout", { method: "POST", headers: { "X-Madoguchi": "1" } }).finally(() => location.reload());
}

// Whose panel: the account's, or else who the address names, or who is asked for.
async function begin() {
  const { me } = await askAccount();
  it.account = me;
  readDrafts();
  tickets.begin(it);
  extension = me?.extension ?? asked.get("extension");
  if (extension) { listen(); return; }
  $("who").hidden = false;
  $("extension").focus();
}

// ---- keys and forms

const DIGIT = /^[1-9]$/;

function pick(n) {
  pressedAt = -Infinity; // A letter and its number were meant.
  if (it.choosing === "pause") {
    const reason = it.panel.pause_reasons[n];
    if (reason !== undefined) act("pause_for", reason);
  } else if (it.choosing === "retrieve") {
    const row = it.parked()[n];
    if (row) act("retrieve", { slot: row.slot });
  }
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.altKey || event.metaKey || (event.ctrlKey && event.key !== "Enter")) return;
  const field = event.target.closest?.("input, textarea, select");
  if (field) {
    if (event.key === "Escape") { field.blur(); closeForms(); }
    if (event.ctrlKey && field === $("note")) { event.preventDefault(); saveNote(); }
    return;
  }
  if (event.ctrlKey || event.repeat || ($("help").open && event.key !== "?")) return;
  if (event.key === "Escape") { choose(null); closeForms(); return; }
  if (it.choosing && DIGIT.test(event.key)) { event.preventDefault(); pick(Number(event.key) - 1); return; }
  // Under a Japanese input method a key may come without its letter.
  const letter = event.key.length === 1 ? event.key.toLowerCase() : event.code.replace(/^Key/, "").toLowerCase();
  if (DIGIT.test(letter) || letter.length !== 1) return;
  const found = Object.entries(ACTIONS).find(([, action]) => action.key === letter);
  if (!found) { pressedAt = performance.now(); clearTimeout(pressed); return; }
  if (!it.panel && !["language", "theme", "help", "sound"].includes(found[0])) return;
  event.preventDefault();
  if (it.choosing && found[0] !== it.choosing) choose(null);
  press(found[0]);
});

// What changes the desk is done a moment after its key, unless another letter follows or went before.
const AT_ONCE = ["pause", "transfer", "consult", "note", "play", "sound", "language", "theme", "help"];
let pressedAt = -Infinity;
let pressed = 0;
function press(name) {
  const together = performance.now() - pressedAt < TOGETHER_MS;
  pressedAt = performance.now();
  clearTimeout(pressed);
  if (AT_ONCE.includes(name)) act(name);
  else if (together) done(it.t.together);
  else pressed = setTimeout(() => act(name), TOGETHER_MS);
}

function closeForms() {
  pressedAt = -Infinity; // The letter that opened it was meant.
  toWhat = null;
  $("to-form").hidden = true;
  $("reason-form").hidden = true;
}

$("to-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const passed = await pass(toWhat, $("to").value.trim(), "call");
  if (passed) { $("to").value = ""; $("to").blur(); closeForms(); }
});
$("to-close").addEventListener("click", closeForms);
$("reason-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const paused = await send("me", "pause", mine("pause"), { reason: $("reason").value.trim() });
  if (paused) { $("reason").value = ""; $("reason").blur(); closeForms(); }
});
$("note-form").addEventListener("submit", (event) => { event.preventDefault(); saveNote(); });
$("note").addEventListener("input", typed);
$("note").addEventListener("blur", () => { if (it.panel) draw(); });
$("player").addEventListener("error", () => error("messages", it.t.no_sound));
$("who").addEventListener("submit", (event) => {
  event.preventDefault();
  const wanted = new URL(location.href);
  wanted.searchParams.set("extension", $("extension").value.trim());
  location.href = wanted.href;
});

translate();
begin();
setInterval(watchLink, 250);
setInterval(followAccount, LINE_MS);
document.addEventListener("visibilitychange", () => { if (!document.hidden) followAccount(); });
