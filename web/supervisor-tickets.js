// The supervisor's page of ticket systems: how each stands, what it has not got and waits for a person, and what can be
// done about that. State and orders are below, how it looks above; the page's own ways come in by `it`.
import { html, nothing } from "/lib/lit-html.js";
import { heads, tile } from "./view.js";

/** @typedef {import("./view.js").It} It */

const SHOWN = 50; // Rows at once: a thousand would hold the page up.
const MOST = 1000; // The desk answers no more at once.

/**
 * What is known here.
 * @type {{ targets: import("./types").TicketTarget[] | null, chosen: string | null, all: boolean, leaf: number,
 *   rows: import("./types").OutboxRow[], total: number, doing: { call: string, action: string, subject: string, text: string, reason: string, ticket: string, open: boolean } | null }}
 */
const known = { targets: null, chosen: null, all: false, leaf: 0, rows: [], total: 0, doing: null };

// Of what is configured; the ledger is the desk's own and gets nothing from anybody.
const isLedger = (row) => row.target === "ledger";
const path = (target, what) => `/api/v1/tickets/${encodeURIComponent(target)}/${what}`;

/** @param {It} it */
export const tickets = (it) => (known.targets === null ? html`<p class="soft" role="status">${it.t.reading}</p>`
  : html`${systems(it)}${known.chosen === null ? nothing : outbox(it)}`);

const since = (ms) => html`<span class="clock" data-since=${ms}></span>`;

/** @param {It} it */
function systems(it) {
  /** @param {import("./types").TicketTarget} target */
  const row = (target) => {
    const failed = Object.entries(target.failed).filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]);
    // Of a folder nobody is there to answer: it is the disk that does not take it.
    const state = target.state === "away" && target.system === "folder" ? "unwritten" : target.state;
    const words = it.t.target_states[state];
    const system = it.t.systems[target.system] ?? target.system;
    return html`<tr class=${target.target === known.chosen ? "chosen" : ""} data-target=${target.target}>
      <th scope="row"><b>${target.target}</b>${system === target.target ? nothing : html` <small>${system}</small>`}</th>
      ${isLedger(target) ? html`<td colspan="6" class="soft">${it.t.ledger_here}</td>` : html`
      <td><b class=${{ open: "good", away: "warn", barred: "bad" }[target.state]}>${words[0]}</b><p class="soft">${words[1]}</p>
        ${state === "barred" ? html`<details class="soft"><summary>${it.t.for_admin}</summary><p>${it.t.barred_admin}</p></details>` : nothing}</td>
      <td class="num">${target.waiting}${target.oldest_at_ms === null ? nothing : html` <small>${it.t.oldest} ${since(target.oldest_at_ms)}</small>`}</td>
      <td class="num ${target.stuck > 0 ? "bad" : ""}">${target.stuck}</td>
      <td class="num">${target.opened} / ${target.added}${target.left_over > 0 ? html`<p class="bad">${it.t.left_over(target.left_over)}</p>` : nothing}</td>
      <td>${failed.length === 0 ? it.t.none : failed.map(([why, count]) => html`<span class="fault">${it.t.faults[why] ?? why} ${count}</span>`)}</td>
      <td><div class="row"><button type="button" data-do="look" @click=${() => choose(it, target.target)}>${it.t.look}</button>
        <button type="button" data-do="retry-all" ?disabled=${target.waiting === 0} @click=${() => again(it, target.target)}>${it.t.retry_all}</button>
        <a class="button" href=${path(target.target, "sheet")} target="_blank" rel="noopener">${it.t.sheet}</a>
        <a class="button" href=${path(target.target, "sheet?format=csv")} download=${`tickets-${target.target}.csv`}>CSV</a></div></td>`}</tr>`;
  };
  return tile("targets", it.t.tabs.tickets, html`<table id="targets">${heads(it.t.system, it.t.state, it.t.waits, it.t.stuck, `${it.t.handed} / ${it.t.added}`, it.t.failed, it.t.what)}
    <tbody>${known.targets.map(row)}</tbody></table>
    <p class="row"><button type="button" id="tickets-refresh" @click=${() => load(it)}>${it.t.refresh}</button></p>`);
}

// What the last try came to, in words.
const why = (it, fault) => (fault.unfed === "refused" ? it.t.refused_with(fault.status) : it.t.faults[fault.unfed] ?? fault.unfed);

/** @param {It} it */
function outbox(it) {
  const target = known.chosen;
  const from = known.leaf * SHOWN;
  const shown = known.rows.slice(from, from + SHOWN);
  const rows = shown.map((row) => {
    const doing = known.doing?.call === row.call ? known.doing : null;
    const button = (action, label) => html`<button type="button" data-do=${action} aria-expanded=${doing?.action === action ? "true" : "false"} @click=${() => begin(it, row, action)}>${label}</button>`;
    return html`<tr data-call=${row.call} class=${doing ? "chosen" : ""}>
      <td>${it.moment(row.arrived_at_ms)} <button type="button" class="id" data-do="call" title=${row.call} @click=${() => { it.open("calls"); it.choose(row.call); }}>${row.call.slice(-8)}</button></td>
      <td>${row.caller ?? "–"}</td><td>${row.ticket ?? "–"}</td>
      <td>${row.steps.map((step) => it.t.steps[step] ?? step).join(it.language === "ja" ? "、" : ", ")}</td>
      <td>${row.stuck ? html`<span class="bad">${why(it, row.stuck.why)}</span> <small>${it.t.tries(row.stuck.tries)} · ${it.moment(row.stuck.at_ms)}</small>` : html`<span class="soft">${it.t.tried_still}</span>`}</td>
      <td><div class="row"><button type="button" data-do="retry" @click=${() => order(it, row.call, "retry", {})}>${it.t.retry}</button>
        ${row.stuck ? button("edit", it.t.edit) : nothing}${button("adopt", it.t.adopt)}${button("discard", it.t.discard)}</div></td></tr>
      ${doing ? html`<tr class="chosen"><td colspan="6"><p class="of"><b>${it.t.of_call(row.call.slice(-8), it.moment(row.arrived_at_ms), it.t[doing.action])}</b></p>${form(it, doing)}</td></tr>` : nothing}`;
  });
  const [last, most] = [from + shown.length, Math.min(known.total, MOST)];
  const turn = (by) => { known.leaf += by; known.doing = null; loadRows(it); };
  return tile("outbox", it.t.outbox_of(target), html`
    <p class="row"><label class="choice"><input type="checkbox" id="outbox-all" .checked=${known.all} @change=${(event) => { known.all = event.target.checked; choose(it, target); }}> ${it.t.outbox_all}</label>
      <span class="soft" role="status">${it.t.shown_of(shown.length === 0 ? 0 : from + 1, last, known.total)}</span></p>
    ${known.rows.length === 0 ? html`<p class="soft">${known.all ? it.t.none : it.t.nobody_needed}</p>`
    : html`<table id="outbox">${heads(it.t.call, it.t.caller, it.t.ticket, it.t.due_there, it.t.why_stuck, it.t.what)}<tbody>${rows}</tbody></table>`}
    ${most > SHOWN ? html`<p class="row"><button type="button" id="outbox-before" ?disabled=${from === 0} @click=${() => turn(-1)}>${it.t.before}</button>
      <button type="button" id="outbox-after" ?disabled=${last >= most} @click=${() => turn(1)}>${it.t.after}</button></p>` : nothing}
    ${known.total > MOST && last >= MOST ? html`<p class="soft">${it.t.rest_by_csv}</p>` : nothing}`);
}

/** @param {It} it */
function form(it, doing) {
  const close = html`<button type="button" data-do="close" @click=${() => { begun += 1; known.doing = null; it.draw(); }}>${it.t.dismiss}</button>`;
  const sent = (event) => {
    event.preventDefault();
    const fields = Object.fromEntries([...new FormData(event.target)].map(([name, value]) => [name, String(value)]));
    if (fields.subject === undefined || fields.subject.trim() === "") delete fields.subject;
    order(it, doing.call, doing.action, fields);
  };
  // Kept: a row that goes above makes this form anew.
  const typed = (name) => (event) => { doing[name] = event.target.value; };
  if (doing.action === "discard") {
    return html`<form class="fields" data-form="discard" @submit=${sent}><label class="wide">${it.t.discard_reason} <input name="reason" required maxlength="200" .defaultValue=${doing.reason} @input=${typed("reason")}></label>
      <button class="main">${it.t.discard}</button>${close}<p class="soft wide">${it.t.discard_note}</p></form>`;
  }
  if (doing.action === "adopt") {
    return html`<form class="fields" data-form="adopt" @submit=${sent}><label class="wide">${it.t.adopt_ticket} <input name="ticket" required maxlength="64" autocomplete="off" .defaultValue=${doing.ticket} @input=${typed("ticket")}></label>
      <button class="main">${it.t.adopt}</button>${close}<p class="soft wide">${it.t.adopt_note}</p></form>`;
  }
  return html`<form class="fields" data-form="edit" @submit=${sent}>
    ${doing.open ? html`<label class="wide">${it.t.subject} <input name="subject" maxlength="200" .defaultValue=${doing.subject} @input=${typed("subject")}></label>` : nothing}
    <label class="whole">${doing.open ? it.t.text : it.t.text_added} <textarea name="text" rows="10" required maxlength="10000" .defaultValue=${doing.text} @input=${typed("text")}></textarea></label>
    <button class="main">${it.t.edit_send}</button>${close}<p class="soft wide">${it.t.edit_note}</p></form>`;
}

// ---- what is known, and orders

let begun = 0; // Forms that were asked for.
let asking = 0; // The last look that was begun: an older answer is none.

/** How all stand, and the rows of the one that is looked at. @param {It} it */
export async function load(it) {
  const told = await it.ask("/api/v1/tickets");
  if (!told) return;
  known.targets = told.targets;
  const others = known.targets.filter((row) => !isLedger(row));
  if (!others.some((row) => row.target === known.chosen)) {
    known.chosen = (others.find((row) => row.stuck > 0) ?? others[0])?.target ?? null;
    known.doing = null;
  }
  it.draw();
  if (known.chosen !== null) await loadRows(it);
}

/** @param {It} it */
async function loadRows(it) {
  asking += 1;
  const mine = asking;
  const told = await it.ask(path(known.chosen, `outbox?${known.all ? "" : "stuck=true&"}limit=${Math.min(MOST, (known.leaf + 1) * SHOWN)}`));
  if (mine !== asking) return;
  if (told) [known.rows, known.total] = [told.rows, told.total];
  known.leaf = Math.max(0, Math.min(known.leaf, Math.ceil(known.rows.length / SHOWN) - 1));
  // What somebody else did away with meanwhile is not written about any more.
  if (known.doing && !known.rows.some((row) => row.call === known.doing.call)) known.doing = null;
  it.draw();
}

/** @param {It} it */
function choose(it, target) {
  [known.chosen, known.leaf, known.doing, known.rows, known.total] = [target, 0, null, [], 0];
  it.draw();
  return loadRows(it);
}

/** Opens the form of an order, or shuts it. @param {It} it */
async function begin(it, row, action) {
  begun += 1;
  const mine = begun;
  const same = known.doing?.call === row.call && known.doing.action === action;
  if (same) { known.doing = null; it.draw(); return; }
  const open = row.steps[0] === "open";
  const doing = { call: row.call, action, subject: "", text: "", reason: "", ticket: "", open };
  if (action === "edit") {
    const preview = await it.ask(path(known.chosen, `outbox/${row.call}`));
    if (!preview || mine !== begun) return; // Another form was opened while this one's words were on their way.
    [doing.subject, doing.text] = [preview.subject, preview.text];
  }
  known.doing = null; // So that the fields of another form are not kept.
  it.draw();
  known.doing = doing;
  it.draw();
  document.querySelector("form[data-form] input, form[data-form] textarea")?.focus();
}

/** What was typed stays when it is refused. @param {It} it */
async function order(it, call, action, typed) {
  const said = await it.order(path(known.chosen, `outbox/${call}/${action}`), action === "edit" ? "edit_send" : action, it.signed(typed));
  if (!said) return;
  if (known.doing?.call === call) known.doing = null;
  await load(it);
}

/** @param {It} it */
async function again(it, target) {
  if (await it.order(path(target, "retry"), "retry_all", it.signed({}))) await load(it);
}

/** A look from time to time while nobody writes. @param {It} it */
export function look(it) {
  if (known.doing === null && document.visibilityState === "visible") load(it);
}
