//! The hub's certificate, in the shape of a real one: EC P-256, the bridge id as its common name and no other names,
//! issued by a root that no browser knows.

use super::home::BridgeId;
use anyhow::Context as _;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Certificate, its key and its root, as text.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Identity {
    pub(crate) certificate: String,
    key: String,
    /// The root's certificate; its key is forgotten.
    pub(crate) root: String,
}

impl Identity {
    pub(crate) fn issue(id: &BridgeId) -> anyhow::Result<Self> {
        let root_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut root = named("root-bridge")?;
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root_certificate = root.self_signed(&root_key)?;

        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut leaf = named(id.as_str())?;
        leaf.is_ca = IsCa::ExplicitNoCa;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        let certificate = leaf.signed_by(&key, &Issuer::new(root, root_key))?;
        Ok(Self { certificate: certificate.pem(), key: key.serialize_pem(), root: root_certificate.pem() })
    }

    /// For the https listener.
    pub(crate) fn server(&self) -> anyhow::Result<Arc<ServerConfig>> {
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes())
            .context("the hub's certificate cannot be read")?;
        let key =
            PrivateKeyDer::from_pem_slice(self.key.as_bytes()).context("the hub's key cannot be read")?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn named(common_name: &str) -> anyhow::Result<CertificateParams> {
    let mut parameters = CertificateParams::new(Vec::new())?;
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "NL");
    name.push(DnType::OrganizationName, "Philips Hue");
    name.push(DnType::CommonName, common_name);
    parameters.distinguished_name = name;
    (parameters.not_before, parameters.not_after) = (date_time_ymd(2017, 1, 1), date_time_ymd(2038, 1, 19));
    Ok(parameters)
}
