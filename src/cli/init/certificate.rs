//! A certificate that signs itself, until the site's authority gives another.

use super::answers::Answers;
use crate::base::Private;
use chrono::{Datelike as _, NaiveDate, TimeDelta};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// Days that it holds: browsers and phones believe none that is valid for longer.
const DAYS: i64 = 825;

/// Certificate and key in PEM, for the desk's address and name.
///
/// # Errors
///
/// What rcgen says.
pub(super) fn make(
    answers: &Answers,
    today: NaiveDate,
) -> Result<(String, Private<String>), rcgen::Error> {
    let mut names: Vec<String> = answers.host.iter().cloned().collect();
    names.push(answers.address.to_string());
    let common = names.first().cloned().unwrap_or_default();
    let mut parameters = CertificateParams::new(names)?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, common);
    parameters.distinguished_name = subject;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    // From yesterday on: a phone's clock may be slow.
    let from = today.checked_sub_signed(TimeDelta::days(1)).unwrap_or(today);
    let until = today.checked_add_signed(TimeDelta::days(DAYS)).unwrap_or(today);
    let at = |day: NaiveDate| {
        let part = |part: u32| u8::try_from(part).unwrap_or(1);
        date_time_ymd(day.year(), part(day.month()), part(day.day()))
    };
    (parameters.not_before, parameters.not_after) = (at(from), at(until));
    let key = KeyPair::generate()?;
    let certificate = parameters.self_signed(&key)?;
    Ok((certificate.pem(), Private::new(key.serialize_pem())))
}
