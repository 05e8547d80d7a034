/** "ORTM", after the offset of a flatbuffer's root. */
const IDENTIFIER = [0x4f, 0x52, 0x54, 0x4d];

/** True for a file in ONNX Runtime's own format, by its first bytes. */
export function isOrtFormat(bytes: Uint8Array): boolean {
  return IDENTIFIER.every((byte, i) => bytes[4 + i] === byte);
}
