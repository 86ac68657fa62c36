//! What a process is started with: who may do what, and what the views are told.

use super::Host;
use crate::base::{Private, TrunkId};
use crate::simulate::scene::PhoneMake;
use crate::simulate::world::CARRIER;
use crate::sip::api::{Account, AccountPolicy, AccountSecret, Directory, Trunk};
use crate::sip::trunk::Profile;
use crate::view::{self, Setup};
use std::net::SocketAddr;

/// The password of an extension.
#[must_use]
pub fn password(extension: &str) -> String {
    format!("secret-of-{extension}")
}

impl Host {
    pub(super) fn directory(&self) -> Directory {
        let account = |phone: &PhoneMake| {
            let user = phone.extension.as_str().to_owned();
            let secret = AccountSecret::Password(Private::new(password(&user)));
            (user, Account { secret, policy: AccountPolicy::default() })
        };
        let carrier = SocketAddr::new(CARRIER, 0);
        Directory {
            accounts: self.scene.phones.iter().filter(|p| p.registers).map(account).collect(),
            trunks: vec![Trunk {
                id: TrunkId::from("carrier"),
                sources: vec![carrier],
                transport: None,
                profile: Profile::default(),
                upstream: None,
            }],
            fixed_phones: self
                .fixed
                .iter()
                .map(|(number, at)| (number.clone(), format!("sip:{number}@{at}")))
                .collect(),
        }
    }

    pub(super) fn setup(&self) -> Setup {
        let plan = &self.scene.plan;
        Setup {
            desk: plan.name.clone(),
            demonstration: false,
            timezone: plan.timezone,
            policy: view::Policy::default(),
            agents: plan
                .agents
                .iter()
                .map(|(id, agent)| (id.clone(), agent.name.clone()))
                .collect(),
        }
    }
}
