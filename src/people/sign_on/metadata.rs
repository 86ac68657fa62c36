//! What a provider says of itself (`OpenID` Connect Discovery 1.0 §3).

use super::{Doubt, MOST_ADDRESS};
use http::Uri;
use serde::Deserialize;

/// How we show the provider who we are (Core §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// By the Authorization header.
    Basic,
    /// By fields of the form.
    Post,
}

/// What of it we need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Where browsers are sent.
    pub authorization: String,
    /// Where a code is traded for tokens.
    pub token: Uri,
    /// Where its keys are.
    pub keys: Uri,
    /// How we show who we are.
    pub auth: ClientAuth,
    /// Whether its answers to a browser name it (RFC 9207 §3).
    pub names_itself: bool,
}

#[derive(Deserialize)]
struct Said {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Reads it. `plain` allows addresses without TLS.
    ///
    /// # Errors
    ///
    /// [`Doubt`].
    pub fn read(body: &[u8], issuer: &str, plain: bool) -> Result<Self, Doubt> {
        let said: Said = serde_json::from_slice(body).map_err(|_| Doubt::Metadata)?;
        // Discovery §4.3: exactly, or somebody could speak for another.
        if said.issuer != issuer {
            return Err(Doubt::OtherIssuer);
        }
        let address = |text: &str| {
            let fits = text.len() <= MOST_ADDRESS && !text.contains(['#', '@']);
            let read = text.parse::<Uri>().ok().filter(|uri| {
                let scheme = uri.scheme_str();
                uri.host().is_some() && (scheme == Some("https") || plain && scheme == Some("http"))
            });
            read.filter(|_| fits).ok_or(Doubt::Address)
        };
        address(&said.authorization_endpoint)?;
        // Left out, it is the header (Discovery §3).
        let methods = said.token_endpoint_auth_methods_supported.unwrap_or_default();
        let has = |name: &str| methods.iter().any(|method| method == name);
        let only_post = has("client_secret_post") && !has("client_secret_basic");
        Ok(Self {
            authorization: said.authorization_endpoint,
            token: address(&said.token_endpoint)?,
            keys: address(&said.jwks_uri)?,
            auth: if only_post { ClientAuth::Post } else { ClientAuth::Basic },
            names_itself: said.authorization_response_iss_parameter_supported,
        })
    }
}
