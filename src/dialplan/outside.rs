//! Calls to numbers outside: who may, to which numbers, by which trunks, and with which number shown.
//! Pure: a dialled number in, a way or a reason out. No emergency number is ever dialled by a test on
//! any wire; what is done with them is decided and tested here.

use super::plan::Plan;
use crate::base::{AgentId, GroupId, Number, TrunkId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Police, coast guard, fire and ambulance.
const EMERGENCY: [&str; 3] = ["110", "118", "119"];
/// Withholds the caller's number for this call.
const WITHHOLD: &str = "184";
/// Shows the caller's number for this call.
const PRESENT: &str = "186";
/// Longest number outside: `010` and the 15 digits of E.164.
const LONGEST: usize = 18;

/// `[calling_out]` and `[[outside]]`.
#[derive(Clone, Debug)]
pub struct Outside {
    /// Extensions that may.
    pub extensions: BTreeSet<Number>,
    /// Agents of these groups may too.
    pub groups: BTreeSet<GroupId>,
    /// Calls of one extension at once.
    pub calls: u32,
    /// Talking time of one extension in a day of the plan's zone.
    pub per_day: Duration,
    /// Dialled before a number outside, and cut off; empty for none.
    pub prefix: String,
    /// Whether numbers are withheld unless 186 is dialled.
    pub withhold: bool,
    /// Shown for those that have none of their own.
    pub caller_id: Option<Number>,
    /// Shown for the agents of a group.
    pub group_ids: BTreeMap<GroupId, Number>,
    /// Shown for one extension.
    pub extension_ids: BTreeMap<Number, Number>,
    /// By which trunks emergency numbers go, in order; none: they are blocked.
    pub emergency: Vec<TrunkId>,
    /// The first that fits decides.
    pub rules: Vec<OutsideRule>,
}

/// One `[[outside]]`.
#[derive(Clone, Debug)]
pub struct OutsideRule {
    /// For people.
    pub name: String,
    /// Which numbers.
    pub numbers: Vec<Pattern>,
    /// By which trunks, in order.
    pub trunks: Vec<TrunkId>,
    /// The number shown, whoever calls.
    pub caller_id: Option<Number>,
}

/// Digits, `x` for any one digit, and at the end `*` for any number of digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(pub(super) String);

impl Pattern {
    /// Reads a pattern; none when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let body = text.strip_suffix('*').unwrap_or(text);
        let good = (1..=LONGEST).contains(&body.len())
            && body.bytes().all(|b| b.is_ascii_digit() || b == b'x');
        good.then(|| Self(text.to_owned()))
    }

    /// Whether a number fits.
    #[must_use]
    pub fn fits(&self, number: &str) -> bool {
        let (body, open) = match self.0.strip_suffix('*') {
            Some(body) => (body, true),
            None => (self.0.as_str(), false),
        };
        let long = if open { number.len() >= body.len() } else { number.len() == body.len() };
        long && body.bytes().zip(number.bytes()).all(|(due, digit)| due == b'x' || due == digit)
    }
}

/// Where a number outside leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outward {
    /// To a trunk.
    Way(Way),
    /// This extension may not call there.
    NotAllowed,
    /// An emergency number, and the plan blocks them.
    EmergencyBlocked,
    /// No rule of the plan fits.
    Nowhere,
}

/// A way outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// As the carrier gets it: without prefixes.
    pub number: Number,
    /// In the order in which they are tried.
    pub trunks: Vec<TrunkId>,
    /// The number shown; none: the trunk's own.
    pub caller_id: Option<Number>,
    /// Whether the caller withholds its number (184), or insists on showing it (186).
    pub withhold: Option<bool>,
    /// No limit holds for it.
    pub emergency: bool,
}

impl Plan {
    /// Where `dialled` leads when the phone `from` dials it and the plan has no such number itself.
    #[must_use]
    pub fn outward(&self, dialled: &Number, from: &Number) -> Outward {
        let Some(outside) = &self.outside else { return Outward::Nowhere };
        let text = dialled.as_str();
        if text.len() > LONGEST + 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Outward::Nowhere;
        }
        // 184 and the prefix come in either order, and an emergency number is one with and without them.
        let (rest, first) = privacy(text);
        let cut =
            if outside.prefix.is_empty() { None } else { rest.strip_prefix(&*outside.prefix) };
        let bare = cut.unwrap_or(rest);
        let (number, asked) = if first.is_some() { (bare, first) } else { privacy(bare) };
        if let Some(found) = [text, rest, bare, number].iter().find(|n| EMERGENCY.contains(*n)) {
            return outside.emergency(found);
        }
        if cut.is_none() && !outside.prefix.is_empty() {
            return Outward::Nowhere;
        }
        let groups: Vec<&GroupId> = self.groups_of(from);
        let may = outside.extensions.contains(from)
            || groups.iter().any(|group| outside.groups.contains(*group));
        let rule = outside
            .rules
            .iter()
            .find(|rule| rule.numbers.iter().any(|pattern| pattern.fits(number)));
        match (rule, may) {
            (None, _) => Outward::Nowhere,
            (Some(_), false) => Outward::NotAllowed,
            (Some(rule), true) => {
                let own = outside.extension_ids.get(from);
                let of_group = || groups.iter().find_map(|group| outside.group_ids.get(*group));
                let shown = rule.caller_id.as_ref().or(own);
                let shown = shown.or_else(of_group).or(outside.caller_id.as_ref());
                Outward::Way(Way {
                    number: Number::from(number),
                    trunks: rule.trunks.clone(),
                    caller_id: shown.cloned(),
                    withhold: asked.or_else(|| outside.withhold.then_some(true)),
                    emergency: false,
                })
            }
        }
    }

    /// How calls of a group go on to a number outside that the plan itself names, written as the carrier gets
    /// it; none when no rule fits, and for emergency numbers.
    #[must_use]
    pub fn outward_of_group(&self, number: &Number, group: &GroupId) -> Option<Way> {
        let outside = self.outside.as_ref()?;
        let text = number.as_str();
        let (behind, _) = privacy(text);
        if [text, behind].iter().any(|number| super::values::is_emergency(number)) {
            return None;
        }
        let fits = |rule: &&OutsideRule| rule.numbers.iter().any(|pattern| pattern.fits(text));
        let rule = outside.rules.iter().find(fits)?;
        let shown = rule.caller_id.as_ref().or_else(|| outside.group_ids.get(group));
        Some(Way {
            number: number.clone(),
            trunks: rule.trunks.clone(),
            caller_id: shown.or(outside.caller_id.as_ref()).cloned(),
            withhold: outside.withhold.then_some(true),
            emergency: false,
        })
    }

    /// The groups of which an extension is a member, in the plan's order.
    fn groups_of(&self, extension: &Number) -> Vec<&GroupId> {
        let agent = AgentId(extension.0.clone());
        let groups = self.groups.iter();
        groups.filter(|(_, group)| group.agents.contains(&agent)).map(|(id, _)| id).collect()
    }
}

impl Outside {
    /// Untouched, with the number shown even after 184, whoever dials it and whatever else is up.
    fn emergency(&self, number: &str) -> Outward {
        if self.emergency.is_empty() {
            return Outward::EmergencyBlocked;
        }
        Outward::Way(Way {
            number: Number::from(number),
            trunks: self.emergency.clone(),
            caller_id: None,
            withhold: None,
            emergency: true,
        })
    }
}

/// The number behind 184 or 186, and what that asks for.
fn privacy(number: &str) -> (&str, Option<bool>) {
    for (prefix, withhold) in [(WITHHOLD, true), (PRESENT, false)] {
        if let Some(rest) = number.strip_prefix(prefix).filter(|rest| !rest.is_empty()) {
            return (rest, Some(withhold));
        }
    }
    (number, None)
}

#[cfg(test)]
mod tests {
    use super::{Outward, Pattern};
    use crate::base::Number;
    use crate::dialplan::load;

    const PLAN: &str = r#"
name = "x"
timezone = "Asia/Tokyo"
[desk_numbers.0312345678]
name = "x"
open = { group = "desk" }
lines = 10
[groups.desk]
name = "x"
agents = ["2001"]
strategy = "linear"
[groups.desk.queue]
max_waiting = 5
max_wait = "1m"
[agents]
2001 = "x"
[calling_out]
extensions = ["3001-3002"]
groups = ["desk"]
caller_id = "0312345678"
emergency = ["carrier"]
[calling_out.caller_ids]
desk = "0312345679"
3002 = "0312345670"
[[outside]]
name = "国際"
numbers = ["010*"]
trunks = ["abroad"]
caller_id = "0312345671"
[[outside]]
name = "国内"
numbers = ["0xxxxxxxxx", "0x0xxxxxxxx", "0120*"]
trunks = ["carrier", "second"]
"#;

    /// Pure routing only: nothing here reaches a wire.
    #[test]
    fn numbers_outside_have_a_way_or_a_reason() {
        let (plan, _) = load(PLAN, "plan.toml", None).map_err(|f| format!("{f:?}")).unwrap();
        let say = |dialled: &str, from: &str| match plan
            .outward(&Number::from(dialled), &Number::from(from))
        {
            Outward::Way(way) => format!(
                "{} by {} as {}{}{}",
                way.number,
                way.trunks.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
                way.caller_id.map_or_else(|| "-".to_owned(), |id| id.to_string()),
                match way.withhold {
                    None => "",
                    Some(true) => " withheld",
                    Some(false) => " shown",
                },
                if way.emergency { " emergency" } else { "" },
            ),
            Outward::NotAllowed => "not allowed".to_owned(),
            Outward::EmergencyBlocked => "blocked".to_owned(),
            Outward::Nowhere => "nowhere".to_owned(),
        };
        let table = [
            ("an agent", "0398765432", "2001", "0398765432 by carrier,second as 0312345679"),
            ("staff", "0398765432", "3001", "0398765432 by carrier,second as 0312345678"),
            (
                "staff, own number",
                "0398765432",
                "3002",
                "0398765432 by carrier,second as 0312345670",
            ),
            ("mobile", "09012345678", "3001", "09012345678 by carrier,second as 0312345678"),
            (
                "withheld",
                "1840398765432",
                "3001",
                "0398765432 by carrier,second as 0312345678 withheld",
            ),
            ("shown", "1860398765432", "3001", "0398765432 by carrier,second as 0312345678 shown"),
            ("abroad", "01044201234567", "2001", "01044201234567 by abroad as 0312345671"),
            ("nobody's phone", "0398765432", "3999", "not allowed"),
            ("no rule", "117", "2001", "nowhere"),
            ("too short", "039876543", "2001", "nowhere"),
            ("no digits", "0398765432x", "2001", "nowhere"),
            ("184 alone", "184", "2001", "nowhere"),
            // Anybody, untouched, the number shown even after 184.
            ("police", "110", "3999", "110 by carrier as - emergency"),
            ("fire", "119", "2001", "119 by carrier as - emergency"),
            ("coast guard, withheld", "184118", "2001", "118 by carrier as - emergency"),
        ];
        for (case, dialled, from, want) in table {
            assert_eq!(say(dialled, from), want, "{case}");
        }
    }

    #[test]
    fn emergency_numbers_are_blocked_wholly_unless_a_trunk_is_named() {
        let blocked = PLAN.replace("emergency = [\"carrier\"]\n", "");
        let (plan, _) = load(&blocked, "plan.toml", None).map_err(|f| format!("{f:?}")).unwrap();
        for number in ["110", "118", "119", "184110", "186119"] {
            let outward = plan.outward(&Number::from(number), &Number::from("2001"));
            assert_eq!(outward, Outward::EmergencyBlocked, "{number}");
        }
        // With a prefix for outside calls, with and without it.
        let prefixed = PLAN.replace("caller_id = \"0312345678\"\n", "prefix = \"0\"\n");
        let (plan, _) = load(&prefixed, "plan.toml", None).map_err(|f| format!("{f:?}")).unwrap();
        for number in ["110", "0110", "0184110", "1840110"] {
            let outward = plan.outward(&Number::from(number), &Number::from("2001"));
            assert!(
                matches!(outward, Outward::Way(way) if way.emergency && way.number.as_str() == "110"),
                "{number}"
            );
        }
        let outward = plan.outward(&Number::from("00398765432"), &Number::from("2001"));
        assert!(matches!(outward, Outward::Way(way) if way.number.as_str() == "0398765432"));
        assert_eq!(
            plan.outward(&Number::from("398765432"), &Number::from("2001")),
            Outward::Nowhere
        );
    }

    #[test]
    fn patterns_are_digits_with_any_digit_and_an_open_end() {
        let table = [
            ("0xx", "012", true),
            ("0xx", "0123", false),
            ("0xx", "112", false),
            ("010*", "010", true),
            ("010*", "01044", true),
            ("0120*", "0121", false),
        ];
        for (pattern, number, want) in table {
            let pattern = Pattern::parse(pattern).expect("a pattern");
            assert_eq!(pattern.fits(number), want, "{pattern:?} {number}");
        }
        for bad in ["", "*", "0*0", "0X", "+81", "0-3"] {
            assert_eq!(Pattern::parse(bad), None, "{bad}");
        }
    }
}
