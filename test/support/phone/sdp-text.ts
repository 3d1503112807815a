/** The SDP of a test phone, as text. */
import type { StreamRemote } from './media';

export interface PhoneSdp {
  readonly address: string;
  readonly port: number;
  readonly codecs: readonly ('PCMU' | 'PCMA')[];
  readonly eventPayloadType: number;
  readonly direction?: string;
  readonly version?: number;
}

const TYPES = { PCMU: 0, PCMA: 8 } as const;

export function writeSdp(sdp: PhoneSdp): string {
  const { address, port, codecs, eventPayloadType, direction = 'sendrecv', version = 1 } = sdp;
  return [
    'v=0',
    `o=phone 20260101 ${version} IN IP4 ${address}`,
    's=phone',
    `c=IN IP4 ${address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${codecs.map((codec) => TYPES[codec]).join(' ')} ${eventPayloadType}`,
    ...codecs.map((codec) => `a=rtpmap:${TYPES[codec]} ${codec}/8000`),
    `a=rtpmap:${eventPayloadType} telephone-event/8000`,
    `a=fmtp:${eventPayloadType} 0-15`,
    'a=ptime:20',
    `a=${direction}`,
    '',
  ].join('\r\n');
}

/** null when the peer's SDP has no audio we can talk to. */
export function readSdp(sdp: string): StreamRemote | null {
  const address = /^c=IN IP4 (\S+)/m.exec(sdp)?.[1];
  const media = /^m=audio (\d+) RTP\/AVP (.+)$/m.exec(sdp);
  if (address === undefined || media === null || media[1] === '0') return null;
  const types = (media[2] ?? '').trim().split(' ').map(Number);
  const codecOf = (type: number): 'PCMU' | 'PCMA' | null => {
    const mapped = new RegExp(`^a=rtpmap:${type} (PCMU|PCMA)/8000`, 'im').exec(sdp)?.[1]?.toUpperCase();
    if (mapped === 'PCMU' || mapped === 'PCMA') return mapped;
    return type === 0 ? 'PCMU' : type === 8 ? 'PCMA' : null;
  };
  const payloadType = types.find((type) => codecOf(type) !== null);
  if (payloadType === undefined) return null;
  const event = /^a=rtpmap:(\d+) telephone-event\/8000/im.exec(sdp)?.[1];
  return {
    address,
    port: Number(media[1]),
    codec: codecOf(payloadType) ?? 'PCMU',
    payloadType,
    eventPayloadType: event === undefined ? null : Number(event),
    send: !/^a=(sendonly|inactive)\s*$/m.test(sdp) && address !== '0.0.0.0',
  };
}
