// The supervisor's planning page: a roster and a month go in, rates and numbers of agents come out. The desk answers one
// question at a time, in the background, whoever asks; its answer stays for all. State and orders are below, how it looks
// above; the page's own ways come in by `it`.
import { html, nothing, svg } from "/lib/lit-html.js";
import { heads, tile } from "./view.js";

/** @typedef {import("./view.js").It} It */

const ASK_MS = 10000; // For an answer to an order.
const AGAIN_MS = 15000; // Between two looks at an answer that somebody is refused or that cannot be reached.
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const WIDTH = 720;
const HEIGHT = 340;
const [LEFT, RIGHT, TOP, BOTTOM] = [56, 20, 36, 290];
const MOST_SHOWN = 0.5; // Half of the callers lost is as bad as a picture need show.

/**
 * What is known here. `shown` is the desk's own word; the form is what somebody types.
 * @type {{ shown: import("./types").Planning | null,
 *   form: { month: string, calls: string, certainty: string, by_half_hour: boolean, lines: string },
 *   shifts: { agents: string, days: string[], from: string, until: string, break_from: string, break_until: string }[] }}
 */
const known = { shown: null, form: { month: "", calls: "", certainty: "95", by_half_hour: false, lines: "" }, shifts: [] };

const percent = (part) => `${(part * 100).toFixed(1)} %`;
const whole = (number) => Math.round(number).toLocaleString("en-US");
const halfHour = (index) => `${String(Math.floor(index / 2)).padStart(2, "0")}:${index % 2 === 0 ? "00" : "30"}`;

/** @param {import("./types").PlanningSpan | null} of */
const spread = (of) => (of === null ? "–" : `${percent(of.mean)} (${percent(of.low)} – ${percent(of.high)})`);

/** @param {It} it */
export const planning = (it) => html`${question(it)}<div id="planning-answer" class="page" aria-live="polite">${standing(it)}</div>`;

/** @param {It} it */
function question(it) {
  const { form, shifts } = known;
  const typed = (name) => (event) => { form[name] = event.target.type === "checkbox" ? event.target.checked : event.target.value; };
  const row = (shift) => {
    const of = (name) => (event) => { shift[name] = event.target.value; };
    const day = (name, k) => html`<label class="choice"><input type="checkbox" .checked=${shift.days.includes(name)}
      @change=${(event) => { shift.days = DAYS.filter((one) => (one === name ? event.target.checked : shift.days.includes(one))); }}>${it.t.weekdays[k]}</label>`;
    return html`<tr><td><input aria-label=${it.t.shift_agents} inputmode="numeric" size="3" .value=${shift.agents} @input=${of("agents")}></td>
      <td><div class="row">${DAYS.map(day)}</div></td>
      <td><input type="time" aria-label=${it.t.from} .value=${shift.from} @input=${of("from")}> – <input type="time" aria-label=${it.t.until} .value=${shift.until} @input=${of("until")}></td>
      <td><input type="time" aria-label=${`${it.t.shift_break} ${it.t.from}`} .value=${shift.break_from} @input=${of("break_from")}> – <input type="time" aria-label=${`${it.t.shift_break} ${it.t.until}`} .value=${shift.break_until} @input=${of("break_until")}></td>
      <td><button type="button" @click=${() => drop(it, shift)}>${it.t.shift_drop}</button></td></tr>`;
  };
  const runs = known.shown?.state === "running";
  return tile("planning", it.t.tabs.planning, html`<p class="soft">${it.t.planning_note}</p>
    <form id="planning-form" @submit=${(event) => ask(it, event)}>
    <div class="row fields">
      <label>${it.t.month} <input type="month" name="month" required .value=${form.month} @input=${typed("month")}></label>
      <label>${it.t.planned_calls} <input name="calls" inputmode="numeric" size="8" placeholder=${it.t.by_history} .value=${form.calls} @input=${typed("calls")}></label>
      <label>${it.t.planned_lines} <input name="lines" inputmode="numeric" size="5" placeholder=${it.t.lines_enough} .value=${form.lines} @input=${typed("lines")}></label>
      <label>${it.t.certainty} <select name="certainty" .value=${form.certainty} @change=${typed("certainty")}>
        ${["80", "90", "95", "99"].map((value) => html`<option value=${value} ?selected=${value === form.certainty}>${it.t.months_of_100(value)}</option>`)}</select></label>
      <label class="choice"><input type="checkbox" name="by_half_hour" .checked=${form.by_half_hour} @change=${typed("by_half_hour")}>${it.t.also_half_hours}</label>
    </div>
    <h3>${it.t.roster}</h3>
    ${shifts.length === 0 ? html`<p class="soft">${it.t.no_roster}</p>` : html`<table id="shifts">${heads(it.t.shift_agents, it.t.shift_days, it.t.shift_time, it.t.shift_break, "")}<tbody>${shifts.map(row)}</tbody></table>`}
    <p class="row"><button type="button" id="shift-add" @click=${() => { shifts.push({ agents: "1", days: [], from: "08:30", until: "18:15", break_from: "", break_until: "" }); it.draw(); }}>${it.t.shift_add}</button>
      <button class="main" id="planning-ask" ?disabled=${runs}>${it.t.planning_ask}</button></p></form>`);
}

/** @param {It} it */
function standing(it) {
  const { shown } = known;
  if (shown === null) return html`<p class="soft" role="status">${it.t.reading}</p>`;
  const whose = shown.wanted ? it.t.planning_asked(shown.wanted.author ?? "", it.monthName(shown.wanted.month)) : "";
  switch (shown.state) {
    case "idle": return nothing;
    case "running": return tile("running", it.t.planning_runs, html`<p>${whose}</p>
      <p><progress id="planning-progress" max=${shown.of} value=${shown.done} aria-label=${it.t.planning_runs}></progress>
      <span role="status">${it.t.planning_steps[shown.step]}${shown.step === "history" ? "" : ` · ${it.t.planning_try(shown.tried + 1)} · ${shown.of === 0 ? 0 : Math.floor((100 * shown.done) / shown.of)} %`}</span>
      ${shown.since_ms === null ? nothing : html`<small>${it.t.planning_since} <span class="clock" data-since=${shown.since_ms}></span></small>`}</p>
      <p class="row"><button type="button" id="planning-off" @click=${() => callOff(it)}>${it.t.planning_off}</button></p>`);
    case "cancelled": return html`<p role="status">${whose} ${it.t.planning_cancelled}</p>`;
    case "failed": return html`<p class="bad" role="alert">${whose} ${it.t.planning_failed} ${shown.why}</p>`;
    default: return answered(it, shown.answer, whose);
  }
}

/** @param {It} it
 * @param {import("./types").PlanningAnswer} answer */
function answered(it, answer, whose) {
  const { based_on, roster, curve, by_half_hour } = answer;
  const count = (label, value) => html`<div><span class="soft">${label}</span> <b>${value}</b></div>`;
  return html`${tile("enough", it.t.planning_answer, html`<p>${whose} <small>${it.t.planning_took(Math.ceil(answer.took_ms / 1000), answer.months)}</small></p>
    ${based_on.made_up ? html`<p class="hint bad" id="made-up">${it.t.made_up(based_on.calls)}</p>` : html`<p class="soft">${it.t.based_on(based_on.calls, based_on.days)} ${based_on.season === null ? it.t.no_season : it.t.season(based_on.season.toFixed(2))}</p>`}
    <div class="big">${count(it.t.planned_calls, whole(answer.calls))}
      ${count(it.t.agents_all_day, answer.agents ?? it.t.none_enough)}
      ${count(it.t.lines_needed, answer.lines ? answer.lines.lines : "–")}
      ${by_half_hour ? count(it.t.hours_by_half_hour, whole(by_half_hour.agent_hours)) : nothing}</div>`)}
    ${roster ? judged(it, roster, answer.limits) : nothing}
    ${tile("curve", it.t.curve, html`${picture(it, curve, answer.limits)}
      <table id="curve-table">${heads(it.t.agents_count, it.t.agent_hours, it.t.abandon_rate, it.t.busy_rate, it.t.months_within, it.t.hours_per_percent)}<tbody>${curve.map((point) => html`
        <tr class=${point.agents === answer.agents ? "chosen" : ""}><td class="num">${point.agents}</td><td class="num">${whole(point.agent_hours)}</td><td>${spread(point.abandon)}</td><td>${spread(point.busy)}</td>
        <td class="num">${Math.round(point.within * 100)} %</td><td class="num">${point.hours_per_percent === null ? "–" : whole(point.hours_per_percent)}</td></tr>`)}</tbody></table>
      <p class="soft">${it.t.spread_note}</p>`)}
    ${by_half_hour ? levels(it, by_half_hour) : nothing}`;
}

/** @param {It} it
 * @param {import("./types").PlanningRoster} roster */
function judged(it, roster, limits) {
  const verdict = (of, limit) => (of === null ? "" : of.high * 100 < limit ? "good" : of.mean * 100 < limit ? "warn" : "bad");
  const worst = [...roster.half_hours].filter((row) => row.calls >= 0.5).sort((a, b) => b.unserved * b.calls - a.unserved * a.calls).slice(0, 8).sort((a, b) => a.half_hour - b.half_hour);
  return tile("judged", it.t.roster_comes_to, html`<div class="big" id="roster-rates">
      <div><span class="soft">${it.t.abandon_rate}</span> <b class=${verdict(roster.abandon, limits[0])}>${spread(roster.abandon)}</b></div>
      <div><span class="soft">${it.t.busy_rate}</span> <b class=${verdict(roster.busy, limits[1])}>${spread(roster.busy)}</b></div>
      <div><span class="soft">${it.t.months_within}</span> <b>${Math.round(roster.within * 100)} %</b></div>
      <div><span class="soft">${it.t.agent_hours}</span> <b>${whole(roster.agent_hours)}</b></div></div>
    <h3>${it.t.worst_half_hours}</h3>
    <table>${heads(it.t.half_hour, it.t.calls_a_day, it.t.unserved)}<tbody>${worst.map((row) => html`<tr><td>${halfHour(row.half_hour)}</td><td class="num">${row.calls.toFixed(1)}</td><td class="num">${percent(row.unserved)}</td></tr>`)}</tbody></table>`);
}

/** @param {It} it
 * @param {import("./types").PlanningPoint[]} curve */
function picture(it, curve, limits) {
  const x = (n) => LEFT + ((WIDTH - LEFT - RIGHT) * n) / Math.max(1, curve.length - 1);
  const y = (part) => BOTTOM - ((BOTTOM - TOP) * Math.min(part, MOST_SHOWN)) / MOST_SHOWN;
  const grid = [0, 0.1, 0.2, 0.3, 0.4, 0.5].map((part) => svg`<line class="grid" x1=${LEFT} x2=${WIDTH - RIGHT} y1=${y(part)} y2=${y(part)}></line>
    <text x=${LEFT - 6} y=${y(part) + 4} text-anchor="end">${part * 100} %</text>`);
  const line = (name, of, limit) => {
    const points = curve.flatMap((point, n) => (point[of] === null ? [] : [[x(n), point[of]]]));
    const path = (side) => points.map(([at, span]) => `${at.toFixed(1)},${y(span[side]).toFixed(1)}`);
    return svg`<g class=${of}><polygon class="band" points=${[...path("high"), ...path("low").reverse()].join(" ")}></polygon>
      <polyline points=${path("mean").join(" ")}></polyline>
      <line class="limit" x1=${LEFT} x2=${WIDTH - RIGHT} y1=${y(limit / 100)} y2=${y(limit / 100)}></line>
      <rect x=${of === "abandon" ? LEFT : LEFT + 280} y="10" width="12" height="12"></rect>
      <text x=${(of === "abandon" ? LEFT : LEFT + 280) + 18} y="21">${name} (${it.t.limit(limit)})</text></g>`;
  };
  const marks = curve.map((point, n) => svg`<text x=${x(n)} y=${BOTTOM + 20} text-anchor="middle">${point.agents}</text>`);
  return html`<svg class="curve" id="curve-picture" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label=${it.t.curve}>
    ${grid}${line(it.t.abandon_rate, "abandon", limits[0])}${line(it.t.busy_rate, "busy", limits[1])}${marks}
    <text x=${WIDTH / 2} y=${HEIGHT - 6} text-anchor="middle">${it.t.agents_all_day}</text></svg>`;
}

/** @param {It} it
 * @param {import("./types").PlanningLevels} found */
function levels(it, found) {
  const at = new Map(found.levels.map((row) => [`${row.weekday} ${row.half_hour}`, row.agents]));
  const days = [...new Set(found.levels.map((row) => row.weekday))].sort();
  const times = [...new Set(found.levels.map((row) => row.half_hour))].sort((a, b) => a - b);
  return tile("levels", it.t.by_half_hour, html`<p class="soft">${it.t.levels_note(whole(found.agent_hours), Math.round(found.within * 100))}</p>
    <table id="levels">${heads("", ...days.map((day) => it.t.weekdays[day]))}<tbody>${times.map((time) => html`<tr><th scope="row">${halfHour(time)}</th>
      ${days.map((day) => html`<td class="num">${at.get(`${day} ${time}`) ?? "–"}</td>`)}</tr>`)}</tbody></table>`);
}

/** The rows are made anew: fields that stay would show what was typed into the dropped row. @param {It} it */
function drop(it, shift) {
  const left = known.shifts.filter((one) => one !== shift);
  known.shifts = [];
  it.draw();
  known.shifts = left;
  it.draw();
}

// ---- asking

// A whole number as people type it: in wide digits, with commas between thousands. None: it is none.
function number(typed) {
  const text = String(typed).normalize("NFKC").replaceAll(/[,、\s]/g, "");
  return /^[0-9]{1,9}$/.test(text) ? Number(text) : null;
}

/** @param {It} it */
async function ask(it, event) {
  event.preventDefault();
  const { form } = known;
  const typed = [form.calls, form.lines, ...known.shifts.map((shift) => shift.agents)].map((text) => String(text).trim()).filter((text) => text !== "");
  const none = typed.find((text) => number(text) === null);
  if (none !== undefined) { it.error(it.t.no_number(none)); return; }
  const shifts = known.shifts.map((shift) => ({
    agents: number(shift.agents) ?? 0, days: shift.days, time: `${shift.from}-${shift.until}`,
    breaks: shift.break_from && shift.break_until ? [`${shift.break_from}-${shift.break_until}`] : [],
  }));
  const wanted = {
    month: form.month, certainty: Number(form.certainty), by_half_hour: form.by_half_hour, shifts,
    ...(form.calls.trim() ? { calls: number(form.calls) } : {}), ...(form.lines.trim() ? { lines: number(form.lines) } : {}),
  };
  await it.order("/api/v1/planning", "planning_ask", it.signed(wanted));
  await load(it);
}

/** @param {It} it */
async function callOff(it) {
  try {
    await fetch("/api/v1/planning", { method: "DELETE", headers: { "X-Madoguchi": "1" }, signal: AbortSignal.timeout(ASK_MS) });
  } catch { /* What became of it is asked next. */ }
  await load(it);
}

/** The month after the one that the desk is in.
 * @param {It} it */
function nextMonth(it) {
  const [year, month] = it.board.month.split("-").map(Number);
  return month === 12 ? `${year + 1}-01` : `${year}-${String(month + 1).padStart(2, "0")}`;
}

let lookFrom = 0; // By this page's clock.

/** @param {It} it */
export async function load(it) {
  known.form.month ||= nextMonth(it);
  const told = await it.ask("/api/v1/planning");
  if (told) known.shown = told;
  lookFrom = told ? 0 : performance.now() + AGAIN_MS;
  it.draw();
}

/** While an answer is being made.
 * @param {It} it */
export async function look(it) {
  if (known.shown?.state === "running" && performance.now() >= lookFrom) await load(it);
}
