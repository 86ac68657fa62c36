// The wallboard: shows what the event stream says, and nothing of its own. Every text that comes
// from outside is set as text, never as markup.
import { Chart } from "/wallboard-chart.js";
import { WORDS } from "/wallboard-words.js";

const STATES = ["idle", "ringing", "talking", "wrap_up", "paused", "unreachable", "signed_out"];
const SHADE = {
  answered: "good", answered_after_busy: "warn", abandoned: "bad", short_abandoned: "", busy_released: "bad",
  blocked: "bad", menu_left: "", menu_served: "", closed: "", message_taken: "", failed: "bad",
};
const STALE_MS = 5000; // Two signs of life missed, and half of a third.
// What there is room for; how many more there are is said.
const AGENTS_FIT = 10;
const RECENT_FIT = 11;
const NUMBERS_FIT = 5;
const PARKED_FIT = 4;
const WAITS_FIT = 2;
const TONIGHT_MS = 15000; // How often it is asked what today comes to.
const LATE_MS = 20000; // A wait beyond the usual target is shown as late unless the board says otherwise.

const asked = new URLSearchParams(location.search);
const kept = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
const keep = (name, value) => { try { localStorage.setItem(name, value); } catch { /* not kept, then */ } };

let language = asked.get("lang") || kept("lang") || (navigator.language.startsWith("ja") ? "ja" : "en");
if (!WORDS[language]) language = "ja";
let theme = asked.get("theme") || kept("theme")
  || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

let wanted = asked.get("group") || ""; // The group that is shown alone; empty: all.

/** @type {import("./types").Board | null} */
let board = null; // The last board and when, by this page's clock, it came.
let boardAt = 0;
let heardAt = 0; // The last sign of life.
let lost = false; // The connection is gone, and no other has brought a board yet.
/** @type {import("./types").Health | null} */
let health = null;
/** @type {import("./types").Tonight | null} */
let tonight = null; // What today comes to; asked for by itself, since it changes every few minutes only.

const $ = (id) => document.getElementById(id);
const t = (word) => WORDS[language][word];
const tell = (node, text) => { if (node.textContent !== text) node.textContent = text; };
const say = (id, text) => tell($(id), text);
const style = (node, className) => { if (node.className !== className) node.className = className; };
const element = (name, className, text) => {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
};

// Whether a part was drawn from something else before: what has not changed is left as it stands, since boards come
// ten times a second.
const drawn = new Map();
function isNew(part, ...from) {
  const key = JSON.stringify([language, ...from]);
  if (drawn.get(part) === key) return false;
  drawn.set(part, key);
  return true;
}

function clock(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n) => String(n).padStart(2, "0");
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

// The same where there is little room: what lasts hours is told without its seconds, and what lasts a shift without its
// minutes, so that no part of it is ever cut.
function brisk(ms) {
  const minutes = Math.max(0, Math.floor(ms / 60000));
  if (minutes < 60) return clock(ms);
  const hours = Math.floor(minutes / 60);
  return hours < 10 ? `${hours}h${String(minutes % 60).padStart(2, "0")}m` : `${hours}h`;
}

const passed = () => performance.now() - boardAt;
const serverNow = () => board.now_ms + passed();
const formats = new Map(); // They are dear to make, and a board needs twenty of them.
function inZone(ms, options) {
  const key = JSON.stringify([language, board.timezone, options]);
  if (!formats.has(key)) {
    formats.set(key, new Intl.DateTimeFormat(language === "ja" ? "ja-JP" : "en-GB", { timeZone: board.timezone, ...options }));
  }
  return formats.get(key).format(ms);
}
const timeOf = (ms) => inZone(ms, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

function translate() {
  document.documentElement.lang = language;
  document.documentElement.dataset.theme = theme;
  for (const node of document.querySelectorAll("[data-t]")) {
    if (node.id === "demonstration") node.replaceChildren(element("span", "", t("demonstration")));
    else node.textContent = t(node.dataset.t);
  }
  chart.themed();
  $("language").textContent = language === "ja" ? "English" : "日本語";
  $("language").lang = language === "ja" ? "en" : "ja";
  draw();
}

// What is shown: a group's part of the board, or all of it.
function scope() {
  const group = board.groups.find((row) => row.group === wanted);
  if (!group) {
    const { day, waiting } = board;
    return {
      group: null, waiting: waiting.count, longest_ms: waiting.longest_ms, calls: waiting.calls, counts: board.agent_counts,
      agents: board.agents, half_hours: board.half_hours, day, abandoned: day.abandon_rate.part, busy: day.busy_rate.part,
    };
  }
  const members = new Set(group.agents);
  return {
    group, waiting: group.waiting, longest_ms: group.longest_ms, counts: group.agent_counts, half_hours: group.half_hours,
    calls: board.waiting.calls.filter((call) => call.group === group.group),
    agents: board.agents.filter((agent) => members.has(agent.agent)),
    day: group.day, abandoned: group.day.abandoned, busy: group.day.busy,
  };
}

function draw() {
  if (!board) return;
  const shown = scope();
  const named = shown.group ? `${shown.group.name} – ${board.desk}` : board.desk;
  const title = `${shown.waiting > 0 ? `(${shown.waiting}) ` : ""}${named} – Madoguchi`;
  if (document.title !== title) document.title = title;
  $("demonstration").hidden = !board.demonstration;
  say("desk", named);
  drawGroups();
  for (const node of document.querySelectorAll(".scope")) node.hidden = shown.group === null;
  drawService();
  say("waiting", String(shown.waiting));
  say("ringing", String(shown.calls.filter((call) => call.ringing).length));
  drawNumbers();
  drawParked();
  drawAgents(shown);
  const day = shown.day;
  say("offered", String(day.offered));
  say("answered", String(day.answered));
  say("abandoned", String(shown.abandoned));
  say("busy", String(shown.busy));
  const long = [day.offered, day.answered, shown.abandoned, shown.busy].some((count) => count > 999);
  document.querySelector(".figures").classList.toggle("long", long);
  say("in-time-label", t("in_time")(Math.round(board.answer_target_ms / 1000)));
  say("in-time", day.answered_in_time.percent === null ? "–" : `${day.answered_in_time.percent} %`);
  say("speed", day.average_speed_of_answer_ms === null ? "–" : clock(day.average_speed_of_answer_ms));
  say("short", String(day.outcomes.short_abandoned));
  say("menu", String(day.outcomes.menu_left + day.outcomes.menu_served));
  say("closed", String(day.outcomes.closed));
  drawChart(shown.half_hours);
  for (const node of document.querySelectorAll(".month")) tell(node, t("month")(board.month));
  drawRate("abandon", board.month_abandon_rate, board.outlook.abandon);
  drawRate("busy", board.month_busy_rate, board.outlook.busy);
  drawRecent();
  tick();
}

// The groups to choose from; rebuilt only when they changed, so that an open list stays open.
function drawGroups() {
  const select = $("group");
  const choices = [["", t("all_groups")], ...board.groups.map((row) => [row.group, row.name])];
  const key = JSON.stringify(choices);
  if (select.dataset.choices !== key) {
    select.dataset.choices = key;
    select.replaceChildren(...choices.map(([value, text]) => {
      const option = element("option", "", text);
      option.value = value;
      return option;
    }));
  }
  const value = board.groups.some((row) => row.group === wanted) ? wanted : "";
  if (select.value !== value) select.value = value;
}

// 02/12 is another day to every second reader of English.
const MONTH = { ja: "numeric", en: "short" };

// A moment as a person says it: the time alone when it is today, the day with it otherwise.
function moment(ms) {
  const today = inZone(ms, { dateStyle: "short" }) === inZone(board.now_ms, { dateStyle: "short" });
  const day = today ? {} : { month: MONTH[language], day: "numeric", weekday: "short" };
  return inZone(ms, { ...day, hour: "2-digit", minute: "2-digit", hour12: false });
}

// The same where there is little room: of another day the day alone.
function brief(ms) {
  const whole = moment(ms);
  const weekday = language === "ja" ? { weekday: "short" } : {};
  return whole.length > 5 ? inZone(ms, { month: MONTH[language], day: "numeric", ...weekday }) : whole;
}

// A reason in a person's words, or that of a rule or a code in ours.
const said = (words) => (Object.hasOwn(t("by_rule"), words) ? t("by_rule")[words] : words);

// Why a number is closed, or that it was opened out of turn.
function reason(row) {
  if (row.open) return row.out_of_turn ? t("out_of_turn") : "";
  return row.why ? t("because")(t("why")[row.why.closed], said(row.why.name)) : "";
}

// Whether a person closed it, which is told by itself.
const closedByHand = (row) => ["ad_hoc", "disaster"].includes(row.why?.closed);

// What people ordered of the hours, a badge for each kind of it: three at most, so that none is cut before it says of
// which numbers it is, and none is hidden.
function adHocBadges(ordered) {
  return ["disaster", "closed", "open"].flatMap((to) => {
    const rows = ordered.filter((row) => row.to === to);
    if (rows.length === 0) return [];
    const numbers = [...new Set(rows.map((row) => row.number))];
    const which = numbers.includes(null) ? t("all_numbers") : numbers.length > 1 ? t("some_numbers")(numbers.length) : numbers[0];
    const until = Math.max(...rows.map((row) => row.until_ms));
    const ends = t(rows.every((row) => moment(row.until_ms) === moment(until)) ? "until" : "latest")(moment(until));
    const [{ reason, author }] = rows;
    const alike = rows.every((row) => row.reason === reason && row.author === author);
    const badge = element("span", `badge ${to}`);
    badge.append(
      element("b", "", t("ad_hoc_head")(t("ad_hoc")[to], which)), element("span", "ends-at", ends),
      element("span", "why", alike ? t("by")(said(reason), author) : ""),
    );
    badge.title = badge.textContent;
    return [badge];
  });
}

// Whether the desk is open: in one word when its counted numbers agree, and what was ordered out of turn. Each thing is
// said once.
function drawService() {
  const counted = board.numbers.filter((row) => row.counted);
  const rows = counted.length > 0 ? counted : board.numbers;
  const some = (open) => rows.some((row) => row.open === open);
  const state = some(false) ? (some(true) ? "some" : "closed") : some(true) ? "open" : "unknown";
  style($("service"), `service ${state}`);
  const ordered = board.ad_hoc_hours;
  const all = state === "closed" ? ordered.find((row) => row.number === null && row.to !== "open") : undefined;
  const next = Math.min(...rows.map((row) => row.changes_at_ms ?? Infinity));
  const told = [];
  if (state === "some") {
    // Of all numbers, since all are in the list below, whether they decide or not.
    const closed = board.numbers.filter((row) => row.open === false);
    const which = closed.length === 1 && !closedByHand(closed[0]) ? closed[0].number : "";
    say("service-state", t("service").some(closed.length, board.numbers.length, which));
  } else say("service-state", all ? t("closed_all")[all.to] : t("service")[state]);
  if (all) told.push(t("until")(moment(all.until_ms)));
  else if (state === "closed" && rows.every((row) => !closedByHand(row) && reason(row) === reason(rows[0]))) told.push(reason(rows[0]));
  if (state === "open" && Number.isFinite(next)) told.push(t("until")(moment(next)));
  if (state === "closed" && Number.isFinite(next) && next !== all?.until_ms) told.push(t("opens")(moment(next)));
  say("service-until", told.filter(Boolean).join(" · ") + (all ? ` ${t("by")(said(all.reason), all.author)}` : ""));
  const missing = wanted !== "" && !board.groups.some((row) => row.group === wanted);
  const others = ordered.filter((row) => row !== all);
  if (!isNew("ad-hoc", others, board.today, missing && wanted)) return;
  const badges = adHocBadges(others);
  if (missing) badges.unshift(element("span", "badge closed", t("no_group")(wanted)));
  $("ad-hoc").replaceChildren(...badges);
}

function drawNumbers() {
  if (!isNew("numbers", board.numbers, board.today)) return;
  say("lines", `${board.lines.in_use} / ${board.lines.limit}`);
  // First those whose state is the rarer, then those that are counted. One whose lines are all in use is never left out,
  // and keeps its place, which would change with each call otherwise.
  const by = (key) => (a, b) => Number(key(b)) - Number(key(a));
  const full = (row) => row.lines_in_use >= row.line_limit;
  const closed = board.numbers.filter((row) => row.open === false).length;
  const rare = closed * 2 > board.numbers.length;
  const rows = [...board.numbers].sort((a, b) => by((row) => row.open === rare)(a, b) || by((row) => row.counted)(a, b));
  const shown = new Set([...rows].sort(by(full)).slice(0, NUMBERS_FIT));
  $("numbers").replaceChildren(...rows.filter((row) => shown.has(row)).map((row) => {
    const state = row.open === null ? "unknown" : row.open ? "open" : "closed";
    const item = element("li", full(row) ? `${state} full` : state);
    const until = row.changes_at_ms === null ? "" : t("to")(brief(row.changes_at_ms));
    // A holiday's name says enough; what a person ordered is told in full above.
    const named = !row.open && ["holiday", "closure"].includes(row.why?.closed);
    const word = row.open ? reason(row) : named ? /** @type {{ name: string }} */ (row.why).name : row.why ? t("why")[row.why.closed] : "";
    const told = (named ? word : [word, until].filter(Boolean).join(" ")) || (row.open ? t("always") : t("service")[state]);
    item.append(
      element("span", "lamp"), element("span", "name", row.name), element("span", "when", told),
      element("b", "", `${row.lines_in_use}/${row.line_limit}`),
    );
    const change = row.changes_at_ms === null ? "" : t(row.open ? "until" : "opens")(moment(row.changes_at_ms));
    item.title = `${row.number} ${row.name}: ${t("service")[state]} ${reason(row)} ${change}`;
    return item;
  }));
  const hidden = board.numbers.length - Math.min(board.numbers.length, NUMBERS_FIT);
  say("numbers-more", hidden > 0 ? t("more_numbers")(hidden) : "");
}

function drawParked() {
  if (!isNew("parked", board.parked, board.parked_count, names())) return;
  say("parked-count", String(board.parked_count));
  $("parked-tile").classList.toggle("none", board.parked_count === 0);
  const rows = board.parked.slice(0, PARKED_FIT).map((row) => {
    const item = element("li");
    const since = element("b", "for");
    since.dataset.since = row.since_ms;
    item.append(element("b", "slot", row.slot), element("span", "name", callerOf(row.caller)), element("span", "when", agentName(row.by)), since);
    return item;
  });
  $("parked").replaceChildren(...(rows.length > 0 ? rows : [element("li", "nobody", t("none_parked"))]));
  const hidden = board.parked_count - rows.length;
  say("parked-more", hidden > 0 ? t("more_parked")(hidden) : "");
}

function drawChart(half_hours) {
  const days = board.usual_days.length;
  const [hours, minutes] = inZone(board.now_ms, { hour: "2-digit", minute: "2-digit", hour12: false }).split(":").map(Number);
  const passed = (hours % 24) + minutes / 60;
  chart.draw(half_hours, days, passed);
  const sum = (counts) => counts.reduce((all, count) => all + count, 0);
  const now = sum(half_hours.arrived);
  const undecided = sum(half_hours.undecided);
  const usual = days === 0 ? null : Math.round(chart.usualBy(half_hours, days, passed));
  say("usual-key", days === 0 ? t("no_usual") : t("usual")(inZone(board.now_ms, { weekday: language === "ja" ? "long" : "short" }), days));
  // Those without an outcome are in this sum, and not yet among the day's figures.
  say("undecided-key", `${t("undecided")} ${undecided}`);
  say("so-far", t("so_far")(now, usual));
  const label = t("chart")(now, undecided, usual);
  if ($("chart").getAttribute("aria-label") !== label) $("chart").setAttribute("aria-label", label);
}

function drawRate(name, rate, outlook) {
  const tile = $(`${name}-tile`);
  const close = rate.part * 100 >= 0.8 * rate.limit_percent * rate.whole;
  const near = rate.verdict === "within" && (close || outlook.warning === "projected");
  const verdict = near ? "near" : rate.verdict;
  style(tile, `tile rate ${verdict}`);
  const mark = { within: "✓ ", near: "! ", missed: "▲ ", adjustment: "", no_calls: "" }[verdict];
  say(`${name}-rate`, rate.percent === null ? "–" : `${rate.percent} %`);
  say(`${name}-verdict`, mark + t(verdict));
  say(`${name}-limit`, verdict === "adjustment" ? "" : t("limit")(rate.limit_percent));
  say(`${name}-end`, t("ends")(2 * rate.limit_percent));
  say(`${name}-fraction`, rate.whole === 0 ? "" : t("calls")[name](rate.part, rate.whole));
  const judged = rate.verdict === "within" || rate.verdict === "missed";
  // What today comes to by tonight, while that can be said, stands where the month's end does otherwise: it is what can
  // still be changed today.
  const [today, month] = judged ? [tonight?.day[name] ?? null, tonight?.month[name] ?? null] : [null, null];
  if (today && month) say(`${name}-outlook`, t("tonight")(Math.round(today.low * 100), Math.round(today.high * 100), (month.mean * 100).toFixed(1)));
  else say(`${name}-outlook`, judged && outlook.projected !== null ? t("outlook")(outlook.projected.percent, outlook.left_in_month) : "");
  style($(`${name}-outlook`), today && month && Math.max(today.high, month.mean) * 100 >= rate.limit_percent ? "sub over" : "sub");
  // The limit stands in the middle of the scale.
  const share = rate.whole === 0 ? 0 : (rate.part * 100) / rate.whole / (2 * rate.limit_percent);
  const width = `${Math.min(1, share) * 100}%`;
  if ($(`${name}-bar`).style.width !== width) $(`${name}-bar`).style.width = width;
}

function drawAgents({ counts, agents }) {
  if (!isNew("agents", counts, agents)) return;
  const states = STATES.map((state) => {
    const item = element("li", counts[state] === 0 ? `${state} none` : state);
    item.append(element("b", "", String(counts[state])), element("span", "", t("states")[state]));
    return item;
  });
  $("states").replaceChildren(...states);
  $("states").classList.toggle("long", STATES.some((state) => counts[state] > 99));
  const order = (agent) => STATES.indexOf(agent.state);
  const present = agents.filter((agent) => agent.state !== "signed_out").sort((a, b) => order(a) - order(b));
  const shown = present.slice(0, AGENTS_FIT);
  $("agent-list").replaceChildren(...shown.map((agent) => {
    const item = element("li", agent.state);
    const word = agent.state === "unreachable" ? t("phone_offline") : t("states")[agent.state];
    const state = agent.state === "paused" && agent.paused ? said(agent.paused) : word;
    item.append(element("span", "name", agent.name), element("span", "state", state));
    const since = element("span", "for");
    since.dataset.since = agent.since_ms;
    item.append(since);
    return item;
  }));
  const hidden = present.length - shown.length;
  say("agents-more", hidden > 0 ? t("more")(hidden) : "");
}

function callerOf(caller) {
  const hidden = typeof caller.number === "string";
  const number = hidden ? t(caller.number) : caller.number.known;
  if (hidden && /^anonymous$/i.test(caller.name ?? "")) return number;
  return caller.name && caller.name !== number ? `${caller.name} ${number}` : number;
}

const mos = (value) => (value === null ? "–" : value.toFixed(1));

// One word on how a call sounds: what is wrong now, else what was, else the worse leg's estimated opinion.
function soundOf(call) {
  const legs = call.sound || [];
  const faults = legs.flatMap((leg) => leg.faults.map((row) => ({ ...row, side: leg.side })));
  const wrong = faults.filter((row) => row.fault !== "frozen");
  const opinions = legs.map((leg) => leg.measured && leg.measured.mos).filter((value) => typeof value === "number");
  const lines = legs.filter((leg) => leg.measured).map((leg) => t("leg")(t("sides")[leg.side], leg.measured));
  for (const row of faults) {
    const seconds = row.for_ms === null ? null : Math.round(row.for_ms / 1000);
    lines.push(t("wrong")(t("sides")[row.side], t("faults")[row.fault], seconds));
  }
  const cell = (text, shade) => ({ text, shade, title: lines.join("\n") });
  const now = wrong.find((row) => row.for_ms === null);
  if (now) return cell(`▲ ${t("faults")[now.fault]}`, "bad");
  if (wrong.length > 0) return cell(`△ ${t("faults")[wrong[wrong.length - 1].fault]}`, "warn");
  if (faults.some((row) => row.for_ms === null)) return cell(t("faults").frozen, "");
  if (opinions.length === 0) return cell("–", "");
  const worse = Math.min(...opinions);
  return cell(mos(worse), worse < 3.1 ? "bad" : worse < 3.6 ? "warn" : worse < 4 ? "" : "good");
}

const names = () => board.agents.map((agent) => agent.name);
const agentName = (id) => (board.agents.find((agent) => agent.agent === id) || { name: id }).name;

function drawRecent() {
  if (!isNew("recent", board.recent, names())) return;
  const none = element("tr");
  none.append(element("td", "none", t("none_recent")));
  none.firstElementChild.setAttribute("colspan", "5");
  const calls = board.recent.slice(0, RECENT_FIT);
  $("recent").replaceChildren(...(calls.length > 0 ? [] : [none]), ...calls.map((call) => {
    const row = element("tr");
    const result = call.state === "ended" || !t("open")[call.state] ? t("outcomes")[call.outcome] : t("open")[call.state];
    const shade = call.state === "ended" ? SHADE[call.outcome] : "";
    const outcome = element("td");
    outcome.append(element("span", shade, result || "–"));
    if (call.agent) outcome.append(` ${agentName(call.agent)}`);
    outcome.title = outcome.textContent;
    const caller = element("td", "", callerOf(call.caller));
    caller.title = caller.textContent;
    row.append(
      element("td", "", inZone(call.arrived_at_ms, { hour: "2-digit", minute: "2-digit", hour12: false })),
      outcome,
      caller,
      element("td", "num", call.wait_ms === null ? "–" : brisk(call.wait_ms)),
    );
    const sound = soundOf(call);
    const heard = element("td", sound.shade, sound.text);
    heard.title = sound.title;
    row.append(heard);
    return row;
  }));
}

// What moves between two boards: clocks and waits.
function tick() {
  if (!board) return;
  const now = serverNow();
  say("date", inZone(now, { year: "numeric", month: "short", day: "numeric", weekday: "short" }));
  say("time", timeOf(now));
  const shown = scope();
  const longest = shown.waiting > 0 ? shown.longest_ms + passed() : 0;
  say("longest", shown.waiting > 0 ? clock(longest) : "–");
  say("longest-today", clock(Math.max(longest, shown.day.longest_wait_ms)));
  const late = longest > (board.answer_target_ms || LATE_MS) ? "late" : "busy";
  for (const tile of [$("waiting-tile"), $("longest-tile")]) style(tile, `tile big ${shown.waiting > 0 ? late : ""}`);
  const waits = shown.calls.slice(0, WAITS_FIT).map((call) => [callerOf(call.caller), brisk(call.wait_ms + passed())]);
  if (isNew("waits", waits)) {
    $("waiting-list").replaceChildren(...waits.map(([caller, wait]) => {
      const item = element("li");
      item.append(element("span", "", caller), element("b", "", wait));
      return item;
    }));
  }
  for (const node of document.querySelectorAll(".for")) {
    tell(node, brisk(now - Number(node.dataset.since)));
  }
}

function watchLink() {
  const silent = heardAt > 0 && (lost || performance.now() - heardAt > STALE_MS);
  const link = heardAt === 0 ? "connecting" : silent ? "stale" : "live";
  style(document.body, link);
  say("link-text", t(link));
  const broken = health && health.status !== "ok"
    ? ["journal", "engine", "media", "net"].filter((part) => health[part] !== "ok").map(t) : [];
  const alarm = silent && board ? t("stale_since")(timeOf(board.now_ms + (heardAt - boardAt)))
    : broken.length > 0 ? t("failing")(broken) : "";
  $("alarm").hidden = alarm === "";
  say("alarm", alarm);
  if (!silent) tick();
}

let source = null;
function listen() {
  if (source) source.close();
  source = new EventSource("/api/v1/events");
  const heard = () => { lost = false; heardAt = performance.now(); watchLink(); };
  source.addEventListener("board", (event) => {
    board = JSON.parse(event.data);
    boardAt = performance.now();
    draw();
    heard();
  });
  source.addEventListener("beat", (event) => {
    health = JSON.parse(event.data);
    heard();
  });
  source.onerror = async () => {
    lost = true;
    watchLink();
    if (source.readyState !== EventSource.CLOSED) return; // It tries again by itself.
    try {
      const answer = await fetch("/api/v1/board", { cache: "no-store" });
      if (answer.status === 401) { location.reload(); return; } // The login has ended.
    } catch { /* The daemon is away: try again below. */ }
    setTimeout(listen, 2000);
  };
}

$("language").addEventListener("click", () => {
  language = language === "ja" ? "en" : "ja";
  keep("lang", language);
  translate();
});
$("theme").addEventListener("click", () => {
  theme = theme === "dark" ? "light" : "dark";
  keep("theme", theme);
  translate();
});
$("logout").addEventListener("submit", (event) => {
  event.preventDefault();
  fetch("/logout", { method: "POST", headers: { "X-Madoguchi": "1" } }).finally(() => location.reload());
});

$("group").addEventListener("change", (event) => {
  wanted = event.target.value;
  const address = new URL(location.href);
  if (wanted) address.searchParams.set("group", wanted);
  else address.searchParams.delete("group");
  history.replaceState(null, "", address);
  draw();
});

async function askTonight() {
  try {
    const answer = await fetch("/api/v1/tonight", { cache: "no-store", signal: AbortSignal.timeout(TONIGHT_MS) });
    tonight = answer.ok ? (await answer.json()).tonight : null;
  } catch { tonight = null; /* What is old is not shown. */ }
  if (board) draw();
}

const chart = new Chart($("chart"));
translate();
listen();
askTonight();
setInterval(askTonight, TONIGHT_MS);
setInterval(watchLink, 250);
