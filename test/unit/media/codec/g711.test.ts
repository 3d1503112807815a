import { createCodec } from '../../../../media/codec/codec';
import { decodeG711, encodeG711 } from '../../../../media/codec/g711';
import { sine } from '../../../support/tones';

import type { G711Law } from '../../../../media/codec/g711';

const LAWS: readonly G711Law[] = ['PCMU', 'PCMA'];

function decodeOne(law: G711Law, octet: number): number {
  const out = new Int16Array(1);
  decodeG711(law, Uint8Array.of(octet), 0, 1, out);
  return out[0] as number;
}

function encodeOne(law: G711Law, sample: number): number {
  const out = new Uint8Array(1);
  encodeG711(law, Int16Array.of(sample), 0, 1, out);
  return out[0] as number;
}

describe('G.711', () => {
  test.each([
    ['PCMU', 0xff, 0],
    ['PCMU', 0x7f, 0],
    ['PCMU', 0x80, 32124],
    ['PCMU', 0x00, -32124],
    ['PCMU', 0xfe, 8],
    ['PCMU', 0xf0, 120],
    ['PCMU', 0xef, 132],
    ['PCMU', 0xa5, 6652],
    ['PCMA', 0xd5, 8],
    ['PCMA', 0x55, -8],
    ['PCMA', 0xaa, 32256],
    ['PCMA', 0x2a, -32256],
    ['PCMA', 0xd4, 24],
    ['PCMA', 0x80, 5504],
  ] as const)('%s octet %i is %i', (law, octet, sample) => {
    expect(decodeOne(law, octet)).toBe(sample);
  });

  test.each([
    ['PCMU', 0, 0xff],
    ['PCMU', 32767, 0x80],
    ['PCMU', -32768, 0x00],
    ['PCMU', -1, 0x7f],
    ['PCMU', 1000, 0xce],
    ['PCMU', -1000, 0x4e],
    ['PCMA', 0, 0xd5],
    ['PCMA', -1, 0x55],
    ['PCMA', 32767, 0xaa],
    ['PCMA', -32768, 0x2a],
    ['PCMA', 1000, 0xfa],
    ['PCMA', -1000, 0x7a],
  ] as const)('%s of %i is octet %i', (law, sample, octet) => {
    expect(encodeOne(law, sample)).toBe(octet);
  });

  test.each(LAWS)('%s: every octet survives decoding and encoding', (law) => {
    for (let octet = 0; octet < 256; octet++) {
      const back = encodeOne(law, decodeOne(law, octet));
      // µ-law has two zeros; the positive one is sent.
      expect(back).toBe(law === 'PCMU' && octet === 0x7f ? 0xff : octet);
    }
  });

  test.each(LAWS)('%s: every sample decodes to within one quantising step of itself, in order', (law) => {
    const wrong: number[] = [];
    let before = -Infinity;
    for (let sample = -32768; sample <= 32767; sample++) {
      const decoded = decodeOne(law, encodeOne(law, sample));
      const step = Math.max(16, Math.abs(sample) / 16);
      const near = Math.abs(sample) >= 32000 || Math.abs(decoded - sample) <= step;
      if (decoded < before || !near) wrong.push(sample);
      before = decoded;
    }
    expect(wrong).toEqual([]);
  });

  test.each(LAWS)('%s: a tone keeps a signal-to-noise ratio above 36 dB', (law) => {
    const pcm = sine(1004, 8000, 16000);
    const octets = new Uint8Array(pcm.length);
    encodeG711(law, pcm, 0, pcm.length, octets);
    const decoded = new Int16Array(pcm.length);
    decodeG711(law, octets, 0, octets.length, decoded);
    let signal = 0;
    let noise = 0;
    pcm.forEach((sample, i) => {
      signal += sample ** 2;
      noise += (sample - (decoded[i] as number)) ** 2;
    });
    expect(10 * Math.log10(signal / noise)).toBeGreaterThan(36);
  });

  test.each(LAWS)('%s: silence is 20 ms of the smallest magnitude', (law) => {
    const codec = createCodec(law);
    const silence = new Uint8Array(1 + codec.frameBytes);
    codec.encodeSilence(silence, 1);
    expect(silence[0]).toBe(0);
    for (const octet of silence.subarray(1)) expect(Math.abs(decodeOne(law, octet))).toBeLessThanOrEqual(8);
  });

  it('encodes and decodes a part of a buffer in place', () => {
    const out = new Uint8Array(4).fill(1);
    encodeG711('PCMU', Int16Array.of(9, 0, 0, 9), 1, 2, out, 1);
    expect([...out]).toEqual([1, 0xff, 0xff, 1]);
    const pcm = new Int16Array(4).fill(7);
    decodeG711('PCMU', Uint8Array.of(0, 0xff, 0x80), 1, 2, pcm, 2);
    expect([...pcm]).toEqual([7, 7, 0, 32124]);
  });
});
