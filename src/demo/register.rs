//! How a demonstration agent's phone registers (RFC 3261 §10.2), with digest.

use crate::base::{Private, Rng};
use crate::sip::api::Transport;
use crate::sip::digest::Challenge;
use crate::sip::{HeaderName, Method, NameAddr, Response, Uri, Via, Writer};
use bytes::Bytes;
use std::net::SocketAddr;
use std::time::Duration;

/// Asked for, in seconds.
const EXPIRES_S: u32 = 300;

/// One phone's registration.
pub struct Registration {
    user: String,
    password: Private<String>,
    local: SocketAddr,
    desk: SocketAddr,
    rng: Rng,
    call_id: String,
    tag: String,
    cseq: u32,
    registered: bool,
    /// One answer to a challenge for each request, so that a wrong password is not tried for ever.
    may_answer: bool,
}

impl Registration {
    /// Not registered yet.
    pub fn new(
        user: String,
        password: Private<String>,
        local: SocketAddr,
        desk: SocketAddr,
        mut rng: Rng,
    ) -> Self {
        let (call_id, tag) = (rng.token(), rng.token());
        Self {
            user,
            password,
            local,
            desk,
            rng,
            call_id,
            tag,
            cseq: 0,
            registered: false,
            may_answer: true,
        }
    }

    /// The next REGISTER.
    pub fn request(&mut self) -> Bytes {
        self.may_answer = true;
        self.write(None)
    }

    /// When the next is due: soon while the desk does not answer.
    pub const fn again_after(&self) -> Duration {
        if self.registered { Duration::from_secs(120) } else { Duration::from_secs(3) }
    }

    /// Takes the desk's answer; a challenge gives the request to be sent next.
    pub fn answered(&mut self, response: &Response) -> Option<Bytes> {
        self.registered = (200..300).contains(&response.status);
        if response.status != 401 || !self.may_answer {
            return None;
        }
        self.may_answer = false;
        let challenge = Challenge::pick(response.head.headers.all(&HeaderName::WwwAuthenticate))?;
        let cnonce = self.rng.token();
        let uri = self.uri();
        let value = challenge.answer(
            &self.user,
            self.password.reveal(),
            &Method::Register,
            &uri,
            &cnonce,
            1,
        );
        Some(self.write(Some(&value)))
    }

    fn uri(&self) -> String {
        format!("sip:{}", self.desk)
    }

    fn write(&mut self, authorization: Option<&str>) -> Bytes {
        self.cseq = self.cseq.saturating_add(1);
        let branch = format!("z9hG4bK{}", self.rng.token());
        let address = NameAddr::new(Uri::at(Some(&self.user), self.desk));
        let mut writer = Writer::request(&Method::Register, self.uri());
        writer
            .via(&Via::new(Transport::Udp, self.local, &branch, true))
            .from(&address.clone().with_tag(&self.tag))
            .to(&address)
            .call_id(&self.call_id)
            .cseq(self.cseq, &Method::Register)
            .contact(Uri::at(Some(&self.user), self.local))
            .header(&HeaderName::MaxForwards, 70)
            .header(&HeaderName::Expires, EXPIRES_S);
        if let Some(value) = authorization {
            writer.header(&HeaderName::Authorization, value);
        }
        writer.finish()
    }
}
