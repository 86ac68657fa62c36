// What the supervisor's pages show, as templates: each takes the state and gives a piece of the page. Every text from
// outside is a child or an attribute of a template and so never markup. Nothing is ordered here.
import { html, nothing } from "/lib/lit-html.js";
import { EVENTS, WAYS } from "./words.js";

/**
 * What the templates see; what is not named here is words and ways of the page's own.
 * @typedef {{
 *   board: import("./types").Board | null, me: import("./types").Me | null, language: string,
 *   found: { rows: import("./types").Call[], more: string | null, asked: any, answered: boolean }, chosen: import("./types").OneCall | null,
 *   figures: { month: string, level: import("./types").MonthFigures | null, exclusions: import("./types").Exclusion[], files: any },
 *   plan: { shown: import("./types").PlanText | null, text: string, checked: import("./types").PlanChecked | null, changes: { kind: string, text: string }[], effect: import("./types").PlanEffect | "asked" | null },
 *   orders: import("./types").Orders | null, monitor: { agent: string, call: string, mode: string, joined: boolean, asked: number } | null, [name: string]: any,
 * }} It
 */

const MANY_HOURS_MS = 48 * 3600000;

const two = (n) => String(n).padStart(2, "0");

// Minutes and seconds, and hours where there are any.
export function clock(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

// The same, and whole days once nobody counts hours any more.
export const age = (ms, t) => (ms < MANY_HOURS_MS ? clock(ms) : t.days(Math.floor(ms / 86400000)));

const since = (ms) => html`<span class="clock" data-since=${ms}></span>`;

export function callerOf(it, caller) {
  const number = typeof caller.number === "string" ? it.t[caller.number] : caller.number.known;
  return caller.name && caller.name !== number ? `${caller.name} ${number}` : number;
}

/** @param {It} it */
export const nav = (it) => html`
  <button type="button" @click=${it.switchLanguage} lang=${it.t.language === "English" ? "en" : "ja"}>${it.t.language}</button>
  <button type="button" @click=${it.switchTheme}>${it.t.theme}</button>
  <a class="button" href="/">${it.t.wallboard}</a><a class="button" href="/recordings">${it.t.recordings}</a>
  <button type="button" @click=${it.logout}>${it.t.logout}</button>`;

/** @param {It} it */
export const tabs = (it) => Object.entries(it.t.tabs).map(([name, label]) => html`
  <button type="button" data-tab=${name} aria-current=${it.tab === name ? "page" : nothing} @click=${() => it.open(name)}>${label}</button>`);

export const tile = (id, heading, body) => html`<section class="tile" aria-labelledby=${`${id}-h`}><h2 id=${`${id}-h`}>${heading}</h2>${body}</section>`;
/** @param {It} it */
const none = (it) => html`<p class="soft">${it.t.none}</p>`;
export const heads = (...labels) => html`<thead><tr>${labels.map((label) => html`<th scope="col">${label}</th>`)}</tr></thead>`;

// ---- now

/** @param {It} it */
export const now = (it) => html`<div class="page now">
  ${tile("agents", html`${it.t.agents} <span id="monitor" class="chip" role="status">${monitored(it)}</span>`, agents(it))}
  <div class="column">${tile("queue", `${it.t.waiting} ${it.board.waiting.count}`, queue(it))}${tile("parked", it.t.parked, parked(it))}</div></div>`;

// Whom this supervisor hears, in the heading's line: nothing moves when it comes.
/** @param {It} it */
const monitored = (it) => (it.monitor === null ? nothing : it.t.monitors[it.monitor.joined ? it.monitor.mode : "rings"](it.agentName(it.monitor.agent)));

/** @param {It} it */
function monitoring(it, agent) {
  const button = (mode, label, pressed, off) => html`<button type="button" data-mode=${mode} aria-pressed=${pressed} ?disabled=${off} @click=${() => it.supervise(agent, mode)}>${label}</button>`;
  if (agent.agent === it.phone()) return nothing; // Nobody listens to oneself.
  const mine = it.monitor?.agent === agent.agent ? it.monitor : null;
  const modes = agent.state !== "talking" ? nothing : ["listen", "whisper", "barge"].map((mode) => button(mode, it.t[mode], mine?.joined && mine.mode === mode ? "true" : "false", it.monitor !== null && mine === null));
  // A line of its own has room for the last, so that nothing moves when it comes.
  return modes === nothing && !mine ? nothing : html`<div class="row">${modes}${mine ? button("end", it.t.stop, nothing, false) : nothing}</div>`;
}

/** @param {It} it */
function agents(it) {
  const order = (agent, path, body) => it.order(`/api/v1/agents/${encodeURIComponent(agent.agent)}/${path}`, path.replaceAll("-", "_"), body);
  const rows = it.board.agents.map((agent) => html`<tr data-agent=${agent.agent}>
    <td>${agent.name} <small>${agent.agent}</small></td>
    <td><span class="state ${agent.state}">${agent.state === "paused" && agent.paused ? agent.paused : it.t.states[agent.state]}</span></td>
    <td class="num">${agent.since_ms === 0 ? nothing : since(agent.since_ms)}</td>
    <td class="num">${agent.today.answered} / ${agent.today.missed + agent.today.refused}</td>
    <td><div class="row">
      ${agent.signed_in ? html`<button type="button" @click=${() => order(agent, "sign-out")}>${it.t.sign_out}</button>`
    : html`<button type="button" @click=${() => order(agent, "sign-in")}>${it.t.sign_in}</button>`}
      ${!agent.signed_in ? nothing : agent.paused === null
    ? html`<select aria-label=${`${it.t.pause}: ${agent.name}`} @change=${(event) => { const reason = event.target.value; event.target.value = ""; if (reason) order(agent, "pause", { reason }); }}>
            <option value="">${it.t.pause}…</option>${it.reasons.map((reason) => html`<option value=${reason}>${reason}</option>`)}</select>`
    : html`<button type="button" @click=${() => order(agent, "unpause")}>${it.t.unpause}</button>`}
      ${agent.state === "wrap_up" ? html`<button type="button" @click=${() => order(agent, "wrap-up-end")}>${it.t.wrap_up_end}</button>` : nothing}
    </div>${monitoring(it, agent)}</td></tr>`);
  return html`<table>${heads(it.t.agent, it.t.state, it.t.since, `${it.t.today}: ${it.t.answered_today} / ${it.t.missed_today}`, it.t.what)}<tbody>${rows}</tbody></table>`;
}

/** @param {It} it */
function queue(it) {
  if (it.board.waiting.calls.length === 0) return none(it);
  const rows = it.board.waiting.calls.map((call) => html`<tr data-call=${call.call}>
    <td>${callerOf(it, call.caller)}</td><td>${it.groupName(call.group)}</td>
    <td class="num"><span class="clock" data-waited=${call.wait_ms}></span></td>
    <td>${call.ringing ? it.t.ringing : html`<button type="button" ?disabled=${call.put_first}
      @click=${() => it.order(`/api/v1/calls/${call.call}/queue/first`, "first")}>${call.put_first ? it.t.is_first : it.t.first}</button>`}</td></tr>`);
  return html`<table>${heads(it.t.caller, it.t.group, it.t.wait, it.t.what)}<tbody>${rows}</tbody></table>`;
}

/** @param {It} it */
function parked(it) {
  const rows = it.board.parked ?? [];
  if (rows.length === 0) return none(it);
  return html`<table>${heads(it.t.slot, it.t.caller, it.t.by, it.t.since)}<tbody>${rows.map((row) => html`<tr>
    <td>${row.slot}</td><td>${row.caller ? callerOf(it, row.caller) : ""}</td><td>${it.agentName(row.by)}</td>
    <td class="num">${row.since_ms ? since(row.since_ms) : nothing}</td></tr>`)}</tbody></table>`;
}

// ---- hours

/** @param {It} it */
export function hours(it) {
  const why = (row) => (row.open === null ? it.t.unknown : row.open ? it.t.open : `${it.t.closed}${row.why ? `: ${it.t.why[row.why.closed] ?? row.why.closed}${row.why.name ? ` ${row.why.name}` : ""}` : ""}`);
  const numbers = (it.board.numbers ?? []).map((row) => html`<tr>
    <td>${row.name} <small>${row.number}</small></td>
    <td class=${row.open ? "good" : "warn"}>${why(row)}${row.out_of_turn ? ` (${it.t.out_of_turn})` : ""}</td>
    <td class="num">${row.lines_in_use} / ${row.line_limit}</td><td>${row.changes_at_ms ? it.moment(row.changes_at_ms) : "–"}</td></tr>`);
  const holds = it.board.ad_hoc_hours.map((row) => html`<li class="line"><b>${it.t.to_words[row.to]}</b>
    <span>${row.number ?? it.t.all} · ${row.reason} · ${row.author} · ${it.t.until_then(it.moment(row.until_ms))}</span>
    <button type="button" @click=${() => it.order(`/api/v1/hours/${row.number ?? "all"}/restore`, "restore", it.signed({}))}>${it.t.restore}</button></li>`);
  // A plan that was put in force meanwhile may have it no more.
  if (it.ordering.number !== "all" && !(it.board.numbers ?? []).some((row) => row.number === it.ordering.number)) it.ordering.number = "";
  const { number, to } = it.ordering;
  const which = number === "" ? "" : number === "all" ? it.t.all : it.language === "ja" ? `${number} ` : number;
  const toWords = { close: it.t.close, disaster: it.t.disaster, open: it.t.open_now };
  const chosen = (name) => (event) => { it.ordering[name] = event.target.value; it.draw(); };
  return html`${tile("numbers", it.t.numbers, html`<table>${heads(it.t.number, it.t.state, it.t.lines, it.t.changes)}<tbody>${numbers}</tbody></table>`)}
    ${tile("holds", it.t.holds, holds.length ? html`<ul class="list">${holds}</ul>` : none(it))}
    ${tile("order", it.t.order_hours, html`<form class="fields" id="hours-form" @submit=${it.orderHours}>
      <label>${it.t.which} <select name="number" required @change=${chosen("number")}><option value="" .selected=${number === ""}>${it.t.choose}</option><option value="all" .selected=${number === "all"}>${it.t.all}</option>${(it.board.numbers ?? []).map((row) => html`<option value=${row.number} .selected=${row.number === number}>${row.name} ${row.number}</option>`)}</select></label>
      <label>${it.t.to} <select name="to" @change=${chosen("to")}>${Object.entries(toWords).map(([name, label]) => html`<option value=${name} .selected=${name === to}>${label}</option>`)}</select></label>
      <label>${it.t.until} <input type="datetime-local" name="until" required></label>
      <label class="wide">${it.t.reason} <input name="reason" required maxlength="64"></label>
      <button class="main">${number === "" ? toWords[to] : it.t.order_do[to](which)}</button></form>
      <p class="soft">${it.t.until_note} ${it.t.waiting_note}</p>`)}`;
}

// ---- calls

/** @param {It} it */
export function calls(it) {
  const { rows, more, asked, answered } = it.found;
  const listed = rows.map((call) => html`<tr class=${it.chosen?.call.call === call.call ? "chosen" : ""} data-call=${call.call}>
    <td>${it.moment(call.arrived_at_ms)}</td><td>${callerOf(it, call.caller)}</td><td>${call.number}</td>
    <td>${call.outcome ? it.t.outcomes[call.outcome] : it.t.undecided}</td><td>${call.talks.map((talk) => it.agentName(talk.agent)).join(" → ")}</td>
    <td class="num">${call.wait_ms === null ? "–" : clock(call.wait_ms)}</td><td class="num">${call.length_ms === null ? "–" : clock(call.length_ms)}</td>
    <td><button type="button" @click=${() => it.choose(call.call)}>${it.t.explained}</button></td></tr>`);
  // A form that is made anew asks what the rows below it answer.
  const choice = (name, value, label) => html`<option value=${value} ?selected=${asked?.[name] === value}>${label}</option>`;
  return html`${tile("search", it.t.tabs.calls, html`<form class="fields" id="calls-form" @submit=${it.search}>
      <label>${it.t.day} <input type="date" name="day" required .defaultValue=${asked?.day ?? it.board.today}></label>
      <label>${it.t.number} <input name="number" inputmode="tel" autocomplete="off" .defaultValue=${asked?.number ?? ""}></label>
      <label>${it.t.agent} <select name="agent"><option value="">${it.t.any}</option>${it.board.agents.map((agent) => choice("agent", agent.agent, agent.name))}</select></label>
      <label>${it.t.outcome} <select name="outcome"><option value="">${it.t.any}</option>${Object.entries(it.t.outcomes).map(([name, label]) => choice("outcome", name, label))}</select></label>
      <button class="main">${it.t.search}</button></form>
    <p class="soft" role="status">${answered ? it.t.count(rows.length) : ""}</p>
    ${rows.length === 0 ? nothing : html`<table>${heads(it.t.at, it.t.caller, it.t.dialled, it.t.outcome, it.t.agent, it.t.wait, it.t.length, "")}<tbody>${listed}</tbody></table>`}
    ${more ? html`<button type="button" @click=${it.searchMore}>${it.t.more}</button>` : nothing}`)}
    ${it.chosen ? one(it) : nothing}`;
}

/** @param {It} it */
function one(it) {
  const { call, explained, ladder, notes } = it.chosen;
  const stands = explained.place ? Object.entries(explained.place.figures).map(([figure, place]) => html`<div><dt>${it.t.figure[figure] ?? figure}</dt><dd>${(place.stands === "out" ? it.t.out[place.why] : it.t.place[figure]?.[place.stands]) ?? place.stands}</dd></div>`) : nothing;
  const rung = (entry) => {
    const { kind, ...rest } = entry.event;
    const words = EVENTS[it.language][entry.of]?.[kind] ?? kind;
    const details = Object.entries(rest).map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`).join(" ");
    return html`<tr><td class="num">${entry.t_ms === undefined ? "" : `+${(entry.t_ms / 1000).toFixed(1)} s`}</td><td>${typeof words === "string" ? words : words(entry.event, it)}</td>
      ${it.raw ? html`<td>${entry.of === "call" ? "" : `${entry.of} `}<b>${kind}</b> <code>${details}</code></td>` : nothing}</tr>`;
  };
  const tapes = (call.recordings ?? []).map((tape, n) => (tape.state === "kept" ? html`<audio controls preload="none" src=${`/api/v1/calls/${call.call}/recordings/${n + 1}`} aria-label=${`${it.t.recordings} ${n + 1}`}></audio>` : nothing));
  return tile("one", `${it.t.explained}: ${callerOf(it, call.caller)}`, html`
    <p id="explained"><b>${call.outcome ? it.t.outcomes[call.outcome] : it.t.undecided}</b> – ${explained[it.language] ?? ""}</p>
    <dl class="facts stands">${stands}</dl>
    <p class="row"><a class="button" href=${`/api/v1/calls/${call.call}/ladder.html`} target="_blank" rel="noopener">${it.t.sip}</a>
      <button type="button" id="raw" aria-pressed=${it.raw ? "true" : "false"} @click=${() => { it.raw = !it.raw; it.draw(); }}>${it.t.details}</button> <small>${call.call}</small></p>
    ${tapes}
    ${notes.length === 0 ? nothing : html`<h3>${it.t.notes}</h3><ul class="list">${notes.map((note) => html`<li><b>${it.agentName(note.agent)}</b> <small>${it.moment(note.at_ms)}</small><p>${note.text}</p></li>`)}</ul>`}
    <table class="ladder">${heads("", it.t.event, ...(it.raw ? [it.t.details] : []))}<tbody>${ladder.map(rung)}</tbody></table>`);
}

// ---- figures

/** @param {It} it */
export function figures(it) {
  const { level, exclusions, files } = it.figures;
  const rate = (name, it_) => html`<div class=${it_.verdict}><span class="soft">${it.t[name]}</span> <b>${it_.percent === null ? "–" : `${it_.percent} %`}</b>
    <small>${it.t.part[name](it_.part, it_.whole)} · ${it.t.limit(it_.limit_percent)} · ${it.t[it_.verdict]}</small></div>`;
  const count = (name, value, note = "") => html`<div><span class="soft">${it.t[name]}</span> <b>${value}</b> <small>${note}</small></div>`;
  // With their month: what is typed below may be another, which could not be read.
  const head = tile("rates", level ? `${it.t.tabs.figures}: ${it.monthName(it.figures.month)}` : it.t.tabs.figures, html`<form class="fields" id="month-form" @submit=${it.showMonth}>
      <label>${it.t.month} <input type="month" name="month" required pattern="[0-9]{4}-(0[1-9]|1[0-2])" placeholder=${it.board.month} .value=${it.figures.month}></label><button>${it.t.show}</button></form>
    ${level ? html`<div class="big">${rate("abandon_rate", level.abandon_rate)}${rate("busy_rate", level.busy_rate)}
      ${count("arrived", level.arrived, level.undecided > 0 ? it.t.undecided_of(level.undecided) : "")}${count("offered", level.offered, it.t.offered_note)}${count("answered", level.answered)}
      ${count("in_time", level.answered_in_time.percent === null ? "–" : `${level.answered_in_time.percent} %`)}
      ${count("left_out", level.excluded.arrived)}</div>` : nothing}`);
  if (!level) return head;
  const judge = (row, action, body) => it.order(`/api/v1/exclusions/${row.exclusion}/${action}`, action, it.signed(body)).then(() => it.refreshFigures());
  const rows = exclusions.map((row) => html`<tr><td class="num">${row.exclusion}</td><td>${it.moment(row.from_ms)} – ${it.moment(row.until_ms)}</td><td>${row.reason}</td>
    <td>${it.t.exclusion_states[row.state]}</td><td>${row.entered?.author ?? ""}${"approved" in row && row.approved ? ` → ${row.approved.author}` : ""}</td>
    <td><div class="row">${row.state === "entered" ? html`<button type="button" @click=${() => judge(row, "approve", {})}>${it.t.approve}</button>` : nothing}
      ${row.state === "withdrawn" ? nothing : html`<button type="button" @click=${() => { const reason = prompt(it.t.reason); if (reason) judge(row, "withdraw", { reason }); }}>${it.t.withdraw}</button>`}</div></td></tr>`);
  const revisions = level.closed ?? [];
  const month = it.monthName(it.figures.month);
  const running = it.figures.month >= it.board.month;
  return html`${head}
    ${tile("exclusions", it.t.exclusions, html`${rows.length ? html`<table>${heads(it.t.number, it.t.period, it.t.reason, it.t.state, it.t.by_whom, it.t.what)}<tbody>${rows}</tbody></table>` : none(it)}
      <form class="fields" id="exclusion-form" @submit=${it.enterExclusion}>
        <label>${it.t.from} <input type="datetime-local" name="from" required></label><label>${it.t.until} <input type="datetime-local" name="until" required></label>
        <label class="wide">${it.t.reason} <input name="reason" required maxlength="200"></label><button class="main">${it.t.enter}</button></form>
      <p class="soft">${it.t.other_person}</p>`)}
    ${tile("closing", it.t.closing, html`
      ${revisions.length ? html`<ul class="list">${revisions.map((row) => html`<li>${it.t.revision(row.revision)} · ${row.closed.author} · ${it.moment(row.closed.at_ms)} ${row.reason ? `· ${row.reason}` : ""}</li>`)}</ul>` : html`<p class="soft">${it.t.not_closed}</p>`}
      ${level.differs_from_closed ? html`<p class="hint">${it.t.differs}</p>` : nothing}
      <form class="fields" id="close-form" @submit=${it.closeMonth}>
        ${revisions.length && !running ? html`<label class="wide">${it.t.again_reason} <input name="reason" required maxlength="200"></label>` : nothing}
        <button id="close-month" ?disabled=${running} aria-describedby="close-why">${it.t.close_month(month)}</button></form>
      <p class="soft" id="close-why">${running ? html`<b>${it.t.not_over(month)}</b> ` : nothing}${it.t.closing_note}</p>`)}
    ${tile("report", it.t.report, html`<p class="row"><button type="button" id="make-report" @click=${it.makeReport} ?disabled=${files === "making"}>${files === "making" ? it.t.making : it.t.make_report}</button></p>
      ${Array.isArray(files) ? html`<ul class="list">${files.map((name) => html`<li><a href=${`/api/v1/months/${it.figures.month}/report?file=${encodeURIComponent(name)}`} download=${name}>${name}</a></li>`)}</ul>` : nothing}`)}`;
}

// ---- plan

/** @param {It} it */
export function plan(it) {
  const { shown, checked, changes } = it.plan;
  if (!shown) return nothing;
  const finding = (row) => html`<li class=${row.severity === "error" ? "bad" : "warn"}><b>${it.t.severity[row.severity]}</b>
    ${row.line ? html`<button type="button" data-line=${row.line} @click=${() => it.toLine(row.line)}>${it.t.line(row.line)}</button>` : nothing}
    ${row[it.language].found} <span class="soft">${it.t.due}: ${row[it.language].due}</span></li>`;
  const edited = it.plan.text !== shown.text;
  const [tone, standing] = edited ? ["warn", "unapplied"] : shown.in_force ? ["good", "in_force"] : ["warn", "not_in_force"];
  const admin = it.me?.role === "admin";
  // Why it cannot be activated now.
  const but = !admin ? "admin_only" : !edited || (checked?.fits && changes.length === 0) ? "no_change" : checked === null ? "check_first" : checked.fits ? "" : "unfit";
  const numbers = Array.from({ length: it.plan.text.split("\n").length }, (_, n) => n + 1).join("\n");
  return html`${tile("plan", it.t.tabs.plan, html`<p>${it.t.plan_file(shown.file)} <span id="plan-standing" role="status" class=${tone}>${it.t[standing]}</span></p>
      <label for="plan-text" class="unseen">${it.t.tabs.plan}</label>
      <div class="plan-box"><pre class="plan-lines" aria-hidden="true">${numbers}</pre>
        <textarea id="plan-text" class="plan-text" spellcheck="false" @input=${it.planTyped} @scroll=${(event) => { event.target.previousElementSibling.scrollTop = event.target.scrollTop; }} .value=${it.plan.text}></textarea></div>
      <p class="row"><button type="button" id="plan-check" class="main" @click=${it.checkPlan}>${it.t.check}</button>
        <button type="button" id="plan-activate" ?disabled=${but !== ""} aria-describedby="plan-but" @click=${it.activatePlan}>${it.t.activate}</button>
        <button type="button" id="plan-weigh" ?disabled=${it.plan.effect === "asked"} @click=${it.weighPlan}>${it.t.weigh}</button>
        <button type="button" id="plan-reload" @click=${it.readPlan}>${edited ? it.t.reload_drop : it.t.reload}</button>
        <span class="soft" id="plan-but">${but === "" ? "" : it.t[but]}</span></p>`)}
    ${checked ? tile("findings", checked.fits ? it.t.fits : it.t.unfit, html`<ul class="list" id="findings">${checked.findings.map(finding)}</ul>`) : nothing}
    ${checked ? tile("changes", it.t.changed, changes.length === 0 ? html`<p class="soft">${it.t.no_change}</p>`
    : html`<div class="diff" id="plan-diff" tabindex="0" role="group" aria-label=${it.t.changed}>${changes.map((change) => (change.kind === "+" ? html`<ins>+ ${change.text}</ins>` : change.kind === "-" ? html`<del>- ${change.text}</del>` : html`<span>${change.text}</span>`))}</div>`) : nothing}
    ${it.plan.effect === null ? nothing : tile("effect", it.t.effect, effect(it))}`;
}

// A way of a call under a plan, from the desk's words for it: hours, menus, keys, where it leads, and how it is counted.
/** @param {It} it */
function way(it, text) {
  const words = WAYS[it.language];
  const part = (one) => {
    const [first, ...rest] = one.split(" ");
    return words[one] ?? (rest.length > 0 && words[first] ? (it.language === "ja" ? `${words[first]}「${rest.join(" ")}」` : `${words[first]} ${rest.join(" ")}`) : one);
  };
  return text.split(" > ").map(part).join(" → ");
}

/** @param {It} it */
function effect(it) {
  const found = it.plan.effect;
  if (found === null) return nothing;
  if (found === "asked") return html`<p class="soft" role="status">${it.t.reading}</p>`;
  const changed = found.numbers.reduce((sum, row) => sum + row.changed, 0);
  const calls = found.numbers.reduce((sum, row) => sum + row.calls, 0);
  return html`<p id="effect-sum">${it.t.effect_sum(calls, changed)}</p>
    ${found.numbers.length === 0 ? nothing : html`<table id="effect-numbers">${heads(it.t.number, it.t.number_name, it.t.its_calls, it.t.other_way)}<tbody>${found.numbers.map((row) => html`<tr>
      <td>${row.number}</td><td>${row.name}</td><td>${row.calls}</td><td>${row.changed}</td></tr>`)}</tbody></table>`}
    ${found.calls.length === 0 ? nothing : html`<table id="effect-calls">${heads(it.t.when, it.t.number, it.t.way_now, it.t.way_then)}<tbody>${found.calls.map((row) => html`<tr>
      <td>${it.moment(row.at_ms)}</td><td>${row.number}</td><td><del>${way(it, row.was)}</del></td><td><ins>${way(it, row.is)}</ins></td></tr>`)}</tbody></table>`}
    ${changed > found.calls.length ? html`<p class="soft">${it.t.effect_first(found.calls.length)}</p>` : nothing}`;
}

// ---- orders

/** @param {It} it */
export const orders = (it) => tile("orders", it.t.tabs.orders, html`<p class="soft">${it.t.orders_note(it.orders?.kept ?? 0)}</p>
  ${it.orders?.orders.length === 0 ? html`<p>${it.t.orders_empty}</p>` : html`<table id="orders">${heads(it.t.when, it.t.who, it.t.role, it.t.did)}<tbody>${(it.orders?.orders ?? []).map((row) => html`<tr>
    <td>${it.moment(row.at_ms)}</td><td>${row.who}</td><td>${row.role ?? ""}</td><td><code>${row.what}</code></td></tr>`)}</tbody></table>`}`);
