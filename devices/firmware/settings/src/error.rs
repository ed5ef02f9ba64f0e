//! Why bytes are no settings, in words for the maker who holds the board.

use core::fmt;

/// Why a sector holds no settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingsError {
    /// The sector is erased or holds something else: nobody wrote settings yet.
    Absent,
    /// Written for another version of the firmware.
    Version(u16),
    /// The length is more than the sector has, or a field is longer than what is left.
    Truncated,
    /// The checksum is wrong: the settings were written in part, or damaged.
    Checksum,
    /// This firmware does not know the field.
    UnknownField(u8),
    /// The field appears twice.
    Repeated(u8),
    /// The value of the field is not one that it can have.
    Invalid(u8),
    /// A field that every board needs is not there.
    Missing(u8),
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("no settings were written yet"),
            Self::Version(version) => {
                write!(f, "the settings have version {version}, which is not known here")
            }
            Self::Truncated => f.write_str("the settings end too early"),
            Self::Checksum => f.write_str("the settings are damaged: the checksum is wrong"),
            Self::UnknownField(field) => {
                write!(f, "the settings have a field {field}, which is not known here")
            }
            Self::Repeated(field) => write!(f, "the settings have their field {field} twice"),
            Self::Invalid(field) => write!(f, "the settings' field {field} has an impossible value"),
            Self::Missing(field) => write!(f, "the settings lack their field {field}"),
        }
    }
}

impl core::error::Error for SettingsError {}
