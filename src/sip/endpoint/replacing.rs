//! Which of our legs an INVITE with Replaces or Join means, and who may name one (RFC 3891, RFC 3911).

use super::Endpoint;
use crate::base::LegId;
use crate::sip::Request;
use crate::sip::api::Source;
use crate::sip::dialog::Token;
use crate::sip::leg::Stage;
use crate::sip::replaces::{Malformed, Named, Takes};

impl Endpoint {
    /// The leg whose place the INVITE takes.
    ///
    /// # Errors
    ///
    /// The status that the INVITE is refused with.
    pub(super) fn taken_over(
        &self,
        request: &Request,
        source: &Source,
    ) -> Result<Option<LegId>, u16> {
        let takes = Takes::read(&request.head).map_err(|Malformed| 400_u16)?;
        if let (Takes::Place(_) | Takes::Part(_), Source::Trunk(_)) = (&takes, source) {
            return Err(403); // only our own phones
        }
        match takes {
            Takes::Nothing => Ok(None),
            Takes::Place(named) => match self.named(&named) {
                Some((leg, Stage::Rings)) => Ok(Some(leg)),
                // §3: answered already.
                Some((_, Stage::Up)) if named.early_only => Err(486),
                Some((leg, Stage::Up)) => Ok(Some(leg)),
                // §3: over, or on its way there.
                Some((_, Stage::Ends)) => Err(603),
                None => Err(481),
            },
            // We mix no voices (RFC 3911 §4).
            Takes::Part(named) => Err(if self.named(&named).is_some() { 488 } else { 481 }),
        }
    }

    fn named(&self, named: &Named<'_>) -> Option<(LegId, Stage)> {
        let id = *self.tags.get(Token::parse(named.to_tag)?.0)?;
        let stage = self.legs.get(id.0)?.stage(named.call_id, named.from_tag)?;
        Some((id, stage))
    }
}
