//! Addresses of servers outside that a person configures: read, and judged as far as the text alone tells.

use http::Uri;
use std::net::IpAddr;

/// Why an address cannot stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AddressFault {
    /// Not an address that can be asked; it may hold a secret, so it is not shown.
    Bad,
    /// Without TLS.
    Plain { host: String },
    /// Of this machine or of a private network.
    Private { host: String },
}

/// The address and its host. `private` lets it be in a private network, and without TLS.
pub(super) fn judged(text: &str, private: bool) -> Result<(Uri, String), AddressFault> {
    let read = text.parse::<Uri>().ok().and_then(|url| {
        let host = bare(&url)?;
        // What it would hold of a name and password would stand in logs.
        let is_bare = !url.authority()?.as_str().contains('@');
        let is_http = matches!(url.scheme_str(), Some("http" | "https"));
        (is_http && is_bare && !host.is_empty()).then_some((url, host))
    });
    let Some((url, host)) = read else { return Err(AddressFault::Bad) };
    if url.scheme_str() == Some("http") && !private {
        return Err(AddressFault::Plain { host });
    }
    let is_ours = host.parse::<IpAddr>().is_ok_and(|ip| !is_elsewhere(ip)) || host == "localhost";
    if is_ours && !private {
        return Err(AddressFault::Private { host });
    }
    Ok((url, host))
}

/// Whether it can be looked at with a browser.
pub(super) fn is_link(text: &str) -> bool {
    text.parse::<Uri>()
        .is_ok_and(|url| matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some())
}

/// Its host, an address without brackets.
pub(super) fn bare(url: &Uri) -> Option<String> {
    Some(url.host()?.trim_start_matches('[').trim_end_matches(']').to_owned())
}

/// Neither this machine nor a private network, as far as an address written by itself tells; where a name
/// leads is judged when it is connected to.
fn is_elsewhere(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified())
        }
        IpAddr::V6(ip) => {
            let [first, ..] = ip.segments();
            first & 0xe000 == 0x2000
        }
    }
}
