//! Bytes to a [`Session`], within bounds that no sender can pass. Reads what a voice call needs and
//! steps over the rest; knows nothing of what we want.

use super::{Codec, Direction, SdpError};
use crate::base::Private;
use crate::dtls::Fingerprint;
use crate::ice::Credentials;
use crate::srtp::sdes::Crypto;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of a description that are read.
pub(super) const MAX_BYTES: usize = 64 * 1024;
/// Media lines of a description.
pub(super) const MAX_MEDIA: usize = 32;
/// Attributes of one audio line, and of the session. Those of other lines are stepped over, but for their name:
/// a browser's video has more, and is refused by its `m=` line and its name alone.
pub(super) const MAX_ATTRIBUTES: usize = 128;
/// Formats on one media line: one for each payload type.
pub(super) const MAX_FORMATS: usize = 128;
/// Fingerprints of the session or one media line that are kept.
const MAX_FINGERPRINTS: usize = 8;
/// Offered keys of one media line that are kept; what we do not speak is not counted.
const MAX_CRYPTOS: usize = 16;
/// The first payload type that means nothing without an `rtpmap` (RFC 3551 §3).
const FIRST_DYNAMIC_PT: u8 = 96;
/// Characters of a token that we may have to write back.
const MAX_TOKEN: usize = 64;

/// What a `c=` line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// An address; unspecified (`0.0.0.0`, `::`) means hold as RFC 2543 phones do it.
    Ip(IpAddr),
    /// A host name or a network that we do not know. Not looked up.
    Foreign,
}

/// One `a=rtpmap` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadMap {
    /// Payload type, 0 to 127.
    pub pt: u8,
    /// Encoding name as written.
    pub name: String,
    /// Clock rate, Hz.
    pub clock_hz: u32,
    /// Channels; 1 when not written.
    pub channels: u8,
}

/// What a description says of keys agreed on by DTLS and of the way there, of the session or of one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handshaking {
    /// Fingerprints of its certificate (RFC 8122) by a hash that we believe, at most 8.
    pub fingerprints: Vec<Fingerprint>,
    /// Whether it begins (RFC 4145 §4).
    pub setup: Option<Setup>,
    /// `ice-ufrag`, as written.
    pub fragment: Option<String>,
    /// `ice-pwd`, as written.
    pub password: Option<Private<String>>,
}

/// Who begins the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// The sayer.
    Active,
    /// The other.
    Passive,
    /// Whoever the other likes.
    ActPass,
}

/// One `m=` line with what belongs to it; of one that is not for audio, no attribute is kept but its `mid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, ... as written; at most 64 characters.
    pub kind: String,
    /// 0 when the stream is refused or switched off.
    pub port: u16,
    /// `RTP/AVP`, ... as written; at most 64 characters.
    pub protocol: String,
    /// Payload types or other formats, in order of preference; at least one, each at most 64 characters.
    pub formats: Vec<String>,
    /// Its own `c=`.
    pub connection: Option<Address>,
    /// Its own direction.
    pub direction: Option<Direction>,
    /// Its `rtpmap` lines.
    pub maps: Vec<PayloadMap>,
    /// Milliseconds of sound that the sayer wants in a packet.
    pub ptime_ms: Option<u16>,
    /// Most milliseconds of sound that the sayer takes in a packet.
    pub max_ptime_ms: Option<u16>,
    /// What it says of DTLS and ICE itself.
    pub handshaking: Handshaking,
    /// `a=mid` (RFC 5888), when we could write it back.
    pub mid: Option<String>,
    /// RTCP comes on the same port (RFC 5761).
    pub mux: bool,
    /// Where RTCP is to go otherwise, when that is not the port above (RFC 3605); the address where it is
    /// another one, too.
    pub rtcp: Option<(u16, Option<Address>)>,
    /// The keys that it names (RFC 4568) and that we could talk by, at most 16.
    pub cryptos: Vec<Crypto>,
}

impl Media {
    /// Whether this is an RTP audio stream that is switched on, plain or with keys in the description.
    /// Feedback (RFC 4585) may be offered with it; none is ever sent.
    #[must_use]
    pub fn is_audio(&self) -> bool {
        let known = ["RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF"];
        let known = known.iter().any(|known| self.protocol.eq_ignore_ascii_case(known));
        self.port != 0 && self.says_audio() && (known || self.by_dtls())
    }

    /// Whether the line is for sound, whatever way it goes.
    fn says_audio(&self) -> bool {
        self.kind.eq_ignore_ascii_case("audio")
    }

    /// Whether the line's keys are agreed on by DTLS (RFC 5764 §8).
    #[must_use]
    pub fn by_dtls(&self) -> bool {
        ["UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"]
            .iter()
            .any(|known| self.protocol.eq_ignore_ascii_case(known))
    }

    /// Whether the line allows no plain sound.
    #[must_use]
    pub fn must_be_sealed(&self) -> bool {
        ["RTP/SAVP", "RTP/SAVPF"].iter().any(|known| self.protocol.eq_ignore_ascii_case(known))
    }

    /// The payload types in order of preference.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> + '_ {
        self.formats.iter().filter_map(|f| payload_type(f))
    }

    /// The voice codec that `pt` stands for, by its `rtpmap` or, without one, by RFC 3551 §6.
    #[must_use]
    pub fn codec(&self, pt: u8) -> Option<Codec> {
        match self.maps.iter().find(|map| map.pt == pt) {
            Some(map) => Codec::ALL.into_iter().find(|codec| {
                map.name.eq_ignore_ascii_case(codec.name())
                    && map.clock_hz == codec.clock_hz()
                    && map.channels == codec.channels()
            }),
            None => {
                let number = |codec: &Codec| codec.payload_type() == pt && pt < FIRST_DYNAMIC_PT;
                Codec::ALL.into_iter().find(number)
            }
        }
    }

    /// The payload type and the clock, Hz, of telephone-event: at the clock of the voice beside it when
    /// it is there (RFC 4733 §2.1 asks for the same), else at 8 kHz, as phones with Opus often have it.
    #[must_use]
    pub fn event(&self, voice: Codec) -> Option<(u8, u32)> {
        let at = |clock_hz: u32| {
            let pt = self.payload_types().find(|pt| {
                self.maps.iter().find(|map| map.pt == *pt).is_some_and(|map| {
                    map.name.eq_ignore_ascii_case("telephone-event") && map.clock_hz == clock_hz
                })
            });
            pt.map(|pt| (pt, clock_hz))
        };
        at(voice.clock_hz()).or_else(|| at(8_000))
    }
}

/// A session description, reduced to what offer and answer need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Session id of `o=`, as written.
    pub session_id: String,
    /// Session version of `o=`, as written: a repeated version means nothing has changed (RFC 3264 §8).
    pub version: String,
    /// Start and stop of `t=`, which an answer repeats (RFC 3264 §6).
    pub time: (u64, u64),
    /// The session's `c=`.
    pub connection: Option<Address>,
    /// The session's direction.
    pub direction: Option<Direction>,
    /// What it says of DTLS and ICE for all of them.
    pub handshaking: Handshaking,
    /// The streams that are to share one port (RFC 9143), by their `mid`s.
    pub bundle: Vec<String>,
    /// The streams.
    pub media: Vec<Media>,
}

impl Session {
    /// The fingerprints that hold for `media`: its own, else the session's.
    #[must_use]
    pub fn fingerprints_of<'a>(&'a self, media: &'a Media) -> &'a [Fingerprint] {
        let own = &media.handshaking.fingerprints;
        if own.is_empty() { &self.handshaking.fingerprints } else { own }
    }

    /// Who begins the handshake of `media`.
    #[must_use]
    pub fn setup_of(&self, media: &Media) -> Option<Setup> {
        media.handshaking.setup.or(self.handshaking.setup)
    }

    /// The ICE credentials of `media`; none when it speaks no ICE, or says them wrongly.
    #[must_use]
    pub fn ice_of(&self, media: &Media) -> Option<Credentials> {
        let (own, all) = (&media.handshaking, &self.handshaking);
        let fragment = own.fragment.as_deref().or(all.fragment.as_deref())?;
        let password = own.password.as_ref().or(all.password.as_ref())?;
        Credentials::parse(fragment, password.reveal()).ok()
    }

    /// Where `media` is to be sent.
    #[must_use]
    pub fn connection_of(&self, media: &Media) -> Option<Address> {
        media.connection.or(self.connection)
    }

    /// Who sends, as the sayer sees it; both when nothing is written (RFC 8866 §6.7). A null address
    /// takes the sayer's listening away (RFC 3264 §8.4, for phones of RFC 2543).
    #[must_use]
    pub fn direction_of(&self, media: &Media) -> Direction {
        let said = media.direction.or(self.direction).unwrap_or(Direction::SendRecv);
        match self.connection_of(media) {
            // With ICE no address is said yet, and nothing is meant by it.
            Some(Address::Ip(ip)) if ip.is_unspecified() && !media.by_dtls() => {
                said.and(Direction::SendOnly)
            }
            _ => said,
        }
    }
}

/// Reads a session description.
///
/// Lines may end in CR LF or in LF alone. Types and attributes that a voice call does not need are
/// stepped over, also where RFC 8866 §5 would have us ignore the whole description: phones add
/// letters of their own.
///
/// # Errors
///
/// [`SdpError`] with the line's number; nothing is guessed.
pub fn parse(bytes: &[u8]) -> Result<Session, SdpError> {
    if bytes.len() > MAX_BYTES {
        return Err(SdpError::TooLarge { found: bytes.len(), limit: MAX_BYTES });
    }
    let mut reader = Reader::default();
    let mut seen_version = false;
    for (line, raw) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
        if raw.is_empty() {
            continue;
        }
        let [kind, b'=', value @ ..] = raw else {
            return Err(SdpError::BadLine { line, due: "a letter and an equals sign" });
        };
        if !seen_version && (*kind, value) != (b'v', b"0".as_slice()) {
            return Err(SdpError::BadLine { line, due: "v=0 as the first line" });
        }
        seen_version = true;
        if !matches!(kind, b'o' | b't' | b'c' | b'm' | b'a') {
            continue;
        }
        // Attributes may carry any charset (RFC 8866 §6.10); one that is not UTF-8 is none of ours.
        let value = match std::str::from_utf8(value) {
            Ok(value) => value,
            Err(_) if *kind == b'a' => "",
            Err(_) => return Err(SdpError::BadLine { line, due: "UTF-8" }),
        };
        reader.line(*kind, value, line)?;
    }
    if !seen_version {
        return Err(SdpError::BadLine { line: 1, due: "v=0 as the first line" });
    }
    Ok(reader.session)
}

/// The session as far as it is read.
struct Reader {
    session: Session,
    /// Attributes counted since the last `m=`.
    attributes: usize,
}

impl Default for Reader {
    fn default() -> Self {
        let session = Session {
            session_id: String::new(),
            version: String::new(),
            time: (0, 0),
            connection: None,
            direction: None,
            handshaking: Handshaking::default(),
            bundle: Vec::new(),
            media: Vec::new(),
        };
        Self { session, attributes: 0 }
    }
}

impl Reader {
    fn line(&mut self, kind: u8, value: &str, line: usize) -> Result<(), SdpError> {
        match kind {
            b'o' => {
                let mut words = value.split_ascii_whitespace().skip(1);
                let (Some(id), Some(version)) = (words.next(), words.next()) else {
                    return Err(SdpError::BadLine {
                        line,
                        due: "o=user id version IN IPn address",
                    });
                };
                id.clone_into(&mut self.session.session_id);
                version.clone_into(&mut self.session.version);
            }
            b't' => {
                let mut words = value.split_ascii_whitespace().map(str::parse);
                let (Some(Ok(start)), Some(Ok(stop))) = (words.next(), words.next()) else {
                    return Err(SdpError::BadLine { line, due: "t=start stop" });
                };
                self.session.time = (start, stop);
            }
            b'c' => {
                let found = connection(value)
                    .ok_or(SdpError::BadLine { line, due: "c=IN IP4 or IP6 and an address" })?;
                // A stream may list several addresses (RFC 8866 §5.7); the first is used.
                match self.session.media.last_mut() {
                    Some(media) => media.connection.get_or_insert(found),
                    None => self.session.connection.get_or_insert(found),
                };
            }
            b'm' => {
                if self.session.media.len() >= MAX_MEDIA {
                    return Err(SdpError::TooMany { what: "media lines", limit: MAX_MEDIA });
                }
                self.session.media.push(media(value, line)?);
                self.attributes = 0;
            }
            _ => {
                if let Some(other) = self.session.media.last_mut().filter(|m| !m.says_audio()) {
                    if let Some(mid) = value.strip_prefix("mid:") {
                        other.mid = token(mid.trim());
                    }
                    return Ok(());
                }
                if self.attributes >= MAX_ATTRIBUTES {
                    return Err(SdpError::TooMany { what: "attributes", limit: MAX_ATTRIBUTES });
                }
                self.attributes = self.attributes.saturating_add(1);
                self.attribute(value, line)?;
            }
        }
        Ok(())
    }

    fn attribute(&mut self, value: &str, line: usize) -> Result<(), SdpError> {
        let (name, value) = value.split_once(':').unwrap_or((value, ""));
        let direction = match name {
            "sendrecv" => Some(Direction::SendRecv),
            "sendonly" => Some(Direction::SendOnly),
            "recvonly" => Some(Direction::RecvOnly),
            "inactive" => Some(Direction::Inactive),
            _ => None,
        };
        let handshaking = match self.session.media.last_mut() {
            Some(media) => &mut media.handshaking,
            None => &mut self.session.handshaking,
        };
        match name {
            // One that is broken or of a broken hash is stepped over: another may do.
            "fingerprint" if handshaking.fingerprints.len() < MAX_FINGERPRINTS => {
                handshaking.fingerprints.extend(value.trim().parse::<Fingerprint>().ok());
            }
            "setup" => {
                handshaking.setup = match value.trim() {
                    "active" => Some(Setup::Active),
                    "passive" => Some(Setup::Passive),
                    "actpass" => Some(Setup::ActPass),
                    _ => None,
                };
            }
            "ice-ufrag" => handshaking.fragment = Some(value.trim().to_owned()),
            "ice-pwd" => handshaking.password = Some(value.trim().to_owned().into()),
            _ => {}
        }
        let Some(media) = self.session.media.last_mut() else {
            if name == "group"
                && let Some(mids) = value.trim().strip_prefix("BUNDLE ")
            {
                let mids = mids.split_ascii_whitespace().take(MAX_MEDIA);
                self.session.bundle = mids.filter_map(token).collect();
            }
            if direction.is_some() {
                self.session.direction = direction;
            }
            return Ok(());
        };
        if direction.is_some() {
            media.direction = direction;
        } else if name == "rtpmap" && media.protocol.to_ascii_uppercase().contains("RTP/") {
            let map =
                rtpmap(value).ok_or(SdpError::BadLine { line, due: "a=rtpmap:type name/clock" })?;
            media.maps.push(map);
        } else if name == "ptime" {
            media.ptime_ms = milliseconds(value);
        } else if name == "mid" {
            media.mid = token(value.trim());
        } else if name == "rtcp-mux" {
            media.mux = true;
        } else if name == "rtcp" {
            media.rtcp = rtcp(value);
        } else if name == "crypto" {
            // One that we cannot talk by is stepped over: another may do (RFC 4568 §5.1.2).
            let crypto = Crypto::parse(value).ok().filter(|_| media.cryptos.len() < MAX_CRYPTOS);
            media.cryptos.extend(crypto);
        } else if name == "maxptime" {
            media.max_ptime_ms = milliseconds(value);
        }
        Ok(())
    }
}

/// A payload type, 0 to 127 (RFC 3550 §5.1: seven bits).
fn payload_type(text: &str) -> Option<u8> {
    text.parse().ok().filter(|pt| *pt < 128)
}

/// Some phones write `20.0`; the fraction is dropped. Not a number, or above a minute: as if not written.
fn milliseconds(text: &str) -> Option<u16> {
    text.trim().split('.').next()?.parse().ok().filter(|ms| *ms <= 60_000)
}

/// `a=rtcp:port [network version address]` (RFC 3605 §2.1).
fn rtcp(value: &str) -> Option<(u16, Option<Address>)> {
    let (port, place) = value.trim().split_once(' ').unwrap_or((value.trim(), ""));
    let port = port.parse().ok().filter(|port| *port != 0)?;
    Some((port, connection(place)))
}

fn connection(value: &str) -> Option<Address> {
    let mut words = value.split_ascii_whitespace();
    let (network, version, address) = (words.next()?, words.next()?, words.next()?);
    if !network.eq_ignore_ascii_case("IN") {
        return Some(Address::Foreign);
    }
    // A group address carries its lifetime after a slash (RFC 8866 §5.7).
    let bare = address.split('/').next()?;
    let ip = if version.eq_ignore_ascii_case("IP4") {
        bare.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
    } else if version.eq_ignore_ascii_case("IP6") {
        bare.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    } else {
        None
    };
    Some(ip.map_or(Address::Foreign, Address::Ip))
}

fn media(value: &str, line: usize) -> Result<Media, SdpError> {
    let bad = |due| SdpError::BadLine { line, due };
    let mut words = value.split_ascii_whitespace();
    let due = "m=media port protocol formats";
    let (Some(kind), Some(port), Some(protocol)) = (words.next(), words.next(), words.next())
    else {
        return Err(bad(due));
    };
    // `port/count` is for layered streams; only the first port can be ours.
    let port = port.split('/').next().and_then(|port| port.parse().ok());
    let port: u16 = port.ok_or(bad("a port from 0 to 65535"))?;
    let mut formats = Vec::new();
    for format in words {
        if formats.len() >= MAX_FORMATS {
            return Err(SdpError::TooMany { what: "formats", limit: MAX_FORMATS });
        }
        formats.push(token(format).ok_or(bad(due))?);
    }
    if formats.is_empty() {
        return Err(bad(due));
    }
    let kind = token(kind).ok_or(bad(due))?;
    let protocol = token(protocol).ok_or(bad(due))?;
    if protocol.to_ascii_uppercase().contains("RTP/")
        && formats.iter().any(|format| payload_type(format).is_none())
    {
        return Err(bad("payload types from 0 to 127"));
    }
    Ok(Media {
        kind,
        port,
        protocol,
        formats,
        connection: None,
        direction: None,
        maps: Vec::new(),
        ptime_ms: None,
        max_ptime_ms: None,
        handshaking: Handshaking::default(),
        mid: None,
        mux: false,
        rtcp: None,
        cryptos: Vec::new(),
    })
}

/// A word that may be written into an answer: visible ASCII, not too long.
fn token(word: &str) -> Option<String> {
    let fits = word.len() <= MAX_TOKEN && word.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| word.to_owned())
}

fn rtpmap(value: &str) -> Option<PayloadMap> {
    let (pt, encoding) = value.trim_start().split_once(' ')?;
    let mut parts = encoding.trim().split('/');
    Some(PayloadMap {
        pt: payload_type(pt)?,
        name: parts.next().and_then(token)?,
        clock_hz: parts.next()?.trim().parse().ok()?,
        channels: match parts.next() {
            Some(channels) => channels.trim().parse().ok()?,
            None => 1,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";

    fn read(tail: &str) -> Result<Session, SdpError> {
        parse(format!("{HEAD}{tail}").as_bytes())
    }

    #[test]
    fn broken_descriptions_are_refused_with_their_line() {
        let bad = |line, due| Err::<(), _>(SdpError::BadLine { line, due });
        let table: [(&str, Vec<u8>, _); 9] = [
            ("empty", b"".to_vec(), bad(1, "v=0 as the first line")),
            ("other version", b"v=1\r\n".to_vec(), bad(1, "v=0 as the first line")),
            ("no equals sign", b"v=0\r\nhello\r\n".to_vec(), bad(2, "a letter and an equals sign")),
            (
                "half an origin",
                b"v=0\no=- 1\n".to_vec(),
                bad(2, "o=user id version IN IPn address"),
            ),
            (
                "port above 65535",
                b"v=0\nm=audio 70000 RTP/AVP 0\n".to_vec(),
                bad(2, "a port from 0 to 65535"),
            ),
            (
                "no format",
                b"v=0\nm=audio 4000 RTP/AVP\n".to_vec(),
                bad(2, "m=media port protocol formats"),
            ),
            (
                "payload type 128",
                b"v=0\nm=audio 4000 RTP/AVP 128\n".to_vec(),
                bad(2, "payload types from 0 to 127"),
            ),
            (
                "rtpmap of nothing",
                b"v=0\nm=audio 4000 RTP/AVP 96\na=rtpmap:96\n".to_vec(),
                bad(3, "a=rtpmap:type name/clock"),
            ),
            (
                "NUL in the media",
                b"v=0\nm=au\0dio 4000 RTP/AVP 0\n".to_vec(),
                bad(2, "m=media port protocol formats"),
            ),
        ];
        for (case, bytes, want) in table {
            assert_eq!(parse(&bytes).map(|_| ()), want, "{case}");
        }
    }

    #[test]
    fn bounds_hold_to_the_line() {
        let lines = |line: &str, count| line.repeat(count);
        let media = "m=audio 4000 RTP/AVP 0\r\n";
        assert!(read(&lines(media, MAX_MEDIA)).is_ok());
        assert!(matches!(
            read(&lines(media, MAX_MEDIA + 1)),
            Err(SdpError::TooMany { limit: 32, .. })
        ));
        let attribute = |count| read(&format!("{media}{}", lines("a=x\r\n", count)));
        assert!(attribute(MAX_ATTRIBUTES).is_ok());
        assert!(matches!(attribute(MAX_ATTRIBUTES + 1), Err(SdpError::TooMany { limit: 128, .. })));
        let formats = |count| read(&format!("m=audio 4000 RTP/AVP{}\r\n", lines(" 0", count)));
        assert!(formats(MAX_FORMATS).is_ok());
        assert!(matches!(formats(MAX_FORMATS + 1), Err(SdpError::TooMany { .. })));
        assert!(matches!(parse(&vec![b'v'; MAX_BYTES + 1]), Err(SdpError::TooLarge { .. })));
    }

    #[test]
    fn payload_types_mean_what_rtpmap_or_rfc_3551_says() {
        let table = [
            ("static µ-law", "m=audio 4 RTP/AVP 0\r\n", 0, Some(Codec::Pcmu)),
            ("static A-law", "m=audio 4 RTP/AVP 8\r\n", 8, Some(Codec::Pcma)),
            (
                "dynamic number",
                "m=audio 4 RTP/AVP 96\r\na=rtpmap:96 pcma/8000\r\n",
                96,
                Some(Codec::Pcma),
            ),
            (
                "wideband µ-law is another codec",
                "m=audio 4 RTP/AVP 96\r\na=rtpmap:96 PCMU/16000\r\n",
                96,
                None,
            ),
            ("two channels", "m=audio 4 RTP/AVP 96\r\na=rtpmap:96 PCMU/8000/2\r\n", 96, None),
            ("0 renamed", "m=audio 4 RTP/AVP 0\r\na=rtpmap:0 G729/8000\r\n", 0, None),
            ("unknown", "m=audio 4 RTP/AVP 18\r\n", 18, None),
            ("static G.722", "m=audio 4 RTP/AVP 9\r\n", 9, Some(Codec::G722)),
            ("Opus", "m=audio 4 RTP/AVP 96\r\na=rtpmap:96 OPUS/48000/2\r\n", 96, Some(Codec::Opus)),
            ("Opus' number without its name", "m=audio 4 RTP/AVP 111\r\n", 111, None),
            (
                "Opus of one channel is none",
                "m=audio 4 RTP/AVP 96\r\na=rtpmap:96 opus/48000\r\n",
                96,
                None,
            ),
        ];
        for (case, tail, pt, want) in table {
            assert_eq!(read(tail).unwrap().media[0].codec(pt), want, "{case}");
        }
    }

    #[test]
    fn hold_is_understood_in_all_its_spellings() {
        use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
        let table = [
            ("nothing said", "m=audio 4 RTP/AVP 0\r\n", SendRecv),
            ("in the media", "m=audio 4 RTP/AVP 0\r\na=sendonly\r\n", SendOnly),
            ("in the session", "a=inactive\r\nm=audio 4 RTP/AVP 0\r\n", Inactive),
            (
                "the media has the last word",
                "a=inactive\r\nm=audio 4 RTP/AVP 0\r\na=recvonly\r\n",
                RecvOnly,
            ),
            ("null address", "m=audio 4 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n", SendOnly),
            (
                "null address, IPv6",
                "m=audio 4 RTP/AVP 0\r\nc=IN IP6 ::\r\na=recvonly\r\n",
                Inactive,
            ),
        ];
        for (case, tail, want) in table {
            let session = read(tail).unwrap();
            assert_eq!(session.direction_of(&session.media[0]), want, "{case}");
        }
    }
}
