/** Ids: UUID v7 (time-ordered) for what is new, UUID v8 from a SHA-256 where a repeat must find the same thing. */
import { createHash, randomBytes } from 'node:crypto';
import type { NumberRound } from '../contract/number-verification';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** 48 bits of Unix milliseconds, then random. RFC 9562 §5.7 */
export function uuidV7(nowMs: number = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  return format(bytes, 7);
}

/**
 * The same parts always give the same id. Every part is preceded by its length, so that ('ab','c') and ('a','bc')
 * differ. RFC 9562 §5.8
 */
export function uuidV8(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = Buffer.from(part, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  }
  return format(hash.digest().subarray(0, 16), 8);
}

/** A retransmitted or repeated INVITE finds its call; one with new credentials (next CSeq) is another attempt. */
export function inboundCallId(trunkId: string, sipCallId: string, fromTag: string, cseq: number): string {
  return uuidV8('inbound-call', trunkId, sipCallId, fromTag, String(cseq));
}

/** A POST with an Idempotency-Key; `n` counts the calls one key has begun (the first is 1). */
export function keyedCallId(orgId: string, route: string, key: string, n: number): string {
  return uuidV8('keyed-call', orgId, route, key, String(n));
}

/** The same, for a transfer of a call that is there. */
export function keyedTransferId(orgId: string, route: string, key: string, n: number): string {
  return uuidV8('keyed-transfer', orgId, route, key, String(n));
}

/** The one call that speaks the code of a round: begun again, it is the same call. */
export function codeCallId({ numberId, n }: NumberRound): string {
  return uuidV8('code-call', numberId, String(n));
}

/** The n-th call to a contact of a campaign: started again, it is the same call. */
export function campaignCallId(campaignId: string, contactId: string, n: number): string {
  return uuidV8('campaign-call', campaignId, contactId, String(n));
}

/** One dial of a call: the attempt, and with it the SIP Call-ID, follow from the call and the attempt's number. */
export function attemptIdOf(callId: string, n: number): string {
  return uuidV8('attempt', callId, String(n));
}

function format(bytes: Buffer, version: number): string {
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | (version << 4), 6);
  // Variant 10xx. RFC 9562 §4.1
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
