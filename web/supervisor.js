// The supervisor's pages: show what the event stream and the API say, and give orders. How they look is in view.js.
import { render } from "/lib/lit-html.js";
import * as staffing from "./planning.js";
import * as ticketing from "./tickets.js";
import * as page from "./view.js";
import { REFUSALS, WORDS } from "./words.js";

const STALE_MS = 6000; // Three signs of life missed.
const PATIENCE_MS = 10000; // For an answer to an order.
const REPORT_MS = 120000; // A report reads the whole history.
const DONE_MS = 6000;
const LOOK_MS = 15000; // At ticket systems, while their page is open.
const STEP_MS = 1000; // At a question about agents, while it is being answered.
const JOIN_MS = 60000; // A phone that rings for listening is not waited for any longer.
const MOST_LINES = 6000; // Of a plan that is compared line by line.

const asked = new URLSearchParams(location.search);
const kept = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
const keep = (name, value) => { try { localStorage.setItem(name, value); } catch { /* not kept, then */ } };
const $ = (id) => document.getElementById(id);
const say = (id, text) => { if ($(id).textContent !== text) $(id).textContent = text; };

let theme = asked.get("theme") || kept("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
let boardAt = 0; // By this page's clock.
let heardAt = 0; // The last sign of life.
let health = null;
let outside = ""; // What keeps the stream from us, in words.

// What the templates see.
/** @type {import("./view.js").It} */
const it = {
  board: null, me: null, language: asked.get("lang") || kept("lang") || (navigator.language.startsWith("ja") ? "ja" : "en"), t: null, tab: "now",
  reasons: [], found: { rows: [], more: null, asked: null, answered: false }, chosen: null,
  figures: { month: "", level: null, exclusions: [], files: null }, plan: planOf(null), orders: null,
  monitor: null, raw: false, ordering: { number: "", to: "close" },
  switchLanguage: () => { it.language = it.language === "ja" ? "en" : "ja"; keep("lang", it.language); translate(); },
  switchTheme: () => { theme = theme === "dark" ? "light" : "dark"; keep("theme", theme); translate(); },
  logout: () => fetch("/logout", { method: "POST", headers: { "X-Madoguchi": "1" } }).finally(() => location.reload()),
  open, order, signed, search, searchMore: () => searchFor({ ...it.found.asked, before: it.found.more }), choose, orderHours,
  showMonth, refreshFigures, enterExclusion, closeMonth, makeReport, planTyped, checkPlan, weighPlan, activatePlan, readPlan,
  ask, draw, error, supervise, toLine,
  phone: () => it.me?.extension ?? $("phone").value.trim(),
  agentName: (id) => it.board.agents.find((agent) => agent.agent === id)?.name ?? id,
  groupName: (id) => (it.board.groups ?? []).find((group) => group.group === id)?.name ?? id ?? "–",
  moment: (ms) => inZone(ms, { month: it.language === "ja" ? "numeric" : "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false }).replace(",", ""),
  monthName: (month) => new Intl.DateTimeFormat(it.language === "ja" ? "ja-JP" : "en-GB", { timeZone: "UTC", year: "numeric", month: it.language === "ja" ? "long" : "short" }).format(Date.parse(`${month}-01T00:00:00Z`)),
};
if (!WORDS[it.language]) it.language = "ja";
it.t = WORDS[it.language];

const inZone = (ms, options) => new Intl.DateTimeFormat(it.language === "ja" ? "ja-JP" : "en-GB", { timeZone: it.board.timezone, ...options }).format(ms);

// A time of day as it was typed, in the desk's zone, as milliseconds since 1970.
function inDesk(typed) {
  const guess = Date.parse(`${typed}:00Z`);
  const shown = new Intl.DateTimeFormat("sv-SE", { timeZone: it.board.timezone, dateStyle: "short", timeStyle: "medium" }).format(guess);
  return guess - (Date.parse(`${shown.replace(" ", "T")}Z`) - guess);
}

// ---- asking and ordering

let unanswered = ""; // The question that what is told stands against; none: it was an order, or nothing is told.

function error(text, of = "") {
  unanswered = of;
  say("page-error", text);
  $("page-error").hidden = text === "";
  if (text !== "") say("done", ""); // What went well before would be read as the answer.
}

// What stands against something, in the words of who reads.
function refused(status, text, of = "") {
  const known = REFUSALS[it.language][text] ?? (it.language === "en" ? text : "");
  error(it.t.could_not(known || `${it.t.statuses[status] ?? ""}${it.t.raw(status, text)}`), of);
}

let doneTimer = 0;
function done(text) {
  say("done", text);
  clearTimeout(doneTimer);
  doneTimer = setTimeout(() => say("done", ""), DONE_MS);
}

// What stands against an order stays to be read: an answer takes back only what was told of the same question.
async function ask(path, patience = PATIENCE_MS) {
  const [of] = path.split("?");
  try {
    const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(patience) });
    const said = await answer.json().catch(() => ({}));
    if (answer.ok) {
      if (unanswered === of) error("");
      return said;
    }
    if (answer.status === 401) error(it.t.logged_out, of); else refused(answer.status, said.error ?? answer.statusText, of);
  } catch { error(it.t.unreached, of); }
  return null;
}

const under = new Set(); // Orders that are under way.

// Gives an order; what stands against it is told. Its answer, or null.
async function order(path, name, body = null, also = []) {
  if (under.has(path)) return null;
  if (body?.author === "") { error(it.t.name_needed); $("author").focus(); return null; }
  under.add(path);
  try {
    const answer = await fetch(path, {
      method: "POST", headers: { "X-Madoguchi": "1", ...(body ? { "Content-Type": "application/json" } : {}) },
      body: body ? JSON.stringify(body) : undefined, signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const said = await answer.json().catch(() => ({}));
    if (answer.ok || also.includes(answer.status)) {
      error("");
      if (answer.ok) done(it.t.done(it.t[name] ?? name));
      return said;
    }
    refused(answer.status, said.error ?? answer.statusText);
  } catch { error(it.t.unreached); } finally { under.delete(path); }
  return null;
}

// Whose word it is: the account's name is put in by the desk; with a token it is asked for here.
function signed(body) { return it.me?.name ? body : { author: $("author").value.trim(), ...body }; }

// ---- listening

async function supervise(agent, mode) {
  const by = it.phone();
  if (by === "") {
    error(it.me?.name ? it.t.no_extension : it.t.phone_needed);
    $("phone").focus();
    return;
  }
  if (!await order("/api/v1/supervision", mode === "end" ? "stop" : mode, { by, agent: agent.agent, mode })) return;
  const joined = it.monitor?.agent === agent.agent && it.monitor.joined;
  it.monitor = mode === "end" ? null : { agent: agent.agent, call: agent.call, mode, joined, asked: performance.now() };
  draw();
}

// Whom a phone hears by a call's history, and in which way.
function heardBy(by, ladder) {
  return ladder.reduce((heard, { of, event }) => {
    if (of !== "call") return heard;
    if (event.kind === "ended") return null;
    if (event.by !== by) return heard;
    switch (event.kind) {
      case "supervision_began": return { agent: event.agent, mode: event.mode };
      case "supervision_changed": return { ...heard, mode: event.mode };
      case "supervision_ended": return null;
      default: return heard;
    }
  }, null);
}

let listening = false; // It is being asked.
let lookedAt = 0; // In which state of the own phone all calls were looked at.

// The board does not say whom a phone hears, and keys of the phone change it too: the call's history has it. All talks are
// looked at once, when the phone has begun to talk and this page has ordered nothing; else only the one that is heard.
async function watchMonitor() {
  const by = it.phone();
  const own = it.board.agents.find((agent) => agent.agent === by);
  if (listening || !own) return;
  const calls = new Set(it.monitor ? [it.monitor.call] : []);
  if (!it.monitor && own.state === "talking" && own.call === null && lookedAt !== own.since_ms) {
    lookedAt = own.since_ms;
    for (const agent of it.board.agents) if (agent.state === "talking" && agent.call) calls.add(agent.call);
  }
  if (calls.size === 0) return;
  listening = true;
  try {
    for (const call of calls) {
      const asked = it.monitor;
      const answer = await fetch(`/api/v1/calls/${call}`, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      if (!answer.ok || asked !== it.monitor) continue; // Something was ordered meanwhile.
      const told = await answer.json();
      const heard = heardBy(by, told.ladder);
      const over = told.call.state === "ended" || asked?.joined || performance.now() - (asked?.asked ?? 0) > JOIN_MS;
      if (heard) it.monitor = { ...heard, call, joined: true, asked: asked?.asked ?? performance.now() };
      else if (over) it.monitor = null;
      if (heard) break;
    }
  } catch { /* The next board asks again. */ } finally { listening = false; }
  if (it.tab === "now") draw();
}

// ---- tabs

const LOADS = { figures: () => (it.figures.level ? null : refreshFigures()), plan: () => (it.plan.shown ? null : readPlan()), orders: loadOrders, tickets: () => ticketing.load(it), planning: () => staffing.load(it) };
const VIEWS = { ...page, tickets: ticketing.tickets, planning: staffing.planning };

function open(name) {
  it.tab = name;
  location.hash = name;
  error("");
  draw();
  LOADS[name]?.();
}

async function loadOrders() {
  it.orders = await ask("/api/v1/orders") ?? it.orders;
  draw();
}

// ---- calls

function search(event) {
  event.preventDefault();
  it.found = { rows: [], more: null, asked: Object.fromEntries(new FormData(event.target)), answered: false };
  it.chosen = null;
  error("");
  draw(); // No rows of another question stand under this one while it is asked.
  searchFor(it.found.asked);
}

// Into the list that it was asked for, once: not behind what was looked for meanwhile, and not twice by two clicks.
async function searchFor(wanted) {
  const list = it.found;
  const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value));
  const found = await ask(`/api/v1/calls/search?${query}`);
  if (!found || list !== it.found || list.more !== (wanted.before ?? null) || (!wanted.before && list.rows.length > 0)) return;
  list.rows.push(...found.calls);
  list.more = found.more_before;
  list.answered = true;
  draw();
}

let chosenLast = ""; // An answer about a call that was chosen before is too late.

async function choose(call) {
  chosenLast = call;
  error("");
  const chosen = await ask(`/api/v1/calls/${call}`);
  if (!chosen || chosenLast !== call) return;
  it.chosen = chosen;
  draw();
  $("one-h")?.scrollIntoView({ block: "nearest" });
}

// ---- hours

async function orderHours(event) {
  event.preventDefault();
  const form = event.target;
  const { until, reason } = Object.fromEntries(new FormData(form));
  const { number, to } = it.ordering; // What the button says.
  const said = await order(`/api/v1/hours/${encodeURIComponent(number)}/${to}`, "order_hours", signed({ reason: String(reason).trim(), until: String(inDesk(until)) }));
  if (!said) return;
  form.reset();
  it.ordering = { number: "", to: "close" };
  draw();
}

// ---- figures

function refreshFigures() { return readFigures(it.figures.month || it.board.month); }

let monthLast = ""; // An answer about a month that was asked for before is too late.

// The month's name comes with its figures: what could not be read is not named over another's.
async function readFigures(month) {
  monthLast = month;
  const [level, listed] = await Promise.all([ask(`/api/v1/service-level?month=${month}`), ask("/api/v1/exclusions")]);
  if (!level || !listed || monthLast !== month) return;
  it.figures = { month, level, exclusions: listed.exclusions, files: month === it.figures.month ? it.figures.files : null };
  draw();
}

function showMonth(event) {
  event.preventDefault();
  error("");
  readFigures(String(new FormData(event.target).get("month")));
}

async function enterExclusion(event) {
  event.preventDefault();
  const form = event.target;
  const { from, until, reason } = Object.fromEntries(new FormData(form));
  const said = await order("/api/v1/exclusions", "enter", signed({ reason: String(reason).trim(), from: String(inDesk(from)), until: String(inDesk(until)) }));
  if (said) { form.reset(); refreshFigures(); }
}

async function closeMonth(event) {
  event.preventDefault();
  const reason = new FormData(event.target).get("reason");
  const said = await order(`/api/v1/months/${it.figures.month}/close`, "closing", signed(reason ? { reason: String(reason).trim() } : {}));
  if (said) refreshFigures();
}

async function makeReport() {
  const { month } = it.figures;
  it.figures.files = "making";
  error("");
  draw();
  const made = await ask(`/api/v1/months/${month}/report`, REPORT_MS);
  if (month !== it.figures.month) return;
  it.figures.files = made?.files ?? null;
  draw();
}

// ---- plan

// As it was read: nobody has edited, judged or weighed it.
function planOf(shown) {
  return { shown, text: shown?.text ?? "", checked: null, changes: [], effect: null };
}

async function readPlan() {
  const { text } = it.plan;
  if (it.plan.shown && text !== it.plan.shown.text && !confirm(it.t.lost)) return;
  const shown = await ask("/api/v1/plan");
  if (!shown) return;
  takePlan(shown, text, it.plan.shown?.text);
  draw();
}

// What is typed while the answer is on its way stays, and is not checked: it was `asked` when the question was put. It
// was begun from the text `from` and goes in force instead of that alone, whatever another has put in force meanwhile.
function takePlan(shown, asked, from) {
  const before = it.plan;
  it.plan = planOf(before.text === asked || shown.text === from ? shown : before.shown ?? shown);
  if (before.text !== asked) it.plan.text = before.text;
}

function planTyped(event) {
  it.plan.text = event.target.value;
  it.plan.checked = it.plan.effect = null;
  draw();
}

// Where a finding is: its line is chosen and seen.
function toLine(line) {
  const [area, lines] = [$("plan-text"), it.plan.text.split("\n")];
  const from = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  area.focus();
  area.setSelectionRange(from, from + (lines[line - 1] ?? "").length);
  area.scrollTop = (line - 4) * (area.scrollHeight / lines.length);
}

async function checkPlan() {
  const text = it.plan.text;
  const checked = await order("/api/v1/plan/check", "check", { text });
  if (!checked || it.plan.text !== text) return;
  it.plan.checked = checked;
  it.plan.changes = changed(it.plan.shown.text, text);
  draw();
}

// Which calls of the days behind us would have gone another way. It reads the history, which takes a while.
async function weighPlan() {
  const text = it.plan.text;
  it.plan.effect = "asked";
  draw();
  const effect = await order("/api/v1/plan/effect", "weigh", { text }, [422]);
  if (it.plan.text !== text) return;
  if (effect?.findings) it.plan.checked = effect;
  it.plan.effect = effect?.numbers ? effect : null;
  draw();
}

async function activatePlan() {
  const { text, shown } = it.plan;
  const said = await order("/api/v1/plan/activate", "activate", { text, instead_of: shown.sha256 }, [422]);
  if (!said) return;
  if (it.plan.text === text) it.plan.checked = said;
  if (!said.fits) {
    // Where something else stands meanwhile, the findings are not shown beside it.
    if (it.plan.text !== text) error(it.t.unfit);
    draw();
    return;
  }
  const now = await ask("/api/v1/plan");
  if (now) takePlan(now, text, text);
  done(it.t.activated);
  draw();
}

// The lines that came and went, with two unchanged ones around each: the longest common subsequence of what lies
// between the equal beginnings and ends.
function changed(before, after) {
  const [a, b] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const [old, young] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
  if (old.length === 0 && young.length === 0) return [];
  const steps = old.length * young.length > MOST_LINES * MOST_LINES ? [...old.map((text) => ({ kind: "-", text })), ...young.map((text) => ({ kind: "+", text }))] : common(old, young);
  const same = (text) => ({ kind: " ", text });
  const all = [...a.slice(Math.max(0, head - 2), head).map(same), ...steps, ...a.slice(a.length - tail, a.length - tail + 2).map(same)];
  const near = (n) => all.slice(Math.max(0, n - 2), n + 3).some((step) => step.kind !== " ");
  return all.filter((step, n) => step.kind !== " " || near(n));
}

function common(old, young) {
  const width = young.length + 1;
  const best = new Uint32Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = young.length - 1; j >= 0; j -= 1) {
      best[i * width + j] = old[i] === young[j] ? best[(i + 1) * width + j + 1] + 1 : Math.max(best[(i + 1) * width + j], best[i * width + j + 1]);
    }
  }
  const steps = [];
  for (let i = 0, j = 0; i < old.length || j < young.length;) {
    if (i < old.length && j < young.length && old[i] === young[j]) { steps.push({ kind: " ", text: old[i] }); i += 1; j += 1; }
    else if (j >= young.length || (i < old.length && best[(i + 1) * width + j] >= best[i * width + j + 1])) { steps.push({ kind: "-", text: old[i] }); i += 1; }
    else { steps.push({ kind: "+", text: young[j] }); j += 1; }
  }
  return steps;
}

// ---- what is shown

function translate() {
  it.t = WORDS[it.language];
  document.documentElement.lang = it.language;
  document.documentElement.dataset.theme = theme;
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = it.t[node.dataset.t];
  render(page.nav(it), $("nav"));
  draw();
  watchLink();
}

function draw() {
  render(page.tabs(it), $("tabs"));
  if (!it.board) return;
  $("demonstration").hidden = !it.board.demonstration;
  say("desk", `${it.board.desk} – ${it.t.title}${it.me?.name ? ` (${it.me.name})` : ""}`);
  document.title = `${it.board.waiting.count > 0 ? `(${it.board.waiting.count}) ` : ""}${it.board.desk} – ${it.t.title}`;
  say("zone", it.t.zone(it.board.timezone));
  $("as").hidden = Boolean(it.me?.name);
  render(VIEWS[it.tab](it), $("page"));
  tick();
}

function tick() {
  if (!it.board) return;
  const passed = performance.now() - boardAt;
  for (const node of document.querySelectorAll(".clock")) {
    const { since, waited } = node.dataset;
    const text = page.age(since ? it.board.now_ms + passed - Number(since) : Number(waited) + passed, it.t);
    if (node.textContent !== text) node.textContent = text;
  }
}

function watchLink() {
  const silent = heardAt > 0 && performance.now() - heardAt > STALE_MS;
  const link = heardAt === 0 ? "connecting" : silent ? "stale" : "live";
  document.body.className = `${link} supervisor`;
  say("link-text", it.t[link]);
  const alarm = outside || (silent && it.board ? it.t.stale_since(inZone(it.board.now_ms + (heardAt - boardAt), { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }))
    : health && health.status !== "ok" ? it.t.failing : "");
  $("alarm").hidden = alarm === "";
  say("alarm", alarm);
  if (!silent) tick();
}

// ---- the stream

// A page on which somebody types is not drawn anew by what happens elsewhere.
const LIVE = ["now", "hours"];

function listen() {
  const source = new EventSource("/api/v1/events");
  const heard = () => { heardAt = performance.now(); outside = ""; watchLink(); if (it.board) watchMonitor(); };
  source.addEventListener("board", (event) => {
    const first = it.board === null;
    it.board = JSON.parse(event.data);
    boardAt = performance.now();
    if (first) begin();
    else if (LIVE.includes(it.tab)) draw();
    heard();
  });
  source.addEventListener("beat", (event) => { health = JSON.parse(event.data); heard(); });
  source.onerror = async () => {
    if (source.readyState !== EventSource.CLOSED) return; // It tries again by itself.
    try {
      const answer = await fetch("/api/v1/me", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      if (answer.status === 401) { outside = it.t.logged_out; watchLink(); }
    } catch { /* The daemon is away: try again below. */ }
    setTimeout(listen, 2000);
  };
}

async function begin() {
  const wanted = location.hash.slice(1);
  open(it.t.tabs[wanted] ? wanted : "now"); // At once: who clicks meanwhile stays where that leads.
  it.me = await ask("/api/v1/me");
  const first = it.board.agents[0]?.agent;
  const panel = first ? await ask(`/api/v1/panel/${encodeURIComponent(first)}`) : null;
  it.reasons = panel?.pause_reasons?.length ? panel.pause_reasons : [it.t.away];
  $("author").value = kept("author") ?? "";
  $("phone").value = asked.get("extension") ?? "";
  draw();
}

$("phone").addEventListener("input", draw);
$("author").addEventListener("change", () => keep("author", $("author").value.trim()));
$("as").addEventListener("submit", (event) => event.preventDefault());
translate();
listen();
setInterval(watchLink, 250);
setInterval(() => { if (it.board && it.tab === "tickets") ticketing.look(it); }, LOOK_MS);
setInterval(() => { if (it.board && it.tab === "planning") staffing.look(it); }, STEP_MS);
