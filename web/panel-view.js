// What the panel shows, as templates: each takes the state and gives a piece of the page. Every text from outside
// is a child or an attribute of a template and so never markup. Nothing is ordered here: `act` does that.
import { html, nothing } from "/lib/lit-html.js";
/** @typedef {{ panel: import("./types").Panel, [other: string]: any }} It */

const two = (n) => String(n).padStart(2, "0");

// Minutes and seconds, and hours where there are any.
export function clock(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

const key = (text) => (text ? html`<kbd aria-hidden="true">${text.toUpperCase()}</kbd>` : nothing);

// A button that does something, with its key on it.
const button = (it, name, label, more = {}) => {
  const keys = more.keys ?? it.keyOf(name);
  return html`<button type="button" class=${more.shade ?? ""} data-act=${name} aria-keyshortcuts=${keys || nothing}
    ?disabled=${!(more.can ?? it.can(name))} @click=${() => it.act(name, more.of)}>${label}${key(keys)}</button>`;
};

// With which keys a parked caller is taken: a number behind the letter where there are several.
const retrieveKeys = (it, slot) => {
  const rows = it.parked();
  const n = rows.findIndex((row) => row.slot === slot) + 1;
  return rows.length === 1 ? it.keyOf("retrieve").toUpperCase() : n > 0 && n <= 9 ? `${it.keyOf("retrieve").toUpperCase()} ${n}` : "";
};

// A clock that runs: up from `since`, or down to it. `tick` fills it.
const since = (ms) => (ms === 0 ? nothing : html`<span class="clock" data-since=${ms}></span>`);
const until = (ms) => html`<span class="clock" data-until=${ms}></span>`;

/** @param {It} it @param {import("./types").Caller} caller */
export function callerOf(it, caller) {
  const number = typeof caller.number === "string" ? it.t[caller.number] : caller.number.known;
  return caller.name && caller.name !== number ? `${caller.name} ${number}` : number;
}

/** @param {It} it */
const groupName = (it, id) => it.panel.groups.find((group) => group.group === id)?.name ?? id;
/** @param {It} it */
export const nameOf = (it, id) => (it.panel.agent.agent === id ? it.panel.agent.name
  : it.panel.colleagues.find((row) => row.agent === id)?.name ?? id);
/** @param {It} it */
const lineName = (it, number) => {
  const name = it.panel.lines.find((line) => line.number === number)?.name;
  return name ? `${name} ${number}` : number;
};

// Why somebody is paused: a person's words, or a rule's.
const reasonOf = (it, reason) => it.t.by_rule[reason] ?? reason;

/** @param {It} it */
export const nav = (it) => html`
  ${button(it, "language", it.t.language)}${button(it, "theme", it.t.theme)}
  ${button(it, "sound", it.t.sound(it.sound))}${button(it, "help", it.t.keys)}
  <a class="button" href="/">${it.t.wallboard}</a>
  <button type="button" @click=${it.logout}>${it.t.logout}</button>`;

/** @param {It} it */
export function me(it) {
  const { agent, pause_reasons: reasons, wrap_up_more_ms: more } = it.panel;
  const state = agent.state === "paused" && agent.paused ? `${it.t.states.paused}: ${reasonOf(it, agent.paused)}` : it.t.states[agent.state];
  return html`
    <p class="state ${agent.state}"><b id="state">${state}</b> ${since(agent.since_ms)}</p>
    <p class="soft">${agent.name} ${agent.agent} · ${it.panel.groups.map((group) => group.name).join("、")}</p>
    ${agent.wrap_up_until_ms === null ? nothing : html`<p class="wrap" id="wrap">${it.t.wrap_up_left}
      <b>${until(agent.wrap_up_until_ms)}</b>
      ${button(it, "wrap_up_longer", it.t.wrap_up_longer(Math.round(more / 1000)))}${button(it, "wrap_up_end", it.t.wrap_up_end)}</p>`}
    <p class="row">${agent.signed_in ? button(it, "sign_out", it.t.sign_out) : button(it, "sign_in", it.t.sign_in, { shade: "main" })}
      ${agent.paused === null ? nothing : button(it, "unpause", it.t.unpause, { shade: "main" })}
      ${agent.paused !== null || reasons.length > 0 ? nothing : button(it, "pause", it.t.pause)}</p>
    ${agent.paused !== null || reasons.length === 0 ? nothing : html`<div class="row" role="group" aria-label=${it.t.pause}>
      <span class="soft">${it.t.pause}${key("P")}</span>
      ${reasons.map((reason, n) => button(it, "pause_for", reason, { of: reason, can: it.can("pause"), keys: n < 9 ? `P ${n + 1}` : "" }))}</div>`}
    ${it.choosing === "pause" ? html`<p class="choose" role="status">${it.t.choose}</p>` : nothing}`;
}

/** @param {It} it */
export const callHeading = (it) => it.t.roles[it.panel.call?.role ?? (it.panel.placed ? "placed" : "none")];

/** @param {It} it @param {import("./types").PanelCall} call */
function facts(it, call) {
  const rows = [];
  const fact = (name, value) => rows.push(html`<div><dt>${it.t[name]}</dt><dd>${value}</dd></div>`);
  fact("dialled", lineName(it, call.number));
  if (call.group) fact("group", groupName(it, call.group));
  if (call.pressed.length > 0) fact("pressed", call.pressed.map((row) => `${row.menu} → ${row.keys}`).join("、"));
  if (call.entered.length > 0) fact("entered", call.entered.map((row) => `${row.entry}: ${row.digits}`).join("、"));
  if (call.language !== "ja") fact("spoken", it.t.languages[call.language] ?? call.language);
  if (call.caller.diverted_from) fact("diverted", call.caller.diverted_from);
  const wait = call.wait_ms ?? null;
  if (wait !== null) fact("waited", html`${clock(wait)}${call.busy_announced ? it.t.busy_told : ""}`);
  else if (call.asked_ms !== null) fact("waited", html`${since(it.panel.now_ms - (call.age_ms - call.asked_ms))}${call.busy_announced ? it.t.busy_told : ""}`);
  if (call.parked) fact("parked", it.t.in_slot(call.parked.slot, nameOf(it, call.parked.by)));
  // A recording goes on while the caller is parked or with somebody else: that is not told to who is out of the call,
  // who would take it for the own voice.
  const tape = call.recordings.at(-1);
  const others = call.role === "last" && ["running", "paused"].includes(tape?.state);
  if (tape && !others) fact("recording", it.t.tapes[tape.state] ?? tape.state);
  const before = call.talks.filter((talk) => talk.length_ms !== null).map((talk) => `${nameOf(it, talk.agent)} ${clock(talk.length_ms)}`);
  if (before.length > 0) fact("talked", before.join(" → "));
  if (call.state === "ended" && call.outcome) fact("outcome", it.t.outcomes[call.outcome] ?? call.outcome);
  return html`<dl class="facts">${rows}</dl>`;
}

/**
 * Whom the agent asks by keys: a colleague, a number, or a group of which nobody has answered yet.
 * @param {It} it @param {import("./types").Asks} asks
 */
function whomOf(it, asks) {
  if (asks.with) return nameOf(it, asks.with);
  return asks.number ?? it.panel.groups.find((group) => group.group === asks.group)?.name ?? asks.group;
}

/** @param {It} it */
export function call(it) {
  const { call, placed } = it.panel;
  // The panel is no telephone: where the call is answered and hung up must be said once it is to be done.
  const how = (what) => html` <span class="how">${it.t[what]}</span>`;
  if (!call && placed) {
    return html`<p class="caller">${placed.number}</p><p class="soft">${since(placed.dialled_at_ms)}${how("hang_up_there")}</p>`;
  }
  const talk = call?.talks.at(-1);
  const talks = talk && talk.length_ms === null ? it.panel.now_ms - (call.age_ms - talk.from_ms) : null;
  return html`
    ${call ? html`<p class="caller ${call.role}" id="caller">${callerOf(it, call.caller)}</p>
      ${talks === null ? nothing : html`<p class="soft">${it.t.talk} ${since(talks)} ${call.held && !call.asks ? html`<b class="held">${it.t.held}</b>` : nothing}
        ${call.role === "talking" && !call.asks ? how("hang_up_there") : nothing}</p>`}
      ${call.role === "ringing" ? html`<p>${how("answer_there")}</p>` : nothing}
      ${call.role === "talking" && call.asks ? html`<p class="hint" id="consulting">${(call.asks.turned ? it.t.turned : it.t.consulting)(whomOf(it, call.asks))}</p>` : nothing}
      ${call.role === "asked" && talk ? html`<p class="hint">${it.t.asked(nameOf(it, talk.agent))}</p>` : nothing}
      ${facts(it, call)}` : html`<p class="soft">–</p>`}
    <div class="row orders">
      ${call?.role === "last" && call.parked ? button(it, "retrieve", it.t.take(call.parked.slot), { of: { slot: call.parked.slot, area: "call" }, keys: retrieveKeys(it, call.parked.slot), shade: "main" }) : nothing}
      ${call?.asks ? html`${button(it, "swap", it.t.swap)}${button(it, "join", it.t.join)}${button(it, "back", it.t.back)}`
    : html`${button(it, "park", it.t.park)}${button(it, "transfer", it.t.transfer)}${button(it, "consult", it.t.consult)}`}
      ${button(it, "tape", it.tapeRuns() ? it.t.tape_pause : it.t.tape_resume)}
    </div>`;
}

/** @param {It} it @param {import("./types").NoteRow} note */
const noteRow = (it, note) => html`<li><span class="soft">${it.time(note.at_ms)} ${nameOf(it, note.agent)}</span><p>${note.text}</p></li>`;

/** @param {It} it */
export const notes = (it) => (it.panel.call?.notes.length ? html`<ol class="list">${it.panel.call.notes.map((note) => noteRow(it, note))}</ol>` : nothing);

export const drafts = (it) => html`
  ${it.noteIsOther() ? html`<p class="hint">${it.t.note_other} <button type="button" data-act="note_here" @click=${() => it.write(it.panel.call.call)}>${it.t.note_here}</button></p>` : nothing}
  ${it.drafts().map(([id, draft]) => html`<button type="button" class="draft" @click=${() => it.write(id)}>${it.t.draft(draft.who)}</button>`)}`;

/** @param {It} it */
export function slots(it) {
  const lamp = (row) => {
    const held = row.parked;
    if (!held) {
      return html`<button type="button" class="slot" data-slot=${row.slot} ?disabled=${!it.can("park")} aria-label=${`${row.slot} ${it.t.free}`}
        title=${it.t.park_here(row.slot)} @click=${() => it.act("park", row.slot)}><b>${row.slot}</b> <span>${it.t.free}</span></button>`;
    }
    const keys = retrieveKeys(it, row.slot);
    return html`<button type="button" class="slot taken" data-slot=${row.slot} aria-keyshortcuts=${keys || nothing} ?disabled=${!it.can("retrieve")}
      title=${it.t.take(row.slot)} @click=${() => it.act("retrieve", { slot: row.slot, area: "slots" })}><b>${row.slot}</b> <span class="who">${callerOf(it, held.caller)}</span>
      <span class="by">${nameOf(it, held.by)} ${since(held.since_ms)}</span><span class="do">${it.t.retrieve}${key(keys)}</span></button>`;
  };
  const rows = it.panel.slots;
  return rows.length === 0 ? html`<p class="soft">${it.t.none}</p>` : html`<div class="slots">${rows.map(lamp)}</div>
    ${it.choosing === "retrieve" ? html`<p class="choose" role="status">${it.t.choose}</p>` : nothing}`;
}

/** @param {It} it */
export const colleagues = (it) => html`<ul class="people">${it.panel.colleagues.map((row) => html`<li class=${row.state} data-agent=${row.agent}>
    <span class="name">${row.name} <small>${row.agent}</small></span>
    <span class="shown">${row.state === "paused" && row.paused ? reasonOf(it, row.paused) : it.t.states[row.state]} ${since(row.since_ms)}</span>
    ${it.can("transfer") ? html`<span class="row">
      <button type="button" data-act="transfer-to" aria-label=${`${it.t.transfer} ${row.name}`} ?disabled=${!row.reachable} @click=${() => it.pass("transfer", row.agent, "colleagues")}>${it.t.transfer}</button>
      <button type="button" data-act="consult-with" aria-label=${`${it.t.consult} ${row.name}`} ?disabled=${!row.reachable} @click=${() => it.pass("consult", row.agent, "colleagues")}>${it.t.consult}</button></span>` : nothing}</li>`)}</ul>`;

/** @param {It} it */
export const colleagueList = (it) => it.panel.colleagues.map((row) => html`<option value=${row.agent} label=${`${row.name}（${it.t.states[row.state]}）`}></option>`);

const empty = (it) => html`<p class="soft">${it.t.none}</p>`;
const cut = (it, count, shown) => (count > shown ? html`<p class="soft">${it.t.more(count - shown)}</p>` : nothing);

/** @param {It} it */
export function queue(it) {
  const { calls, count } = it.panel.queue;
  if (count === 0) return empty(it);
  return html`<ol class="list">${calls.map((row) => html`<li class="line"><span>${callerOf(it, row.caller)}</span>
    <span class="soft">${row.group ? groupName(it, row.group) : ""}${row.ringing ? `・${it.t.ringing_now}` : ""}</span>
    <b>${since(it.panel.now_ms - row.wait_ms)}</b></li>`)}</ol>${cut(it, count, calls.length)}`;
}

/** @param {It} it */
export function earlier(it) {
  const rows = it.panel.call?.earlier ?? [];
  if (rows.length === 0) return empty(it);
  return html`<ol class="list">${rows.map((row) => html`<li><span class="line"><b>${it.day(row.arrived_at_ms)}</b>
    <span>${it.t.outcomes[row.outcome] ?? "–"}</span><span class="soft">${row.agent ? nameOf(it, row.agent) : lineName(it, row.number)}</span></span>
    ${row.notes.length > 0 ? html`<ol class="list">${row.notes.map((note) => noteRow(it, note))}</ol>` : nothing}</li>`)}</ol>`;
}

/** @param {It} it */
export function messages(it) {
  const { rows, count } = it.panel.messages;
  if (count === 0) return empty(it);
  const row = (message, n) => html`<li><span class="line"><b>${it.day(message.left_at_ms)}</b> <span>${callerOf(it, message.caller)}</span>
    <span class="soft">${message.box_name} ${clock(message.length_ms)}</span></span><span class="row">
    ${button(it, "play", it.t.play, { of: message, can: message.kept, keys: it.keyedToPlay(message) ? it.keyOf("play") : "" })}
    ${button(it, "heard", it.t.heard, { of: message, can: true, keys: it.keyedToMark(message) ? it.keyOf("heard") : "" })}</span></li>`;
  return html`<ol class="list">${rows.map(row)}</ol>${cut(it, count, rows.length)}`;
}

/** @param {It} it */
export function callbacks(it) {
  const { rows, count } = it.panel.callbacks;
  if (count === 0) return empty(it);
  return html`<ol class="list">${rows.map((row) => html`<li class="line"><span>${row.number}</span>
    <span class="soft">${groupName(it, row.group)}・${it.t.callback_states[row.state] ?? row.state}</span><b>${since(row.asked_at_ms)}</b></li>`)}</ol>${cut(it, count, rows.length)}`;
}

/** @param {It} it */
export function unanswered(it) {
  const rows = it.panel.unanswered;
  if (rows.length === 0) return empty(it);
  return html`<ol class="list">${rows.map((row) => html`<li class="line"><b>${it.time(row.at_ms)}</b> <span>${callerOf(it, row.caller)}</span>
    <span class="soft">${it.t.why[row.why]}</span></li>`)}</ol>`;
}

/** @param {It} it */
export const lines = (it) => html`<ul class="list">${it.panel.lines.map((row) => html`<li class="line"><span>${row.name} ${row.number}</span>
  <b class=${row.in_use >= row.limit ? "full" : ""}>${row.in_use} / ${row.limit}</b></li>`)}</ul><p class="soft">${it.t.channels(it.panel.channels_in_use)}</p>`;

export const help = (it) => html`<table><tbody>
  ${it.table().map(([keys, label]) => html`<tr><th scope="row"><kbd>${keys}</kbd></th><td>${label}</td></tr>`)}</tbody></table>`;
