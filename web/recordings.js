// The list of recordings: asks the API for a day's, and lets each be played where it stands. Nothing is
// fetched before somebody plays it. Every text that comes from outside is set as text, never as markup.
"use strict";

const WORDS = {
  ja: {
    title: "録音", board: "ウォールボード", theme: "明/暗", day: "日付", earlier: "前日", later: "翌日", number: "番号を含む", agent: "オペレータ",
    shortest: "最短（秒）", show: "表示", at: "着信", caller: "発信者", dialled: "着信番号", agents: "応対者", length: "長さ", sound: "再生",
    fetched: "取得回数", more: "さらに表示", save: "保存", anyone: "全員",
    audit: "再生・保存はすべて履歴に残ります（呼の履歴の fetched）。",
    count: (n, more) => (n === 0 && !more ? "録音はありません。" : `${n} 件${more ? "（続きあり）" : ""}`),
    withheld: "非通知", payphone: "公衆電話", unavailable: "表示圏外", erased: "消去済み",
    states: { running: "録音中", paused: "一時停止中", stopped: "作成中", failed: "録音失敗", deleted: "削除済み" },
    missing: (n) => `欠落 ${n} パケット`,
    refused: "このトークンでは録音を聴けません。窓口のトークンでログインしてください。",
    trouble: (status) => `一覧を取得できません（${status}）。`,
  },
  en: {
    title: "Recordings", board: "Wallboard", theme: "light/dark", day: "day", earlier: "day before", later: "day after", number: "number contains",
    agent: "agent", shortest: "at least (s)", show: "Show", at: "arrived", caller: "caller", dialled: "dialled", agents: "spoke with",
    length: "length", sound: "play", fetched: "fetched", more: "Show more", save: "Save", anyone: "anyone",
    audit: "Whatever is played or saved stands in the call's history (fetched).",
    count: (n, more) => (n === 0 && !more ? "No recordings." : `${n} recording${n === 1 ? "" : "s"}${more ? ", and there are more" : ""}`),
    withheld: "withheld", payphone: "payphone", unavailable: "unavailable", erased: "erased",
    states: { running: "being recorded", paused: "paused", stopped: "being written", failed: "failed", deleted: "deleted" },
    missing: (n) => `${n} packets missing`,
    refused: "This token plays no recordings. Log in with the desk's.",
    trouble: (status) => `The list cannot be read (${status}).`,
  },
};

const asked = new URLSearchParams(location.search);
const kept = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
const keep = (name, value) => { try { localStorage.setItem(name, value); } catch { /* not kept, then */ } };

let language = asked.get("lang") || kept("lang") || (navigator.language.startsWith("ja") ? "ja" : "en");
if (!WORDS[language]) language = "ja";
let theme = asked.get("theme") || kept("theme")
  || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

/** @type {Array<import("./types").Call>} */
let calls = [];
let before = null; // More may come before this call.
let zone = "Asia/Tokyo";
let agents = [];
let alarm = null;
let answered = false;
let wantedAgent = asked.get("agent") || ""; // Empty: anyone.

const $ = (id) => document.getElementById(id);
const t = (word) => WORDS[language][word];
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

const timeOf = (ms) => new Intl.DateTimeFormat(language === "ja" ? "ja-JP" : "en-GB", {
  timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false,
}).format(ms);
const agentName = (id) => (agents.find((agent) => agent.agent === id) || { name: id }).name;
const callerOf = (caller) => {
  const number = typeof caller.number === "string" ? t(caller.number) : caller.number.known;
  return caller.name && caller.name !== number ? `${caller.name} ${number}` : number;
};

function player(call, recording) {
  const place = element("div", "player");
  if (recording.state !== "kept") {
    place.append(element("span", recording.state === "failed" ? "bad" : "soft", t("states")[recording.state] || recording.state));
    return place;
  }
  const url = `/api/v1/calls/${call.call}/recordings/${recording.number}`;
  const audio = element("audio");
  audio.controls = true;
  audio.preload = "none";
  audio.src = url;
  const save = element("a", "button", t("save"));
  save.href = url;
  save.download = "";
  place.append(audio, save);
  return place;
}

function draw() {
  const rows = calls.flatMap((call) => call.recordings.map((recording) => ({ call, recording })));
  $("rows").replaceChildren(...rows.map(({ call, recording }) => {
    const row = element("tr");
    const spoke = [...new Set(call.talks.map((talk) => talk.agent))].map(agentName).join("、");
    const length = element("td", "num", recording.length_ms === null ? "–" : clock(recording.length_ms));
    if (recording.missing > 0) length.append(element("div", "bad", t("missing")(recording.missing)));
    const sound = element("td");
    sound.append(player(call, recording));
    row.append(
      element("td", "", timeOf(call.arrived_at_ms + (recording.from_ms || 0))),
      element("td", "", callerOf(call.caller)),
      element("td", "", call.number),
      element("td", "", spoke || "–"),
      length,
      sound,
      element("td", "num", String(recording.fetched)),
    );
    return row;
  }));
  $("count").textContent = answered ? t("count")(rows.length, before !== null) : "";
  $("more").hidden = before === null;
  $("alarm").hidden = alarm === null;
  $("alarm").textContent = alarm === null ? "" : alarm();
}

function drawAgents() {
  const option = (value, text) => { const node = element("option", "", text); node.value = value; return node; };
  $("agent").replaceChildren(option("", t("anyone")), ...agents.map((agent) => option(agent.agent, `${agent.name} ${agent.agent}`)));
  $("agent").value = wantedAgent;
}

function translate() {
  document.documentElement.lang = language;
  document.documentElement.dataset.theme = theme;
  document.title = `${t("title")} – Madoguchi`;
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  $("language").textContent = language === "ja" ? "English" : "日本語";
  $("language").lang = language === "ja" ? "en" : "ja";
  drawAgents();
  draw();
}

let looked = ""; // What was looked for last; more is more of that, whatever was typed since.
let question = 0; // Which is the newest: another's answer comes too late.

async function ask(more) {
  const query = new URLSearchParams(more ? looked : "");
  if (!more) {
    for (const [name, value] of new FormData($("search"))) {
      if (value.trim() !== "") query.set(name, value.trim());
    }
    looked = query.toString();
    history.replaceState(null, "", `?${looked}`);
    // No rows stand under a day that is not theirs, whatever becomes of the answer.
    [calls, before, answered] = [[], null, false];
    draw();
  } else if (before !== null) query.set("before", before);
  question += 1;
  const mine = question;
  let answer;
  try {
    answer = await fetch(`/api/v1/recordings?${query}`, { cache: "no-store" });
  } catch {
    if (mine !== question) return;
    alarm = () => t("trouble")("–");
    draw();
    return;
  }
  if (answer.status === 401) { location.reload(); return; } // The login has ended.
  if (mine !== question) return;
  const { status } = answer;
  alarm = status === 200 ? null : status === 403 ? () => t("refused") : () => t("trouble")(status);
  if (status === 200) {
    const page = /** @type {import("./types").CallsOfDay} */ (await answer.json());
    if (mine !== question) return;
    zone = page.timezone;
    $("day").value = page.day;
    calls = more ? calls.concat(page.calls) : page.calls;
    before = page.more_before;
    answered = true;
  }
  draw();
}

function turn(days) {
  const day = new Date(`${$("day").value}T00:00:00Z`);
  if (Number.isNaN(day.getTime())) return;
  day.setUTCDate(day.getUTCDate() + days);
  $("day").value = day.toISOString().slice(0, 10);
  ask(false);
}

$("search").addEventListener("submit", (event) => { event.preventDefault(); ask(false); });
$("earlier").addEventListener("click", () => turn(-1));
$("later").addEventListener("click", () => turn(1));
$("more").addEventListener("click", () => ask(true));
$("agent").addEventListener("change", (event) => { wantedAgent = event.target.value; });
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

for (const [id, name] of [["day", "day"], ["number", "number"], ["shortest", "shortest_s"]]) {
  $(id).value = asked.get(name) || "";
}
translate();
(async () => {
  try {
    const answer = await fetch("/api/v1/agents", { cache: "no-store" });
    if (answer.ok) agents = /** @type {import("./types").Agents} */ (await answer.json()).agents;
  } catch { /* numbers stand for names, then */ }
  drawAgents();
  await ask(false);
})();
