//! What can be wrong with a plan: what was found and what is due, in Japanese and English, and whether it
//! refuses the plan.

use super::finding::{Message, Severity};
use super::shape::{Row, message, say};

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Nobody can call.
    NoDeskNumber,
    /// Not a span of hours.
    BadSpan { found: String },
    /// A span whose end is not after its beginning.
    SpanBackwards { found: String },
    /// Two spans of one day share time, or the later stands first.
    SpansOverlap { first: String, second: String },
    /// Two spans of one day leave a few minutes between them.
    SpansGap { first: String, second: String },
    /// Not a day or days of the week.
    BadDays { found: String },
    /// A weekday is stated twice.
    DayTwice { day: &'static str, day_ja: &'static str, line: usize },
    /// Weekdays of which nothing is said.
    DaysMissing { days: Vec<(&'static str, &'static str)> },
    /// Not month and day.
    BadMonthDay { found: String },
    /// Not a date.
    BadDate { found: String },
    /// Two yearly closures share days.
    ClosuresOverlap { first: String, second: String },
    /// Not a line of a table of holidays.
    BadHoliday { found: String },
    /// A day stands twice in a table of holidays.
    HolidayTwice { day: String, line: usize },
    /// A table of holidays without one.
    NoHolidays,
    /// No hours close on holidays.
    HolidaysUnused,
    /// A table of holidays that cannot be read.
    HolidaysUnreadable { file: String, why: String },
    /// A table of holidays that ends soon, or has ended.
    HolidaysEnd { last: i32 },
    /// Not a key of a telephone.
    BadKey { found: String },
    /// Not exactly one way to go.
    BadTarget { found: usize },
    /// Not a pattern of numbers outside.
    BadPattern { found: String },
    /// A key of a queue leads elsewhere than to a message or a call back.
    BadQueueKey,
    /// A message is over before it is one.
    MessageNever { shortest: String, longest: String },
    /// The least number of digits is above the most.
    DigitsBackwards { least: String, most: String },
    /// A rule for numbers outside without a trunk.
    NoWayOut,
    /// Not a status that a plan may refuse with.
    BadStatus { found: String },
    /// A name that nothing has.
    NoSuch { what: What, name: String, near: Option<String> },
    /// A prompt of which there is no recording.
    NoPrompt { name: String, near: Option<String> },
    /// One number for two things.
    NumberTwice { number: String, line: usize },
    /// A feature code that needs an extension behind it, or has no use for one.
    CodeBehind { code: String, wanted: bool },
    /// A feature code that could be another one with an extension behind it.
    CodeAmbiguous { code: String, open: String },
    /// A number that is something else than a phone.
    NotAPhone { number: String, is: What },
    /// Nothing leads there.
    Unreachable { what: What, name: String },
    /// A menu in which no key leads anywhere.
    MenuWithoutKeys { menu: String },
    /// A caller who presses nothing would be led in a circle.
    MenuCircle { way: Vec<String> },
    /// A group of nobody.
    GroupEmpty { group: String },
    /// An agent stands twice in one group.
    MemberTwice { agent: String, line: usize },
    /// An agent whom no group has.
    AgentIdle { agents: Vec<String> },
    /// Hours that no number follows.
    HoursUnused { name: String },
    /// A number without hours is never closed.
    ClosedUnused { key: String },
    /// A code in a conversation that is the beginning of another, or the same.
    CodesClash { code: String, other: String, line: usize },
    /// A parking lot that calls the group needs no other way.
    ParkThenUnused,
    /// Not exactly one thing that makes a wait too long.
    BadOverflow { found: usize },
    /// A wait that leads where it is.
    OverflowHome { group: String },
    /// An announcement of a wait behind one of a longer wait.
    WaitsOrder { found: String },
    /// Waits are told, and no prompt tells them.
    NoWaits,
    /// A step of a widening that is not later than the one before, or asks for no less.
    WidenOrder { found: String },
    /// Calls are recorded, and nothing is said of telling callers.
    RecordsUnannounced,
    /// Positions are told, and no prompt tells them.
    NoPositions,
    /// The wait ends before the first phone has rung out.
    WaitBelowRing { wait: String, ring: String },
    /// The wait ends before the announcement of its beginning.
    WaitBelowBusy { wait: String },
    /// The comfort message would come after the wait's end.
    ComfortNever { every: String, wait: String },
    /// Very many phones rung at once.
    RingAllLarge { agents: usize, most: usize },
    /// A feature code about hours with an extension's place behind it.
    CodePlace { found: String },
    /// Not what can stand for a desk number behind a code.
    BadShort { found: String },
    /// It stands for two desk numbers.
    ShortTwice { found: String, line: usize },
    /// A call would overflow to a number outside that no rule lets it reach.
    OverflowNowhere { number: String },
    /// A number of the plan where one outside is due.
    NotOutside { number: String, is: What },
    /// An agent hears for a long time what is told before a caller, who waits meanwhile.
    AgentToldLong { name: String, length: String, most: String },
}

/// What a plan names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Service hours.
    Hours,
    /// A menu.
    Menu,
    /// A number to be entered.
    Entry,
    /// A message box.
    Mailbox,
    /// A way to be called back.
    Callback,
    /// A survey.
    Survey,
    /// A group.
    Group,
    /// An agent.
    Agent,
    /// A desk number.
    DeskNumber,
    /// A feature code.
    Code,
    /// A parking lot.
    Park,
    /// A slot of a parking lot.
    Slot,
    /// A skill that an agent has.
    Skill,
    /// A lamp of a group or desk number.
    Lamp,
}

impl What {
    pub(super) fn both(self) -> [&'static str; 2] {
        match self {
            Self::Hours => ["受付時間", "hours"],
            Self::Menu => ["メニュー", "menu"],
            Self::Entry => ["番号入力", "entry"],
            Self::Mailbox => ["伝言の箱", "message box"],
            Self::Callback => ["折り返し", "call back"],
            Self::Survey => ["満足度調査", "survey"],
            Self::Group => ["グループ", "group"],
            Self::Agent => ["オペレータ", "agent"],
            Self::DeskNumber => ["着信番号", "desk number"],
            Self::Code => ["特番", "feature code"],
            Self::Park => ["パーク保留", "parking lot"],
            Self::Slot => ["パーク保留の番号", "slot of a parking lot"],
            Self::Skill => ["スキル", "skill"],
            Self::Lamp => ["ランプの番号", "lamp"],
        }
    }
}

impl From<Problem> for Message {
    fn from(problem: Problem) -> Self {
        message(problem.row())
    }
}

impl Problem {
    fn row(&self) -> Row {
        use Severity::{Error, Warning};
        match self {
            Self::NoDeskNumber => (
                Warning,
                "no-desk-number",
                say!("着信番号が一つもない", "there is no desk number"),
                say!("例: [desk_numbers.0312345678]", "such as [desk_numbers.0312345678]"),
            ),
            Self::BadSpan { found } => (
                Error,
                "bad-span",
                say!("\"{found}\" は時間帯として読めない", "\"{found}\" is not a span of hours"),
                say!(
                    "\"08:30-18:15\" の形、休みは \"closed\"",
                    "such as \"08:30-18:15\", or \"closed\""
                ),
            ),
            Self::SpanBackwards { found } => (
                Error,
                "span-backwards",
                say!(
                    "時間帯 {found} の終わりが始まりより後でない",
                    "the span {found} does not end after it begins"
                ),
                say!(
                    "日付をまたぐ時は 2 日に分ける（例: \"22:00-24:00\" と翌日の \"00:00-06:00\"）",
                    "over midnight in two parts: \"22:00-24:00\", and \"00:00-06:00\" on the next day"
                ),
            ),
            Self::SpansOverlap { first, second } => (
                Error,
                "spans-overlap",
                say!(
                    "時間帯 {first} と {second} が重なっているか、順番が逆",
                    "the spans {first} and {second} overlap or stand in the wrong order"
                ),
                say!("早い順に、重ならないように書く", "in order of time, without overlap"),
            ),
            Self::SpansGap { first, second } => (
                Warning,
                "spans-gap",
                say!(
                    "時間帯 {first} と {second} の間に短いすき間がある",
                    "between the spans {first} and {second} there is a short gap"
                ),
                say!(
                    "続けて受け付けるなら、前の終わりと次の始まりを同じ時刻にする（終わりの時刻は含まれない）",
                    "for unbroken service the end of one is the beginning of the next (an end is not included)"
                ),
            ),
            Self::BadDays { found } => (
                Error,
                "bad-days",
                say!("\"{found}\" は曜日として読めない", "\"{found}\" is not a day of the week"),
                say!(
                    "mon, tue, wed, thu, fri, sat, sun か、mon-fri のような範囲",
                    "mon, tue, wed, thu, fri, sat, sun, or a range such as mon-fri"
                ),
            ),
            Self::DayTwice { day, day_ja, line } => (
                Error,
                "day-twice",
                say!(
                    "{day_ja}曜日（{day}）が二度書かれている（先は {line} 行目）",
                    "{day} is written twice (first in line {line})"
                ),
                say!(
                    "曜日は一度だけ。一日に複数の時間帯は [\"08:30-12:00\", \"13:00-18:15\"]",
                    "each day once; several spans of one day as [\"08:30-12:00\", \"13:00-18:15\"]"
                ),
            ),
            Self::DaysMissing { days } => {
                let ja = days.iter().map(|(_, ja)| *ja).collect::<Vec<_>>().join("・");
                let en = days.iter().map(|(en, _)| *en).collect::<Vec<_>>().join(", ");
                (
                    Error,
                    "days-missing",
                    say!("{ja}曜日が書かれていない", "nothing is said of {en}"),
                    say!(
                        "七日すべて。休みの曜日は \"closed\"",
                        "all seven days; a day without service is \"closed\""
                    ),
                )
            }
            Self::BadMonthDay { found } => (
                Error,
                "bad-month-day",
                say!("\"{found}\" は月日として読めない", "\"{found}\" is not a month and a day"),
                say!("\"12-29\" の形", "such as \"12-29\""),
            ),
            Self::BadDate { found } => (
                Error,
                "bad-date",
                say!("\"{found}\" は日付として読めない", "\"{found}\" is not a date"),
                say!("2026-12-28 の形", "such as 2026-12-28"),
            ),
            Self::ClosuresOverlap { first, second } => (
                Error,
                "closures-overlap",
                say!(
                    "休業「{first}」と「{second}」の日が重なっている",
                    "the closures \"{first}\" and \"{second}\" share days"
                ),
                say!("一日は一つの休業にだけ入れる", "each day in one closure at most"),
            ),
            Self::BadHoliday { found } => (
                Error,
                "bad-holiday",
                say!("\"{found}\" は祝日の行として読めない", "\"{found}\" is not a holiday"),
                say!("2026-01-01,元日 の形", "such as 2026-01-01,元日"),
            ),
            Self::HolidayTwice { day, line } => (
                Error,
                "holiday-twice",
                say!(
                    "{day} が二度書かれている（先は {line} 行目）",
                    "{day} stands twice (first in line {line})"
                ),
                say!("一日に一行", "one line for each day"),
            ),
            Self::NoHolidays => (
                Error,
                "no-holidays",
                say!("祝日が一つもない", "there is no holiday in it"),
                say!(
                    "内閣府の syukujitsu.csv を madoguchi holidays import で取り込む",
                    "madoguchi holidays import with the Cabinet Office's syukujitsu.csv"
                ),
            ),
            Self::HolidaysUnused => (
                Warning,
                "holidays-unused",
                say!(
                    "祝日に休む受付時間がないので、祝日の表は使われない",
                    "no hours close on holidays, so the table of holidays is never used"
                ),
                say!(
                    "[hours.…] に japanese_holidays = true を書くか、holidays を消す",
                    "japanese_holidays = true in [hours.…], or without holidays"
                ),
            ),
            Self::HolidaysUnreadable { file, why } => (
                Error,
                "holidays-unreadable",
                say!("祝日の表 {file} が読めない: {why}", "the table of holidays {file}: {why}"),
                say!(
                    "計画のフォルダから見たファイル名。なければ madoguchi holidays import で作る",
                    "a file as seen from the plan's folder; madoguchi holidays import makes one"
                ),
            ),
            Self::HolidaysEnd { last } => (
                Warning,
                "holidays-end",
                say!(
                    "祝日の表は {last} 年まで。その後は計算による",
                    "the table of holidays ends with {last}; the rules hold after that"
                ),
                say!(
                    "新しい syukujitsu.csv を madoguchi holidays import で取り込む",
                    "madoguchi holidays import with a new syukujitsu.csv"
                ),
            ),
            Self::BadKey { found } => (
                Error,
                "bad-key",
                say!(
                    "\"{found}\" は電話機のキーではない",
                    "\"{found}\" is not a key of a telephone"
                ),
                say!("0〜9、\"*\"、\"#\" のどれか一つ", "one of 0 to 9, \"*\", \"#\""),
            ),
            Self::BadTarget { found } => (
                Error,
                "bad-target",
                say!("行き先が {found} 個書かれている", "there are {found} ways to go"),
                say!(
                    "menu, group, extension, announce, refuse, enter, message, callback, hours, language のどれか一つ（例: {{ group = \"desk\" }}）",
                    "exactly one of menu, group, extension, announce, refuse, enter, message, callback, hours, language, such as {{ group = \"desk\" }}"
                ),
            ),
            Self::BadQueueKey => (
                Error,
                "bad-queue-key",
                say!(
                    "待っている間のキーの行き先が伝言でも折り返しでもない",
                    "a key of a queue leads neither to a message nor to a call back"
                ),
                say!(
                    "{{ message = \"…\" }} か {{ callback = \"…\" }}",
                    "{{ message = \"…\" }} or {{ callback = \"…\" }}"
                ),
            ),
            Self::MessageNever { shortest, longest } => (
                Error,
                "message-never",
                say!(
                    "伝言の上限 {longest} が下限 {shortest} より長くない",
                    "a message of at most {longest} is never longer than {shortest}"
                ),
                say!("shortest より長い longest", "a longest that is longer than shortest"),
            ),
            Self::DigitsBackwards { least, most } => (
                Error,
                "digits-backwards",
                say!(
                    "桁数の下限 {least} が上限 {most} より大きい",
                    "at least {least} digits are more than at most {most}"
                ),
                say!("min_digits は max_digits 以下", "a min_digits that is not above max_digits"),
            ),
            Self::BadOverflow { found } => (
                Error,
                "bad-overflow",
                say!(
                    "overflow の条件が {found} 個書かれている",
                    "there are {found} conditions of this overflow"
                ),
                say!(
                    "waiting（人数）、waited（待った時間）、estimated（予想待ち時間）のどれか一つ",
                    "exactly one of waiting (calls), waited or estimated (times)"
                ),
            ),
            Self::OverflowHome { group } => (
                Error,
                "overflow-home",
                say!(
                    "グループ {group} の overflow が自分自身に戻る",
                    "the overflow of the group {group} leads back to it"
                ),
                say!("別のグループか行き先", "another group, or another way"),
            ),
            Self::WaitsOrder { found } => (
                Error,
                "waits-order",
                say!(
                    "waits の {found} が前のものより長くない",
                    "{found} of waits is not longer than the one before"
                ),
                say!("短い順に書く", "the shortest first"),
            ),
            Self::NoWaits => (
                Error,
                "no-waits",
                say!(
                    "予想待ち時間を案内するのに [prompts] の waits がない",
                    "waits are told, and [prompts] has no waits"
                ),
                say!(
                    "waits = [{{ within = \"1m\", prompt = \"wait-1min\" }}, …]、または tell_wait = false",
                    "waits = [{{ within = \"1m\", prompt = \"wait-1min\" }}, …], or tell_wait = false"
                ),
            ),
            Self::WidenOrder { found } => (
                Error,
                "widen-order",
                say!(
                    "widen の {found} が前の段階より遅くないか、レベルが下がっていない",
                    "the step {found} of widen is not later than the one before, or asks for no less"
                ),
                say!(
                    "時間は長く、レベルは低く（例: [{{ after = \"30s\", level = 2 }}, {{ after = \"60s\", level = 0 }}]）",
                    "later and lower, such as [{{ after = \"30s\", level = 2 }}, {{ after = \"60s\", level = 0 }}]"
                ),
            ),
            Self::BadPattern { found } => (
                Error,
                "bad-pattern",
                say!(
                    "numbers の \"{found}\" は番号の型として読めない",
                    "numbers: \"{found}\" is not a pattern of numbers"
                ),
                say!(
                    "数字、任意の一桁は x、終わりの * は何桁でも（例: \"0xxxxxxxxx\"、\"0120*\"）",
                    "digits, x for any one, * at the end for any more, such as \"0xxxxxxxxx\" or \"0120*\""
                ),
            ),
            Self::NoWayOut => (
                Error,
                "no-way-out",
                say!("外線の規則に trunks がない", "this rule for numbers outside has no trunks"),
                say!("trunks = [\"carrier\"]", "trunks = [\"carrier\"]"),
            ),
            Self::BadStatus { found } => (
                Error,
                "bad-status",
                say!("{found} では拒否できない", "a plan cannot refuse with {found}"),
                say!(
                    "486（話し中）、503（利用できない）、603（拒否）",
                    "486 (busy), 503 (unavailable) or 603 (decline)"
                ),
            ),
            Self::NoSuch { what, name, near } => {
                let [what_ja, what_en] = what.both();
                let due = match near {
                    Some(near) => say!("{near} のことですか", "did you mean {near}?"),
                    None => say!(
                        "この計画に書かれている{what_ja}の名前",
                        "the name of a {what_en} of this plan"
                    ),
                };
                (
                    Error,
                    "no-such",
                    say!("{what_ja} {name} がない", "there is no {what_en} {name}"),
                    due,
                )
            }
            Self::NoPrompt { name, near } => {
                let due = match near {
                    Some(near) => say!(
                        "{near} のことですか。なければ prompts に {name}.wav を置く",
                        "did you mean {near}? Otherwise put {name}.wav into prompts"
                    ),
                    None => say!(
                        "prompts に {name}.wav を置くか、ある音声の名前を書く",
                        "put {name}.wav into prompts, or name one that exists"
                    ),
                };
                (Error, "no-prompt", say!("音声 {name} がない", "there is no prompt {name}"), due)
            }
            Self::NumberTwice { number, line } => (
                Error,
                "number-twice",
                say!(
                    "番号 {number} が二度使われている（先は {line} 行目）",
                    "the number {number} is used twice (first in line {line})"
                ),
                say!(
                    "着信番号・グループ番号・内線・特番を通して、番号は一度だけ",
                    "each number once among desk numbers, group numbers, agents and feature codes"
                ),
            ),
            Self::CodeBehind { code, wanted: true } => (
                Error,
                "code-extension",
                say!(
                    "特番 {code} は、続けて番号を押す機能だが、その形で書かれていない",
                    "what the feature code {code} does needs an extension behind it"
                ),
                say!("\"{code}{{extension}}\" と書く", "written as \"{code}{{extension}}\""),
            ),
            Self::CodeBehind { code, wanted: false } => (
                Error,
                "code-extension",
                say!(
                    "特番 {code} の機能は、続けて番号を押すものではない",
                    "what the feature code {code} does has no use for an extension behind it"
                ),
                say!("\"{code}\" とだけ書く", "written as \"{code}\" alone"),
            ),
            Self::CodeAmbiguous { code, open } => (
                Error,
                "code-ambiguous",
                say!(
                    "特番 {code} は、{open} に内線番号を続けたものと区別できない",
                    "the feature code {code} cannot be told from {open} with an extension behind it"
                ),
                say!(
                    "一方の特番を、もう一方で始まらないものに変える",
                    "one of the two changed, so that it does not begin as the other does"
                ),
            ),
            Self::NotAPhone { number, is } => {
                let [is_ja, is_en] = is.both();
                (
                    Error,
                    "not-a-phone",
                    say!("{number} は電話機ではなく{is_ja}", "{number} is no phone but a {is_en}"),
                    say!(
                        "{is_ja}へつなぐ行き先（group, menu）か、電話機の内線番号",
                        "the way to that (group, menu), or a phone's extension"
                    ),
                )
            }
            Self::Unreachable { what: what @ (What::Menu | What::Entry), name } => {
                let [what_ja, what_en] = what.both();
                let key = if *what == What::Menu { "menu" } else { "enter" };
                (
                    Error,
                    "unreachable",
                    say!(
                        "{what_ja} {name} に進む道がない",
                        "nothing leads to the {what_en} {name}"
                    ),
                    say!(
                        "着信番号かほかのメニューから {{ {key} = \"{name}\" }} で進むか、消す",
                        "{{ {key} = \"{name}\" }} at a desk number or in another menu, or without it"
                    ),
                )
            }
            Self::Unreachable { what, name } => {
                let [what_ja, what_en] = what.both();
                (
                    Warning,
                    "unreachable",
                    say!(
                        "{what_ja} {name} に進む道がない",
                        "nothing leads to the {what_en} {name}"
                    ),
                    say!(
                        "number = \"…\" を付けるか、着信番号かメニューから {{ group = \"{name}\" }} で進む",
                        "a number = \"…\" of its own, or {{ group = \"{name}\" }} at a desk number or in a menu"
                    ),
                )
            }
            Self::MenuWithoutKeys { menu } => (
                Error,
                "menu-without-keys",
                say!(
                    "メニュー {menu} のどのキーも行き先がない",
                    "in the menu {menu} no key leads anywhere"
                ),
                say!(
                    "[menus.{menu}.keys] に一つ以上（例: 1 = {{ group = \"desk\" }}）",
                    "at least one in [menus.{menu}.keys], such as 1 = {{ group = \"desk\" }}"
                ),
            ),
            Self::MenuCircle { way } => {
                let way = way.join(" → ");
                (
                    Error,
                    "menu-circle",
                    say!(
                        "キーを押さない人が出口なしに回り続ける: {way}",
                        "a caller who presses nothing goes round for ever: {way}"
                    ),
                    say!(
                        "then の先のどこかを group, extension, announce, refuse にする",
                        "somewhere a then that is a group, extension, announce or refuse"
                    ),
                )
            }
            Self::GroupEmpty { group } => (
                Error,
                "group-empty",
                say!("グループ {group} にオペレータがいない", "the group {group} has no agents"),
                say!(
                    "一人以上（例: agents = [\"2001-2010\"]）",
                    "one or more, such as agents = [\"2001-2010\"]"
                ),
            ),
            Self::MemberTwice { agent, line } => (
                Error,
                "member-twice",
                say!(
                    "オペレータ {agent} がこのグループに二度書かれている（先は {line} 行目）",
                    "the agent {agent} stands twice in this group (first in line {line})"
                ),
                say!("一つのグループに一度だけ", "once in a group"),
            ),
            Self::AgentIdle { agents } => {
                let (list, count) = (agents.first().cloned().unwrap_or_default(), agents.len());
                let found = if count == 1 {
                    say!(
                        "オペレータ {list} はどのグループにも入っていない",
                        "the agent {list} is in no group"
                    )
                } else {
                    say!(
                        "オペレータ {list} など {count} 人はどのグループにも入っていない",
                        "{count} agents, {list} among them, are in no group"
                    )
                };
                (
                    Warning,
                    "agent-in-no-group",
                    found,
                    say!(
                        "グループの agents に加える。自分の内線だけを受けるならこのまま",
                        "a group whose agents name them; leave it so when only the own line is to ring"
                    ),
                )
            }
            Self::HoursUnused { name } => (
                Warning,
                "hours-unused",
                say!(
                    "受付時間 {name} はどの着信番号にも使われていない",
                    "no desk number follows the hours {name}"
                ),
                say!(
                    "着信番号に hours = \"{name}\" を書くか、消す",
                    "hours = \"{name}\" at a desk number, or without them"
                ),
            ),
            Self::ClosedUnused { key } => (
                Warning,
                "closed-unused",
                say!(
                    "hours がない番号は閉まらないので {key} は使われない",
                    "a number without hours never closes, so {key} is never used"
                ),
                say!("hours = \"…\" を書くか、{key} を消す", "hours = \"…\", or without {key}"),
            ),
            Self::CodesClash { code, other, line } => (
                Error,
                "codes-clash",
                say!(
                    "{code} と {line} 行目の {other} は区別できない",
                    "{code} cannot be told from {other} of line {line}"
                ),
                say!(
                    "どちらも他方の始まりでない番号",
                    "codes of which none is the beginning of another"
                ),
            ),
            Self::ParkThenUnused => (
                Error,
                "park-then-unused",
                say!(
                    "recall = \"group\" の保留では then は使われない",
                    "with recall = \"group\" then is never used"
                ),
                say!(
                    "recall = \"parker\" にするか、then を消す",
                    "recall = \"parker\", or without then"
                ),
            ),
            Self::RecordsUnannounced => (
                Error,
                "records-unannounced",
                say!(
                    "録音するのに、発信者への案内が決まっていない",
                    "calls are recorded, and the plan does not say what callers are told of it"
                ),
                say!(
                    "[recording] announcement = \"…\"。案内が要らないなら no_announcement = true",
                    "[recording] announcement = \"…\", or no_announcement = true where none is needed"
                ),
            ),
            Self::NoPositions => (
                Error,
                "no-positions",
                say!(
                    "順番を案内する音声がない",
                    "positions are to be told, and there are no prompts for them"
                ),
                say!(
                    "[prompts] に positions = [\"position-1\", …]",
                    "positions = [\"position-1\", …] in [prompts]"
                ),
            ),
            Self::WaitBelowRing { wait, ring } => (
                Warning,
                "wait-below-ring",
                say!(
                    "待ち時間の上限 {wait} が呼出時間 {ring} より短い",
                    "the longest wait of {wait} is shorter than one ringing of {ring}"
                ),
                say!("最初の電話が鳴り終わるより長い max_wait", "a max_wait longer than ring"),
            ),
            Self::WaitBelowBusy { wait } => (
                Warning,
                "wait-below-busy",
                say!(
                    "待ち時間の上限 {wait} の間に、混雑の案内が終わらない",
                    "the busy announcement does not end within the longest wait of {wait}"
                ),
                say!("10s 以上の max_wait", "a max_wait of 10s or more"),
            ),
            Self::ComfortNever { every, wait } => (
                Warning,
                "comfort-never",
                say!(
                    "お待たせの案内は {every} ごとなのに、待ち時間の上限が {wait}",
                    "the comfort message comes every {every}, and the longest wait is {wait}"
                ),
                say!("max_wait より短い comfort_every", "a comfort_every shorter than max_wait"),
            ),
            Self::RingAllLarge { agents, most } => (
                Error,
                "ring-all-large",
                say!(
                    "一斉呼出のグループに {agents} 人いる",
                    "a ring_all group has {agents} agents"
                ),
                say!(
                    "一斉は {most} 人まで。多い時は longest_idle など",
                    "at most {most} for ring_all; longest_idle or another for more"
                ),
            ),
            Self::CodePlace { found } => (
                Error,
                "code-place",
                say!(
                    "特番 {found} の後に付けるのは着信番号",
                    "behind the code {found} stands a desk number"
                ),
                say!("{{number}} と書く", "written {{number}}"),
            ),
            Self::BadShort { found } => (
                Error,
                "bad-short",
                say!(
                    "short の \"{found}\" は短縮番号にならない",
                    "\"{found}\" cannot stand for a desk number"
                ),
                say!("1〜4 桁の数字（例: short = \"1\"）", "1 to 4 digits, such as short = \"1\""),
            ),
            Self::ShortTwice { found, line } => (
                Error,
                "short-twice",
                say!(
                    "short の {found} が二つの着信番号にある（先は {line} 行目）",
                    "{found} stands for two desk numbers (first in line {line})"
                ),
                say!("着信番号ごとに別の数字", "another one for each desk number"),
            ),
            Self::OverflowNowhere { number } => (
                Error,
                "overflow-nowhere",
                say!(
                    "あふれ先 {number} は、外線の決まり [[outside]] のどれにも当てはまらない",
                    "no rule of [[outside]] lets a call overflow to {number}"
                ),
                say!(
                    "[[outside]] の numbers に合う番号（外線発信の先頭の番号や 184・186 は付けない）",
                    "a number that a rule of [[outside]] has, without prefix, 184 or 186"
                ),
            ),
            Self::NotOutside { number, is } => {
                let [ja, en] = is.both();
                (
                    Error,
                    "not-outside",
                    say!("{number} はこの計画の{ja}", "{number} is a number of this plan ({en})"),
                    say!(
                        "窓口の外の番号。中へは {{ group = \"…\" }} など",
                        "a number outside; inside, {{ group = \"…\" }} and the like"
                    ),
                )
            }
            Self::AgentToldLong { name, length, most } => (
                Warning,
                "agent-told-long",
                say!(
                    "オペレータに流す {name} が {length} ある。その間、かけてきた人は待つ",
                    "an agent hears {name} for {length}, and the caller waits meanwhile"
                ),
                say!(
                    "{most} までの短い音声（10 秒で打ち切られる）",
                    "a few words, at most {most} (they are cut off after 10 s)"
                ),
            ),
        }
    }
}
