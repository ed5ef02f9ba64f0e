//! TLS to a broker: whom we trust, and the handshake.
//!
//! Certificates are always checked; whoever runs a broker with a certificate of their own names the authority's file.

use anyhow::Context as _;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use std::{io, path::Path, sync::Arc};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// The authorities whose certificates are believed.
pub(super) struct Trust(Arc<ClientConfig>);

impl Trust {
    /// The authorities of this file (PEM), or those of the system.
    pub(super) fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        match file {
            Some(file) => {
                let name = file.display();
                let certificates = CertificateDer::pem_file_iter(file)
                    .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                    .with_context(|| format!("--ca {name}: certificates in PEM are expected"))?;
                anyhow::ensure!(!certificates.is_empty(), "--ca {name}: there is no certificate in it");
                for certificate in certificates {
                    roots.add(certificate).with_context(|| format!("--ca {name}"))?;
                }
            }
            None => {
                // One that cannot be read is one that is not believed; without any, the handshake says so.
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }
}

/// The handshake; fails if the certificate is not this host's or not from a trusted authority.
pub(super) async fn open(trust: &Trust, host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    TlsConnector::from(Arc::clone(&trust.0)).connect(name, stream).await
}
