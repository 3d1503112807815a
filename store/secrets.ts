/**
 * Encryption at rest. A sealed value is `v1.<keyId>.<base64url(iv ‖ tag ‖ ciphertext)>`, AES-256-GCM with a random
 * 96-bit IV; the associated data binds it to its row, so a value copied to another row or organisation does not open.
 * The key id is the start of a hash of the key: after a rotation old values still open with the old key.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = 'v1';

/** Subkeys, so that one use of the master key says nothing about another. */
export type SecretPurpose = 'secrets' | 'nonce' | 'api-keys' | 'number-codes';

export class SecretError extends Error {
  readonly code: 'bad_key' | 'unknown_key' | 'malformed' | 'tampered';

  constructor(code: SecretError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'SecretError';
    this.code = code;
  }
}

interface SealingKey {
  readonly id: string;
  readonly key: Buffer;
}

/** Associated data of a row's secret: organisation ‖ id. */
export const rowAad = (orgId: string, rowId: string): string => `${orgId}\u0000${rowId}`;

/** Opens what was sealed, and nothing else: all that a thread which only reads is given. */
export class SecretOpener {
  readonly #keys: ReadonlyMap<string, Uint8Array>;

  /** @param keys of `SecretBox.openingKeys` */
  constructor(keys: ReadonlyMap<string, Uint8Array>) {
    this.#keys = keys;
  }

  /** @throws SecretError `malformed`, `unknown_key`, or `tampered` (other row, other organisation, changed bytes) */
  open(sealed: string, aad: string): string {
    const [version, keyId, payload, ...rest] = sealed.split('.');
    if (version !== VERSION || keyId === undefined || payload === undefined || rest.length > 0) {
      throw new SecretError('malformed', 'not a sealed value');
    }
    const key = this.#keys.get(keyId);
    if (!key) throw new SecretError('unknown_key', `sealed with the unknown key ${keyId.slice(0, 16)}`);
    const bytes = Buffer.from(payload, 'base64url');
    if (bytes.length < IV_BYTES + TAG_BYTES) throw new SecretError('malformed', 'sealed value too short');
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(aad, 'utf8'));
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    try {
      return decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch (cause) {
      throw new SecretError('tampered', 'sealed value does not belong here or was changed', cause);
    }
  }
}

export class SecretBox {
  readonly #masterKey: Buffer;
  readonly #sealing: SealingKey;
  readonly #openingKeys: ReadonlyMap<string, Uint8Array>;
  readonly #opener: SecretOpener;
  readonly #derived = new Map<SecretPurpose, Buffer>();

  /**
   * @param masterKey `SECRETS_KEY`: base64 of 32 bytes. Seals, and derives every subkey.
   * @param olderKeys Earlier master keys, for opening only.
   * @throws SecretError `bad_key`
   */
  constructor(masterKey: string, olderKeys: readonly string[] = []) {
    this.#masterKey = parseMasterKey(masterKey);
    this.#sealing = sealingKey(this.#masterKey);
    const older = olderKeys.map((key) => sealingKey(parseMasterKey(key)));
    this.#openingKeys = new Map([...older, this.#sealing].map(({ id, key }) => [id, key]));
    this.#opener = new SecretOpener(this.#openingKeys);
  }

  /** By key id; they can be handed to another thread. Not a property, which a log of this object would show. */
  openingKeys(): ReadonlyMap<string, Uint8Array> {
    return this.#openingKeys;
  }

  seal(plaintext: string, aad: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#sealing.key, iv);
    cipher.setAAD(Buffer.from(aad, 'utf8'));
    const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
    const payload = Buffer.concat([iv, cipher.getAuthTag(), ciphertext]).toString('base64url');
    return `${VERSION}.${this.#sealing.id}.${payload}`;
  }

  /** @throws as `SecretOpener` does */
  open(sealed: string, aad: string): string {
    return this.#opener.open(sealed, aad);
  }

  /** A 32-byte key for one purpose, the same on every process with the same master key (RFC 5869). */
  derive(purpose: SecretPurpose): Buffer {
    const known = this.#derived.get(purpose);
    if (known !== undefined) return known;
    const key = derive(this.#masterKey, purpose);
    this.#derived.set(purpose, key);
    return key;
  }
}

/** A fresh `SECRETS_KEY`. */
export function newMasterKey(): string {
  return randomBytes(KEY_BYTES).toString('base64');
}

function parseMasterKey(text: string): Buffer {
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length !== KEY_BYTES) {
    throw new SecretError('bad_key', `SECRETS_KEY must be base64 of ${KEY_BYTES} bytes, this one has ${key.length}`);
  }
  return key;
}

function derive(masterKey: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', masterKey, Buffer.alloc(0), `trunkline/${purpose}`, KEY_BYTES));
}

function sealingKey(masterKey: Buffer): SealingKey {
  const key = derive(masterKey, 'secrets');
  return { key, id: createHash('sha256').update(key).digest('hex').slice(0, 8) };
}
