//! A signature to check that is no loan of the engine's: other requests use it meanwhile.

use alloc::{borrow::ToOwned, vec::Vec};

use keybound_core::{
    algorithm::Algorithm,
    key::PublicKey,
    signature::{AsyncSignatureVerifier, SignatureCheck, SignatureError},
};

#[derive(Debug)]
pub(crate) struct PendingCheck {
    algorithm: Algorithm,
    key: PublicKey,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl PendingCheck {
    pub(crate) fn of(check: SignatureCheck<'_>) -> Self {
        let SignatureCheck { algorithm, key, message, signature } = check;
        Self { algorithm, key: key.clone(), message: message.to_owned(), signature: signature.to_owned() }
    }

    /// The answer about it. Where there is nothing to check nobody looks at the answer.
    pub(crate) async fn verify<V: AsyncSignatureVerifier>(
        check: Option<Self>,
        verifier: &V,
    ) -> Result<(), SignatureError> {
        let Some(Self { algorithm, key, message, signature }) = check else { return Err(SignatureError) };
        verifier.verify(SignatureCheck { algorithm, key: &key, message: &message, signature: &signature }).await
    }
}
