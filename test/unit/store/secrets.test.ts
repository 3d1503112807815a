import fc from 'fast-check';
import { newMasterKey, rowAad, SecretBox, SecretError } from '../../../store/secrets';

const key = Buffer.alloc(32, 7).toString('base64');
const otherKey = Buffer.alloc(32, 8).toString('base64');
const text = fc.string({ unit: 'binary', maxLength: 200 });

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof SecretError ? error.code : `not a SecretError: ${String(error)}`;
  }
  return 'no error';
}

const keyIdOf = (sealed: string): string | undefined => sealed.split('.')[1];

describe('SecretBox', () => {
  const box = new SecretBox(key);
  const keyId = keyIdOf(box.seal('', ''));

  it('opens what it sealed for the same row, whatever the text', () => {
    fc.assert(fc.property(text, text, (plain, aad) => box.open(box.seal(plain, aad), aad) === plain));
  });

  it('writes v1, the key id and base64url, and never the text itself', () => {
    const sealed = box.seal('correct horse battery staple', 'row');
    expect(sealed).toMatch(/^v1\.[0-9a-f]{8}\.[A-Za-z0-9_-]+$/);
    expect(keyIdOf(sealed)).toBe(keyId);
    expect(Buffer.from(sealed.split('.')[2]!, 'base64url').toString('latin1')).not.toContain('horse');
  });

  it('seals the same text differently each time', () => {
    expect(box.seal('text', 'row')).not.toBe(box.seal('text', 'row'));
  });

  it('does not open a value that was moved to another row or organisation', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), fc.uuid(), (org, row, other) => {
        fc.pre(other !== org && other !== row);
        const sealed = box.seal('secret', rowAad(org, row));
        expect(codeOf(() => box.open(sealed, rowAad(org, other)))).toBe('tampered');
        expect(codeOf(() => box.open(sealed, rowAad(other, row)))).toBe('tampered');
      }),
    );
  });

  it('does not open a value of which any bit was changed', () => {
    const sealed = box.seal('a secret of some length', 'row');
    const [version, keyId, payload] = sealed.split('.') as [string, string, string];
    const length = Buffer.from(payload, 'base64url').length;
    fc.assert(
      fc.property(fc.nat(length - 1), fc.nat(7), (index, bit) => {
        const bytes = Buffer.from(payload, 'base64url');
        bytes[index] = bytes[index]! ^ (1 << bit);
        expect(codeOf(() => box.open(`${version}.${keyId}.${bytes.toString('base64url')}`, 'row'))).toBe('tampered');
      }),
    );
  });

  it('refuses anything that is not a sealed value with a SecretError', () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.constantFrom('', 'v1', 'v1..', `v1.${keyId}.AAAA`, 'v2.a.b', 'v1.a.b.c')), (t) =>
        ['malformed', 'unknown_key'].includes(codeOf(() => box.open(t, 'row'))),
      ),
    );
  });

  it('opens values of an older key after a rotation and seals with the new one', () => {
    const old = new SecretBox(otherKey).seal('secret', 'row');
    const rotated = new SecretBox(key, [otherKey]);
    expect(rotated.open(old, 'row')).toBe('secret');
    expect(keyIdOf(rotated.seal('x', 'row'))).toBe(keyId);
    expect(codeOf(() => box.open(old, 'row'))).toBe('unknown_key');
  });

  it('derives a different key for each purpose, the same in every process', () => {
    const derived = (['secrets', 'nonce', 'api-keys'] as const).map((purpose) => box.derive(purpose).toString('hex'));
    expect(new Set(derived).size).toBe(3);
    expect(new SecretBox(key).derive('nonce').toString('hex')).toBe(derived[1]);
    expect(derived.every((hex) => hex.length === 64)).toBe(true);
    expect(new SecretBox(otherKey).derive('nonce').toString('hex')).not.toBe(derived[1]);
  });

  it('takes only keys of 32 bytes and makes such keys', () => {
    expect(codeOf(() => new SecretBox('c2hvcnQ='))).toBe('bad_key');
    expect(codeOf(() => new SecretBox(''))).toBe('bad_key');
    expect(codeOf(() => new SecretBox(Buffer.alloc(33).toString('base64')))).toBe('bad_key');
    expect(codeOf(() => new SecretBox(`${newMasterKey()}\n`))).toBe('no error');
    expect(newMasterKey()).not.toBe(newMasterKey());
  });
});
