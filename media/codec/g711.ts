/**
 * G.711 µ-law and A-law as 64 KiB encoding and 512-byte decoding tables, filled once by the reference formulas of the
 * ITU-T Software Tool Library (G.191, module g711). Samples are 16-bit linear PCM; one octet is one sample at 8 kHz.
 */
export type G711Law = 'PCMU' | 'PCMA';

const ULAW_BIAS = 33;
const ULAW_CLIP = 0x1fff;

function compressULaw(sample: number): number {
  // 14-bit magnitude, negative values in one's complement, biased so that every segment starts at a power of two.
  const magnitude = Math.min(((sample < 0 ? ~sample : sample) >> 2) + ULAW_BIAS, ULAW_CLIP);
  let segment = 1;
  for (let rest = magnitude >> 6; rest !== 0; rest >>= 1) segment++;
  const octet = ((8 - segment) << 4) | (0xf - ((magnitude >> segment) & 0xf));
  return sample >= 0 ? octet | 0x80 : octet;
}

function expandULaw(octet: number): number {
  const exponent = (~octet >> 4) & 0x7;
  const mantissa = ~octet & 0xf;
  const step = 4 << (exponent + 1);
  const magnitude = (0x80 << exponent) + step * mantissa + step / 2 - 4 * ULAW_BIAS;
  return octet < 0x80 ? -magnitude : magnitude;
}

function compressALaw(sample: number): number {
  let value = (sample < 0 ? ~sample : sample) >> 4;
  if (value > 15) {
    let exponent = 1;
    while (value > 31) {
      value >>= 1;
      exponent++;
    }
    value = value - 16 + (exponent << 4);
  }
  return (sample >= 0 ? value | 0x80 : value) ^ 0x55;
}

function expandALaw(octet: number): number {
  const bits = (octet ^ 0x55) & 0x7f;
  const exponent = bits >> 4;
  let magnitude = bits & 0xf;
  if (exponent > 0) magnitude += 16;
  magnitude = (magnitude << 4) + 8;
  if (exponent > 1) magnitude <<= exponent - 1;
  return octet > 127 ? magnitude : -magnitude;
}

function encodingTable(compress: (sample: number) => number): Uint8Array {
  const table = new Uint8Array(65536);
  for (let sample = -32768; sample <= 32767; sample++) table[sample & 0xffff] = compress(sample);
  return table;
}

function decodingTable(expand: (octet: number) => number): Int16Array {
  const table = new Int16Array(256);
  for (let octet = 0; octet < 256; octet++) table[octet] = expand(octet);
  return table;
}

const ENCODE: Readonly<Record<G711Law, Uint8Array>> = {
  PCMU: encodingTable(compressULaw),
  PCMA: encodingTable(compressALaw),
};
const DECODE: Readonly<Record<G711Law, Int16Array>> = {
  PCMU: decodingTable(expandULaw),
  PCMA: decodingTable(expandALaw),
};

/** Encodes `count` samples of `pcm` from `from` on into `out` at `at`. */
export function encodeG711(law: G711Law, pcm: Int16Array, from: number, count: number, out: Uint8Array, at = 0): void {
  const table = ENCODE[law];
  for (let i = 0; i < count; i++) out[at + i] = table[(pcm[from + i] ?? 0) & 0xffff] as number;
}

/** Decodes `count` octets of `bytes` from `from` on into `out` at `at`. */
export function decodeG711(
  law: G711Law,
  bytes: Uint8Array,
  from: number,
  count: number,
  out: Int16Array,
  at = 0,
): void {
  const table = DECODE[law];
  for (let i = 0; i < count; i++) out[at + i] = table[bytes[from + i] as number] as number;
}
