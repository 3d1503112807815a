import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readSecretFile } from '../../../../scripts/process/secret-file';

describe('a secret file', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'trunkline-secret-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is made once, readable for its owner alone', () => {
    const file = join(folder, 'key');
    expect(readSecretFile(file, () => 'first')).toBe('first');
    expect(readSecretFile(file, () => 'second')).toBe('first');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['key']);
  });

  test('of two that make it at once both get the same', () => {
    const file = join(folder, 'key');
    const raced = readSecretFile(file, () => {
      writeFileSync(file, 'faster\n');
      return 'slower';
    });
    expect(raced).toBe('faster');
  });
});
