//! SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK.

use crate::mqtt::{
    AcknowledgeProperties, DecodeError, EncodeError, PacketId, QoS, ReasonCode, Subscribable, UserProperties,
    Version,
    property::{self, property_table},
    reader::Reader,
    sink::Sink,
};
use alloc::{boxed::Box, vec::Vec};
use core::num::NonZeroU32;

/// The client asks for messages. Section 3.8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe {
    /// What SUBACK will name.
    pub id: PacketId,
    /// Comes back with each delivery; 5.0 only.
    pub subscription_id: Option<SubscriptionId>,
    /// 5.0 only.
    pub user_properties: UserProperties,
    /// At least one. [MQTT-3.8.3-2]
    pub filters: Vec<SubscribeFilter>,
}

/// One filter of a SUBSCRIBE, with its options. Section 3.8.3.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscribeFilter {
    /// What to match, for oneself or with a group.
    pub filter: Subscribable,
    /// The highest quality to deliver at.
    pub qos: QoS,
    /// Leave out what this client published itself; 5.0 only.
    pub no_local: bool,
    /// Deliver with the retain flag as it was published; 5.0 only, otherwise it is cleared.
    pub retain_as_published: bool,
    /// Whether kept values are sent now; 5.0 only, otherwise always.
    pub retain_handling: RetainHandling,
}

/// When the kept values of matching topics are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RetainHandling {
    /// 0: whenever a client subscribes.
    #[default]
    Send = 0,
    /// 1: only if the subscription did not exist.
    SendIfNew = 1,
    /// 2: not at all.
    DoNotSend = 2,
}

/// A number that names a subscription in its deliveries: 1 to 268,435,455.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(NonZeroU32);

/// The server's answer to SUBSCRIBE. Section 3.9.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suback {
    /// The identifier of the SUBSCRIBE. [MQTT-2.2.1-6]
    pub id: PacketId,
    /// 5.0 only.
    pub properties: Option<Box<AcknowledgeProperties>>,
    /// One for each filter, in order. [MQTT-3.9.3-1] Before 5.0 the codec writes every failure as 0x80.
    pub reasons: Vec<ReasonCode>,
}

/// The client wants no more. Section 3.10.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribe {
    /// What UNSUBACK will name.
    pub id: PacketId,
    /// 5.0 only.
    pub user_properties: UserProperties,
    /// At least one. [MQTT-3.10.3-2]
    pub filters: Vec<Subscribable>,
}

/// The server's answer to UNSUBSCRIBE. Section 3.11.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsuback {
    /// The identifier of the UNSUBSCRIBE. [MQTT-2.2.1-6]
    pub id: PacketId,
    /// 5.0 only.
    pub properties: Option<Box<AcknowledgeProperties>>,
    /// One for each filter, in order; before 5.0 there are none on the wire. [MQTT-3.11.3-1]
    pub reasons: Vec<ReasonCode>,
}

impl SubscribeFilter {
    /// A subscription with the options that every version has.
    pub const fn new(filter: Subscribable, qos: QoS) -> Self {
        Self {
            filter,
            qos,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::Send,
        }
    }
}

impl SubscriptionId {
    /// The largest number that four bytes of a Variable Byte Integer hold.
    pub const MAX: u32 = 268_435_455;

    /// The identifier with this number, or `None` where it is 0 or too large.
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(id) if number <= Self::MAX => Some(Self(id)),
            _ => None,
        }
    }

    /// 1 to 268,435,455.
    pub const fn number(self) -> u32 {
        self.0.get()
    }
}

/// The subscription options. Section 3.8.3.1.
mod option {
    pub(super) const QOS: u8 = 0b0000_0011;
    pub(super) const NO_LOCAL: u8 = 0b0000_0100;
    pub(super) const RETAIN_AS_PUBLISHED: u8 = 0b0000_1000;
    pub(super) const RETAIN_HANDLING: u8 = 0b0011_0000;
    pub(super) const RETAIN_HANDLING_SHIFT: u32 = RETAIN_HANDLING.trailing_zeros();
    pub(super) const RESERVED: u8 = 0b1100_0000;
}

impl Subscribe {
    pub(crate) fn read(mut reader: Reader, version: Version) -> Result<Self, DecodeError> {
        let id = reader.packet_id()?;
        let mut subscribe =
            Self { id, subscription_id: None, user_properties: Vec::new(), filters: Vec::new() };
        property::read_into(&mut subscribe, &mut reader, version)?;
        if reader.is_empty() {
            return Err(DecodeError::NoFilters); // [MQTT-3.8.3-2], 3.1.1: [MQTT-3.8.3-3]
        }
        while !reader.is_empty() {
            subscribe.filters.push(SubscribeFilter::read(&mut reader, version)?);
        }
        Ok(subscribe)
    }

    pub(crate) fn write(&self, version: Version, sink: &mut impl Sink) -> Result<(), EncodeError> {
        if self.filters.is_empty() {
            return Err(EncodeError::NotAllowed);
        }
        sink.u16(self.id.number());
        property::write(Some(self), version, sink)?;
        self.filters.iter().try_for_each(|filter| filter.write(version, sink))
    }
}

impl SubscribeFilter {
    fn read(reader: &mut Reader, version: Version) -> Result<Self, DecodeError> {
        let filter = read_subscribable(reader)?;
        let options = reader.u8()?;
        // [MQTT-3.8.3-5]; before 5.0 there is nothing but the QoS, 3.1.1: [MQTT-3.8.3-4]
        let reserved = if version.has_properties() { option::RESERVED } else { !option::QOS };
        if options & reserved != 0 {
            return Err(DecodeError::SubscriptionOptions);
        }
        let no_local = options & option::NO_LOCAL != 0;
        if no_local && filter.share.is_some() {
            return Err(DecodeError::NoLocalOnShare); // [MQTT-3.8.3-4]
        }
        Ok(Self {
            filter,
            qos: QoS::from_number(options & option::QOS).ok_or(DecodeError::SubscriptionQoS)?,
            no_local,
            retain_as_published: options & option::RETAIN_AS_PUBLISHED != 0,
            retain_handling: match (options & option::RETAIN_HANDLING) >> option::RETAIN_HANDLING_SHIFT {
                0 => RetainHandling::Send,
                1 => RetainHandling::SendIfNew,
                2 => RetainHandling::DoNotSend,
                _ => return Err(DecodeError::RetainHandling),
            },
        })
    }

    fn write(&self, version: Version, sink: &mut impl Sink) -> Result<(), EncodeError> {
        if self.no_local && self.filter.share.is_some() {
            return Err(EncodeError::NotAllowed);
        }
        write_subscribable(&self.filter, sink)?;
        sink.u8(if version.has_properties() { self.options() } else { self.qos.number() });
        Ok(())
    }

    fn options(&self) -> u8 {
        let set = |condition: bool, flag: u8| if condition { flag } else { 0 };
        self.qos.number()
            | set(self.no_local, option::NO_LOCAL)
            | set(self.retain_as_published, option::RETAIN_AS_PUBLISHED)
            | (self.retain_handling as u8) << option::RETAIN_HANDLING_SHIFT
    }
}

impl Suback {
    pub(crate) fn read(mut reader: Reader, version: Version) -> Result<Self, DecodeError> {
        let id = reader.packet_id()?;
        let properties = property::read(&mut reader, version)?.map(Box::new);
        let reasons = read_reasons(reader, |reason| Self::allows(reason, version))?;
        Ok(Self { id, properties, reasons })
    }

    pub(crate) fn write(&self, version: Version, sink: &mut impl Sink) -> Result<(), EncodeError> {
        if self.reasons.is_empty() || !self.reasons.iter().all(|reason| Self::allows(*reason, Version::V5)) {
            return Err(EncodeError::NotAllowed);
        }
        sink.u16(self.id.number());
        property::write(self.properties.as_deref(), version, sink)?;
        for reason in &self.reasons {
            // 3.1.1: [MQTT-3.9.3-2]
            let old_failure = reason.is_failure() && !version.has_properties();
            sink.u8(if old_failure { ReasonCode::Unspecified } else { *reason }.number());
        }
        Ok(())
    }

    /// [MQTT-3.9.3-2] in both 5.0 and 3.1.1.
    const fn allows(reason: ReasonCode, version: Version) -> bool {
        match reason {
            ReasonCode::Success
            | ReasonCode::GrantedQoS1
            | ReasonCode::GrantedQoS2
            | ReasonCode::Unspecified => true,
            ReasonCode::ImplementationSpecific
            | ReasonCode::NotAuthorized
            | ReasonCode::TopicFilterInvalid
            | ReasonCode::PacketIdentifierInUse
            | ReasonCode::QuotaExceeded
            | ReasonCode::SharedSubscriptionsNotSupported
            | ReasonCode::SubscriptionIdentifiersNotSupported
            | ReasonCode::WildcardSubscriptionsNotSupported => version.has_properties(),
            _ => false,
        }
    }
}

impl Unsubscribe {
    pub(crate) fn read(mut reader: Reader, version: Version) -> Result<Self, DecodeError> {
        let id = reader.packet_id()?;
        let mut unsubscribe = Self { id, user_properties: Vec::new(), filters: Vec::new() };
        property::read_into(&mut unsubscribe, &mut reader, version)?;
        if reader.is_empty() {
            return Err(DecodeError::NoFilters); // [MQTT-3.10.3-2]
        }
        while !reader.is_empty() {
            unsubscribe.filters.push(read_subscribable(&mut reader)?);
        }
        Ok(unsubscribe)
    }

    pub(crate) fn write(&self, version: Version, sink: &mut impl Sink) -> Result<(), EncodeError> {
        if self.filters.is_empty() {
            return Err(EncodeError::NotAllowed);
        }
        sink.u16(self.id.number());
        property::write(Some(self), version, sink)?;
        self.filters.iter().try_for_each(|filter| write_subscribable(filter, sink))
    }
}

impl Unsuback {
    pub(crate) fn read(mut reader: Reader, version: Version) -> Result<Self, DecodeError> {
        let id = reader.packet_id()?;
        if !version.has_properties() {
            reader.finish()?; // 3.1.1: [MQTT-3.10.4-5], which gives it no payload
            return Ok(Self { id, properties: None, reasons: Vec::new() });
        }
        let properties = property::read(&mut reader, version)?.map(Box::new);
        let reasons = read_reasons(reader, Self::allows)?;
        Ok(Self { id, properties, reasons })
    }

    pub(crate) fn write(&self, version: Version, sink: &mut impl Sink) -> Result<(), EncodeError> {
        sink.u16(self.id.number());
        if !version.has_properties() {
            return Ok(());
        }
        if self.reasons.is_empty() || !self.reasons.iter().all(|reason| Self::allows(*reason)) {
            return Err(EncodeError::NotAllowed);
        }
        property::write(self.properties.as_deref(), version, sink)?;
        self.reasons.iter().for_each(|reason| sink.u8(reason.number()));
        Ok(())
    }

    /// [MQTT-3.11.3-2]
    const fn allows(reason: ReasonCode) -> bool {
        matches!(
            reason,
            ReasonCode::Success
                | ReasonCode::NoSubscriptionExisted
                | ReasonCode::Unspecified
                | ReasonCode::ImplementationSpecific
                | ReasonCode::NotAuthorized
                | ReasonCode::TopicFilterInvalid
                | ReasonCode::PacketIdentifierInUse
        )
    }
}

/// [MQTT-3.8.3-1] [MQTT-3.10.3-1]
fn read_subscribable(reader: &mut Reader) -> Result<Subscribable, DecodeError> {
    Subscribable::try_from(reader.text()?).map_err(DecodeError::Filter)
}

fn write_subscribable(subscribable: &Subscribable, sink: &mut impl Sink) -> Result<(), EncodeError> {
    let filter = subscribable.filter.as_str().as_bytes();
    let Some(share) = &subscribable.share else { return sink.binary(filter) };
    let parts = [b"$share/", share.as_str().as_bytes(), b"/", filter];
    let len = parts.iter().map(|part| part.len()).sum::<usize>();
    sink.u16(u16::try_from(len).map_err(|_| EncodeError::TooLarge)?);
    parts.iter().for_each(|part| sink.put(part));
    Ok(())
}

fn read_reasons(
    mut reader: Reader,
    allows: impl Fn(ReasonCode) -> bool,
) -> Result<Vec<ReasonCode>, DecodeError> {
    if reader.is_empty() {
        return Err(DecodeError::NoReasonCodes);
    }
    let mut reasons = Vec::with_capacity(reader.len());
    while !reader.is_empty() {
        reasons.push(ReasonCode::read(&mut reader, &allows)?);
    }
    Ok(reasons)
}

property_table!(Subscribe { SubscriptionId: subscription_id, UserProperty: user_properties });

property_table!(Unsubscribe { UserProperty: user_properties });
