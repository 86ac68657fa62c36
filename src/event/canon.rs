//! The hashed form of an entry straight from the text of its body, without a tree of values between.
//!
//! The text is the one that was just written (`serde_json`, nothing between the words), so its words stand
//! in the hashed form as they are, and only the order of the names is another. Whatever does not look so is
//! declined, and [`super::chain::seal`] does it by way of the values: there is one form, and two ways to it.

use super::chain::{self, PRIVATE, RESERVED};
use super::scan::{Field, Scan, find, unquoted};
use crate::base::Wall;
use std::borrow::Cow;

/// Objects in objects that are followed; what is deeper is declined.
const DEEPEST: usize = 16;

/// A body as it was written, looked over once.
pub struct Written<'a> {
    fields: Vec<Field<'a>>,
    private: Vec<Hidden<'a>>,
}

/// A text of a person: where it stands, as it is written, and what it says.
struct Hidden<'a> {
    pointer: &'static str,
    value: &'a str,
    said: Cow<'a, str>,
}

impl<'a> Written<'a> {
    /// Looks a body over; none when it is not written as ours are.
    #[must_use]
    pub fn of(body: &'a str) -> Option<Self> {
        let fields = Scan::whole(body)?;
        if fields.iter().any(|field| RESERVED.contains(&field.name)) {
            return None;
        }
        let private = private(&fields)?;
        Some(Self { fields, private })
    }

    /// Whether a text of a person stands in it, so that a salt is due beside it.
    #[must_use]
    pub fn is_private(&self) -> bool {
        !self.private.is_empty()
    }

    /// The call under which the entry is filed.
    #[must_use]
    pub fn call(&self) -> Option<&'a str> {
        find(&self.fields, "call").and_then(unquoted)
    }

    /// By how many bytes it grows when its texts are erased, as [`chain::growth`] says it.
    #[must_use]
    pub fn growth(&self) -> isize {
        self.private.iter().map(|text| chain::growth_of(text.value.len())).sum()
    }

    /// The form that is hashed, as [`super::chain::seal`] makes it; none when that must make it.
    #[must_use]
    pub fn form(&self, seq: i64, at: Wall, v: i64, salt: Option<&[u8]>) -> Option<Vec<u8>> {
        let mut hidden = Vec::with_capacity(self.private.len());
        for text in &self.private {
            hidden.push((text.value, chain::commitment(salt?, text.pointer, &text.said)));
        }
        let (seq, at, v) = (seq.to_string(), at.0.to_string(), v.to_string());
        let mut fields = self.fields.clone();
        for (name, value) in [("at", at.as_str()), ("seq", seq.as_str()), ("v", v.as_str())] {
            fields.push(Field { name, value });
        }
        let mut out = Form { hidden, bytes: Vec::with_capacity(384) };
        out.fields(&mut fields, DEEPEST)?;
        Some(out.bytes)
    }
}

/// The texts of persons; none when it cannot be told what the entry is of.
fn private<'a>(fields: &[Field<'a>]) -> Option<Vec<Hidden<'a>>> {
    let of = find(fields, "of").and_then(unquoted)?;
    let event = Scan::whole(find(fields, "event")?)?;
    let kind = find(&event, "kind").and_then(unquoted)?;
    let mut found = Vec::new();
    for (_, _, pointer) in PRIVATE.iter().filter(|it| it.0 == of && it.1 == kind) {
        let Some(value) = at(fields, pointer).filter(|value| value.starts_with('"')) else {
            continue;
        };
        let said = match unquoted(value) {
            Some(plain) => Cow::Borrowed(plain),
            None => Cow::Owned(serde_json::from_str(value).ok()?),
        };
        if !chain::is_erased(&said) {
            found.push(Hidden { pointer, value, said });
        }
    }
    Some(found)
}

fn at<'a>(fields: &[Field<'a>], pointer: &str) -> Option<&'a str> {
    let mut names = pointer.split('/').skip(1);
    let first = find(fields, names.next()?)?;
    names.try_fold(first, |value, name| find(&Scan::whole(value)?, name))
}

/// The form in the making.
struct Form<'a> {
    /// What stands for which words of the text.
    hidden: Vec<(&'a str, [u8; 32])>,
    bytes: Vec<u8>,
}

impl Form<'_> {
    fn fields(&mut self, fields: &mut [Field<'_>], deep: usize) -> Option<()> {
        fields.sort_unstable();
        self.bytes.push(b'{');
        for (n, field) in fields.iter().enumerate() {
            if n > 0 {
                self.bytes.push(b',');
            }
            self.bytes.push(b'"');
            self.bytes.extend_from_slice(field.name.as_bytes());
            self.bytes.extend_from_slice(b"\":");
            self.value(field.value, deep)?;
        }
        self.bytes.push(b'}');
        // One name for one value: two readers could see two entries else.
        let twice = fields.windows(2).any(|two| matches!(two, [a, b] if a.name == b.name));
        (!twice).then_some(())
    }

    fn value(&mut self, value: &str, deep: usize) -> Option<()> {
        let deep = deep.checked_sub(1)?;
        let mut scan = Scan::new(value);
        match value.as_bytes().first()? {
            b'{' => self.fields(&mut scan.object()?, deep)?,
            b'[' => {
                self.bytes.push(b'[');
                for (n, item) in scan.array()?.into_iter().enumerate() {
                    if n > 0 {
                        self.bytes.push(b',');
                    }
                    self.value(item, deep)?;
                }
                self.bytes.push(b']');
            }
            _ => self.word(value),
        }
        Some(())
    }

    fn word(&mut self, value: &str) {
        // The same words at the same place of the text, not the same words anywhere.
        let hidden = self.hidden.iter().find(|(text, _)| std::ptr::eq(*text, value));
        match hidden {
            None => self.bytes.extend_from_slice(value.as_bytes()),
            Some((_, commitment)) => {
                let text = format!("\"{}{}\"", chain::ERASED, crate::base::hex(commitment));
                self.bytes.extend_from_slice(text.as_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Written;
    use crate::base::Wall;
    use crate::event::chain;
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    /// By way of the values, which is the definition.
    fn due(text: &str) -> Option<Vec<u8>> {
        let body = chain::body(text).ok()?;
        chain::seal(7, Wall(-5), 1, &body, Some(&[1; chain::SALT_BYTES])).ok()
    }

    fn quick(text: &str) -> Option<Vec<u8>> {
        Written::of(text)?.form(7, Wall(-5), 1, Some(&[1; chain::SALT_BYTES]))
    }

    #[test]
    fn every_kind_of_event_has_one_form_by_both_ways() {
        let lines = include_str!("../../tests/past/events.jsonl");
        let mut private = 0;
        for line in lines.lines() {
            let mut line: Map<String, Value> = serde_json::from_str(line).expect("a line");
            for beside in ["seq", "at", "v"] {
                line.remove(beside);
            }
            let text = Value::Object(line).to_string();
            let body = chain::body(&text).expect("a body");
            let written = Written::of(&text).expect("written as ours are");
            assert_eq!(quick(&text), due(&text), "{text}");
            assert_eq!(written.call(), body.get("call").and_then(Value::as_str));
            assert_eq!(written.is_private(), chain::is_private(&body), "{text}");
            assert_eq!(written.growth(), chain::growth(&body), "{text}");
            private += u8::from(written.is_private());
        }
        assert!(private >= 8, "{private}");
    }

    #[test]
    fn a_persons_text_is_hidden_where_it_stands_and_nowhere_else() {
        let erased = format!("erased:{}", "a".repeat(64));
        for (number, name) in [
            ("{\"known\":\"03\"}", "\"03\""),
            ("\"withheld\"", "\"a \\\"b\\\" \\n 😀\""),
            ("{\"known\":\"03\"}", "null"),
            ("{\"known\":\"\"}", erased.as_str()),
        ] {
            let name = if name == erased { format!("\"{erased}\"") } else { name.to_owned() };
            let text = format!(
                "{{\"of\":\"call\",\"call\":\"x\",\"t_ms\":0,\"event\":{{\"kind\":\"arrived\",\"number\":\
                 \"03\",\"caller\":{{\"number\":{number},\"name\":{name}}},\"counted\":true}}}}"
            );
            let form = quick(&text);
            assert!(form.is_some(), "{text}");
            assert_eq!(form, due(&text), "{text}");
            let bare = Written::of(&text).and_then(|it| it.form(7, Wall(-5), 1, None));
            assert_eq!(bare.is_some(), !Written::of(&text).expect("ours").is_private(), "{text}");
        }
    }

    #[test]
    fn what_is_not_written_as_ours_is_declined() {
        for text in [
            "",
            "{",
            "[]",
            "{\"of\":\"desk\"}",
            "{\"of\":\"desk\",\"event\":[]}",
            "{\"of\":\"desk\",\"event\":{\"kind\":7}}",
            "{\"of\":\"desk\",\"event\":{\"kind\":\"stopped\"}} ",
            "{\"of\":\"desk\", \"event\":{\"kind\":\"stopped\"}}",
            "{\"of\":\"desk\",\"event\":{\"kind\":\"stopped\" }}",
            "{\"of\":\"desk\",\"seq\":1,\"event\":{\"kind\":\"stopped\"}}",
            "{\"o\\u0066\":\"desk\",\"event\":{\"kind\":\"stopped\"}}",
            "{\"of\":\"c\\u0061ll\",\"event\":{\"kind\":\"arrived\"}}",
            "{\"of\":\"desk\",\"event\":{\"kind\":\"stopped\\",
        ] {
            assert!(Written::of(text).is_none(), "{text}");
        }
        assert_eq!(
            quick("{\"of\":\"desk\",\"event\":{\"kind\":\"stopped\"},\"a\":1,\"a\":2}"),
            None
        );
    }

    fn value() -> impl Strategy<Value = Value> {
        let plain = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            "[\\PC\\n\"\\\\{}\\[\\],:]{0,12}".prop_map(Value::from),
        ];
        plain.prop_recursive(4, 24, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[\\PC\"\\\\]{0,6}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_not_declined_has_the_form_of_the_values(rest in value(), more in value()) {
            let body = serde_json::json!({
                "of": "desk", "zeal": rest, "call": "x", "event": {"kind": "stopped", "a": more}
            });
            // As a struct writes it: in no order of the names.
            let text = format!(
                "{{\"of\":\"desk\",\"zeal\":{},\"event\":{},\"call\":\"x\"}}",
                body["zeal"], body["event"]
            );
            if let Some(form) = quick(&text) {
                prop_assert_eq!(Some(form), due(&text));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "[{}\\[\\]\",:\\\\a1é ]{0,24}") {
            if let Some(form) = quick(&text) {
                prop_assert_eq!(Some(form), due(&text), "{}", text);
            }
        }
    }
}
