//! What carriers do differently, as values: a profile is a starting point, and each of its values can
//! be set by itself. No code asks for a profile's name; it asks for the value.

use std::time::Duration;

/// Where the called number stands in an INVITE of the carrier's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Called {
    /// In P-Called-Party-ID (RFC 7315 §4.2); where it is missing, in To.
    PCalledPartyId,
    /// In To.
    To,
    /// In the Request-URI.
    RequestUri,
}

/// Where we say which number of ours calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityOut {
    /// In From alone.
    From,
    /// In From and P-Asserted-Identity (RFC 3325 §9.1): the carrier trusts us.
    Asserted,
    /// In From and P-Preferred-Identity (RFC 3325 §9.2): the carrier asserts what we prefer.
    Preferred,
}

/// How a caller's wish is passed on that its number be withheld (184).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withhold {
    /// From is anonymous and `Privacy: id` stands beside it (RFC 3323 §4.1, RFC 3325 §9.3).
    Privacy,
    /// The prefix 184 or 186 stays before the number; the carrier's exchange obeys it.
    Prefix,
}

/// How numbers are written to the carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// `0312345678`.
    National,
    /// `+81312345678`; what has no such form (0120, 0570, 050, 1XY) stays as it is.
    International,
}

/// Whether and how we register with the carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// We do not.
    None,
    /// Without a password: the line itself proves who we are.
    Plain,
    /// With a password.
    Digest,
}

/// The user part of the Contact that we register and call with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactUser {
    /// Drawn anew at each start.
    Random,
    /// The user that we register.
    User,
}

/// Whether reliable provisional answers are offered (RFC 3262).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reliable {
    /// `Supported: 100rel`.
    Supported,
    /// Not mentioned.
    Off,
}

/// What a trunk is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Where the called number stands.
    pub called: Called,
    /// Where we say who calls.
    pub identity: IdentityOut,
    /// How a number is withheld.
    pub withhold: Withhold,
    /// How numbers are written.
    pub numbers: Numbers,
    /// Whether our Via asks for `rport` (RFC 3581 §3).
    pub rport: bool,
    /// The port that we must send from; none: whichever listener fits.
    pub source_port: Option<u16>,
    /// Whether we register.
    pub registration: Registration,
    /// The user part of our Contact.
    pub contact: ContactUser,
    /// The lease that we ask for.
    pub expires: Duration,
    /// Session-Expires that we ask for (RFC 4028 §4); none: we ask for no session timer.
    pub session_expires: Option<Duration>,
    /// Min-SE that we ask for, and the least that we accept (RFC 4028 §5).
    pub min_se: Duration,
    /// Whether reliable provisional answers are offered.
    pub reliable: Reliable,
    /// Whether the carrier's P-Asserted-Identity is believed (RFC 3325 §5).
    pub trust_asserted: bool,
}

impl Profile {
    /// The names of the profiles, as the configuration writes them.
    pub const NAMES: [&'static str; 4] =
        ["ngn-direct", "home-gateway", "digest-trunk", "generic-ip"];

    /// The profile of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "ngn-direct" => Some(Self::ngn_direct()),
            "home-gateway" => Some(Self::home_gateway()),
            "digest-trunk" => Some(Self::digest_trunk()),
            "generic-ip" => Some(Self::generic_ip()),
            _ => None,
        }
    }

    /// The carriers' network itself (ひかり電話 without a home gateway between).
    #[must_use]
    pub const fn ngn_direct() -> Self {
        Self {
            called: Called::PCalledPartyId,
            identity: IdentityOut::From,
            withhold: Withhold::Prefix,
            numbers: Numbers::National,
            rport: false,
            source_port: Some(5060),
            registration: Registration::Plain,
            contact: ContactUser::Random,
            expires: Duration::from_secs(3600),
            session_expires: Some(Duration::from_secs(300)),
            min_se: Duration::from_secs(300),
            reliable: Reliable::Supported,
            trust_asserted: true,
        }
    }

    /// Behind a home gateway, as one of its extensions.
    #[must_use]
    pub const fn home_gateway() -> Self {
        Self {
            called: Called::To,
            identity: IdentityOut::From,
            withhold: Withhold::Prefix,
            numbers: Numbers::National,
            rport: true,
            source_port: None,
            registration: Registration::Digest,
            contact: ContactUser::User,
            expires: Duration::from_secs(3600),
            session_expires: Some(Duration::from_secs(1800)),
            min_se: Duration::from_secs(90),
            reliable: Reliable::Off,
            trust_asserted: false,
        }
    }

    /// A carrier that gives out a user and a password.
    #[must_use]
    pub const fn digest_trunk() -> Self {
        Self {
            called: Called::To,
            identity: IdentityOut::Preferred,
            withhold: Withhold::Privacy,
            registration: Registration::Digest,
            reliable: Reliable::Supported,
            trust_asserted: true,
            ..Self::home_gateway()
        }
    }

    /// A peer that is known by its address alone.
    #[must_use]
    pub const fn generic_ip() -> Self {
        Self {
            called: Called::RequestUri,
            identity: IdentityOut::Asserted,
            registration: Registration::None,
            ..Self::digest_trunk()
        }
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::generic_ip()
    }
}

#[cfg(test)]
mod tests {
    use super::{Profile, Registration};

    #[test]
    fn every_named_profile_exists_and_no_other() {
        for name in Profile::NAMES {
            assert!(Profile::named(name).is_some(), "{name}");
        }
        assert_eq!(Profile::named("NGN"), None);
        assert_eq!(Profile::default().registration, Registration::None);
    }
}
