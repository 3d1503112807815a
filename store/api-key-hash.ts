/** API keys: `tl_live_` and 192 random bits. Only an HMAC-SHA-256 under a key of the server is stored. */
import { createHmac, randomBytes } from 'node:crypto';
import type { SecretBox } from './secrets';

const API_KEY_PREFIX = 'tl_live_';
const RANDOM_BYTES = 24;

export function newApiKey(): string {
  return API_KEY_PREFIX + randomBytes(RANDOM_BYTES).toString('base64url');
}

/** Hex HMAC-SHA-256. A key is found by this value, so the comparison happens on something no caller can choose. */
export function hashApiKey(secrets: SecretBox, key: string): string {
  return createHmac('sha256', secrets.derive('api-keys')).update(key, 'utf8').digest('hex');
}

/** What a list may show of a key. A key that an operator chose himself and that is short shows nothing. */
export function describeApiKey(key: string): { readonly prefix: string; readonly last4: string } {
  return {
    prefix: key.startsWith(API_KEY_PREFIX) ? API_KEY_PREFIX : '',
    last4: key.length >= API_KEY_PREFIX.length + 16 ? key.slice(-4) : '',
  };
}
