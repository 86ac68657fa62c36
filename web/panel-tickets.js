// What an agent sees of tickets: who calls by the directory and the ticket systems, asked once a call, and the call's
// incident in the desk's own ledger, where it keeps one. What is typed there stays until it is saved.
import { html, nothing, render } from "/lib/lit-html.js";
import { callerOf } from "./view.js";
/** @typedef {{ panel: import("./types").Panel, [other: string]: any }} It */

const CALLS_KEPT = 20; // Of which it is known who called.
const ESCALATIONS_MOST = 16;
const EXCLUSIONS = ["virus_investigation", "vendor_investigation", "caller_asked_for_time"];
const AGAIN_MS = 250; // What was saved is in the figures a moment later.
const AGAIN_MOST = 8;

const $ = (id) => document.getElementById(id);
const say = (id, text) => { if ($(id).textContent !== text) $(id).textContent = text; };

async function ask(it, path) {
  try {
    const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(it.patience) });
    return answer.ok ? await answer.json() : null;
  } catch { return null; }
}

// ---- who calls

/** @type {Map<string, import("./types").WhoCalls | null>} By call; null: it is asked, or nobody could tell. */
const callers = new Map();

/** @param {It} it @param {import("./types").PanelCall} call */
async function whoCalls(it, call) {
  const number = typeof call.caller.number === "string" ? "" : call.caller.number.known;
  if (callers.has(call.call) || !/^\+?[0-9]{1,32}$/.test(number)) return;
  callers.set(call.call, null);
  if (callers.size > CALLS_KEPT) callers.delete(callers.keys().next().value);
  const told = await ask(it, `/api/v1/callers/${encodeURIComponent(number)}`);
  if (!told) return;
  callers.set(call.call, told);
  it.draw();
}

/** @param {It} it */
function caller(it) {
  const known = it.panel.call ? callers.get(it.panel.call.call) : null;
  if (!known) return html`<p class="soft">–</p>`;
  const { person, tickets } = known;
  const ticket = (row) => html`<li class="line"><span>${row.url === null ? `${row.target} ${row.ticket}`
    : html`<a href=${row.url} target="_blank" rel="noopener">${row.target} ${row.ticket}</a>`}</span> <span>${row.subject}</span></li>`;
  // That something is missing comes first: what is behind the last line in sight is not read during a call.
  return html`${known.whole ? nothing : html`<p class="missing" id="not-all-told">${it.t.not_all_told}</p>`}
    ${person ? html`<p id="person"><b>${person.name}</b> ${person.department} <span class="soft">${person.note}</span></p>` : html`<p class="soft">${it.t.no_person}</p>`}
    ${tickets.length > 0 ? html`<p class="soft">${it.t.open_tickets(tickets.length)}</p><ul class="list" id="open-tickets">${tickets.map(ticket)}</ul>`
    : known.whole ? html`<p class="soft">${it.t.no_tickets}</p>` : nothing}`;
}

// ---- the call's incident

/**
 * @typedef {{ call: string, who: string, row: import("./types").IncidentRow | null, asked: string, base: number | null,
 *   changed: { subject?: string, category?: string, completed_at?: number | null, reported_at?: number | null,
 *     escalations?: import("./types").TicketEscalation[], technical?: boolean, exclusions?: import("./types").TicketExclusion[] } }} Form
 */

let keeps = false; // Whether the desk keeps the ledger.
/** @type {Form | null} */
let form = null;
let saving = false;
let keptAs = "incident"; // What is begun is kept for who began it.

export const isBegun = () => form !== null && Object.keys(form.changed).length > 0;

/** @param {string} name */
function value(name) {
  if (name in form.changed) return form.changed[name];
  if (name === "subject" || name === "category") return form.row?.[name] ?? "";
  return form.row?.state[name] ?? { escalations: [], exclusions: [], technical: false }[name] ?? null;
}

// What is begun stays in the tab, so that a page that is loaded again has it still.
function keep() {
  try {
    if (isBegun()) sessionStorage.setItem(keptAs, JSON.stringify({ ...form, row: null, asked: "" }));
    else sessionStorage.removeItem(keptAs);
  } catch { /* not kept, then */ }
}

export function drop() {
  if (form) form.changed = {};
  keep();
}

// Nothing of a line that is another's now stays, but what is not saved.
export function leave() {
  callers.clear();
  if (isBegun()) return;
  form = null;
  for (const name of ["subject", "category"]) $(`incident-${name}`).value = "";
  for (const part of ["incident-of", "incident-marks"]) render(nothing, $(part));
}

function change(it, name, to) {
  if (!isBegun()) form.base = form.row.revision;
  form.changed[name] = to;
  keep();
  it.draw();
}

/** @param {It} it */
export async function begin(it) {
  $("incident-form").addEventListener("submit", (event) => { event.preventDefault(); save(it); });
  for (const name of ["subject", "category"]) {
    $(`incident-${name}`).addEventListener("input", (event) => { if (form?.row) change(it, name, event.target.value); });
  }
  keptAs = `incident ${it.account?.user ?? ""}`;
  try { form = JSON.parse(sessionStorage.getItem(keptAs) ?? "null"); } catch { /* nothing was kept */ }
  const told = await ask(it, "/api/v1/tickets");
  keeps = told?.targets.some((row) => row.target === "ledger") ?? false;
  if (!keeps) return;
  if (form) read(it, form);
  it.draw();
}

// The form follows the call shown, but never away from what is not saved.
/** @param {It} it */
export function follow(it) {
  const call = it.panel.call;
  if (!call) return;
  whoCalls(it, call);
  if (!keeps) return;
  if (form?.call !== call.call && !isBegun()) turn(it);
  if (form.call !== call.call) return;
  // The incident is there from when the call is decided.
  const stands = `${call.state} ${call.role} ${call.outcome}`;
  if (form.asked === stands || isBegun()) return;
  form.asked = stands;
  read(it, form);
}

/** @param {It} it */
function turn(it) {
  const call = it.panel.call;
  form = { call: call.call, who: callerOf(it, call.caller), row: null, asked: "", base: null, changed: {} };
  it.error("incident", "");
  fill();
}

/** @param {It} it @param {Form} mine */
async function read(it, mine) {
  const told = /** @type {import("./types").CallIncident | null} */ (await ask(it, `/api/v1/calls/${mine.call}/incident`));
  if (!told || form !== mine) return;
  const before = mine.row;
  mine.row = told.incident;
  if (isBegun() && mine.row && mine.base !== mine.row.revision) {
    // Somebody else wrote: what was typed here stays, all other fields are as they stand now.
    const { escalations } = mine.changed;
    if (escalations) mine.changed.escalations = merged(mine.row.state.escalations ?? [], escalations, before?.state.escalations ?? []);
    mine.base = mine.row.revision;
    it.error("incident", it.t.incident_conflict(mine.row.author ?? "–"));
    keep();
  }
  fill();
  it.draw();
}

// Theirs, with the answers that were marked here, and what was added here behind.
function merged(theirs, ours, before) {
  const same = (one) => (other) => one.to === other.to && one.at === other.at;
  const answered = theirs.map((row) => ({ ...row, answered_at: row.answered_at ?? ours.find(same(row))?.answered_at }));
  return [...answered, ...ours.filter((row) => !theirs.some(same(row)) && !before.some(same(row)))].slice(0, ESCALATIONS_MOST);
}

// Nothing is put into a field in which something is typed.
function fill() {
  for (const name of ["subject", "category"]) {
    const [field, due] = [$(`incident-${name}`), value(name)];
    if (field.value !== due) field.value = due;
  }
}

/** @param {It} it */
async function save(it) {
  const mine = form;
  if (saving || !mine?.row || !isBegun()) return;
  saving = true;
  const time = (ms) => (ms === null || ms === undefined ? undefined : String(ms));
  const [sent, { incident, revision }] = [{ ...mine.changed }, mine.row];
  const body = {
    revision, subject: value("subject").trim() || undefined, category: value("category").trim(),
    completed_at: time(value("completed_at")), reported_at: time(value("reported_at")), technical: value("technical"), exclusions: value("exclusions"),
    escalations: value("escalations").map((row) => ({ to: row.to, at: time(row.at), answered_at: time(row.answered_at) })),
    // Whose word it is: the account's name is put in by the desk.
    ...(it.account?.name ? {} : { author: it.panel.agent.name }),
  };
  it.error("incident", "");
  try {
    const answer = await fetch(`/api/v1/incidents/${incident}`, {
      method: "PUT", headers: { "X-Madoguchi": "1", "Content-Type": "application/json" }, body: JSON.stringify(body), signal: AbortSignal.timeout(it.patience),
    });
    if (answer.ok) {
      it.done(it.t.incident_saved);
      // What was typed meanwhile is not saved yet.
      for (const [name, it_] of Object.entries(sent)) if (mine.changed[name] === it_) delete mine.changed[name];
      await renewed(it, mine, revision);
    } else if (answer.status === 409) {
      await read(it, mine);
    } else {
      const said = await answer.json().catch(() => ({}));
      it.error("incident", it.refusal(answer.status, said.error ?? answer.statusText));
    }
  } catch { it.error("incident", it.t.unreached); } finally { saving = false; }
  keep();
  it.draw();
}

// Reads until what was saved is there.
async function renewed(it, mine, revision) {
  for (let n = 0; n < AGAIN_MOST && form === mine; n += 1) {
    const told = await ask(it, `/api/v1/calls/${mine.call}/incident`);
    if (form === mine && told?.incident && told.incident.revision > revision) {
      [mine.row, mine.base] = [told.incident, told.incident.revision];
      fill();
      return;
    }
    await new Promise((done) => { setTimeout(done, AGAIN_MS); });
  }
}

// ---- how it looks

/** @param {It} it */
export function draw(it) {
  render(caller(it), $("who-calls"));
  $("incident-tile").hidden = !keeps;
  if (!keeps) return;
  const can = form?.row !== null && form !== null;
  for (const name of ["subject", "category"]) $(`incident-${name}`).disabled = !can;
  $("incident-save").disabled = !can || saving || !isBegun();
  say("incident-save", it.t.incident_save);
  say("incident-unsaved", !can ? "" : isBegun() ? it.t.unsaved : it.t.all_saved);
  render(head(it), $("incident-of"));
  render(marks(it, can), $("incident-marks"));
}

/** @param {It} it */
function head(it) {
  if (!form) return html`<p class="soft">${it.t.note_nobody}</p>`;
  const call = it.panel.call;
  const other = call !== null && call.call !== form.call;
  const state = form.row ? `No. ${form.row.incident}${form.row.author ? ` · ${form.row.author}` : ""}` : call?.state === "ended" || other ? it.t.no_incident : it.t.incident_later;
  return html`<p class="soft">${form.who} · ${state}</p>
    ${other ? html`<p class="hint">${it.t.incident_other} <button type="button" data-do="incident-here" @click=${() => { drop(); turn(it); it.draw(); }}>${it.t.incident_here}</button></p>` : nothing}`;
}

/** @param {It} it @param {boolean} can */
function marks(it, can) {
  const stamp = (name, label) => {
    const at = can ? value(name) : null;
    return html`<div class="row"><button type="button" data-do=${name} ?disabled=${!can || at !== null} @click=${() => change(it, name, it.now())}>${label}</button>
      ${at === null ? nothing : html`<b>${it.day(at)}</b> <button type="button" data-do=${`${name}-not`} aria-label=${`${label}: ${it.t.take_back}`} @click=${() => change(it, name, null)}>${it.t.take_back}</button>`}</div>`;
  };
  const escalations = can ? value("escalations") : [];
  const closed = !can || value("completed_at") !== null || escalations.length >= ESCALATIONS_MOST;
  const up = (to) => html`<button type="button" data-do=${`escalate-${to}`} ?disabled=${closed} @click=${() => change(it, "escalations", [...escalations, { to, at: it.now() }])}>${it.t.escalate[to]}</button>`;
  const one = (row, n) => html`<li class="line"><span>${it.t.escalate[row.to]} ${it.day(row.at)}</span>
    ${row.answered_at ? html`<span class="reply">${it.t.second_answered} ${it.day(row.answered_at)}</span>`
    : html`<button type="button" data-do="answered" @click=${() => change(it, "escalations", escalations.map((it_, m) => (m === n ? { ...it_, answered_at: it.now() } : it_)))}>${it.t.second_answers}</button>`}</li>`;
  const chosen = can ? value("exclusions") : [];
  const left = (name) => html`<label><input type="checkbox" name=${name} ?disabled=${!can} .checked=${chosen.includes(name)}
    @change=${(event) => change(it, "exclusions", EXCLUSIONS.filter((it_) => (it_ === name ? event.target.checked : chosen.includes(it_))))}>${it.t.left_out[name]}</label>`;
  return html`<div class="marks">${stamp("reported_at", it.t.reported_now)}${stamp("completed_at", it.t.completed_now)}
    <div class="row">${up("system_builder")}${up("other")}</div>
    ${escalations.length > 0 ? html`<ul class="list" id="escalations">${escalations.map(one)}</ul>` : nothing}
    <div><label><input type="checkbox" name="technical" ?disabled=${!can} .checked=${can && value("technical")} @change=${(event) => change(it, "technical", event.target.checked)}>${it.t.technical}</label></div>
    <fieldset><legend>${it.t.exclusions}</legend>${EXCLUSIONS.map(left)}</fieldset></div>`;
}
