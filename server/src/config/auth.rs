//! `auth.*`: who may come, and who may do what.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{fmt, path::PathBuf};

/// Who may come, and who may do what.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Auth {
    /// Who need not sign in.
    pub(crate) anonymous: Anonymous,
    /// What those are told who may not do something.
    pub(crate) refusal: Refusal,
    /// Who has which password; `None` if nobody has one.
    pub(crate) passwords: Option<PathBuf>,
    /// Who may read and write what; `None` if everybody may do everything.
    pub(crate) acl: Option<PathBuf>,
}

/// Who need not sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Anonymous {
    /// `true`
    Everywhere,
    /// `"loopback"`: programs on this machine.
    #[default]
    Loopback,
    /// `false`
    Nowhere,
}

/// What those are told who may not do something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Refusal {
    /// What it is: 0x87.
    #[default]
    NotAuthorized,
    /// That it failed: 0x80.
    Unspecified,
}

impl Serialize for Anonymous {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Everywhere => serializer.serialize_bool(true),
            Self::Loopback => serializer.serialize_str(LOOPBACK),
            Self::Nowhere => serializer.serialize_bool(false),
        }
    }
}

impl<'de> Deserialize<'de> for Anonymous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl serde::de::Visitor<'_> for Visitor {
    type Value = Anonymous;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"loopback\", true or false")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Anonymous, E> {
        Ok(if value { Anonymous::Everywhere } else { Anonymous::Nowhere })
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Anonymous, E> {
        match value {
            LOOPBACK => Ok(Anonymous::Loopback),
            other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
        }
    }
}

const LOOPBACK: &str = "loopback";
