//! IPv4 headers and the internet checksum; as much of MQTT as a test must see on the wire.

/** RFC 1071. */
export function checksum(...parts) {
  let sum = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 2) sum += (part[at] << 8) | (part[at + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Of a TCP segment or UDP datagram whose own checksum is still 0. */
export function pseudoChecksum(from, to, protocol, payload) {
  const length = [payload.length >> 8, payload.length & 0xff];
  return checksum(Buffer.from([...from, ...to, 0, protocol, ...length]), payload) || 0xffff;
}

export function ipv4(protocol, from, to, payload) {
  const header = Buffer.from([0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, protocol, 0, 0, ...from, ...to]);
  header.writeUInt16BE(20 + payload.length, 2);
  header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, payload]);
}

/** How many PUBACKs are in a stream of MQTT packets; one that is not whole yet does not count. */
export function acknowledgements(stream) {
  const PUBACK = 4;
  let count = 0;
  for (let at = 0; ; ) {
    let [length, shift, next] = [0, 0, at + 1];
    do length |= (stream[next] & 127) << (7 * shift++);
    while (stream[next++] & 128);
    if (!(next + length <= stream.length)) return count;
    if (stream[at] >> 4 === PUBACK) count++;
    at = next + length;
  }
}
