// The file of the network's weights, network.bin: its head is checked here, its body goes into the module as it is.
// Format: network.md, "Weights file".
import { crc32 } from "node:zlib";

/** Bytes before the body: magic, version, length and CRC-32 of the body. */
export const NETWORK_HEAD_BYTES = 16;
const MAGIC = "STNN";
const VERSION = 1;

/**
 * The weights in a network file.
 * @param file the whole file
 * @param bodyBytes bytes of weights that the front end takes
 * @throws RangeError with a sentence when it is not a whole network file of this version and size
 */
export function networkBody(file: Uint8Array, bodyBytes: number): Uint8Array {
  if (file.length < NETWORK_HEAD_BYTES)
    throw new RangeError(`A network file has at least ${NETWORK_HEAD_BYTES} bytes, not ${file.length}.`);
  const head = new DataView(file.buffer, file.byteOffset, NETWORK_HEAD_BYTES);
  const magic = String.fromCharCode(...file.subarray(0, 4));
  if (magic !== MAGIC) throw new RangeError("This is no network file: it does not begin with STNN.");
  const version = head.getUint32(4, true);
  if (version !== VERSION)
    throw new RangeError(`The network file has version ${version}; this front end reads version ${VERSION}.`);
  const body = file.subarray(NETWORK_HEAD_BYTES);
  const length = head.getUint32(8, true);
  if (length !== body.length || length !== bodyBytes)
    throw new RangeError(
      `The network file says ${length} bytes of weights and holds ${body.length}; this front end takes ${bodyBytes}.`,
    );
  if (crc32(body) !== head.getUint32(12, true))
    throw new RangeError("The network file is damaged: its checksum does not match; fetch or make it again.");
  return body;
}
