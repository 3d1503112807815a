import { describeApiKey, hashApiKey, newApiKey } from '../../../store/api-key-hash';
import { newMasterKey, SecretBox } from '../../../store/secrets';

describe('API keys', () => {
  it('start with tl_live_ and carry at least 160 random bits', () => {
    const key = newApiKey();
    expect(key).toMatch(/^tl_live_[A-Za-z0-9_-]+$/);
    expect(Buffer.from(key.slice('tl_live_'.length), 'base64url').length * 8).toBeGreaterThanOrEqual(160);
    expect(newApiKey()).not.toBe(key);
  });

  it('hash to the same value only for the same key on the same server', () => {
    const box = new SecretBox(newMasterKey());
    const key = newApiKey();
    expect(hashApiKey(box, key)).toMatch(/^[0-9a-f]{64}$/);
    expect(hashApiKey(box, key)).toBe(hashApiKey(box, key));
    expect(hashApiKey(box, `${key}x`)).not.toBe(hashApiKey(box, key));
    expect(hashApiKey(new SecretBox(newMasterKey()), key)).not.toBe(hashApiKey(box, key));
  });

  it('show their last four characters, a short chosen key nothing', () => {
    expect(describeApiKey('tl_live_abcdefghijklmnopqrstuvwx')).toEqual({ prefix: 'tl_live_', last4: 'uvwx' });
    expect(describeApiKey('letmein')).toEqual({ prefix: '', last4: '' });
  });
});
