// Written from the description of the API (docs/openapi.json): MADOGUCHI_WRITE_DOCS=1 cargo test --test api.
// What the desk answers and tells. Only `tsc` reads it; no browser is given it.

/** One that holds. */
export type AdHocHours = {
  /** Who did it. */
  author: string;
  /** By what. */
  by: Means;
  /** Which desk number; none: all. A number's own goes before that of all. */
  number: string | null;
  /** Why. */
  reason: string;
  since: string;
  /** Since when. */
  since_ms: number;
  /** To what. */
  to: "open" | "closed" | "disaster";
  until: string;
  /** When it ends by itself. */
  until_ms: number;
};

/** One that holds. */
export type AdHocRow = {
  /** Who did it. */
  author: string;
  /** By what. */
  by: Means;
  /** Which desk number; none: all. A number's own goes before that of all. */
  number: string | null;
  /** Why. */
  reason: string;
  /** Since when. */
  since_ms: number;
  /** To what. */
  to: "open" | "closed" | "disaster";
  /** When it ends by itself. */
  until_ms: number;
};

/** Agents by state. */
export type AgentCounts = {
  idle: number;
  paused: number;
  ringing: number;
  signed_out: number;
  talking: number;
  unreachable: number;
  wrap_up: number;
};

/** A change of an agent. */
export type AgentEvent = ({
  /** By what. */
  by: Means;
  kind: "signed_in";
} | {
  /** By what. */
  by: Means;
  kind: "signed_out";
} | {
  /** By what. */
  by: Means;
  kind: "paused";
  /** Why: a person's words, or of a rule `rang_out` and `refused` (until ended by a person), `rang_out_briefly`, `refused_briefly` and `unreachable_briefly` (for a time). */
  reason: string;
} | {
  /** By what. */
  by: Means;
  kind: "unpaused";
} | {
  kind: "talking";
} | {
  /** How long, in milliseconds. */
  for_ms: number;
  kind: "wrap_up";
} | {
  kind: "idle";
} | {
  kind: "phone";
  /** Whether it can be rung now. */
  reachable: boolean;
});

/** Figures of agents, by the clock. */
export type AgentFigures = {
  /** Agents with any time signed in. */
  agents: number;
  /** (Talk + hold + after-call work + talk after signing out) / taken. */
  average_handling: Average;
  /** Where it went, milliseconds. */
  ms: Times;
  /** Occupied / neither paused nor without a phone, milliseconds. */
  occupancy: Ratio;
  /** What came of ringing. */
  rings: Rings;
  /** Together, milliseconds. */
  signed_in_ms: number;
  /** Callers that agents were put through to. */
  taken: number;
};

/** One agent as shown. */
export type AgentRow = {
  /** The agent's own line. */
  agent: string;
  /** The desk's call that the agent is in. */
  call: string | null;
  /** For people; the line's number when the plan names nobody. */
  name: string;
  /** Why set aside, while it is. */
  paused: string | null;
  /** The phone can be rung. */
  reachable: boolean;
  /** Takes part in the groups. */
  signed_in: boolean;
  /** Since when, by the wall clock. */
  since_ms: number;
  /** What is shown. */
  state: AgentState;
  /** What came of today's ringing. */
  today: Rings;
  /** When after-call work ends by itself, by the wall clock, while it lasts. */
  wrap_up_until_ms: number | null;
};

/** What the wall shows of an agent. The first that holds, from the top, is shown. */
export type AgentState = ("talking" | "ringing" | "signed_out" | "wrap_up" | "paused" | "unreachable" | "idle");

export type Agents = {
  agents: Array<AgentRow>;
};

/** A question by keys that is not over. */
export type Asks = {
  /** Who is asked has answered. */
  answered: boolean;
  /** The group that is asked. */
  group: string | null;
  /** The number of somebody who is no agent. */
  number: string | null;
  /** Members of the group whose phones ring; 30 at most. */
  ringing: Array<string>;
  /** The agent has turned to the caller, and who is asked hears music. */
  turned: boolean;
  /** The colleague who is asked; of a group, who has answered. */
  with: string | null;
};

/** A sum over a count, exact. */
export type Average = {
  count: number;
  /** One decimal, half up; null of nothing. */
  seconds: string | null;
  sum_ms: number;
};

export type BeatState = "ok" | "stalled";

/** A source that is not listened to, because it guessed at passwords. */
export type BlockedSource = {
  /** That account, when there is such a one. */
  account?: string | null;
  /** Wrong answers that were counted. */
  failures: number;
  /** For how long from now, seconds. */
  left_s: number;
  /** `source` when it is shut out as a whole, `account` when only for one account. */
  scope: string;
  since: string;
  /** Its address; of IPv6 the first of the /64. */
  source: string;
};

export type BlockedSources = {
  blocked: Array<BlockedSource>;
};

/** All that the wall shows. */
export type Board = {
  /** Closings and openings of the desk out of turn that hold now. */
  ad_hoc_hours: Array<AdHocRow>;
  /** Agents by state. */
  agent_counts: AgentCounts;
  /** Agents, at most [`AGENTS_SHOWN`]. */
  agents: Array<AgentRow>;
  /** The target of `answered_in_time`, milliseconds. */
  answer_target_ms: number;
  /** Calls that came by a trunk and have no end. */
  channels_in_use: number;
  /** Figures of calls that arrived today. */
  day: Figures;
  /** Whether the calls are synthetic. */
  demonstration: boolean;
  /** The plan's name. */
  desk: string;
  /** The plan's groups, at most [`GROUPS_SHOWN`](super::GROUPS_SHOWN). */
  groups: Array<GroupRow>;
  /** Today's calls by half hour, and those of the days in `usual_days`. */
  half_hours: HalfHours;
  /** Lines of all these numbers together. */
  lines: Lines;
  /** This month. */
  month: Month;
  /** The month's abandon rate. */
  month_abandon_rate: Rate;
  /** The month's busy rate. */
  month_busy_rate: Rate;
  /** When it was made, by the wall clock. */
  now_ms: number;
  /** The desk's numbers: open or closed and why, lines in use. */
  numbers: Array<NumberRow>;
  /** Calls without an end. */
  open_calls: number;
  /** What the month's rates come to at this pace, and how much it can bear. */
  outlook: Outlooks;
  /** They, at most [`PARKED_SHOWN`]. */
  parked: Array<ParkedRow>;
  /** How many callers are in a slot. */
  parked_count: number;
  /** The newest calls, at most [`RECENT_SHOWN`]. */
  recent: Array<CallRow>;
  /** The last entry in it. */
  seq: number;
  /** The zone of all days shown. */
  timezone: string;
  /** Today, in that zone. */
  today: string;
  /** Earlier days of today's weekday on which the desk served, the latest first. */
  usual_days: Array<string>;
  /** Calls that wait for an operator. */
  waiting: Waiting;
};

/** What a row is. */
export type By = ("half_hour" | "day" | "month" | "group" | "number" | "agent");

/** A call as shown. Names and numbers of people are in it: it goes to pages behind a login only. */
export type Call = {
  /** Who answered it first. */
  agent: string | null;
  arrived_at: string;
  /** Its arrival, by the wall clock. */
  arrived_at_ms: number;
  /** Whether a busy announcement was started. */
  busy_announced: boolean;
  /** Which. */
  call: string;
  /** Who calls. */
  caller: Caller;
  /** Why it ended. */
  cause: (EndCause | null);
  /** Whether it enters the contract's figures. */
  counted: boolean;
  /** Whose doing the end was. */
  ended_by: (Party | null);
  /** What the caller entered, in order. */
  entered: Array<Entered>;
  /** The group it asked for last. */
  group: string | null;
  /** The language that the caller chose. */
  language: "ja" | "en";
  /** From the arrival to the end, milliseconds. */
  length_ms: number | null;
  /** What was dialled. */
  number: string;
  /** Where it came from. */
  origin: Origin;
  /** What it came to, once decided. */
  outcome: (Outcome | null);
  /** In which slot it is. */
  parked: (Parked | null);
  /** Its recordings, in order. */
  recordings: Array<Recorded>;
  /** How its legs sounded. */
  sound: CallSound;
  /** Where it stands. */
  state: CallState;
  /** Who spoke with the caller, in order. */
  talks: Array<Talk>;
  /** From asking for an operator to the answer or the end, milliseconds. */
  wait_ms: number | null;
};

/** A step in a call's life. The first is always `Arrived`, the last always `Ended`, and there is exactly one of each. */
export type CallEvent = ({
  /** Who calls. */
  caller: Caller;
  /** Whether the number's calls enter the contract's figures. */
  counted: boolean;
  kind: "arrived";
  /** The number that was dialled. */
  number: string;
  /** Where it came from. */
  origin: Origin;
} | {
  kind: "found_closed";
  /** Why. */
  why: Closed;
} | {
  kind: "accepted";
} | {
  kind: "menu_entered";
  /** Which menu. */
  menu: string;
} | {
  /** `0`–`9`, `*`, `#`, `A`–`D`. */
  key: string;
  kind: "key_pressed";
  /** In which menu. */
  menu: string;
} | {
  /** The key. */
  key: string;
  kind: "key_wrong";
  /** In which menu. */
  menu: string;
} | {
  kind: "menu_timed_out";
  /** In which menu. */
  menu: string;
} | {
  kind: "extension_dialled";
  /** In which menu. */
  menu: string;
  /** Which. */
  number: string;
} | {
  /** By what. */
  by: Means;
  kind: "put_first";
} | {
  kind: "language_chosen";
  /** Which. */
  language: "ja" | "en";
} | {
  /** Which. */
  entry: string;
  kind: "entry_began";
} | {
  /** As entered. */
  digits: string;
  /** Which. */
  entry: string;
  kind: "number_entered";
} | {
  /** Which. */
  entry: string;
  kind: "number_refused";
} | {
  /** In whose queue. */
  group: string;
  /** The key. */
  key: string;
  kind: "queue_key_pressed";
} | {
  kind: "message_began";
  /** For which box. */
  mailbox: string;
  /** Which of the call's recordings. */
  number: number;
} | {
  kind: "message_left";
  /** From the beep to the end, milliseconds. */
  length_ms: number;
  /** In which box. */
  mailbox: string;
  /** Which of the call's recordings. */
  number: number;
} | {
  kind: "message_dropped";
  /** In which box. */
  mailbox: string;
  /** Which of the call's recordings. */
  number: number;
} | {
  /** By which of the plan's ways. */
  callback: string;
  /** The caller entered it; otherwise it is the one that the call came from. */
  entered: boolean;
  /** By whose agents. */
  group: string;
  /** It is an extension of ours. */
  inside: boolean;
  kind: "callback_asked";
  /** At which number. */
  number: string;
} | {
  /** The agent. */
  by: string;
  kind: "survey_began";
  /** Which of the plan's surveys. */
  survey: string;
} | {
  /** The key: 1 (満足, satisfied) to 5 (不満, dissatisfied). */
  answer: number;
  kind: "survey_answered";
  /** Which question, from 1. */
  question: number;
  /** Of which survey. */
  survey: string;
} | {
  /** The group asked for; none when one agent's own line was dialled. */
  group: string | null;
  kind: "operator_asked";
} | {
  /** In which group's queue. */
  group: string;
  kind: "queued";
  /** 1 is next. */
  position: number;
} | {
  /** From which group. */
  group: string;
  kind: "overflowed";
  /** What was too long. */
  why: Overflowing;
} | {
  kind: "announced";
  /** Which prompt. */
  prompt: string;
  /** What it is for. */
  purpose: Purpose;
} | {
  /** Whose phone. */
  agent: string;
  kind: "offer_made";
} | {
  /** Whose phone. */
  agent: string;
  kind: "offer_ended";
  /** Why. */
  why: OfferEnd;
} | {
  /** Who. */
  agent: string;
  kind: "operator_answered";
} | {
  /** Who pressed hold. */
  by: Party;
  kind: "held";
} | {
  /** Who took the call back. */
  by: Party;
  kind: "resumed";
} | {
  /** Who said it. */
  by: Party;
  kind: "reason_given";
  /** What. */
  reason: {
    cause: number;
    protocol: "sip" | "q850";
  };
} | {
  /** The agent had spoken with the other side before (取次転送). */
  attended: boolean;
  /** Who passed it on. */
  by: string;
  kind: "transferred";
  /** To which number of the plan; the agent's own when its phone hung up because its transfer had come to nothing, or when it did not come back to a caller whom it held for too long. */
  to: string;
} | {
  /** The agent had spoken with the other side before. */
  attended: boolean;
  /** Who passed it on. */
  by: string;
  /** Whether it is a phone of ours. */
  inside: boolean;
  kind: "sent_away";
  /** To whom. */
  number: string;
} | {
  /** Who left it there. */
  by: string;
  kind: "parked";
  /** The slot's number. */
  slot: string;
} | {
  /** How it came out. */
  how: Unpark;
  kind: "unparked";
  /** The phone that fetched it, when that is no agent's: `AwayAnswered` follows. */
  phone?: string | null;
  /** The slot's number. */
  slot: string;
} | {
  /** In whose queue it waits. */
  group: string;
  kind: "overflowed_outside";
  /** The number, as the plan has it. */
  number: string;
  /** Why. */
  why: Overflowing;
} | {
  /** Which agent. */
  agent: string;
  kind: "agent_told";
  /** What. */
  prompt: string;
} | {
  /** Who asks. */
  by: string;
  kind: "consult_began";
  /** Whom. */
  with: string;
} | {
  /** Who asks. */
  by: string;
  /** Whether it is a phone of ours. Of a number outside, the trunks that are tried follow. */
  inside: boolean;
  kind: "consult_called";
  /** Whom. */
  number: string;
} | {
  /** Who asks. */
  by: string;
  /** Which group. */
  group: string;
  kind: "consult_group";
} | {
  kind: "consult_rings";
  /** Whose. */
  with: string;
} | {
  kind: "consult_ring_ended";
  /** Why. */
  why: OfferEnd;
  /** Whose. */
  with: string;
} | {
  kind: "consult_answered";
  /** The colleague; none when it is nobody of ours. */
  with?: string | null;
} | {
  kind: "consult_turned";
  /** To whom. */
  to: ConsultSide;
} | {
  kind: "consult_ended";
  /** How. */
  why: ConsultEnd;
  /** Who was asked. */
  with: string;
} | {
  kind: "consult_over";
  /** How. */
  why: ConsultEnd;
} | {
  kind: "trunk_tried";
  /** Which. */
  trunk: string;
} | {
  kind: "trunk_failed";
  /** The SIP status; 408 when its server said nothing, 503 when it has none that is well. */
  status: number;
  /** Which. */
  trunk: string;
} | {
  kind: "away_answered";
} | {
  /** With whom. */
  agent: string;
  kind: "returned";
} | {
  /** Whose talk. */
  agent: string;
  /** Who. */
  by: string;
  kind: "supervision_began";
  /** By what it was asked for. */
  means: Means;
  /** In which way. */
  mode: Supervision;
} | {
  /** Who. */
  by: string;
  kind: "supervision_changed";
  /** By what. */
  means: Means;
  /** In which way. */
  mode: Supervision;
} | {
  /** Who. */
  by: string;
  kind: "supervision_ended";
} | {
  /** Which agent. */
  by: string;
  /** Whether it is a phone of ours. */
  inside: boolean;
  kind: "third_called";
  /** By what. */
  means: Means;
  /** Whom. */
  number: string;
} | {
  /** The third, if it is an agent. */
  agent?: string | null;
  kind: "third_joined";
} | {
  kind: "third_ended";
} | {
  kind: "third_failed";
  /** The SIP status; 480 when it rang out, 487 when the talk was over before. */
  status: number;
} | {
  /** Which agent. */
  agent: string;
  kind: "hold_recalled";
} | {
  /** Which agent. */
  agent: string;
  kind: "hold_recall_ended";
  /** Why; none: the agent answered, and has the caller by that leg. */
  why?: (OfferEnd | null);
} | {
  /** Whose doing it was. */
  by: Party;
  /** Why. */
  cause: EndCause;
  kind: "ended";
});

/** Figures of calls, by their arrival. */
export type CallFigures = {
  /** Those that an operator answered. */
  answered: number;
  /** Calls that arrived at counted numbers outside excluded periods. */
  arrived: number;
  /** Σ of the three / answered. */
  average_handling: Average;
  /** Σ holds / answered. */
  average_hold: Average;
  /** Σ waits of answered calls / answered. */
  average_speed_of_answer: Average;
  /** Σ conversations without holds / answered. */
  average_talk: Average;
  /** Σ after-call work / answered. */
  average_wrap_up: Average;
  /** Of decided calls, answered or not, milliseconds. */
  longest_wait_ms: number;
  /** Decided calls that asked for an operator. */
  offered: number;
  /** Answered within the target / offered. */
  service_level: Ratio;
};

/** What a panel shows of a call's incident. */
export type CallIncident = {
  /** None: the call is not decided yet, or makes none. */
  incident: (IncidentRow | null);
  /** Whether the desk keeps the ledger. */
  ledger: boolean;
};

/** A call as shown. Names and numbers of people are in it: it goes to pages behind a login only. */
export type CallRow = {
  /** Who answered it first. */
  agent: string | null;
  /** Its arrival, by the wall clock. */
  arrived_at_ms: number;
  /** Whether a busy announcement was started. */
  busy_announced: boolean;
  /** Which. */
  call: string;
  /** Who calls. */
  caller: Caller;
  /** Why it ended. */
  cause: (EndCause | null);
  /** Whether it enters the contract's figures. */
  counted: boolean;
  /** Whose doing the end was. */
  ended_by: (Party | null);
  /** What the caller entered, in order. */
  entered: Array<Entered>;
  /** The group it asked for last. */
  group: string | null;
  /** The language that the caller chose. */
  language: "ja" | "en";
  /** From the arrival to the end, milliseconds. */
  length_ms: number | null;
  /** What was dialled. */
  number: string;
  /** Where it came from. */
  origin: Origin;
  /** What it came to, once decided. */
  outcome: (Outcome | null);
  /** In which slot it is. */
  parked: (Parked | null);
  /** Its recordings, in order. */
  recordings: Array<Recorded>;
  /** How its legs sounded. */
  sound: CallSound;
  /** Where it stands. */
  state: CallState;
  /** Who spoke with the caller, in order. */
  talks: Array<Talk>;
  /** From asking for an operator to the answer or the end, milliseconds. */
  wait_ms: number | null;
};

/** The sound of one call's legs, in the order in which anything was told of them. */
export type CallSound = Array<LegSound>;

/** Where a call stands. */
export type CallState = ("attendant" | "closed" | "waiting" | "ringing" | "talking" | "parked" | "away" | "surveyed" | "ended");

/** Why a wish to be called back is no more. */
export type CallbackEnd = ({
  why: "answered";
} | {
  why: "gave_up";
} | {
  why: "lapsed";
} | {
  /** By what. */
  by: Means;
  why: "cancelled";
});

/** A step in a wish's life. It begins with a call's `CallbackAsked`; the last is always `Ended`. */
export type CallbackEvent = ({
  /** Whose. */
  agent: string;
  kind: "agent_rung";
} | {
  /** Who. */
  agent: string;
  kind: "agent_missed";
  /** Why. */
  why: OfferEnd;
} | {
  /** Who. */
  agent: string;
  kind: "called";
  /** That call. */
  placed: string;
} | {
  kind: "ended";
  /** Why. */
  why: CallbackEnd;
});

/** A wish to be called back as shown. Numbers of people are in it: it goes to pages behind a login only. */
export type CallbackRow = (({
  why: "answered";
} | {
  why: "gave_up";
} | {
  why: "lapsed";
} | {
  /** By what. */
  by: Means;
  why: "cancelled";
}) | unknown) & {
  /** Who was rung or called for it last. */
  agent: string | null;
  /** When, by the wall clock. */
  asked_at_ms: number;
  /** The call in which it was said. */
  call: string;
  /** By which of the plan's ways. */
  callback: string;
  /** Calls made for it. */
  calls: number;
  /** The caller entered it. */
  entered: boolean;
  /** By whose agents. */
  group: string;
  /** At which number. */
  number: string;
  /** The placed call made for it last. */
  placed: string | null;
  /** Where it stands. */
  state: CallbackState;
};

/** Where a wish to be called back stands. */
export type CallbackState = ("waiting" | "ringing" | "calling" | "over");

export type Callbacks = {
  callbacks: Array<CallbackRow>;
};

/** Who calls. */
export type Caller = {
  /** The number that was dialled first, when the carrier says that the call was diverted to us. */
  diverted_from?: string | null;
  /** The display name as sent, made valid UTF-8, at most 128 characters. */
  name?: string | null;
  /** The number, or why there is none. */
  number: CallerNumber;
};

/** A caller's number, or the reason of its absence (非通知, 公衆電話, 表示圏外). */
export type CallerNumber = ({
  known: string;
} | "withheld" | "payphone" | "unavailable" | "erased");

/** An open ticket of somebody who calls. */
export type CallerTicket = {
  /** Its subject. */
  subject: string;
  /** At which target. */
  target: string;
  /** The target's name of it. */
  ticket: string;
  /** Where a person looks at it. */
  url: string | null;
};

export type Calls = {
  calls: Array<Call>;
  /** Ended calls that the list can hold; older ones are in the journal only. */
  kept: number;
};

export type CallsOfDay = {
  calls: Array<Call>;
  day: string;
  /** There may be more, of calls that came before this one. */
  more_before: string | null;
  timezone: string;
};

/** By which way somebody turned to the desk. */
export type Channel = ("phone" | "mail" | "web" | "visit");

/** Why a number is closed. */
export type Closed = ({
  closed: "night";
} | {
  closed: "weekend";
} | {
  closed: "holiday";
  /** Its name. */
  name: string;
} | {
  closed: "closure";
  /** Its name. */
  name: string;
} | {
  closed: "ad_hoc";
  /** Why. */
  name: string;
} | {
  closed: "disaster";
  /** Why, in the words of who closed. */
  name: string;
});

/** A month as it was closed: whole numbers only, so that it can be counted again from the history. */
export type ClosedFigures = {
  /** The abandon rate: numerator and total. */
  abandon: [number, number];
  /** Whether the month is one of the adjustment period: shown, not judged. */
  adjustment: boolean;
  /** Waits of answered calls together, milliseconds. */
  answer_wait_ms: number;
  /** Calls that arrived at counted numbers, those of excluded periods not among them. */
  arrived: number;
  /** The busy rate: numerator and total. */
  busy: [number, number];
  /** Calls that arrived in excluded periods. */
  excluded: number;
  /** Of those by outcome. */
  excluded_outcomes: Record<string, number>;
  /** Numbers of the exclusions that were approved. */
  exclusions: Array<number>;
  /** The first entry of the history in which a call of the month may stand. */
  from_seq: number;
  /** The history's hash after that entry, hexadecimal; none when it could not be read. */
  hash?: string | null;
  /** Of those, answered in the target. */
  in_time: number;
  /** Calls to numbers outside the figures. */
  left_out: number;
  /** The longest wait, milliseconds. */
  longest_wait_ms: number;
  /** Calls that had asked for an operator. */
  offered: number;
  /** Of those by outcome; what is not named is 0. */
  outcomes: Record<string, number>;
  /** The settings used. */
  settings: Record<string, never>;
  /** Their version. */
  settings_version: number;
  /** The last entry that was looked at. */
  through_seq: number;
};

/** A month as it was closed. */
export type ClosedMonth = {
  /** The abandon rate: numerator and total. */
  abandon: [number, number];
  /** Whether the month is one of the adjustment period: shown, not judged. */
  adjustment: boolean;
  /** Waits of answered calls together, milliseconds. */
  answer_wait_ms: number;
  /** Calls that arrived at counted numbers, those of excluded periods not among them. */
  arrived: number;
  /** The busy rate: numerator and total. */
  busy: [number, number];
  /** By whom, and when. */
  closed: Signed;
  /** Calls that arrived in excluded periods. */
  excluded: number;
  /** Of those by outcome. */
  excluded_outcomes: Record<string, number>;
  /** Numbers of the exclusions that were approved. */
  exclusions: Array<number>;
  /** The first entry of the history in which a call of the month may stand. */
  from_seq: number;
  /** The history's hash after that entry, hexadecimal; none when it could not be read. */
  hash?: string | null;
  /** Of those, answered in the target. */
  in_time: number;
  /** Calls to numbers outside the figures. */
  left_out: number;
  /** The longest wait, milliseconds. */
  longest_wait_ms: number;
  /** Calls that had asked for an operator. */
  offered: number;
  /** Of those by outcome; what is not named is 0. */
  outcomes: Record<string, number>;
  /** Why there is another than the first. */
  reason: string;
  /** From 1; the last is the one in force. */
  revision: number;
  /** The settings used. */
  settings: Record<string, never>;
  /** Their version. */
  settings_version: number;
  /** The last entry that was looked at. */
  through_seq: number;
};

/** Another agent. */
export type Colleague = {
  /** The agent's own line. */
  agent: string;
  /** For people. */
  name: string;
  /** Why set aside, while it is. */
  paused: string | null;
  /** The phone can be rung. */
  reachable: boolean;
  /** Since when, by the wall clock. */
  since_ms: number;
  /** What is shown. */
  state: AgentState;
};

/** How a question by keys ended. */
export type ConsultEnd = ("not_answered" | "sent_back" | "left" | "time_used_up" | "handed_over" | "joined" | "call_over");

/** One of the two between whom an agent turns who asks by keys. */
export type ConsultSide = ("caller" | "asked");

/** What an outcome is taken for. */
export type CountsAs = ("answered" | "abandoned" | "busy" | "excluded");

/** One day of a month. */
export type DayFigures = {
  /** 別紙4 No. 5. */
  abandon_rate: Rate;
  /** Calls an operator answered, after a busy announcement or without. */
  answered: number;
  /** Answered within the target / offered (service level). */
  answered_in_time: Ratio;
  /** Calls that arrived at counted numbers. */
  arrived: number;
  /** Σ waits of answered calls / answered, whole milliseconds; none when none was answered. */
  average_speed_of_answer_ms: number | null;
  /** Σ conversations of calls that are over, holds included / answered, whole milliseconds; none when none was answered. */
  average_talk_ms: number | null;
  /** 別紙4 No. 6. */
  busy_rate: Rate;
  /** The day, in the desk's zone. */
  day: string;
  /** Calls of excluded periods. */
  excluded: Excluded;
  /** Calls to numbers outside the figures. */
  left_out: number;
  /** The longest wait of a decided call, answered or not. */
  longest_wait_ms: number;
  /** Decided calls that had asked for an operator. */
  offered: number;
  /** Decided calls by outcome. */
  outcomes: PerOutcome;
  /** Of those, not yet decided. */
  undecided: number;
};

/** Why something waits for a person (a dead letter). */
export type DeadRow = {
  /** Since then, by the wall clock. */
  at_ms: number;
  /** Tries until then. */
  tries: number;
  /** What the last one came to. */
  why: Unfed;
};

/** One figure's definition. */
export type Definition = {
  /** The formula, English. */
  en: string;
  /** As in the API. */
  figure: string;
  /** The formula, Japanese. */
  ja: string;
  /** Its Japanese name. */
  name: string;
  /** The unit in which it is shown; JSON has milliseconds where it is `s`. */
  unit: string;
};

/** Something about the desk as a whole. */
export type DeskEvent = ({
  kind: "started";
  /** The plan's name. */
  plan: string;
  /** The program's version. */
  version: string;
} | {
  kind: "stopped";
} | {
  /** Who did it: an agent's extension, or the name that was given. */
  author: string;
  /** By what. */
  by: Means;
  kind: "hours_changed";
  /** Which desk number; left out: all. One's own goes before that of all. */
  number?: string | null;
  /** Why, in the words of who did it. */
  reason: string;
  /** To what. */
  to: "open" | "closed" | "disaster";
  /** When it ends by itself. */
  until: number;
} | {
  /** Who did it; left out when its time was over or the number left the plan. */
  author?: string | null;
  /** By what. */
  by: Means;
  kind: "hours_restored";
  /** Of which desk number; left out: of all. */
  number?: string | null;
} | {
  /** Of calls that arrived before then, but for callers who were still to be called back. */
  before: number;
  /** Calls that had a number or a name. */
  calls: number;
  /** Their entries that had one. */
  entries: number;
  /** Incidents that people had entered by hand before then, and that had words of theirs. */
  incidents?: number;
  /** Calls that were left because the caller was still to be called back. */
  kept: number;
  kind: "callers_erased";
} | {
  /** Who ordered it. */
  author: string;
  /** Calls that had a text. */
  calls: Array<string>;
  /** Entries that had a text. */
  entries: number;
  /** Incidents that people had entered by hand and that had words of theirs. */
  incidents?: Array<number>;
  kind: "erased_on_request";
  /** Calls that were left: their callers are still to be called back, or they were up. */
  left: number;
  /** Recordings and voice messages that were deleted. */
  recordings: number;
  /** The request, by the number that the site's own files give it. */
  reference: string;
} | {
  kind: "ordered";
  /** What they were allowed as: `agent`, `supervisor`, `admin`. */
  role: string;
  /** Method and path, at most 200 characters. */
  what: string;
  /** The user, or `token` for who came with one of the desk's tokens. */
  who: string;
} | {
  /** By what they proved who they are; left out: by their password. */
  by?: SignedInBy;
  kind: "person_signed_in";
  /** As what. */
  role: string;
  /** The user. */
  who: string;
} | {
  kind: "person_signed_out";
  /** Which session it ended, by an id that opens nothing; older versions wrote none. */
  session?: string | null;
  /** When that would have ended by itself: until then a copy of its cookie is refused. */
  until?: number | null;
  /** The user, or `token` for who had come with one of the desk's tokens. */
  who: string;
});

/** One thing that is another in the files than in force. */
export type Differs = {
  /** What takes its place; none: it is gone. */
  after: string | null;
  /** What is in force; none: it is new. A secret is never shown. */
  before: string | null;
  /** Which: `plan groups.desk.ring`, `limits.calls`, `account 2011`. */
  what: string;
};

/** Somebody of the imported directory. */
export type DirectoryPerson = {
  /** Where he or she works. */
  department: string;
  /** As the directory has it. */
  name: string;
  /** Anything else. */
  note: string;
};

/** Whether the journal has room on its disk. */
export type DiskState = ("ok" | "low" | "no_reserve");

export type DrainShown = {
  /** Calls of any kind that are up. */
  calls: number;
  /** Whether callers are refused until the desk ends. */
  draining: boolean;
  /** In how many seconds calls that are still up are ended; none while callers are let in. */
  left_s: number | null;
  /** Legs that are up: the desk ends when there is none. */
  legs: number;
  /** Of the program that answers. */
  version: string;
};

/** An earlier call, with what was written about it. */
export type EarlierCall = {
  /** Who answered it first. */
  agent: string | null;
  /** Its arrival, by the wall clock. */
  arrived_at_ms: number;
  /** Which. */
  call: string;
  /** The group it asked for last. */
  group: string | null;
  /** What was written about it. */
  notes: Array<NoteRow>;
  /** What was dialled. */
  number: string;
  /** What it came to. */
  outcome: (Outcome | null);
};

/** Why a call ended. */
export type EndCause = ({
  cause: "hung_up";
} | {
  cause: "queue_full";
} | {
  cause: "waited_too_long";
} | {
  cause: "closed_while_waiting";
} | {
  cause: "menu_done";
} | {
  cause: "closed_told";
} | {
  cause: "lines_full";
} | {
  cause: "channels_full";
} | {
  cause: "no_capacity";
} | {
  cause: "not_answered";
  /** The SIP status it gave; 480 when it rang out or is not registered. */
  status: number;
} | {
  cause: "transferred";
} | {
  cause: "time_used_up";
} | {
  cause: "fault";
  /** Which. */
  what: string;
} | {
  cause: "restart";
});

/** A number that the caller entered. */
export type Entered = {
  /** As entered. */
  digits: string;
  /** Which of the plan's. */
  entry: string;
};

/** The proof of an erasure. Nothing in it says whose it was. */
export type Erasure = {
  /** The history after, with the entry that tells of this. */
  after: ErasureAnchor;
  /** Who ordered it. */
  author: string;
  /** The history before. */
  before: ErasureAnchor;
  /** When it began, in the desk's zone. */
  began_at: string;
  /** Calls whose texts were erased. */
  calls: Array<string>;
  /** Whether the file beside the store that had copies of the texts is empty. */
  copies_emptied: boolean;
  /** When it had ended. */
  ended_at: string;
  /** Entries that had a text. */
  entries: number;
  /** Calls and incidents in which the person was found then, those that were left among them. */
  found_again: number;
  /** What ticket systems have of these calls: it is to be erased there by hand. */
  handed_over: Array<ErasureHandedOver>;
  /** Incidents entered by hand whose words were erased, by the entries that opened them. */
  incidents: Array<number>;
  /** What was left, and why. */
  left: Array<ErasureLeft>;
  /** What this does not reach, in English. */
  not_reached: Array<string>;
  /** What this does not reach, in Japanese. */
  not_reached_ja: Array<string>;
  /** Recordings and voice messages that were deleted, by their paths in the folder of recordings. */
  recordings: Array<string>;
  /** The request, by the number that the site's own files give it. */
  reference: string;
  /** Entries that were looked through afterwards. */
  searched_again: number;
  /** The texts. */
  texts: number;
  /** Whether traces may lie in unused parts of the store, because an earlier version wrote these entries. */
  traces_possible: boolean;
};

/** A place in the history and its hash there: an anchor. */
export type ErasureAnchor = {
  /** The hash there, hexadecimal; null when it could not be read. */
  hash: string | null;
  /** The entry. */
  seq: number;
};

/** What a ticket system was handed earlier. */
export type ErasureHandedOver = {
  /** Of which call. */
  call: string;
  /** Which system. */
  target: string;
  /** Its ticket there. */
  ticket: string;
};

/** A call whose texts, or one of whose recordings, were left. */
export type ErasureLeft = {
  /** Which. */
  call: string;
  /** Why. */
  why: ErasureWhyLeft;
};

/** Why something was left. */
export type ErasureWhyLeft = ("up" | "to_be_called_back" | "recording_held" | "recording_not_deleted");

/** Calls that arrived in excluded periods: in a line of their own, and in no other figure. */
export type Excluded = {
  /** How many arrived at counted numbers. */
  arrived: number;
  /** Of those decided, by outcome. */
  outcomes: PerOutcome;
};

/** A period that somebody wants left out. */
export type Exclusion = ({
  state: "entered";
} | {
  /** By whom. */
  approved: Signed;
  state: "approved";
} | {
  /** Who had approved it, if anybody had. */
  approved: (Signed | null);
  state: "withdrawn";
  /** Why. */
  why: string;
  /** By whom it was withdrawn. */
  withdrawn: Signed;
}) & {
  /** Who entered it, and when. */
  entered: Signed;
  /** Its number. */
  exclusion: number;
  from: string;
  /** Calls that arrived then or later. */
  from_ms: number;
  /** Why. */
  reason: string;
  until: string;
  /** Calls that arrived before then. */
  until_ms: number;
};

export type ExclusionEntered = {
  exclusion: number;
};

/** A period that somebody wants left out. */
export type ExclusionRow = ({
  state: "entered";
} | {
  /** By whom. */
  approved: Signed;
  state: "approved";
} | {
  /** Who had approved it, if anybody had. */
  approved: (Signed | null);
  state: "withdrawn";
  /** Why. */
  why: string;
  /** By whom it was withdrawn. */
  withdrawn: Signed;
}) & {
  /** Who entered it, and when. */
  entered: Signed;
  /** Its number. */
  exclusion: number;
  /** Calls that arrived then or later. */
  from_ms: number;
  /** Why. */
  reason: string;
  /** Calls that arrived before then. */
  until_ms: number;
};

export type Exclusions = {
  exclusions: Array<Exclusion>;
};

/** The rule that gave a call its outcome, and where it counts. */
export type Explained = {
  en: string | null;
  /** The rule in words. */
  ja: string | null;
  /** None when the figures know no more of the call than that it was. */
  place: (Place | null);
  rule: (Rule | null);
};

/** One fault. */
export type FaultRow = {
  /** What. */
  fault: SoundFault;
  /** So long; none while it lasts. */
  for_ms: number | null;
  /** From then on, milliseconds after the arrival. */
  from_ms: number;
};

/** A step between the desk and one target. */
export type FeedEvent = ({
  kind: "target_set";
  /** By outcome: `ticket`, `note`, `none`; and `note_within_ms`. */
  rules: Record<string, string>;
} | {
  kind: "target_gone";
} | {
  /** It was there already: an earlier try had succeeded unseen. */
  found: boolean;
  kind: "ticket_opened";
  /** What was known of the call up to this entry stands in it. */
  through: number;
  /** The target's name of it, at most 64 characters. */
  ticket: string;
  /** Tries since the daemon's last start, the one that succeeded included. */
  tries: number;
} | {
  kind: "ticket_added";
  /** The entry that made it due. */
  step: number;
  /** Tries since the daemon's last start. */
  tries: number;
} | {
  kind: "feed_given_up";
  /** The entry that made it due. */
  step: number;
  /** Tries since the daemon's last start. */
  tries: number;
  /** What the last try came to. */
  why: Unfed;
} | {
  /** Who. */
  author: string;
  /** By what. */
  by: Means;
  kind: "feed_retried";
} | {
  /** Who. */
  author: string;
  /** By what. */
  by: Means;
  kind: "feed_discarded";
  /** Why. */
  reason: string;
} | {
  /** Who. */
  author: string;
  /** By what. */
  by: Means;
  kind: "feed_edited";
  /** The ticket's subject; left as it is when the step opens none. */
  subject?: string | null;
  /** The ticket's or the addition's words. */
  text: string;
} | {
  /** Who. */
  author: string;
  /** By what. */
  by: Means;
  kind: "ticket_adopted";
  /** The target's name of it, at most 64 characters. */
  ticket: string;
} | {
  kind: "ticket_seen";
  /** How it stands. */
  state: TicketState;
  /** The target's name of it, at most 64 characters. */
  ticket: string;
} | {
  /** Where the next look goes on: a mark of what is read and how, and the place in the target's own terms. */
  cursor: string;
  kind: "tickets_read";
});

/** A figure that calls stand behind. */
export type Figure = ("abandon" | "busy" | "in_time");

/** A call behind a figure. */
export type FigureCall = ({
  stands: "numerator";
} | {
  stands: "total";
} | {
  /** The exclusion, where it is one. */
  exclusion?: number | null;
  /** The setting that says so, where it is one. */
  setting?: string | null;
  stands: "out";
  /** Why. */
  why: LeftOut;
}) & {
  /** Who answered it first; none until it is over. */
  agent: string | null;
  arrived_at: string;
  /** Its arrival, by the wall clock. */
  arrived_at_ms: number;
  /** Which. */
  call: string;
  /** The group it asked for last; none until it is over. */
  group: string | null;
  /** What was dialled. */
  number: string | null;
  /** What it came to. */
  outcome: (Outcome | null);
  /** By which rule. */
  rule: (Rule | null);
  /** From asking for an operator to the answer or the end, milliseconds. */
  wait_ms: number | null;
};

export type FigureCalls = {
  calls: Array<FigureCall>;
  /** How many there are, listed or not. */
  count: number;
  figure: Figure;
  from: string;
  to: string;
};

/** What is shown of a day or a month. */
export type Figures = {
  /** 別紙4 No. 5. */
  abandon_rate: Rate;
  /** Calls an operator answered, after a busy announcement or without. */
  answered: number;
  /** Answered within the target / offered (service level). */
  answered_in_time: Ratio;
  /** Calls that arrived at counted numbers. */
  arrived: number;
  /** Σ waits of answered calls / answered, whole milliseconds; none when none was answered. */
  average_speed_of_answer_ms: number | null;
  /** Σ conversations of calls that are over, holds included / answered, whole milliseconds; none when none was answered. */
  average_talk_ms: number | null;
  /** 別紙4 No. 6. */
  busy_rate: Rate;
  /** Calls to numbers outside the figures. */
  left_out: number;
  /** The longest wait of a decided call, answered or not. */
  longest_wait_ms: number;
  /** Decided calls that had asked for an operator. */
  offered: number;
  /** Decided calls by outcome. */
  outcomes: PerOutcome;
  /** Of those, not yet decided. */
  undecided: number;
};

/** A declaration about the figures. None changes a call; figures are folds over calls and these. */
export type FiguresEvent = ({
  /** Who entered it. */
  author: string;
  /** By what. */
  by: Means;
  /** Its number, from 1. */
  exclusion: number;
  /** Calls that arrived then or later. */
  from: number;
  kind: "exclusion_entered";
  /** Why. */
  reason: string;
  /** Calls that arrived before then. */
  until: number;
} | {
  /** Who approved it. */
  author: string;
  /** By what. */
  by: Means;
  /** Which. */
  exclusion: number;
  kind: "exclusion_approved";
} | {
  /** Who withdrew it. */
  author: string;
  /** By what. */
  by: Means;
  /** Which. */
  exclusion: number;
  kind: "exclusion_withdrawn";
  /** Why. */
  reason: string;
} | {
  /** Who closed it. */
  author: string;
  /** By what. */
  by: Means;
  /** The figures as closed. */
  figures: ClosedFigures;
  kind: "month_closed";
  /** Such as `2026-10`. */
  month: string;
  /** Why there is another revision; empty for the first. */
  reason?: string;
  /** From 1; the last is the one in force. */
  revision: number;
} | {
  kind: "settings_changed";
  /** All of them, by name. */
  settings: Record<string, never>;
  /** From 1. */
  version: number;
} | {
  kind: "warning_turned";
  /** Which, from what to what, and how the rate stood. */
  turn: WarningTurn;
} | {
  /** By what. */
  by: ToldBy;
  kind: "warning_told";
  /** Tries since the daemon's last start, the one that succeeded included. */
  tries: number;
  /** The entry with which it turned. */
  turn: number;
} | {
  /** By what it was to be told. */
  by: ToldBy;
  kind: "warning_given_up";
  /** Tries since the daemon's last start. */
  tries: number;
  /** The entry with which it turned. */
  turn: number;
  /** What the last try came to. */
  untold: Untold;
});

/** Today's calls of a group. No rate of the contract is in it: that knows the desk alone. */
export type GroupFigures = {
  /** Calls that are in the numerator of the abandon rate. */
  abandoned: number;
  /** Calls an operator answered, after a busy announcement or without. */
  answered: number;
  /** Answered within the target / offered. */
  answered_in_time: Ratio;
  /** Calls that arrived at counted numbers. */
  arrived: number;
  /** Σ waits of answered calls / answered, whole milliseconds; none when none was answered. */
  average_speed_of_answer_ms: number | null;
  /** Calls that are in the numerator of the busy rate. */
  busy: number;
  /** The longest wait of a decided call, answered or not. */
  longest_wait_ms: number;
  /** Decided calls. */
  offered: number;
  /** Decided calls by outcome. */
  outcomes: PerOutcome;
  /** Of those, not yet decided. */
  undecided: number;
};

/** A group. */
export type GroupLaid = {
  /** Which. */
  group: string;
  /** For people. */
  name: string;
  /** Its own extension number. */
  number: string | null;
};

/** A group on the wall. */
export type GroupRow = {
  /** Its members by state. */
  agent_counts: AgentCounts;
  /** Its members. */
  agents: Array<string>;
  /** Figures of today's calls that asked for this group last, those in progress among them. */
  day: GroupFigures;
  /** Which. */
  group: string;
  /** The same calls by half hour. */
  half_hours: HalfHours;
  /** The longest of these waits, milliseconds. */
  longest_ms: number;
  /** For people. */
  name: string;
  /** Calls that wait for one of them. */
  waiting: number;
};

/** Calls by the half hour of their arrival, 48 of each, from midnight on: counted ones outside excluded periods. */
export type HalfHours = {
  /** Of these, with an operator's answer. */
  answered: Array<number>;
  /** That arrived today. */
  arrived: Array<number>;
  /** That arrived on all days of `days` together: divided by how many these are, the usual. */
  before: Array<number>;
  /** Of these, not yet decided: they may still be answered. */
  undecided: Array<number>;
};

/** What a target is handed of a call: its ticket, or what is due next for it. */
export type Handover = {
  /** The target's fields by its own names of them, and what stands in each. */
  fields: Record<string, string>;
  /** By this it knows a repetition. */
  key: string;
  /** One line; empty when a ticket is there and something is added to it. */
  subject: string;
  /** Several lines. */
  text: string;
  /** All values by name. */
  values: Record<string, string>;
};

/** What the health page and the wall say of the machine. */
export type Health = {
  /** The same: the room for the journal on its disk. */
  disk: DiskState;
  engine: BeatState;
  journal: JournalState;
  media: BeatState;
  /** The thread of the SIP sockets. */
  net: BeatState;
  /** The same. */
  recording: RecordingState;
  /** The same. */
  site_store: SiteState;
  /** `ok`, or `failing` when callers had better not be sent here: what `/healthz/ready` answers. */
  status: "ok" | "failing";
  /** Told, and not a fault of ours: a restart would not mend it. */
  trunks: TrunksState;
};

/** The whole page. */
export type HealthPage = {
  /** The same: the room for the journal on its disk. */
  disk: DiskState;
  engine: BeatState;
  journal: JournalState;
  media: BeatState;
  /** The thread of the SIP sockets. */
  net: BeatState;
  /** All that is not well; what weighs most first. */
  reasons: Array<HealthReason>;
  /** The same. */
  recording: RecordingState;
  /** The same. */
  site_store: SiteState;
  /** `ok`, or `failing` when callers had better not be sent here: what `/healthz/ready` answers. */
  status: "ok" | "failing";
  /** Told, and not a fault of ours: a restart would not mend it. */
  trunks: TrunksState;
};

/** What a machine asks for, and what stands against it. */
export type HealthProbe = {
  /** Why it is failing. */
  reasons: Array<HealthReason>;
  /** `ok`, or `failing`. */
  status: "ok" | "failing";
};

/** Something that is not well. */
export type HealthReason = {
  /** The same in English. */
  en: string;
  /** What is wrong, in Japanese. */
  ja: string;
  /** Its name, which does not change. */
  reason: string;
  /** Where more is said; `madoguchi runbook` and the reason's name shows it. */
  runbook: string;
  /** The same in English. */
  todo_en: string;
  /** What to do first, in Japanese. */
  todo_ja: string;
  /** What it asks for. */
  weight: HealthWeight;
};

/** What a reason asks for. */
export type HealthWeight = ("told" | "unready" | "dead");

export type Hours = {
  ad_hoc: Array<AdHocHours>;
};

/** What a person writes into the desk's own ledger of incidents (インシデント台帳). Incidents of calls are in it by themselves, from when the call is decided. */
export type IncidentEvent = ({
  /** Who wrote it. */
  author: string;
  /** By what. */
  by: Means;
  /** By which way. */
  channel: Channel;
  kind: "incident_opened";
  /** How it stands. */
  state: TicketState;
  /** In a few words, 1 to 200 characters. */
  subject: string;
} | {
  /** Who wrote it. */
  author: string;
  /** By what. */
  by: Means;
  /** The site's own kind of it; empty: none. */
  category?: string;
  /** Which: the entry that opened it, or by which its call was decided. */
  incident: number;
  kind: "incident_changed";
  /** How it stands. */
  state: TicketState;
  /** In a few words; left as it is when absent. */
  subject?: string | null;
});

/** One incident as shown. */
export type IncidentRow = {
  /** Who answered the call first. */
  agent: string | null;
  /** Who wrote it last. */
  author: string | null;
  /** Of which call, if of one. */
  call: string | null;
  /** The caller's number, if it is known. */
  caller: string | null;
  /** The site's own kind of it; empty: none. */
  category: string;
  /** By which way somebody turned to the desk. */
  channel: Channel;
  /** The entry of the history that opened it: its number for ever. */
  incident: number;
  /** What the call came to. */
  outcome: (Outcome | null);
  /** Times that it was written. */
  revision: number;
  /** How it stands. */
  state: TicketState;
  /** In a few words; empty until somebody writes them. */
  subject: string;
};

export type Incidents = {
  incidents: Array<IncidentRow>;
  /** How many there are. */
  total: number;
};

/** Whether the journal is being written. */
export type JournalState = ("ok" | "failing");

/** Why a call is not in a figure. */
export type LeftOut = ("uncounted" | "excluded_period" | "undecided" | "by_contract" | "by_setting" | "not_offered");

/** One leg's sound, as shown. */
export type LegSound = {
  /** What was wrong, in order. */
  faults: Array<FaultRow>;
  /** In figures, as told last. */
  measured: (Measured | null);
  /** At which of our extensions it is. */
  phone: string | null;
  /** Whether its phone called, or was called. */
  side: Party;
};

/** A strict upper limit in whole percent. */
export type Limit = number;

/** A desk number. */
export type LineRow = {
  /** Calls that are up. */
  in_use: number;
  /** Most calls at once. */
  limit: number;
  /** For people. */
  name: string;
  /** What is dialled. */
  number: string;
};

/** Lines of the desk's numbers. */
export type Lines = {
  /** Calls to them that have no end. */
  in_use: number;
  /** The sum of their limits. */
  limit: number;
};

/** All channels of a trunk in use, added up over trunks. */
export type LinesFull = {
  /** For so long, milliseconds; a span counts when it is over. */
  ms: number;
  /** So often; by when it began. */
  times: number;
};

/** A list that may be cut. */
export type ListedCallbackRow = {
  /** How many there are. */
  count: number;
  /** The first of them. */
  rows: Array<CallbackRow>;
};

/** A list that may be cut. */
export type ListedPanelMessage = {
  /** How many there are. */
  count: number;
  /** The first of them. */
  rows: Array<PanelMessage>;
};

export type LogRoomShown = {
  /** How much it says by the configuration. */
  configured: "error" | "warn" | "info" | "debug" | "trace";
  /** Seconds until an order ends; none when there is none. */
  left_s: number | null;
  /** How much it says now. */
  level: "error" | "warn" | "info" | "debug" | "trace";
  room: string;
};

export type LogShown = {
  rooms: Array<LogRoomShown>;
};

export type Me = {
  extension: string | null;
  name: string | null;
  role: "wall" | "viewer" | "agent" | "supervisor" | "admin";
  /** `token` for who came with one of the desk's tokens. */
  user: string;
};

/** By what means an agent's state was changed. */
export type Means = ("feature_code" | "key" | "api" | "rule");

/** A leg's sound in figures. */
export type Measured = {
  /** Its codec. */
  codec: string;
  /** Packets that the phone numbered. */
  due: number;
  /** Packets that came again. */
  duplicate: number;
  /** The jitter that it sees, microseconds. */
  far_jitter_us: number | null;
  /** Packets of ours that the phone says it lost. */
  far_lost: number | null;
  /** At most. */
  jitter_max_us: number;
  /** In the mean, microseconds. */
  jitter_us: number;
  /** The leg has ended. */
  last: boolean;
  /** Packets that came after later ones. */
  late: number;
  /** The longest time without a packet, milliseconds. */
  longest_gap_ms: number;
  /** Those that did not. */
  lost: number;
  /** The estimated opinion, 1.00 to 4.50. */
  mos: number | null;
  /** Of these, those that came. */
  received: number;
  /** There and back, milliseconds. */
  round_trip_ms: number | null;
  /** Packets that we sent. */
  sent: number;
  /** Of the worst five seconds. */
  worst_mos: number | null;
};

/** A step in a message's life. It was left by a call's `MessageLeft`. */
export type MessageEvent = ({
  /** By what. */
  by: Means;
  kind: "heard";
} | {
  /** By what. */
  by: Means;
  kind: "unheard";
} | {
  /** By what. */
  by: Means;
  kind: "deleted";
});

/** A voice message as shown. Numbers of people are in it: it goes to pages behind a login only. */
export type MessageRow = {
  /** The call in which it was left. */
  call: string;
  /** Who left it. */
  caller: Caller;
  /** What was dialled. */
  dialled: string;
  /** Whether somebody marked it as heard. */
  heard: boolean;
  /** Whether its recording is whole and can be fetched. */
  kept: boolean;
  /** When, by the wall clock. */
  left_at_ms: number;
  /** From the beep to the end, milliseconds. */
  length_ms: number;
  /** In which box. */
  mailbox: string;
  /** Which of the call's recordings it is. */
  number: number;
};

export type Messages = {
  messages: Array<MessageRow>;
};

export type Month = string;

export type MonthClosed = {
  revision: number;
};

/** A month as judged. */
export type MonthFigures = {
  /** 別紙4 No. 5. */
  abandon_rate: Rate;
  /** Calls an operator answered, after a busy announcement or without. */
  answered: number;
  /** Answered within the target / offered (service level). */
  answered_in_time: Ratio;
  /** Calls that arrived at counted numbers. */
  arrived: number;
  /** Σ waits of answered calls / answered, whole milliseconds; none when none was answered. */
  average_speed_of_answer_ms: number | null;
  /** Σ conversations of calls that are over, holds included / answered, whole milliseconds; none when none was answered. */
  average_talk_ms: number | null;
  /** 別紙4 No. 6. */
  busy_rate: Rate;
  /** The month as it was closed, the first revision first; empty while it is open. */
  closed: Array<ClosedMonth>;
  /** Days on which a call arrived, in order. */
  days: Array<DayFigures>;
  /** Whether what is counted above is not what the last revision says: only another revision changes what was closed. */
  differs_from_closed: boolean;
  /** Calls of excluded periods. */
  excluded: Excluded;
  /** Exclusions that touch the month, whether they hold or not. */
  exclusions: Array<ExclusionRow>;
  /** Calls to numbers outside the figures. */
  left_out: number;
  /** The longest wait of a decided call, answered or not. */
  longest_wait_ms: number;
  /** Which. */
  month: Month;
  /** Decided calls that had asked for an operator. */
  offered: number;
  /** Decided calls by outcome. */
  outcomes: PerOutcome;
  /** The settings used. */
  policy: Policy;
  /** Their version in the history; 0 while it has none. */
  settings_version: number;
  /** What callers said who were asked after their call, by survey. */
  surveys: Array<SurveyFigures>;
  /** The zone that days and months are taken in. */
  timezone: string;
  /** Of those, not yet decided. */
  undecided: number;
};

/** Why nothing is said of tonight. */
export type NoTonight = ("not_yet" | "short_history" | "nobody_there" | "nothing_to_come" | "too_many" | "unreadable");

/** A step of what is written about a call. */
export type NoteEvent = ({
  /** Whose note it is. */
  agent: string;
  /** By what. */
  by: Means;
  kind: "noted";
  /** The words, 1 to 1000 characters; of control characters only the end of a line. */
  text: string;
});

/** One note as shown. */
export type NoteRow = {
  /** Whose it is. */
  agent: string;
  /** When it was written, by the wall clock. */
  at_ms: number;
  /** The words. */
  text: string;
};

/** A desk number as shown. */
export type NumberRow = {
  /** When it opens or closes next; none when that is not in sight. */
  changes_at_ms: number | null;
  /** Whether its calls enter the contract's figures. */
  counted: boolean;
  /** Most calls at once. */
  line_limit: number;
  /** Its calls that have no end. */
  lines_in_use: number;
  /** For people. */
  name: string;
  /** As dialled. */
  number: string;
  /** None: the plan's hours are not known so far ahead of the last start or reload. */
  open: boolean | null;
  /** Whether a person closed or opened it out of turn. */
  out_of_turn: boolean;
  /** Why it is closed. */
  why: (Closed | null);
};

/** Why one ringing of one agent's phone ended without a conversation. */
export type OfferEnd = ({
  end: "rang_out";
} | {
  end: "refused";
  /** With this SIP status. */
  status: number;
} | {
  end: "caller_left";
} | {
  end: "taken_elsewhere";
} | {
  end: "unreachable";
} | {
  end: "withdrawn";
});

export type OneCall = {
  call: Call;
  /** Why it came to that, and where it counts. */
  explained: Explained;
  ladder: Array<Rung>;
  /** What agents wrote about it. */
  notes: Array<NoteRow>;
};

/** The answer. */
export type Operating = {
  /** The target of an answer. */
  answer_target_ms: number;
  /** By what. */
  by: By;
  /** Calls of the span of which only their day's counts are known, where more is due. */
  calls_not_cut: number;
  /** What lasts is counted until then. */
  counted_until: string;
  /** Days of the span of whose agents only the whole day is known, where half hours are due. */
  days_without_half_hours: number;
  /** What each figure is. */
  definitions: Array<Definition>;
  /** Its beginning: a day, or a half hour of one. */
  from: string;
  /** The rows, in order. */
  rows: Array<OperatingRow>;
  /** The zone of days and half hours. */
  timezone: string;
  /** Its end: a day that is in it, or a half hour's beginning that is not. */
  to: string;
  /** All of them. */
  total: OperatingRow;
};

/** One row. */
export type OperatingRow = {
  /** None where agents are not asked for. */
  agents?: (AgentFigures | null);
  /** None where calls are not asked for. */
  calls?: (CallFigures | null);
  /** `08:30`, `2026-10-01`, `2026-10`, the group, the number, the agent's line; empty: calls that asked for no group or are not over, and the sum. */
  key: string;
  /** None where neither the desk as a whole nor a time is asked for. */
  lines_full?: (LinesFull | null);
  /** An agent's name. */
  name?: string | null;
};

/** What somebody did. */
export type OrderRow = {
  /** When. */
  at_ms: number;
  /** As what; none of a logout. */
  role: string | null;
  /** Method and path, `signed in` or `signed out`. */
  what: string;
  /** The user, or `token`. */
  who: string;
};

/** Who came and what was ordered. */
export type Orders = {
  /** Those that the list can hold; older ones are in the history. */
  kept: number;
  orders: Array<OrderRow>;
};

/** Where a call came from. */
export type Origin = ({
  trunk: string;
} | {
  extension: string;
});

export type Outbox = {
  rows: Array<OutboxRow>;
  /** How many there are. */
  total: number;
};

/** A call of which a target has not got everything. */
export type OutboxRow = {
  /** Its arrival, by the wall clock; when the step became due, of one whose ticket is there. */
  arrived_at_ms: number;
  /** Which. */
  call: string;
  /** Its caller's number, if there is one. */
  caller: string | null;
  /** When the first of them became due. */
  due_at_ms: number;
  /** What is due, in order: `open`, `ended`, `note`, `wrap_up`, `called_back`, `later_call`. */
  steps: Array<string>;
  /** Why it waits for a person, if it does. */
  stuck: (DeadRow | null);
  /** Its ticket there, if it is known to have one. */
  ticket: string | null;
};

/** What a call came to: the closed list of the contract. */
export type Outcome = ("answered" | "answered_after_busy" | "abandoned" | "short_abandoned" | "busy_released" | "blocked" | "menu_left" | "menu_served" | "closed" | "message_taken" | "failed");

/** How one rate of the month is going. */
export type Outlook = {
  /** So many more calls in the numerator, one after the other from now, are still within the limit. */
  left_in_a_row: number;
  /** So many more until the month's end, with the calls that are expected until then; none before the first whole day. */
  left_in_month: number | null;
  /** At the month's end, in hundredths of a call, if the remaining service days go as the last five whole ones with calls went; none before the first whole day. */
  projected: (Rate | null);
  /** So far. */
  so_far: Rate;
  /** What is to be said of it. */
  warning: Warning;
};

/** Both rates of a month. */
export type Outlooks = {
  /** 別紙4 No. 5. */
  abandon: Outlook;
  /** 別紙4 No. 6. */
  busy: Outlook;
  /** Which month. */
  month: Month;
};

/** What made a wait too long. */
export type Overflowing = ("waiting" | "waited" | "estimated");

/** All that one agent's panel shows. */
export type Panel = {
  /** The agent. */
  agent: AgentRow;
  /** The call that rings at the agent's phone, that the agent is in or asked about, or was in last. */
  call: (PanelCall | null);
  /** Wishes of callers of the agent's groups to be called back that are not over. */
  callbacks: ListedCallbackRow;
  /** Calls that came by a trunk and have no end. */
  channels_in_use: number;
  /** The other agents, at most 300. */
  colleagues: Array<Colleague>;
  /** Whether the calls are synthetic. */
  demonstration: boolean;
  /** The plan's name. */
  desk: string;
  /** The agent's groups. */
  groups: Array<GroupLaid>;
  /** Desk numbers. */
  lines: Array<LineRow>;
  /** Messages in the agent's boxes that nobody has heard, the newest first. */
  messages: ListedPanelMessage;
  /** When it was made, by the wall clock. */
  now_ms: number;
  /** For what the agent may pause; none: anything. */
  pause_reasons: Array<string>;
  /** A call that the agent's phone placed, not over yet. */
  placed: (PlacedRow | null);
  /** Calls of the agent's groups that wait. */
  queue: Waiting;
  /** The last entry in it. */
  seq: number;
  /** Slots of the plan's parking lots. */
  slots: Array<SlotRow>;
  /** The zone of all times shown. */
  timezone: string;
  /** What the agent's phone rang for today in vain, the newest first. */
  unanswered: Array<UnansweredRow>;
  /** By how much an order makes after-call work longer, milliseconds. */
  wrap_up_more_ms: number;
};

/** The panel's call. */
export type PanelCall = {
  /** For how long it has been up, milliseconds at `now_ms`; for how long it was, once over. */
  age_ms: number;
  /** Who answered it first. */
  agent: string | null;
  /** Its arrival, by the wall clock. */
  arrived_at_ms: number;
  /** When the caller asked for an operator, milliseconds after the arrival. */
  asked_ms: number | null;
  /** Whom the agent asks meanwhile by keys, a colleague or anybody else. */
  asks: (Asks | null);
  /** Whether a busy announcement was started. */
  busy_announced: boolean;
  /** Which. */
  call: string;
  /** Who calls. */
  caller: Caller;
  /** Why it ended. */
  cause: (EndCause | null);
  /** The colleague who is asked meanwhile; of a group, who has answered. */
  consulting: string | null;
  /** Whether it enters the contract's figures. */
  counted: boolean;
  /** Earlier calls of the same number, the newest first. */
  earlier: Array<EarlierCall>;
  /** Whose doing the end was. */
  ended_by: (Party | null);
  /** What the caller entered, in order. */
  entered: Array<Entered>;
  /** The group it asked for last. */
  group: string | null;
  /** The caller is held. */
  held: boolean;
  /** The language that the caller chose. */
  language: "ja" | "en";
  /** From the arrival to the end, milliseconds. */
  length_ms: number | null;
  /** What was written about it. */
  notes: Array<NoteRow>;
  /** What was dialled. */
  number: string;
  /** Where it came from. */
  origin: Origin;
  /** What it came to, once decided. */
  outcome: (Outcome | null);
  /** In which slot it is. */
  parked: (Parked | null);
  /** Keys that led somewhere in menus, in order. */
  pressed: Array<Pressed>;
  /** Its recordings, in order. */
  recordings: Array<Recorded>;
  /** What the agent has to do with it. */
  role: Role;
  /** How its legs sounded. */
  sound: CallSound;
  /** Where it stands. */
  state: CallState;
  /** Who spoke with the caller, in order. */
  talks: Array<Talk>;
  /** From asking for an operator to the answer or the end, milliseconds. */
  wait_ms: number | null;
};

/** A voice message with its box's name. */
export type PanelMessage = {
  /** The box's name for people. */
  box_name: string;
  /** The call in which it was left. */
  call: string;
  /** Who left it. */
  caller: Caller;
  /** What was dialled. */
  dialled: string;
  /** Whether somebody marked it as heard. */
  heard: boolean;
  /** Whether its recording is whole and can be fetched. */
  kept: boolean;
  /** When, by the wall clock. */
  left_at_ms: number;
  /** From the beep to the end, milliseconds. */
  length_ms: number;
  /** In which box. */
  mailbox: string;
  /** Which of the call's recordings it is. */
  number: number;
};

/** A caller's stay in a slot. */
export type Parked = {
  /** Who left it there. */
  by: string;
  /** Since then, milliseconds after the arrival. */
  from_ms: number;
  /** The slot's number. */
  slot: string;
};

export type ParkedCalls = {
  parked: Array<CallRow>;
};

/** A caller who is in a slot. */
export type ParkedRow = {
  /** Who left the caller there. */
  by: string;
  /** Which call. */
  call: string;
  /** Who is there. */
  caller: Caller;
  /** Since when, by the wall clock. */
  since_ms: number;
  /** The slot's number. */
  slot: string;
};

/** Whose doing. */
export type Party = ("caller" | "agent" | "system");

/** Calls by outcome. */
export type PerOutcome = {
  abandoned: number;
  answered: number;
  answered_after_busy: number;
  blocked: number;
  busy_released: number;
  closed: number;
  failed: number;
  menu_left: number;
  menu_served: number;
  message_taken: number;
  short_abandoned: number;
};

/** A call's place in every figure. */
export type Place = {
  /** Whether that month is closed: its figures are those of the last revision then. */
  closed: boolean;
  /** The day of its arrival, in the desk's zone. */
  day: string;
  /** Where it stands in each figure. */
  figures: Record<string, Standing>;
  /** The month that it belongs to. */
  month: Month;
};

export type PlacedCalls = {
  calls: Array<PlacedRow>;
  /** Ended calls that the list can hold; older ones are in the journal only. */
  kept: number;
};

/** Why a placed call ended. */
export type PlacedEnd = ({
  why: "hung_up";
} | {
  /** The SIP status. */
  status: number;
  why: "not_answered";
} | {
  why: "not_allowed";
} | {
  why: "emergency_blocked";
} | {
  why: "too_many_calls";
} | {
  why: "time_used_up";
} | {
  why: "channels_full";
} | {
  why: "passed_on";
} | {
  why: "no_capacity";
} | {
  /** Which. */
  what: string;
  why: "fault";
} | {
  why: "restart";
});

/** A step in a placed call's life. The first is always `Dialled`, the last always `Ended`. */
export type PlacedEvent = ({
  /** The call of the desk whose caller is being called back by it. */
  back?: string | null;
  /** Whose phone. */
  by: string;
  /** Whether it is a phone of ours. */
  inside: boolean;
  kind: "dialled";
  /** What was dialled. */
  number: string;
} | {
  kind: "tried";
  /** Which. */
  trunk: string;
} | {
  kind: "failed";
  /** The SIP status; 408 when its server said nothing, 503 when it has none that is well. */
  status: number;
  /** Which. */
  trunk: string;
} | {
  kind: "answered";
} | {
  /** Who pressed hold. */
  by: Party;
  kind: "held";
} | {
  /** Who took the call back. */
  by: Party;
  kind: "resumed";
} | {
  /** Whose doing it was: `caller` is the phone that dialled, `agent` the called party. */
  by: Party;
  kind: "ended";
  /** Why. */
  why: PlacedEnd;
});

/** A placed call as shown. Numbers of people are in it: it goes to pages behind a login only. */
export type PlacedRow = (({
  why: "hung_up";
} | {
  /** The SIP status. */
  status: number;
  why: "not_answered";
} | {
  why: "not_allowed";
} | {
  why: "emergency_blocked";
} | {
  why: "too_many_calls";
} | {
  why: "time_used_up";
} | {
  why: "channels_full";
} | {
  why: "passed_on";
} | {
  why: "no_capacity";
} | {
  /** Which. */
  what: string;
  why: "fault";
} | {
  why: "restart";
}) | unknown) & {
  /** From dialling to the answer, milliseconds; none while or when there is none. */
  answered_ms: number | null;
  /** The call of the desk whose caller is called back by it. */
  back: string | null;
  /** Whose phone dialled. */
  by: string;
  /** Which. */
  call: string;
  /** When it was dialled, by the wall clock. */
  dialled_at_ms: number;
  /** Whose doing the end was. */
  ended_by: (Party | null);
  /** Whether it is a phone of ours. */
  inside: boolean;
  /** From dialling to the end, milliseconds. */
  length_ms: number | null;
  /** What was dialled. */
  number: string;
  /** How its legs sounded. */
  sound: CallSound;
  /** The trunk tried last. */
  trunk: string | null;
};

export type PlanChecked = {
  findings: Array<PlanFound>;
  /** Whether it could be put in force. */
  fits: boolean;
};

/** Calls of the days behind us whose way another plan changes. */
export type PlanEffect = {
  /** The first of them, at most 200. */
  calls: Array<PlanEffectCall>;
  /** Calls that arrived from then on, ms since 1970. */
  from_ms: number;
  /** By the number dialled. */
  numbers: Array<PlanEffectNumber>;
  /** And before then. */
  until_ms: number;
};

/** A call that goes another way. */
export type PlanEffectCall = {
  /** When it arrived, ms since 1970. */
  at_ms: number;
  /** Which. */
  call: string;
  /** Its way under the other. */
  is: string;
  /** What was dialled. */
  number: string;
  /** Its way under the plan in force. */
  was: string;
};

/** What becomes of a number's calls. */
export type PlanEffectNumber = {
  /** Its calls. */
  calls: number;
  /** Those that go another way. */
  changed: number;
  /** As the plan in force calls it. */
  name: string;
  /** Which. */
  number: string;
};

/** One finding. */
export type PlanFound = {
  code: string;
  column: number | null;
  en: PlanWords;
  /** Which file it is about, as it was named to the desk. */
  file: string;
  ja: PlanWords;
  line: number | null;
  severity: string;
};

/** The plan as a file. */
export type PlanText = {
  /** Its name. */
  file: string;
  /** Whether the running desk goes by it. */
  in_force: boolean;
  /** SHA-256 of that, hexadecimal. */
  sha256: string;
  /** What is in it now. */
  text: string;
};

export type PlanWords = {
  due: string;
  found: string;
};

/** A question with how it stands. */
export type Planning = ({
  state: "idle";
} | {
  /** Months of this try that are simulated. */
  done: number;
  /** Of so many. */
  of: number;
  state: "running";
  /** What now. */
  step: PlanningStep;
  /** Tries of this step that are over; each is a bundle of months. */
  tried: number;
} | {
  /** The answer. */
  answer: PlanningAnswer;
  state: "done";
} | {
  state: "cancelled";
} | {
  state: "failed";
  /** Why. */
  why: string;
}) & {
  /** When it was asked, ms since 1970. */
  since_ms: number | null;
  /** The question; none was asked yet. */
  wanted: (PlanningWanted | null);
};

/** The answer to a question. */
export type PlanningAnswer = {
  /** The fewest agents all day that are enough; none that was tried is. */
  agents: number | null;
  /** What it is based on. */
  based_on: PlanningBasis;
  /** By half hour, if it was asked for. */
  by_half_hour: (PlanningLevels | null);
  /** First tries expected in the month. */
  calls: number;
  /** Rates by number of agents, the fewest first. */
  curve: Array<PlanningPoint>;
  /** The contract's limits of both rates, percent: abandoned, busy. */
  limits: Array<number>;
  /** The fewest lines; none when no number of agents is enough. */
  lines: (PlanningLines | null);
  /** Months that each number was tried with. */
  months: number;
  /** What the roster comes to, if one was given. */
  roster: (PlanningRoster | null);
  /** How long it took, milliseconds. */
  took_ms: number;
};

/** What an answer is based on. */
export type PlanningBasis = {
  /** Calls of the last three months in the history. */
  calls: number;
  /** Service days with a call among them. */
  days: number;
  /** There are too few calls: what people do is made up, and so is their number if none was given. */
  made_up: boolean;
  /** So many times the calls of the months before it, as a year ago; none when the history does not go back so far. */
  season: number | null;
};

/** A weekday. */
export type PlanningDay = "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun";

/** A half hour of the day under the roster. */
export type PlanningHalfHour = {
  /** Calls on a day. */
  calls: number;
  /** 0 is 00:00, 47 is 23:30. */
  half_hour: number;
  /** The part of them that is not served. */
  unserved: number;
};

/** Agents at a half hour of a weekday. */
export type PlanningLevel = {
  /** How many. */
  agents: number;
  /** 0 is 00:00, 47 is 23:30. */
  half_hour: number;
  /** 0 is Monday. */
  weekday: number;
};

/** The fewest by half hour. */
export type PlanningLevels = {
  /** Hours of all of them in the month. */
  agent_hours: number;
  /** By weekday and half hour. */
  levels: Array<PlanningLevel>;
  /** Whether that is as sure as was asked. */
  reached: boolean;
  /** Part of months that keep both limits. */
  within: number;
};

/** The fewest lines. */
export type PlanningLines = {
  /** How many. */
  lines: number;
  /** Part of months that keep both limits with them. */
  within: number;
};

/** One number of agents, all day. */
export type PlanningPoint = {
  /** The abandon rate. */
  abandon: (PlanningSpan | null);
  /** Hours of all of them in the month. */
  agent_hours: number;
  /** Agents. */
  agents: number;
  /** The busy rate. */
  busy: (PlanningSpan | null);
  /** Hours of agents that one percent of abandoned calls fewer costs, from the number before. */
  hours_per_percent: number | null;
  /** Part of months that keep both limits. */
  within: number;
};

/** What the roster comes to. */
export type PlanningRoster = {
  /** The abandon rate. */
  abandon: (PlanningSpan | null);
  /** Hours of all agents in the month. */
  agent_hours: number;
  /** The busy rate. */
  busy: (PlanningSpan | null);
  /** Calls, those that came again among them. */
  calls: (PlanningSpan | null);
  /** By half hour of the day. */
  half_hours: Array<PlanningHalfHour>;
  /** Part of months that keep both limits. */
  within: number;
};

/** So many agents at some times. */
export type PlanningShift = {
  /** How many. */
  agents: number;
  /** Within it. */
  breaks: Array<string>;
  /** On which weekdays; none: on every service day. */
  days: Array<PlanningDay>;
  /** From when to when, such as `08:30-18:15`. */
  time: string;
};

/** A mean, and where 95 of 100 months lie. Rates are parts of 1. */
export type PlanningSpan = {
  /** 2.5 of 100 lie above. */
  high: number;
  /** 2.5 of 100 lie below. */
  low: number;
  /** The mean. */
  mean: number;
};

/** What is being looked for. */
export type PlanningStep = ("history" | "roster" | "curve" | "half_hours" | "lines");

/** A question about a month. */
export type PlanningWanted = {
  /** Whose question it is; who signed in by name may leave it out. */
  author: string | null;
  /** Also the fewest agents by half hour of each weekday, which takes longest. */
  by_half_hour: boolean;
  /** First tries expected in it; without them, what the history says of it. */
  calls: number | null;
  /** In how many of 100 months both limits are to be kept. */
  certainty: number;
  /** Lines of the number's trunk; without them, enough. */
  lines: number | null;
  /** Which, such as `2027-04`. */
  month: string;
  /** A roster to be judged; without one, none is. */
  shifts: Array<PlanningShift>;
};

/** How the contract's ambiguous places are read. The default is the agreed reading. */
export type Policy = {
  /** The abandon rate must stay below this. */
  abandon_limit: Limit;
  /** The wait, in milliseconds from asking for an operator, that still counts as answered in time. */
  answer_target_ms: number;
  /** The busy rate must stay below this. */
  busy_limit: Limit;
  /** What `failed` is: `abandoned` or `excluded`. */
  failed_counts_as: CountsAs;
  /** What `menu_left` is: `excluded` or `abandoned`. */
  menu_left_counts_as: CountsAs;
  /** What `message_taken` is: `excluded`, `abandoned` or `answered`. */
  message_taken_counts_as: CountsAs;
  /** What `busy_released` and `blocked` are: `busy` or `abandoned`. */
  released_counts_as: CountsAs;
  /** The first day of service. Its month and the two after it are the adjustment period: their figures are shown and not judged. Left out: every month is judged. */
  service_begins?: string | null;
  /** Which totals leave out one-ring calls. */
  short_call_excluded_from: ShortCallExcluded;
  /** A caller who hangs up within this many milliseconds of arrival, both ends included, without having heard the busy announcement, has rung once only (ワンコール切り). */
  short_call_ms: number;
};

/** A key that a caller pressed in a menu and that led somewhere. */
export type Pressed = {
  /** The key, or the number dialled there. */
  keys: string;
  /** In which menu. */
  menu: string;
};

/** Every refusal. */
export type Problem = {
  /** What is due, or what stands against it, in English. */
  error: string;
};

/** What an announcement is for; `Busy` is what makes a call count as busy. */
export type Purpose = ("greeting" | "busy" | "comfort" | "position" | "wait" | "after_hours" | "information" | "release" | "recording" | "supervision");

/** A ratio beside its limit and the verdict, as shown. */
export type Rate = {
  /** The limit. */
  limit_percent: Limit;
  part: number;
  /** Two decimals, half up; null of nothing. */
  percent: string | null;
  /** The verdict. */
  verdict: Verdict;
  whole: number;
};

/** An exact fraction. */
export type Ratio = {
  part: number;
  /** Two decimals, half up; null of nothing. */
  percent: string | null;
  whole: number;
};

/** One recording. */
export type Recorded = {
  /** How long the file is. */
  bytes: number | null;
  /** How often it was fetched. */
  fetched: number;
  /** When it began, milliseconds after the call's arrival. */
  from_ms: number | null;
  /** How long its sound is. */
  length_ms: number | null;
  /** Packets that are missing in it. */
  missing: number;
  /** Which of the call's, from 1. */
  number: number;
  /** Its pauses: from and to, milliseconds after the call's arrival. */
  pauses: Array<[number, number | null]>;
  /** Of the file, hexadecimal digits. */
  sha256: string | null;
  /** Where it stands. */
  state: RecordedState;
  /** Why it ended, once it has. */
  stopped: (RecordingStop | null);
  /** What went wrong with it. */
  trouble: (RecordingTrouble | null);
};

/** Where a recording stands. */
export type RecordedState = ("running" | "paused" | "stopped" | "kept" | "failed" | "deleted");

/** A step in a recording's life. A call's recordings are numbered from 1. */
export type RecordingEvent = ({
  /** By what. */
  by: Means;
  kind: "started";
  /** Which of the call's. */
  number: number;
} | {
  /** By what. */
  by: Means;
  kind: "paused";
  /** Which of the call's. */
  number: number;
} | {
  /** By what: `rule` when the pause was forgotten. */
  by: Means;
  kind: "resumed";
  /** Which of the call's. */
  number: number;
} | {
  kind: "stopped";
  /** Which of the call's. */
  number: number;
  /** Why. */
  why: RecordingStop;
} | {
  kind: "failed";
  /** Which of the call's. */
  number: number;
  /** Why. */
  why: RecordingTrouble;
} | {
  /** How long the file is. */
  bytes: number;
  /** Packets that are missing because the disk was too slow. */
  dropped: number;
  /** Its path in the directory of recordings. */
  file: string;
  kind: "kept";
  /** Packets that are missing because they came too late. */
  late: number;
  /** How long its sound is, milliseconds. */
  length_ms: number;
  /** Which of the call's. */
  number: number;
  /** SHA-256 of the file as it lies, hexadecimal digits. */
  sha256: string;
} | {
  kind: "fetched";
  /** Which of the call's. */
  number: number;
} | {
  /** Its path in the directory of recordings. */
  file: string;
  kind: "deleted";
  /** Which of the call's. */
  number: number;
});

/** Whether calls can be recorded. */
export type RecordingState = ("off" | "ok" | "disk_full" | "failing");

/** Why no more is recorded. */
export type RecordingStop = ({
  stop: "ended";
} | {
  /** By what. */
  by: Means;
  stop: "person";
} | {
  stop: "sent_away";
});

/** Why a recording came to nothing or ended before its time. */
export type RecordingTrouble = ("disk_full" | "disk" | "too_many" | "too_long" | "lost");

export type ReloadShown = {
  /** How many are another. */
  count: number;
  /** What is another, by name; at most 500. */
  differences: Array<Differs>;
  /** What is wrong with them. */
  findings: Array<PlanFound>;
  /** Whether they can be taken over, or were. */
  fits: boolean;
  /** Settings among them that stay as they are until a restart. */
  waiting: Array<string>;
};

export type ReportFiles = {
  files: Array<string>;
};

/** What came of one agent's ringing in one day. */
export type Rings = {
  /** Put through to the caller. */
  answered: number;
  /** The caller hung up meanwhile. */
  caller_left: number;
  /** Rang out. */
  missed: number;
  /** The phone said no. */
  refused: number;
  /** Another phone answered first. */
  taken_elsewhere: number;
  /** The phone could not be reached. */
  unreachable: number;
  /** We ended it ourselves. */
  withdrawn: number;
};

/** What the agent has to do with a call. */
export type Role = ("ringing" | "talking" | "asked" | "last");

/** Why a call came to what it came to. */
export type Rule = ("agent_answered" | "agent_answered_after_busy" | "message_left" | "callback_asked" | "system_fault" | "restarted" | "not_the_caller" | "no_conversation" | "one_ring" | "hung_up_waiting" | "passed_on_ringing" | "out_of_hours" | "hung_up_in_menu" | "released_after_busy" | "released_after_words" | "sent_outside" | "no_room" | "refused_unheard" | "attendant_done");

/** One line of the journal. */
export type Rung = ({
  /** Which call. */
  call: string;
  /** The step. */
  event: CallEvent;
  of: "call";
  /** Milliseconds since the call arrived, by the monotonic clock: durations are computed from this and are right even when the wall clock jumps. */
  t_ms: number;
} | {
  /** Which call. */
  call: string;
  /** The step. */
  event: PlacedEvent;
  of: "placed";
  /** Milliseconds since it was dialled, by the monotonic clock. */
  t_ms: number;
} | {
  /** Of which call. */
  call: string;
  /** The step. */
  event: SoundEvent;
  of: "sound";
  /** At which of our extensions the leg is; left out of one outside. */
  phone?: string | null;
  /** `caller`: the leg by which somebody called; `agent`: one that we dialled. */
  side: Party;
  /** Milliseconds since the call arrived, or was dialled. */
  t_ms: number;
} | {
  /** The change. */
  event: TrunkEvent;
  of: "trunk";
  /** Which trunk. */
  trunk: string;
} | {
  /** Which agent. */
  agent: string;
  /** The change. */
  event: AgentEvent;
  of: "agent";
} | {
  /** Which call. */
  call: string;
  /** The step. */
  event: RecordingEvent;
  of: "recording";
  /** Milliseconds since the call arrived, while it is up. */
  t_ms?: number | null;
} | {
  /** In which call. */
  call: string;
  /** The step. */
  event: MessageEvent;
  /** Which of the call's recordings. */
  number: number;
  of: "message";
} | {
  /** About which call. */
  call: string;
  /** The step. */
  event: NoteEvent;
  of: "note";
} | {
  /** The call in which it was said. */
  call: string;
  /** The step. */
  event: CallbackEvent;
  of: "callback";
} | {
  /** About which call, when it is about one. */
  call?: string | null;
  /** The step. */
  event: FeedEvent;
  of: "feed";
  /** Which of the configured ones. */
  target: string;
} | {
  /** Of which call, when it is a call's. */
  call?: string | null;
  /** What it was. */
  event: IncidentEvent;
  of: "incident";
} | {
  /** What it was. */
  event: FiguresEvent;
  of: "figures";
} | {
  /** What it was. */
  event: DeskEvent;
  of: "desk";
}) & {
  /** When it was decided, by the wall clock; for stamps only. */
  at: number;
  /** Position in the journal, from 1, without holes. */
  seq: number;
  written_at: string;
};

/** Which totals leave out one-ring calls. */
export type ShortCallExcluded = ("abandon" | "abandon_and_busy");

/** Who did something, and when. */
export type Signed = {
  /** When, by the wall clock. */
  at_ms: number;
  /** Who. */
  author: string;
};

/** By what a person proved who they are. */
export type SignedInBy = ("password" | "provider");

/** A sign of life. */
export type SipBeat = Record<string, never>;

/** What a reader of the stream did not see. */
export type SipLost = {
  /** Messages. */
  count: number;
};

export type SipMessage = {
  at: string;
  call: string | null;
  call_id: string;
  cseq: string;
  direction: string;
  from: string;
  length: number;
  line: string;
  method: string | null;
  remote: string;
  seq: number;
  status: number | null;
  text?: string | null;
  to: string;
  transport: string;
};

export type SipMessages = {
  messages: Array<SipMessage>;
  /** Whether there may be more behind the last one. */
  more: boolean;
};

/** Where the history's copy in the site's store stands. */
export type SiteState = ("off" | "reaching" | "copying" | "level" | "away" | "refused");

/** A slot of a parking lot. */
export type SlotRow = {
  /** The lot's name. */
  lot: string;
  /** Who is in it. */
  parked: (SlotStay | null);
  /** Its number. */
  slot: string;
};

/** A caller in a slot. */
export type SlotStay = {
  /** Who left it there. */
  by: string;
  /** Which call. */
  call: string;
  /** Who waits there. */
  caller: Caller;
  /** The group asked for last. */
  group: string | null;
  /** Since when, by the wall clock. */
  since_ms: number;
};

/** A step in the life of one leg's sound. The last of a leg comes a moment after it was hung up, and so maybe after its call's end. */
export type SoundEvent = ({
  /** What. */
  fault: SoundFault;
  kind: "fault_noticed";
} | {
  /** What. */
  fault: SoundFault;
  /** For how long it stood, milliseconds. */
  for_ms: number;
  kind: "fault_ended";
} | {
  /** The codec that it speaks. */
  codec: string;
  /** Packets that its phone numbered. */
  due: number;
  /** Packets that came again. */
  duplicate: number;
  /** The jitter that it sees, microseconds. */
  far_jitter_us: number | null;
  /** Of what we sent, packets that the phone says it lost. */
  far_lost: number | null;
  /** The most that it lost in one interval of its reports, in 256ths. */
  far_worst_256: number | null;
  /** At most. */
  jitter_max_us: number;
  /** Jitter in the mean (RFC 3550 §6.4.1), microseconds. */
  jitter_us: number;
  kind: "measured";
  /** The leg has ended. */
  last: boolean;
  /** Packets that came after later ones. */
  late: number;
  /** The longest time without a packet where some were due, milliseconds. */
  longest_gap_ms: number;
  /** The estimated opinion of a listener (ITU-T G.107), 100 to 450. */
  mos_hundredths: number | null;
  /** Of these, those that came. */
  received: number;
  /** There and back, milliseconds, when reports (RTCP) told it. */
  round_trip_ms: number | null;
  /** Packets that we sent. */
  sent: number;
  /** Of the worst five seconds. */
  worst_mos_hundredths: number | null;
});

/** What can be wrong with a leg's sound. */
export type SoundFault = ("one_way" | "no_way" | "frozen" | "loop");

/** Where a call stands in one figure. */
export type Standing = ({
  stands: "numerator";
} | {
  stands: "total";
} | {
  /** The exclusion, where it is one. */
  exclusion?: number | null;
  /** The setting that says so, where it is one. */
  setting?: string | null;
  stands: "out";
  /** Why. */
  why: LeftOut;
});

/** How a supervisor is there. */
export type Supervision = ("listen" | "whisper" | "barge");

/** What one survey came to in one month. */
export type SurveyFigures = {
  /** Respondents / asked. */
  answer_rate: Ratio;
  /** Answers by question and key, 1 (満足) first. */
  answers: Array<Array<number>>;
  /** Callers who heard the first question. */
  asked: number;
  /** Of those, who answered one at least. */
  respondents: number;
  /** The mean of the respondents' means / 100, so that its percentage is in points; over nothing when nobody answered. */
  satisfaction: Ratio;
  /** Which of the plan's. */
  survey: string;
};

/** One agent's time with the caller. */
export type Talk = {
  /** Who. */
  agent: string;
  /** From then on, milliseconds after the arrival. */
  from_ms: number;
  /** So long, holds included; none while it lasts. */
  length_ms: number | null;
};

/** Whether a ticket system can be fed. */
export type TargetState = ("open" | "away" | "barred");

export type Targets = {
  targets: Array<TicketTarget>;
};

/** To whom a ticket is escalated. */
export type TicketEscalatedTo = ("system_builder" | "other");

/** One turn to the second line (二次サポートへのエスカレーション). */
export type TicketEscalation = {
  /** When the desk had its answer. */
  answered_at?: number | null;
  /** When. */
  at: number;
  /** To whom. */
  to: TicketEscalatedTo;
};

/** Why a ticket is left out of a figure that it would be in. */
export type TicketExclusion = ("virus_investigation" | "vendor_investigation" | "caller_asked_for_time");

/** How a ticket stands, as far as the contract's figures ask. Stamps are in order. */
export type TicketState = {
  /** None: it is open. */
  completed_at?: number | null;
  /** Turns to the second line, 16 at most. */
  escalations?: Array<TicketEscalation>;
  /** Why it is left out of figures. */
  exclusions?: Array<TicketExclusion>;
  /** For a phone call, the arrival of the call. */
  received_at: number;
  /** The first progress report to the caller (経過報告). */
  reported_at?: number | null;
  /** It needs technical support by nature. */
  technical?: boolean;
};

/** How one target stands. */
export type TicketTarget = {
  /** What was added to tickets. */
  added: number;
  /** Calls that a person took out. */
  discarded: number;
  /** Tries that failed since the start, by the reason. */
  failed: Record<string, number>;
  /** Of those the ones that were there already, by an earlier try. */
  found: number;
  /** Steps that were given up. */
  given_up: number;
  /** When it last took something. */
  last_done_at_ms: number | null;
  /** Steps that found no room. */
  left_over: number;
  /** When the oldest of those that wait for the target became due, by the wall clock. */
  oldest_at_ms: number | null;
  /** Tickets it has been given since it was first configured. */
  opened: number;
  /** Whether it can be fed. */
  state: TargetState;
  /** Of those the ones that wait for a person. */
  stuck: number;
  /** Which system it is: `redmine`, `rt`, `zammad`, `webhook`, `folder`, `ledger`. */
  system: string;
  /** Its name in the configuration. */
  target: string;
  /** Calls of which a try failed and that are tried again. */
  troubled: number;
  /** Calls of which it has not got everything. */
  waiting: number;
};

/** Where agents' time went, milliseconds. */
export type Times = {
  hold: number;
  idle: number;
  other_call: number;
  paused: number;
  ringing: number;
  signed_out_talk: number;
  talk: number;
  unreachable: number;
  wrap_up: number;
};

/** By what people outside the desk are told. */
export type ToldBy = ("webhook" | "mail");

/** What today comes to, if who is there now stays until the desk closes. */
export type Tonight = {
  /** Agents who were there then. */
  agents: number;
  /** When it was reckoned, ms since 1970. */
  at_ms: number;
  /** Calls of the whole day. */
  calls: (PlanningSpan | null);
  /** The day's rates. */
  day: TonightRates;
  /** The month's rates by tonight. */
  month: TonightRates;
};

export type TonightAnswer = {
  /** None while nothing can be said. */
  tonight: (Tonight | null);
  /** Why nothing is said. */
  why: (NoTonight | null);
};

/** What a rate comes to. */
export type TonightRates = {
  /** The abandon rate. */
  abandon: (PlanningSpan | null);
  /** The busy rate. */
  busy: (PlanningSpan | null);
};

/** A change of a trunk's channels. */
export type TrunkEvent = ({
  kind: "channels_full";
} | {
  /** For how long all were in use, milliseconds. */
  for_ms: number;
  kind: "channels_free";
});

/** How one trunk is that we reach ourselves. */
export type TrunkGauge = {
  /** The SIP status of the last refusal, while we are not registered. */
  refused: number | null;
  /** Whether we are registered there; none when it is not registered with. */
  registered: boolean | null;
  /** Where we are registered, or would call. */
  server: string | null;
  /** Addresses of the carrier's servers. */
  servers: number;
  /** Of these, those that calls are sent to. */
  servers_well: number;
  /** Which. */
  trunk: string;
};

export type Trunks = {
  trunks: Array<TrunkGauge>;
};

export type TrunksState = "ok" | "down";

/** What came of it. */
export type Unanswered = ("missed" | "refused" | "caller_left" | "unreachable");

/** One ring as shown. */
export type UnansweredRow = {
  /** When it was over, by the wall clock. */
  at_ms: number;
  /** Of which call. */
  call: string;
  /** Who called. */
  caller: Caller;
  /** The group that the caller asked for last. */
  group: string | null;
  /** What came of it. */
  why: Unanswered;
};

/** Why a target has not got something. */
export type Unfed = ({
  unfed: "unreachable";
} | {
  unfed: "cut_off";
} | {
  unfed: "timed_out";
} | {
  /** HTTP's status. */
  status: number;
  unfed: "refused";
} | {
  unfed: "garbled";
} | {
  unfed: "no_ticket";
} | {
  unfed: "disk";
});

/** How a parked caller came out of its slot. */
export type Unpark = ("fetched" | "recalled" | "given_up");

/** Why something was not told at last. */
export type Untold = ({
  why: "unreachable";
} | {
  why: "timed_out";
} | {
  why: "too_late";
} | {
  /** The answer's status: HTTP's, or SMTP's. */
  status: number;
  why: "refused";
});

/** What a rate is worth against its limit. */
export type Verdict = ("no_calls" | "within" | "missed" | "adjustment");

/** Calls that asked for an operator and have none yet, whether a phone rings for them or not. */
export type Waiting = {
  /** At most [`WAITING_SHOWN`], the longest wait first. */
  calls: Array<WaitingRow>;
  /** How many. */
  count: number;
  /** The longest wait at `now_ms`, milliseconds; 0 when nobody waits. */
  longest_ms: number;
};

/** One waiting call. */
export type WaitingRow = {
  /** Heard the busy announcement. */
  busy_announced: boolean;
  /** Which. */
  call: string;
  /** Who waits. */
  caller: Caller;
  /** For which group; none when one agent's own line was dialled. */
  group: string | null;
  /** What was dialled. */
  number: string;
  /** A person put it before all others that wait. */
  put_first: boolean;
  /** A phone rings for it. */
  ringing: boolean;
  /** Since asking for an operator, milliseconds at `now_ms`. */
  wait_ms: number;
};

/** A rate that is warned of. */
export type WarnedRate = ("abandon" | "busy");

/** How urgent a rate is, the least first. */
export type Warning = ("none" | "projected" | "missed");

/** How a rate stood when its warning turned. */
export type WarningTurn = {
  /** What was in force; `none` at a month's beginning. */
  from: Warning;
  /** So many more calls in the numerator does the month bear; left out before the first whole day. */
  left_in_month?: number | null;
  /** The rate must stay below this, in whole percent. */
  limit_percent: number;
  /** Of which month, such as `2026-10`. */
  month: string;
  /** Numerator and total at the month's end at this pace, in hundredths of a call; left out before the first whole day. */
  projected?: [number, number] | null;
  /** Which rate. */
  rate: WarnedRate;
  /** Numerator and total so far, in calls. */
  so_far: [number, number];
  /** What is from now on. */
  to: Warning;
};

/** Who calls. */
export type WhoCalls = {
  /** The person with this number in the imported directory. */
  person: (DirectoryPerson | null);
  /** Open tickets of this number, 10 at most. */
  tickets: Array<CallerTicket>;
  /** Whether every ticket system answered in time. */
  whole: boolean;
};
