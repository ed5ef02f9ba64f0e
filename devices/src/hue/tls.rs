//! Whether a hub is the hub: its certificate.
//!
//! A hub's certificate is no business of a browser's authorities. Either Signify made it, for just this hub, or it is the
//! one that the hub showed when it was paired. Addresses mean nothing here, and neither do dates of a pinned certificate.

use super::{host::Host, protocol::fault::Fault};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor,
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    server::ParsedCertificate,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Signify's own authorities: that of the square hubs since 2017, and the one that followed in 2025.
const SIGNIFY: &[u8] = include_bytes!("signify.pem");

/// Which certificate is believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Trust {
    /// One that Signify made for the hub with this identifier.
    Signify(String),
    /// The one with this SHA-256, in hexadecimal.
    Pinned(String),
}

/// Makes TLS connections to one hub, and looks at its certificate.
pub(super) struct Guard {
    config: Arc<ClientConfig>,
    verifier: Arc<Verifier>,
}

/// What was seen of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) sha256: String,
    /// The common name, if Signify vouches for it.
    pub(super) vouched: Option<String>,
}

impl Guard {
    /// With nothing to believe in yet, whatever comes first is believed, and only that afterwards.
    pub(super) fn new(trust: Option<Trust>) -> Self {
        Self::with_roots(trust, SIGNIFY)
    }

    fn with_roots(trust: Option<Trust>, roots_pem: &[u8]) -> Self {
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(roots_pem).flatten() {
            roots.add(root).expect("the authorities are built in, and a test reads them");
        }
        let provider = Arc::new(ring::default_provider());
        let state = Mutex::new(State { trust, seen: None, refusal: None });
        let verifier = Arc::new(Verifier { roots, provider: Arc::clone(&provider), state });
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has them")
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        Self { config: Arc::new(config), verifier }
    }

    pub(super) async fn shake_hands(
        &self,
        host: &Host,
        socket: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Fault> {
        let name = ServerName::try_from(host.name().to_owned());
        let name = name.map_err(|_| Fault::Absent(format!("{} cannot be a server's name", host.name())))?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        connector.connect(name, socket).await.map_err(|error| match self.verifier.state().refusal.take() {
            Some(refusal) => Fault::Impostor(refusal),
            None => Fault::Absent(format!("no TLS: {error}")),
        })
    }

    /// The certificate of the latest connection.
    pub(super) fn seen(&self) -> Option<Seen> {
        self.verifier.state().seen.clone()
    }
}

impl Seen {
    /// What to believe of a hub that shows this and calls itself `hub_id`.
    pub(super) fn trust(self, hub_id: &str) -> Result<Trust, Fault> {
        match self.vouched {
            Some(name) if name.eq_ignore_ascii_case(hub_id) => Ok(Trust::Signify(hub_id.to_owned())),
            Some(name) => Err(Fault::Impostor(format!(
                "the hub calls itself {hub_id}, but shows the certificate of {name}; nothing was sent to it"
            ))),
            None => Ok(Trust::Pinned(self.sha256)),
        }
    }
}

#[derive(Debug)]
struct Verifier {
    roots: RootCertStore,
    provider: Arc<CryptoProvider>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    trust: Option<Trust>,
    seen: Option<Seen>,
    refusal: Option<String>,
}

impl Verifier {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The common name, if one of the authorities signed the certificate and it is valid now.
    fn vouched(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Option<String> {
        let parsed = ParsedCertificate::try_from(certificate).ok()?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, between, now, algorithms).ok()?;
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        let name = certificate.subject().iter_common_name().next()?.as_str().ok()?;
        Some(name.to_owned())
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let seen = Seen {
            sha256: hexadecimal(&Sha256::digest(certificate.as_ref())),
            vouched: self.vouched(certificate, between, now),
        };
        let mut state = self.state();
        let refusal = match &state.trust {
            None => None,
            Some(Trust::Signify(id)) => match &seen.vouched {
                Some(name) if name.eq_ignore_ascii_case(id) => None,
                _ => Some(format!(
                    "the certificate is not the one that Signify made for hub {id}: somebody may pretend to be the \
                     hub; if it was replaced, forget it and pair it again"
                )),
            },
            Some(Trust::Pinned(sha256)) if *sha256 == seen.sha256 => None,
            Some(Trust::Pinned(sha256)) => Some(format!(
                "the hub's certificate has changed since it was paired (SHA-256 {}, then {}): somebody may pretend to \
                 be the hub; if it was replaced or updated, forget it and pair it again",
                short(&seen.sha256),
                short(sha256)
            )),
        };
        if let Some(refusal) = refusal {
            state.refusal = Some(refusal);
            return Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure));
        }
        if state.trust.is_none() {
            state.trust = Some(Trust::Pinned(seen.sha256.clone()));
        }
        state.seen = Some(seen);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn short(sha256: &str) -> &str {
    sha256.get(..16).unwrap_or(sha256)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    const HUB: &str = "001788fffe123456";

    /// An authority, and the certificates that it makes.
    struct Authority {
        pem: String,
        issuer: Issuer<'static, KeyPair>,
    }

    impl Authority {
        fn new() -> Self {
            let key = KeyPair::generate().unwrap();
            let mut params = named("root-bridge");
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let pem = params.self_signed(&key).unwrap().pem();
            Self { pem, issuer: Issuer::new(params, key) }
        }

        fn certificate(&self, name: &str) -> CertificateDer<'static> {
            let key = KeyPair::generate().unwrap();
            named(name).signed_by(&key, &self.issuer).unwrap().into()
        }

        fn guard(&self, trust: Option<Trust>) -> Guard {
            Guard::with_roots(trust, self.pem.as_bytes())
        }
    }

    fn named(name: &str) -> CertificateParams {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params
    }

    fn self_signed(name: &str) -> CertificateDer<'static> {
        named(name).self_signed(&KeyPair::generate().unwrap()).unwrap().into()
    }

    /// Shows a certificate; gives why it is refused.
    fn show(guard: &Guard, certificate: &CertificateDer<'static>) -> Result<(), String> {
        let name = ServerName::try_from("192.168.1.20").unwrap();
        let shown = guard.verifier.verify_server_cert(certificate, &[], &name, &[], UnixTime::now());
        shown.map(|_| ()).map_err(|_| guard.verifier.state().refusal.clone().unwrap())
    }

    fn trust_after(guard: &Guard) -> Result<Trust, Fault> {
        guard.seen().unwrap().trust(HUB)
    }

    #[test]
    fn the_built_in_authorities_can_be_read() {
        assert_eq!(Guard::new(None).verifier.roots.len(), 2);
        let prints: Vec<_> = CertificateDer::pem_slice_iter(SIGNIFY)
            .map(|root| hexadecimal(&Sha256::digest(root.unwrap().as_ref())))
            .collect();
        assert!(prints[0].starts_with("f0bd8e6509e82f77") && prints[1].starts_with("d8b89448b2af8e16"));
    }

    #[test]
    fn what_the_authority_made_for_this_hub_is_believed_and_nothing_else() {
        let authority = Authority::new();
        let learning = authority.guard(None);
        assert_eq!(show(&learning, &authority.certificate(HUB)), Ok(()));
        let trust = trust_after(&learning).unwrap();
        assert_eq!(trust, Trust::Signify(HUB.to_owned()));
        let guard = || authority.guard(Some(trust.clone()));
        assert_eq!(show(&guard(), &authority.certificate(HUB)), Ok(()), "it may be renewed");
        assert!(show(&guard(), &authority.certificate("001788fffe999999")).is_err(), "another hub's");
        assert!(show(&guard(), &self_signed(HUB)).is_err());
        assert!(show(&guard(), &Authority::new().certificate(HUB)).is_err(), "another authority's");
    }

    #[test]
    fn another_hubs_certificate_is_not_learnt() {
        let authority = Authority::new();
        let learning = authority.guard(None);
        assert_eq!(show(&learning, &authority.certificate("001788fffe999999")), Ok(()));
        assert!(matches!(trust_after(&learning), Err(Fault::Impostor(_))));
    }

    #[test]
    fn a_certificate_that_nobody_vouches_for_is_pinned_from_its_first_sight() {
        let authority = Authority::new();
        let learning = authority.guard(None);
        let first = self_signed(HUB);
        assert_eq!(show(&learning, &first), Ok(()));
        assert!(show(&learning, &self_signed(HUB)).is_err(), "already while it is paired");
        let trust = trust_after(&learning).unwrap();
        assert!(matches!(trust, Trust::Pinned(_)));
        assert_eq!(show(&authority.guard(Some(trust.clone())), &first), Ok(()));
        let refusal = show(&authority.guard(Some(trust)), &self_signed(HUB)).unwrap_err();
        assert!(refusal.contains("has changed since it was paired"), "{refusal}");
    }
}
