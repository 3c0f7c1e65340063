//! Sign-ins that need two methods: the first leaves a record in `_mfas`, whose id the second brings.

use mito_database::Tx;

use crate::{
    Collection, Error, Records, RequestInfo,
    accounts::{
        auth::{Proof, seconds},
        options::AuthOptions,
        sessions::millis,
        system::{MFAS, Owner},
    },
    fields::dates,
    records::access::{self, Target},
};

/// The longest id that is looked up, in bytes.
const MAX_ID: usize = 100;

impl Records {
    /// The id of a first step if a second is needed now; `None` when the account may go on.
    pub(crate) fn second_factor(
        &self,
        tx: &mut Tx<'_>,
        collection: &Collection,
        options: &AuthOptions,
        proof: &Proof,
        info: &RequestInfo,
    ) -> Result<Option<String>, Error> {
        if !options.mfa.enabled {
            return Ok(None);
        }
        let (rule, target) = (&options.mfa.rule, Target::Id(&proof.record));
        if !access::check(self, tx, collection, rule, target, info)? {
            return Ok(None);
        }
        let owner = Owner {
            collection: &collection.id,
            record: &proof.record,
        };
        let mfa_id = info.parameter("mfaId");
        if mfa_id.is_empty() {
            let method = [("method", proof.method.name())];
            let id = self.add_system_record(tx, MFAS, owner, &method, None)?;
            return Ok(Some(id));
        }
        let first = first_method(tx, mfa_id, owner, options)?;
        if first == proof.method.name() {
            let message = "A different authentication method is required.";
            return Err(Error::Invalid(message.to_owned()));
        }
        self.remove_system_record(tx, MFAS, mfa_id)?;
        Ok(None)
    }
}

/// The method of a first step of this account that is not too long ago.
fn first_method(
    tx: &mut Tx<'_>,
    mfa_id: &str,
    owner: Owner<'_>,
    options: &AuthOptions,
) -> Result<String, Error> {
    let over = || Error::Invalid("Invalid or expired MFA session.".to_owned());
    if mfa_id.len() > MAX_ID || mfa_id.contains('\0') {
        return Err(over());
    }
    let since = dates::format_ms(tx.now_ms() - millis(seconds(options.mfa.duration)));
    let row = tx.query_one(
        "SELECT method FROM \"_mfas\" WHERE id = $1 AND \"collectionRef\" = $2 \
         AND \"recordRef\" = $3 AND created > $4",
        &[&mfa_id, &owner.collection, &owner.record, &since],
    )?;
    Ok(row.ok_or_else(over)?.get("method")?)
}
