/** 16-bit mono WAV files: what baresip reads and writes. */
import { readFileSync, writeFileSync } from 'node:fs';

export interface Wav {
  readonly sampleRateHz: number;
  /** First channel. */
  readonly pcm: Int16Array;
}

export function writeWav(path: string, { sampleRateHz, pcm }: Wav): void {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + pcm.length * 2, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(sampleRateHz, 24);
  header.writeUInt32LE(sampleRateHz * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(pcm.length * 2, 40);
  writeFileSync(path, Buffer.concat([header, Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength)]));
}

/** A file whose writer died has a data length of 0 or too much: then it goes to the end. @throws RangeError */
export function readWav(path: string): Wav {
  const bytes = readFileSync(path);
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') {
    throw new RangeError(`${path} is not a WAV file`);
  }
  let sampleRateHz = 8000;
  let channels = 1;
  for (let at = 12; at + 8 <= bytes.length;) {
    const id = bytes.toString('latin1', at, at + 4);
    const length = bytes.readUInt32LE(at + 4);
    const start = at + 8;
    if (id === 'fmt ') {
      channels = bytes.readUInt16LE(start + 2);
      sampleRateHz = bytes.readUInt32LE(start + 4);
      if (bytes.readUInt16LE(start + 14) !== 16) throw new RangeError(`${path} has not 16 bits a sample`);
    }
    if (id === 'data') {
      const end = length === 0 || start + length > bytes.length ? bytes.length : start + length;
      const samples = Math.floor((end - start) / 2 / channels);
      const pcm = Int16Array.from({ length: samples }, (_, i) => bytes.readInt16LE(start + i * 2 * channels));
      return { sampleRateHz, pcm };
    }
    at = start + length + (length % 2);
  }
  throw new RangeError(`${path} has no data`);
}
