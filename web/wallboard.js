// The wallboard: shows what the event stream says, and nothing of its own. Every text that comes
// from outside is set as text, never as markup.
"use strict";

const WORDS = {
  ja: {
    title: "窓口", demonstration: "デモ運転中 ― 表示はすべて模擬呼です", connecting: "接続中", live: "受信中",
    stale: "更新停止", theme: "明/暗", recordings: "録音", logout: "ログアウト", waiting: "待ち呼", ringing_now: "うち呼出中",
    longest: "最長待ち時間", agents: "オペレータ", today: "本日", offered: "受付", answered: "応答",
    abandoned: "放棄", busy: "ビジー", speed: "平均応答時間", longest_today: "最長待ち", short: "ワンコール切り",
    menu: "自動応答のみ", closed: "時間外", abandon_rate: "放棄率", busy_rate: "ビジー率", recent: "最近の呼", at: "着信",
    outcome: "結果", caller: "発信者", wait: "待ち", agent: "応答者", sound: "音質",
    blind: "通信事業者側で拒否された呼は、この画面の数値に含まれません。",
    in_time: (s) => `${s}秒以内応答`, limit: (p) => `基準 ${p} % 未満`, within: "基準内", near: "基準に接近", missed: "基準超過", adjustment: "調整期間（判定なし）",
    outlook: (percent, left) => `月末見込み ${percent} %、あと ${left} 件`,
    no_calls: "呼なし", calls: (a, b) => `${a} / ${b} 件`, month: (m) => `${Number(m.slice(5))}月累計`,
    more: (n) => `ほか ${n} 名`, withheld: "非通知", payphone: "公衆電話", unavailable: "表示圏外", erased: "消去済み",
    stale_since: (t) => `データが更新されていません（最終受信 ${t}）。表示は古い値です。`,
    failing: (parts) => `障害: ${parts.join("・")}`, journal: "履歴を書き込めません", engine: "呼処理が応答しません",
    media: "音声処理が応答しません",
    states: { idle: "待機", ringing: "呼出", talking: "通話", wrap_up: "後処理", paused: "離席", unreachable: "未登録", signed_out: "退席" },
    outcomes: {
      answered: "応答", answered_after_busy: "ビジー後応答", abandoned: "放棄", short_abandoned: "ワンコール切り",
      busy_released: "ビジー切断", blocked: "輻輳拒否", menu_left: "自動応答内離脱", menu_served: "自動応答完了",
      closed: "時間外", message_taken: "伝言", failed: "障害",
    },
    ad_hoc: { open: "臨時受付中", closed: "臨時休業中", disaster: "災害のため休業中" }, all_numbers: "全番号",
    ad_hoc_line: (what, which, until, why, who) => `${what}（${which}）${until} まで: ${why}（${who}）`,
    faults: { one_way: "片通話", no_way: "無通話", frozen: "無音", loop: "折返し" },
    sides: { caller: "発信側", agent: "応答側" },
    leg: (side, m) => `${side}: ${m.codec} MOS ${mos(m.mos)}（最低 ${mos(m.worst_mos)}）損失 ${m.lost}/${m.due} 揺らぎ ${(m.jitter_us / 1000).toFixed(1)} ms 往復 ${m.round_trip_ms ?? "–"} ms`,
    wrong: (side, fault, seconds) => `${side}: ${fault}${seconds === null ? "（継続中）" : ` ${seconds}秒`}`,
    open: { attendant: "自動応答中", closed: "時間外案内中", waiting: "待ち", ringing: "呼出中", talking: "通話中", parked: "保留中", away: "転送先で通話中" },
  },
  en: {
    title: "Desk", demonstration: "DEMONSTRATION – every call shown is synthetic", connecting: "connecting", live: "live",
    stale: "stale", theme: "light/dark", recordings: "Recordings", logout: "Sign out", waiting: "Waiting now", ringing_now: "of these ringing",
    longest: "Longest wait", agents: "Operators", today: "Today", offered: "Offered", answered: "Answered",
    abandoned: "Abandoned", busy: "Busy", speed: "avg. answer", longest_today: "longest wait", short: "one-ring",
    menu: "attendant only", closed: "closed", abandon_rate: "Abandon rate", busy_rate: "Busy rate", recent: "Recent calls", at: "arrived",
    outcome: "outcome", caller: "caller", wait: "wait", agent: "operator", sound: "sound",
    blind: "Calls that the carrier refuses before they reach us are in no figure here.",
    in_time: (s) => `within ${s} s`, limit: (p) => `limit < ${p} %`, within: "within limit", near: "near limit", missed: "limit missed", adjustment: "adjustment, not judged",
    outlook: (percent, left) => `month's end ${percent} %, ${left} left`,
    no_calls: "no calls", calls: (a, b) => `${a} of ${b} calls`, month: (m) => m,
    more: (n) => `and ${n} more`, withheld: "withheld", payphone: "payphone", unavailable: "unavailable", erased: "erased",
    stale_since: (t) => `No data since ${t}. What is shown is old.`,
    failing: (parts) => `Fault: ${parts.join(", ")}`, journal: "the journal cannot be written", engine: "call handling does not respond",
    media: "audio does not respond",
    states: { idle: "idle", ringing: "ringing", talking: "talking", wrap_up: "wrap-up", paused: "paused", unreachable: "no phone", signed_out: "signed out" },
    outcomes: {
      answered: "answered", answered_after_busy: "answered after busy", abandoned: "abandoned", short_abandoned: "one-ring",
      busy_released: "released busy", blocked: "blocked", menu_left: "left in menu", menu_served: "served by menu",
      closed: "closed", message_taken: "message", failed: "failed",
    },
    ad_hoc: { open: "Open out of turn", closed: "Closed out of turn", disaster: "Closed: disaster" }, all_numbers: "all numbers",
    ad_hoc_line: (what, which, until, why, who) => `${what} (${which}) until ${until}: ${why} (${who})`,
    faults: { one_way: "1-way", no_way: "none", frozen: "mute", loop: "loop" },
    sides: { caller: "caller's side", agent: "operator's side" },
    leg: (side, m) => `${side}: ${m.codec} MOS ${mos(m.mos)} (worst ${mos(m.worst_mos)}) lost ${m.lost}/${m.due} jitter ${(m.jitter_us / 1000).toFixed(1)} ms round trip ${m.round_trip_ms ?? "–"} ms`,
    wrong: (side, fault, seconds) => `${side}: ${fault}${seconds === null ? " (goes on)" : ` ${seconds} s`}`,
    open: { attendant: "in menu", closed: "after hours", waiting: "waiting", ringing: "ringing", talking: "talking", away: "passed on" },
  },
};

const STATES = ["idle", "ringing", "talking", "wrap_up", "paused", "unreachable", "signed_out"];
const SHADE = {
  answered: "good", answered_after_busy: "warn", abandoned: "bad", short_abandoned: "", busy_released: "bad",
  blocked: "bad", menu_left: "", menu_served: "", closed: "", message_taken: "", failed: "bad",
};
const STALE_MS = 6000; // Three signs of life missed.
const AGENTS_FIT = 14; // In two columns above the recent calls.
const RECENT_FIT = 11;
const LATE_MS = 20000; // A wait beyond the usual target is shown as late unless the board says otherwise.

const asked = new URLSearchParams(location.search);
const kept = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
const keep = (name, value) => { try { localStorage.setItem(name, value); } catch { /* not kept, then */ } };

let language = asked.get("lang") || kept("lang") || (navigator.language.startsWith("ja") ? "ja" : "en");
if (!WORDS[language]) language = "ja";
let theme = asked.get("theme") || kept("theme")
  || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

let board = null; // The last board and when, by this page's clock, it came.
let boardAt = 0;
let heardAt = 0; // The last sign of life.
let health = null;

const $ = (id) => document.getElementById(id);
const t = (word) => WORDS[language][word];
const say = (id, text) => { const node = $(id); if (node.textContent !== text) node.textContent = text; };
const element = (name, className, text) => {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
};

function clock(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n) => String(n).padStart(2, "0");
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

const passed = () => performance.now() - boardAt;
const serverNow = () => board.now_ms + passed();
const inZone = (ms, options) => new Intl.DateTimeFormat(language === "ja" ? "ja-JP" : "en-GB", { timeZone: board.timezone, ...options }).format(ms);
const timeOf = (ms) => inZone(ms, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

function translate() {
  document.documentElement.lang = language;
  document.documentElement.dataset.theme = theme;
  for (const node of document.querySelectorAll("[data-t]")) {
    if (node.id === "demonstration") node.replaceChildren(element("span", "", t("demonstration")));
    else node.textContent = t(node.dataset.t);
  }
  $("language").textContent = language === "ja" ? "English" : "日本語";
  $("language").lang = language === "ja" ? "en" : "ja";
  draw();
}

function draw() {
  if (!board) return;
  document.title = `${board.waiting.count > 0 ? `(${board.waiting.count}) ` : ""}${board.desk} – Madoguchi`;
  $("demonstration").hidden = !board.demonstration;
  say("desk", board.desk);
  drawAdHoc();
  say("waiting", String(board.waiting.count));
  say("ringing", String(board.waiting.calls.filter((call) => call.ringing).length));
  drawAgents();
  const day = board.day;
  say("offered", String(day.offered));
  say("answered", String(day.answered));
  say("abandoned", String(day.abandon_rate.part));
  say("busy", String(day.busy_rate.part));
  say("in-time-label", t("in_time")(Math.round(board.answer_target_ms / 1000)));
  say("in-time", day.answered_in_time.percent === null ? "–" : `${day.answered_in_time.percent} %`);
  say("speed", day.average_speed_of_answer_ms === null ? "–" : clock(day.average_speed_of_answer_ms));
  say("short", String(day.outcomes.short_abandoned));
  say("menu", String(day.outcomes.menu_left + day.outcomes.menu_served));
  say("closed", String(day.outcomes.closed));
  for (const node of document.querySelectorAll(".month")) node.textContent = t("month")(board.month);
  drawRate("abandon", board.month_abandon_rate, board.outlook.abandon);
  drawRate("busy", board.month_busy_rate, board.outlook.busy);
  drawRecent();
  tick();
}

function drawRate(name, rate, outlook) {
  const tile = $(`${name}-tile`);
  const close = rate.part * 100 >= 0.8 * rate.limit_percent * rate.whole;
  const near = rate.verdict === "within" && (close || outlook.warning === "projected");
  const verdict = near ? "near" : rate.verdict;
  tile.className = `tile rate ${verdict}`;
  const mark = { within: "✓ ", near: "! ", missed: "▲ ", adjustment: "", no_calls: "" }[verdict];
  say(`${name}-rate`, rate.percent === null ? "–" : `${rate.percent} %`);
  say(`${name}-verdict`, verdict === "no_calls" ? t("no_calls") : mark + t(verdict));
  const limit = t("limit")(rate.limit_percent);
  const fraction = rate.whole === 0 ? [limit] : [limit, t("calls")(rate.part, rate.whole)];
  const judged = rate.verdict === "within" || rate.verdict === "missed";
  if (judged && outlook.projected !== null) fraction.push(t("outlook")(outlook.projected.percent, outlook.left_in_month));
  say(`${name}-fraction`, fraction.join(" · "));
  // The limit stands in the middle of the scale.
  const share = rate.whole === 0 ? 0 : (rate.part * 100) / rate.whole / (2 * rate.limit_percent);
  $(`${name}-bar`).style.width = `${Math.min(1, share) * 100}%`;
}

// The desk closed or opened out of turn: what, which numbers, until when, why, by whom.
function drawAdHoc() {
  const rows = board.ad_hoc_hours;
  $("ad-hoc").hidden = rows.length === 0;
  $("ad-hoc").replaceChildren(...rows.map((row) => {
    const today = inZone(row.until_ms, { dateStyle: "short" }) === inZone(board.now_ms, { dateStyle: "short" });
    const until = inZone(row.until_ms, { ...(today ? {} : { month: "numeric", day: "numeric" }), hour: "2-digit", minute: "2-digit", hour12: false });
    const line = t("ad_hoc_line")(t("ad_hoc")[row.to], row.number ?? t("all_numbers"), until, row.reason, row.author);
    return element("span", row.to, line);
  }));
}

function drawAgents() {
  const states = STATES.map((state) => {
    const item = element("li", board.agent_counts[state] === 0 ? `${state} none` : state);
    item.append(element("b", "", String(board.agent_counts[state])), element("span", "", t("states")[state]));
    return item;
  });
  $("states").replaceChildren(...states);
  const order = (agent) => STATES.indexOf(agent.state);
  const present = board.agents.filter((agent) => agent.state !== "signed_out").sort((a, b) => order(a) - order(b));
  const shown = present.slice(0, AGENTS_FIT);
  $("agent-list").replaceChildren(...shown.map((agent) => {
    const item = element("li", agent.state);
    const state = agent.state === "paused" && agent.paused ? agent.paused : t("states")[agent.state];
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
  const number = typeof caller.number === "string" ? t(caller.number) : caller.number.known;
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

const agentName = (id) => (board.agents.find((agent) => agent.agent === id) || { name: id }).name;

function drawRecent() {
  $("recent").replaceChildren(...board.recent.slice(0, RECENT_FIT).map((call) => {
    const row = element("tr");
    const result = call.state === "ended" || !t("open")[call.state] ? t("outcomes")[call.outcome] : t("open")[call.state];
    const shade = call.state === "ended" ? SHADE[call.outcome] : "";
    row.append(
      element("td", "", timeOf(call.arrived_at_ms)),
      element("td", shade, result || "–"),
      element("td", "", callerOf(call.caller)),
      element("td", "num", call.wait_ms === null ? "–" : clock(call.wait_ms)),
      element("td", "", call.agent ? agentName(call.agent) : "–"),
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
  const waiting = board.waiting;
  const longest = waiting.count > 0 ? waiting.longest_ms + passed() : 0;
  say("longest", waiting.count > 0 ? clock(longest) : "–");
  say("longest-today", clock(Math.max(longest, board.day.longest_wait_ms)));
  const late = longest > (board.answer_target_ms || LATE_MS) ? "late" : "busy";
  $("waiting-tile").className = `tile big ${waiting.count > 0 ? late : ""}`;
  $("longest-tile").className = `tile big ${waiting.count > 0 ? late : ""}`;
  $("waiting-list").replaceChildren(...waiting.calls.slice(0, 6).map((call) => {
    const item = element("li");
    item.append(element("span", "", callerOf(call.caller)), element("b", "", clock(call.wait_ms + passed())));
    return item;
  }));
  for (const node of document.querySelectorAll(".for")) {
    const text = clock(now - Number(node.dataset.since));
    if (node.textContent !== text) node.textContent = text;
  }
}

function watchLink() {
  const silent = heardAt > 0 && performance.now() - heardAt > STALE_MS;
  const link = heardAt === 0 ? "connecting" : silent ? "stale" : "live";
  document.body.className = link;
  say("link-text", t(link));
  const broken = health && health.status !== "ok"
    ? ["journal", "engine", "media"].filter((part) => health[part] !== "ok").map(t) : [];
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
  const heard = () => { heardAt = performance.now(); watchLink(); };
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

translate();
listen();
setInterval(watchLink, 250);
