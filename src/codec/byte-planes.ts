/**
 * Splits little-endian elements into planes of bytes, the most significant first, after a reversible change of representation that puts
 * what is predictable into the first planes: floats move their sign to the lowest bit (so that the first plane of a float32 is its
 * exponent), signed integers become 2|v| - (v < 0).
 */
export function splitPlanes(
  bytes: Uint8Array,
  elementBytes: number,
  kind: 'signed' | 'unsigned' | 'float',
): Uint8Array[] {
  const count = bytes.length / elementBytes;
  const planes = Array.from({ length: elementBytes }, () => new Uint8Array(count));
  const element = new Uint8Array(elementBytes);
  const top = elementBytes - 1;
  for (let i = 0, at = 0; i < count; i++, at += elementBytes) {
    let carry = kind === 'unsigned' ? 0 : bytes[at + top]! >>> 7;
    const invert = kind === 'signed' && carry === 1 ? 255 : 0;
    for (let k = 0; k < elementBytes; k++) {
      const byte = bytes[at + k]!;
      if (kind === 'unsigned') element[k] = byte;
      else {
        element[k] = (((byte ^ invert) << 1) & 255) | carry;
        carry = (byte ^ invert) >>> 7;
      }
    }
    for (let k = 0; k < elementBytes; k++) planes[top - k]![i] = element[k]!;
  }
  return planes;
}

/** Inverse of `splitPlanes`. */
export function joinPlanes(
  planes: readonly Uint8Array[],
  kind: 'signed' | 'unsigned' | 'float',
  out: Uint8Array,
): void {
  const elementBytes = planes.length;
  const count = out.length / elementBytes;
  const top = elementBytes - 1;
  for (let i = 0, at = 0; i < count; i++, at += elementBytes) {
    const sign = kind === 'unsigned' ? 0 : planes[top]![i]! & 1;
    const invert = kind === 'signed' && sign === 1 ? 255 : 0;
    for (let k = 0; k < elementBytes; k++) {
      const byte = planes[top - k]![i]!;
      if (kind === 'unsigned') {
        out[at + k] = byte;
        continue;
      }
      const above = k === top ? (kind === 'signed' ? 0 : sign) : planes[top - k - 1]![i]! & 1;
      out[at + k] = ((byte >>> 1) | (above << 7)) ^ invert;
    }
  }
}
