//! SIP messages as the tests read and write them: text, header by header, nothing repaired. Its own
//! small reader, so that the daemon is not judged by the daemon's parser.

/// A message as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Request line or status line.
    pub start: String,
    /// In order, names as written.
    pub headers: Vec<(String, String)>,
    /// After the empty line.
    pub body: String,
}

impl Message {
    /// Reads a datagram; none when it is no SIP message.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let start = lines.next()?.to_owned();
        if !start.contains("SIP/2.0") {
            return None;
        }
        let headers = lines
            .map(|line| {
                line.split_once(':').map(|(n, v)| (n.trim().to_owned(), v.trim().to_owned()))
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self { start, headers, body: body.to_owned() })
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The first header of this name, which must be there.
    #[track_caller]
    pub fn must(&self, name: &str) -> &str {
        self.header(name).unwrap_or_else(|| panic!("no {name} in\n{self}"))
    }

    /// The status when it is a response.
    pub fn status(&self) -> Option<u16> {
        self.start.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
    }

    /// The method when it is a request.
    pub fn method(&self) -> Option<&str> {
        if self.start.starts_with("SIP/2.0") { None } else { self.start.split(' ').next() }
    }

    /// The method in CSeq.
    pub fn cseq_method(&self) -> &str {
        self.header("CSeq").and_then(|v| v.split_whitespace().nth(1)).unwrap_or_default()
    }

    /// The number in CSeq.
    pub fn cseq(&self) -> u32 {
        self.header("CSeq")
            .and_then(|v| v.split_whitespace().next())
            .and_then(|v| v.parse().ok())
            .unwrap_or_default()
    }

    /// A parameter of a header's value.
    pub fn parameter(&self, header: &str, name: &str) -> Option<String> {
        let value = self.header(header)?;
        let after = value.rsplit_once('>').map_or(value, |(_, rest)| rest);
        after
            .split(';')
            .find_map(|p| p.trim().strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
    }

    /// The URI in a header of the form `<uri>`.
    pub fn uri(&self, header: &str) -> Option<String> {
        let (_, rest) = self.header(header)?.split_once('<')?;
        rest.split_once('>').map(|(uri, _)| uri.to_owned())
    }

    /// The audio port of the SDP.
    pub fn media_port(&self) -> Option<u16> {
        let line = self.body.lines().find(|l| l.starts_with("m=audio "))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }

    /// Whether the SDP has this line.
    pub fn says(&self, line: &str) -> bool {
        self.body.lines().any(|l| l == line)
    }
}

impl std::fmt::Display for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.start)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value}")?;
        }
        write!(f, "\n{}", self.body)
    }
}

/// An SDP of ours: `codecs` as payload types in order, and a direction.
pub fn sdp(port: u16, codecs: &[u8], direction: &str) -> String {
    let list: Vec<String> = codecs.iter().map(u8::to_string).collect();
    let mut text = format!(
        "v=0\r\no=- {port} 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP {}\r\n",
        list.join(" ")
    );
    for codec in codecs {
        text += match codec {
            0 => "a=rtpmap:0 PCMU/8000\r\n",
            8 => "a=rtpmap:8 PCMA/8000\r\n",
            9 => "a=rtpmap:9 G722/8000\r\n",
            18 => "a=rtpmap:18 G729/8000\r\n",
            101 => "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n",
            other => panic!("no rtpmap for {other}"),
        };
    }
    text + "a=ptime:20\r\na=" + direction + "\r\n"
}
