//! A walk over JSON as it was written by us, nothing between the words: where names and values begin and
//! end, and nothing of what they mean. Whatever is written otherwise is declined.

/// A name and its value as they stand in the text, the name without its quotes.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}

pub(super) fn find<'a>(fields: &[Field<'a>], name: &str) -> Option<&'a str> {
    fields.iter().find(|field| field.name == name).map(|field| field.value)
}

/// The text between the quotes, when nothing in it is escaped.
pub(super) fn unquoted(value: &str) -> Option<&str> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains('\\')).then_some(inner)
}

/// A walk over compact JSON that only finds where words begin and end.
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The fields of a text that is one object and nothing else.
    pub(super) fn whole(text: &'a str) -> Option<Vec<Field<'a>>> {
        let mut scan = Self::new(text);
        let fields = scan.object()?;
        (scan.at == text.len()).then_some(fields)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, due: u8) -> Option<()> {
        (self.peek()? == due).then(|| self.at += 1)
    }

    /// The fields of the object that begins here, in the order of the text.
    pub(super) fn object(&mut self) -> Option<Vec<Field<'a>>> {
        let mut fields = Vec::with_capacity(8);
        self.each(|field| {
            fields.push(field);
            Some(())
        })?;
        Some(fields)
    }

    /// Shows each field of the object that begins here; none at the first that is declined.
    fn each(&mut self, mut take: impl FnMut(Field<'a>) -> Option<()>) -> Option<()> {
        self.take(b'{')?;
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            let name = unquoted(self.string()?)?;
            self.take(b':')?;
            take(Field { name, value: self.value()? })?;
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// The fields of a text that is one object and nothing else, put into `room`; how many, or none when
    /// there is not room for all or one name stands there twice.
    pub(super) fn few(text: &'a str, room: &mut [Field<'a>]) -> Option<usize> {
        let (mut scan, mut count) = (Self::new(text), 0);
        scan.each(|field| {
            let (before, rest) = room.split_at_mut_checked(count)?;
            if before.iter().any(|it| it.name == field.name) {
                return None;
            }
            *rest.first_mut()? = field;
            count += 1;
            Some(())
        })?;
        (scan.at == text.len()).then_some(count)
    }

    pub(super) fn array(&mut self) -> Option<Vec<&'a str>> {
        let mut items = Vec::new();
        self.take(b'[')?;
        if self.peek()? == b']' {
            return Some(items);
        }
        loop {
            items.push(self.value()?);
            match self.peek()? {
                b',' => self.at += 1,
                b']' => return Some(items),
                _ => return None,
            }
        }
    }

    fn value(&mut self) -> Option<&'a str> {
        match self.peek()? {
            b'"' => self.string(),
            b'{' | b'[' => self.nested(),
            _ => {
                let from = self.at;
                while matches!(
                    self.peek(),
                    Some(b'0'..=b'9' | b'a'..=b'z' | b'-' | b'+' | b'.' | b'E')
                ) {
                    self.at += 1;
                }
                let word = self.text.get(from..self.at)?;
                (!word.is_empty()).then_some(word)
            }
        }
    }

    /// An object or a list with all that is in it.
    fn nested(&mut self) -> Option<&'a str> {
        let (from, mut open) = (self.at, 0_usize);
        loop {
            match self.peek()? {
                b'{' | b'[' => open += 1,
                b'}' | b']' => open = open.checked_sub(1)?,
                b'"' => {
                    self.string()?;
                    continue;
                }
                b' ' | b'\n' | b'\r' | b'\t' => return None,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return self.text.get(from..self.at);
            }
        }
    }

    /// With its quotes.
    fn string(&mut self) -> Option<&'a str> {
        let from = self.at;
        self.take(b'"')?;
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return self.text.get(from..self.at);
                }
                b'\\' => self.at += 2,
                0..0x20 => return None,
                _ => self.at += 1,
            }
        }
    }
}
