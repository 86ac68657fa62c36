//! A dialog: what both ends agreed to call their conversation, where the other end is, and what the
//! next request in it looks like (RFC 3261 §12). Knows no transaction and no leg.

use super::Writer;
use super::api::{Flow, KeptDialog};
use super::trunk::Server;
use super::{Head, Method, Request, Response};
use super::{HeaderName, Host};
use super::{NameAddr, Scheme, Uri};

/// Most Record-Route values that a dialog takes.
pub(super) const MAX_ROUTES: usize = 16;

/// One of our listeners, as it is written into messages.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// As Via has it: `UDP`, `TCP`, `TLS`, `WS`, `WSS`.
    pub transport: &'static str,
    /// sent-by.
    pub sent_by: std::net::SocketAddr,
    /// Our Contact URI there.
    pub contact: Box<str>,
    /// Whether we ask to be answered where we really come from (RFC 3581 §3).
    pub rport: bool,
}

/// A random word of ours on the wire: 16 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token(pub u64);

impl Token {
    /// Reads a tag or the end of a branch back; None when it is none of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let ours = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        ours.then(|| u64::from_str_radix(text, 16).ok().map(Self)).flatten()
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Why a message cannot found or change a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DialogError {
    /// The Contact is missing where none can be guessed, or is no `sip:` or `sips:` URI.
    #[error("Contact holds no SIP URI")]
    Contact,
    /// A Record-Route value is malformed or no SIP URI.
    #[error("Record-Route holds no SIP URI")]
    Route,
    /// Our bound.
    #[error("more than {MAX_ROUTES} Record-Route values")]
    TooManyRoutes,
}

/// The dialog's state (§12).
#[derive(Debug)]
pub(super) struct Dialog {
    /// Call-ID.
    pub call_id: Box<str>,
    /// Our From, tag included.
    local: Box<[u8]>,
    /// Our To: the peer's address as it wrote it, tag included.
    remote: Box<[u8]>,
    /// The peer's tag; empty for a peer of RFC 2543's days.
    pub remote_tag: Box<str>,
    /// The last `CSeq` that we used.
    local_seq: u32,
    /// The last `CSeq` that the peer used.
    remote_seq: Option<u32>,
    /// Where the peer is.
    target: Uri,
    /// The route set, in the order in which we visit it.
    routes: Box<[Box<str>]>,
    /// The first route when it is not a loose router (§12.2.1.1).
    strict: Option<Box<Uri>>,
    /// The way our requests go.
    pub flow: Flow,
    /// Whether they go where the peer's route or Contact says, as far as that is an address.
    by_contact: bool,
    /// Where route or Contact lead, when that is a name.
    named: Option<Box<Server>>,
    /// Where that name leads, once it is known.
    found: Option<std::net::SocketAddr>,
}

impl Dialog {
    /// The dialog that the peer's INVITE begins, seen from us who answer with the tag `tag` (§12.1.1).
    /// Requests go back on the flow the INVITE came on, whatever Contact and Record-Route say: a phone
    /// behind a NAT is there and nowhere else.
    pub fn answering(request: &Request, tag: Token, flow: Flow) -> Result<Self, DialogError> {
        let head = &request.head;
        let mut local = head.headers.get(&HeaderName::To).unwrap_or_default().to_vec();
        local.extend_from_slice(format!(";tag={tag}").as_bytes());
        let (routes, strict) = routes(head, false)?;
        let mut dialog = Self {
            call_id: head.call_id.clone(),
            local: local.into(),
            remote: head.headers.get(&HeaderName::From).unwrap_or_default().into(),
            remote_tag: head.from.tag().unwrap_or_default().into(),
            local_seq: 0,
            remote_seq: Some(head.cseq.number),
            target: contact(head)?
                .or_else(|| head.from.known().cloned())
                .ok_or(DialogError::Contact)?,
            routes,
            strict,
            flow,
            by_contact: false,
            named: None,
            found: None,
        };
        dialog.note_name();
        Ok(dialog)
    }

    /// The dialog that a 2xx to our INVITE makes, with `target` for a peer that names no Contact
    /// (§12.1.2). With `by_contact` (a phone at a fixed address) requests go where its route or Contact
    /// says; without (a registered phone, maybe behind a NAT) by the flow of the INVITE.
    pub fn asking(
        response: &Response,
        target: &Uri,
        flow: Flow,
        by_contact: bool,
    ) -> Result<Self, DialogError> {
        let head = &response.head;
        let (routes, strict) = routes(head, true)?;
        let mut dialog = Self {
            call_id: head.call_id.clone(),
            local: head.headers.get(&HeaderName::From).unwrap_or_default().into(),
            remote: head.headers.get(&HeaderName::To).unwrap_or_default().into(),
            remote_tag: head.to.tag().unwrap_or_default().into(),
            local_seq: head.cseq.number,
            remote_seq: None,
            target: contact(head)?.unwrap_or_else(|| target.clone()),
            routes,
            strict,
            flow,
            by_contact,
            named: None,
            found: None,
        };
        dialog.note_name();
        dialog.follow_contact();
        Ok(dialog)
    }

    /// Takes the way that the peer's connection now is, unless it goes where its Contact says.
    pub fn follow(&mut self, flow: Flow) {
        if !self.by_contact {
            self.flow = flow;
        }
    }

    /// The confirmed dialog goes on counting where its early one stopped (§13.2.2.4 computes only the
    /// route set anew). `last` is the peer's `CSeq`.
    pub fn succeed(&mut self, early: Option<Self>, last: Option<u32>) {
        if let Some(early) = early {
            self.count_from(early.local_seq);
        }
        self.remote_seq = self.remote_seq.or(last);
    }

    /// `seq` was used already.
    pub fn count_from(&mut self, seq: u32) {
        self.local_seq = self.local_seq.max(seq);
    }

    /// As it is to be stored, but for the `CSeq` that we used last.
    pub fn keep(&self) -> KeptDialog {
        KeptDialog {
            call_id: self.call_id.to_string(),
            local: self.local.to_vec(),
            remote: self.remote.to_vec(),
            remote_tag: self.remote_tag.to_string(),
            remote_seq: self.remote_seq.unwrap_or(0),
            target: self.target.to_string(),
            routes: self.routes.iter().map(ToString::to_string).collect(),
            flow: self.flow,
        }
    }

    /// A stored dialog of which no `CSeq` above `local_seq` was used; None when it is broken.
    pub fn revive(kept: &KeptDialog, local_seq: u32) -> Option<Self> {
        let mut routes = Vec::with_capacity(kept.routes.len());
        for route in kept.routes.iter().take(MAX_ROUTES) {
            routes.push(super::NameAddr::parse(route.as_bytes(), "Route").ok()?);
        }
        Some(Self {
            call_id: kept.call_id.as_str().into(),
            local: kept.local.as_slice().into(),
            remote: kept.remote.as_slice().into(),
            remote_tag: kept.remote_tag.as_str().into(),
            local_seq,
            remote_seq: Some(kept.remote_seq),
            target: Uri::parse(&kept.target).ok()?,
            strict: strict(&routes),
            routes: routes.iter().map(|route| route.to_string().into_boxed_str()).collect(),
            flow: kept.flow,
            by_contact: false,
            named: None,
            found: None,
        })
    }

    /// Where the peer is.
    pub fn target(&self) -> &Uri {
        &self.target
    }

    /// Notes the name that leads to the peer, if it is one (RFC 3263 §4): what it led to before counts no more
    /// when it is another.
    fn note_name(&mut self) {
        let first =
            self.routes.first().map(|first| super::NameAddr::parse(first.as_bytes(), "Route"));
        let uri = match &first {
            Some(Ok(route)) => route.known(),
            Some(Err(_)) => None,
            None => Some(&self.target),
        };
        let named = uri.and_then(|uri| {
            let host = uri.host().filter(|host| host.ip().is_none())?.clone();
            // RFC 2606 §2: browsers name themselves so, and mean nobody.
            let nobody = matches!(&host, Host::Name(name) if name.ends_with(".invalid"));
            let transport = Some(self.flow.transport).filter(|by| !by.is_websocket() && !nobody);
            Some(Server { host, port: uri.port(), transport: Some(transport?) })
        });
        if named.as_ref() != self.named.as_deref() {
            (self.named, self.found) = (named.map(Box::new), None);
        }
    }

    /// The name that has to be looked up, so that requests find the peer: always when they go where route or
    /// Contact say, else for the time when its connection is lost.
    pub fn name(&self) -> Option<&Server> {
        self.named.as_deref().filter(|_| self.by_contact || self.flow.transport.is_stream())
    }

    /// That name leads there.
    pub fn lead(&mut self, found: std::net::SocketAddr) {
        self.found = Some(found);
        self.follow_contact();
    }

    fn follow_contact(&mut self) {
        if self.by_contact
            && let Some(remote) = self.wanted_address()
            && remote != self.flow.remote
        {
            self.flow = Flow { remote, connection: 0, ..self.flow };
        }
    }

    /// Whether the peer's request belongs here, its To tag having been found to be ours (§12.2.2).
    pub fn owns(&self, head: &Head) -> bool {
        *self.call_id == *head.call_id && *self.remote_tag == *head.from.tag().unwrap_or_default()
    }

    /// Takes the peer's `CSeq`; false when it is not above the last (§12.2.2). An equal one is no
    /// repetition either: that would have met its transaction.
    pub fn advance(&mut self, cseq: u32) -> bool {
        let rises = self.remote_seq.is_none_or(|last| cseq > last);
        if rises {
            self.remote_seq = Some(cseq);
        }
        rises
    }

    /// Takes the Contact of a target refresh (§12.2.1.2, §12.2.2), and where it came from when it was
    /// a request: a phone behind a NAT may have moved. A peer that says it is still where it always was
    /// has not, whatever copy of its request came from elsewhere.
    pub fn refresh(&mut self, head: &Head, came: Option<Flow>) -> Result<(), DialogError> {
        if let Some(target) = contact(head)? {
            self.target = target;
        }
        let stays = self.target.socket_addr() == Some(self.flow.remote);
        let moves = |came: &Flow| !self.by_contact && (came.transport.is_stream() || !stays);
        if let Some(came) = came.filter(moves) {
            self.flow = came;
        }
        self.note_name();
        self.follow_contact();
        Ok(())
    }

    /// Where a peer that can be reached by its address wants our requests: its first route, or else
    /// its Contact.
    pub fn wanted_address(&self) -> Option<std::net::SocketAddr> {
        let address = match self.routes.first() {
            Some(first) => address(first),
            None => self.target.socket_addr(),
        };
        address.or(self.found)
    }

    /// The number for our next request.
    pub fn next_seq(&mut self) -> u32 {
        self.local_seq = self.local_seq.saturating_add(1).min(i32::MAX.unsigned_abs());
        self.local_seq
    }

    /// Our address in the requests from now on; its tag is the dialog's (RFC 4916 §4.4).
    pub fn rename(&mut self, local: &NameAddr) {
        self.local = local.to_string().into_bytes().into();
    }

    /// Begins a request in the dialog up to and with its `CSeq` (§12.2.1.1).
    pub fn request(&self, method: &Method, seq: u32, place: &Place, branch: Token) -> Writer {
        let mut writer = match &self.strict {
            // A strict router stands in the Request-URI and the target goes to the end.
            Some(first) => Writer::request(method, first),
            None => Writer::request(method, &self.target),
        };
        via(&mut writer, place, branch);
        writer.header(&HeaderName::MaxForwards, 70);
        for route in self.routes.iter().skip(usize::from(self.strict.is_some())) {
            writer.header(&HeaderName::Route, route);
        }
        if self.strict.is_some() {
            writer.header(&HeaderName::Route, format_args!("<{}>", self.target));
        }
        writer.header_bytes(&HeaderName::From, &self.local);
        writer.header_bytes(&HeaderName::To, &self.remote);
        writer.call_id(&self.call_id);
        writer.cseq(seq, method);
        writer
    }
}

/// Adds our Via; `rport` asks the peer to answer to where we really come from (RFC 3581 §3).
pub(super) fn via(writer: &mut Writer, place: &Place, branch: Token) {
    let Place { transport, sent_by, rport, .. } = place;
    let rport = if *rport { ";rport" } else { "" };
    writer.header(
        &HeaderName::Via,
        format_args!("SIP/2.0/{transport} {sent_by};branch=z9hG4bK{branch}{rport}"),
    );
}

/// ACK to a failure (§17.1.1.3) or CANCEL (§9.1) for an INVITE of ours: same Request-URI, topmost Via,
/// Route, From, Call-ID and number; To is the INVITE's or the response's. `invite` is what we sent,
/// so its form is known: no folding, no compact names.
pub(super) fn derived(invite: &[u8], method: &Method, to: Option<&[u8]>) -> Option<Writer> {
    let mut lines =
        invite.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let uri = lines.next()?.strip_prefix(b"INVITE ")?.strip_suffix(b" SIP/2.0")?;
    let mut writer = Writer::request(method, std::str::from_utf8(uri).ok()?);
    for line in lines.take_while(|line| !line.is_empty()) {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at_checked(colon)?;
        let value = value.strip_prefix(b": ")?;
        let name = HeaderName::parse(name)?;
        match name {
            HeaderName::Via
            | HeaderName::MaxForwards
            | HeaderName::Route
            | HeaderName::From
            | HeaderName::CallId => {
                writer.header_bytes(&name, value);
            }
            // §22.1: what the INVITE proved, its ACK proves.
            HeaderName::Authorization | HeaderName::ProxyAuthorization
                if *method == Method::Ack =>
            {
                writer.header_bytes(&name, value);
            }
            HeaderName::To => {
                writer.header_bytes(&name, to.unwrap_or(value));
            }
            HeaderName::CSeq => {
                let number = std::str::from_utf8(value).ok()?.split(' ').next()?.parse().ok()?;
                writer.cseq(number, method);
            }
            _ => {}
        }
    }
    Some(writer)
}

/// The credentials in a request of ours, header by header.
pub(super) fn credentials(asked: &[u8]) -> Vec<(HeaderName, Box<[u8]>)> {
    let head = asked.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    head.take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (name, value) = line.split_at_checked(colon)?;
            let name = HeaderName::parse(name)?;
            let proof = matches!(name, HeaderName::Authorization | HeaderName::ProxyAuthorization);
            proof.then(|| Some((name, value.strip_prefix(b": ")?.into())))?
        })
        .collect()
}

/// The Request-URI of a request of ours.
pub(super) fn uri_of(asked: &[u8]) -> Option<&str> {
    let line = asked.split(|byte| *byte == b'\r').next()?;
    std::str::from_utf8(line.split(|byte| *byte == b' ').nth(1)?).ok()
}

/// A request of ours once more, as a request of its own (§8.1.3.5): another Request-URI, branch and
/// number, `contact` as our Contact, the headers of `changed` in place of those of their names (an empty one takes it away), and all
/// the rest as it was. `asked` is what we sent, so its form is known.
pub(super) fn again(
    asked: &[u8],
    uri: &str,
    seq: u32,
    place: &Place,
    branch: Token,
    contact: &str,
    changed: &[(HeaderName, &str)],
) -> Option<bytes::Bytes> {
    let end = asked.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, body) = asked.split_at_checked(end)?;
    let method = Method::parse(head.split(|byte| *byte == b' ').next()?)?;
    let mut writer = Writer::request(&method, uri);
    via(&mut writer, place, branch);
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at_checked(colon)?;
        let name = HeaderName::parse(name)?;
        match name {
            HeaderName::Via | HeaderName::ContentLength | HeaderName::ContentType => {}
            HeaderName::CSeq => {
                writer.cseq(seq, &method);
            }
            name if changed.iter().any(|(newer, _)| *newer == name) => {}
            HeaderName::Contact => {
                writer.contact(contact);
            }
            name => {
                writer.header_bytes(&name, value.strip_prefix(b": ")?);
            }
        }
    }
    for (name, value) in changed.iter().filter(|(_, value)| !value.is_empty()) {
        writer.header(name, value);
    }
    Some(writer.sdp(body.get(4..).filter(|body| !body.is_empty())))
}

/// The Contact of a message that may found or move a dialog. Headers behind `?` are never kept: they
/// would be sent wherever the peer says (RFC 3261 §19.1.5).
fn contact(head: &Head) -> Result<Option<Uri>, DialogError> {
    match head.contact() {
        None => Ok(None),
        Some(contact) => match contact.known() {
            Some(uri) if uri.scheme() != Scheme::Tel => Ok(Some(uri.clone().into_target())),
            _ => Err(DialogError::Contact),
        },
    }
}

type Routes = (Box<[Box<str>]>, Option<Box<Uri>>);

/// The route set from Record-Route, reversed for the side that asked (§12.1.2), and its first element
/// when that is a strict router.
fn routes(head: &Head, reversed: bool) -> Result<Routes, DialogError> {
    if head.headers.all(&HeaderName::RecordRoute).count() > MAX_ROUTES {
        return Err(DialogError::TooManyRoutes);
    }
    let mut list = head.addresses(&HeaderName::RecordRoute).map_err(|_| DialogError::Route)?;
    if list.iter().any(|route| route.known().is_none_or(|uri| uri.scheme() == Scheme::Tel)) {
        return Err(DialogError::Route);
    }
    if reversed {
        list.reverse();
    }
    Ok((list.iter().map(|route| route.to_string().into_boxed_str()).collect(), strict(&list)))
}

/// The first route when it is not a loose router (§12.2.1.1).
fn strict(routes: &[super::NameAddr]) -> Option<Box<Uri>> {
    let first = routes.first().and_then(|first| first.known());
    first.filter(|uri| !uri.params().has("lr")).map(|uri| Box::new(uri.clone().into_target()))
}

/// The address in one route, when it is one.
fn address(route: &str) -> Option<std::net::SocketAddr> {
    super::NameAddr::parse(route.as_bytes(), "Route").ok()?.known()?.socket_addr()
}
