/** The phones of live calls, and what the product has to know of them: agents, trunks, numbers. */
import { setTimeout as sleep } from 'node:timers/promises';

import { OutboundCalls } from '../outbound';
import { PhoneMedia } from '../phone/media';
import type { PhoneStream } from '../phone/media';
import type { PhoneOptions } from '../phone/options';
import { Phone } from '../phone/phone';
import type { Stack } from '../stack';

export const DIALED = '+15551234567';
/** The shortest that an agent may have. */
export const SHORT_CALL_MS = 10_000;
const RING_MS = 200;

interface Parts {
  readonly media: PhoneMedia;
  readonly phone: Phone;
  readonly carrier: Phone;
  readonly control: PhoneStream;
  readonly outbound: OutboundCalls;
  readonly trunkId: string;
  readonly shortAgentId: string;
  readonly ringMs: Map<string, number | 'forever'>;
  readonly caller: PhoneOptions;
}

export class LivePhones {
  readonly phone: Phone;
  readonly carrier: Phone;
  /** Hears another phone of the same thread: what it misses, the machine kept from the phones. */
  readonly control: PhoneStream;
  readonly outbound: OutboundCalls;
  readonly trunkId: string;
  readonly shortAgentId: string;
  /** How long the phones of some numbers ring. */
  readonly ringMs: Map<string, number | 'forever'>;
  readonly #media: PhoneMedia;
  readonly #caller: PhoneOptions;
  readonly #more: Phone[] = [];

  static async open(stack: Stack): Promise<LivePhones> {
    const agent = { type: 'inbound', first_message: 'Hello!', silence_timeout_seconds: 60 };
    await stack.api('POST', '/phone', { ...agent, name: 'Support Agent' });
    const shortAgent = await stack.api<{ id: string }>('POST', '/phone', {
      ...agent,
      name: 'Hasty Agent',
      max_call_duration_seconds: SHORT_CALL_MS / 1000,
    });
    const trunk = await stack.api<{ auth_username: string; auth_password: string }>(
      'POST',
      '/phone/sip/inbound-trunk',
      { phone_numbers: [DIALED] },
    );
    const media = new PhoneMedia();
    const ringMs: LivePhones['ringMs'] = new Map();
    const caller: PhoneOptions = {
      media,
      server: { address: stack.sipHost, port: stack.sipPort },
      credentials: { username: trunk.body.auth_username, password: trunk.body.auth_password },
    };
    const [phone, carrier, outbound] = await Promise.all([
      Phone.open(caller),
      Phone.open({
        media,
        answer: ({ user }) => {
          const ms = ringMs.get(user) ?? RING_MS;
          return ms === 'forever' ? { ring: ms } : { status: 200, ringMs: ms };
        },
      }),
      OutboundCalls.create(stack),
    ]);
    const trunkId = await outbound.trunkTo(carrier.port);
    const control = await controlStream(media);
    await sleep(1_000);
    const shortAgentId = shortAgent.body.id;
    return new LivePhones({ media, phone, carrier, control, outbound, trunkId, shortAgentId, ringMs, caller });
  }

  private constructor(parts: Parts) {
    this.phone = parts.phone;
    this.carrier = parts.carrier;
    this.control = parts.control;
    this.outbound = parts.outbound;
    this.trunkId = parts.trunkId;
    this.shortAgentId = parts.shortAgentId;
    this.ringMs = parts.ringMs;
    this.#media = parts.media;
    this.#caller = parts.caller;
  }

  /** Another phone that can call. */
  async another(transport: 'udp' | 'tcp'): Promise<Phone> {
    const phone = await Phone.open({ ...this.#caller, transport });
    this.#more.push(phone);
    return phone;
  }

  async close(): Promise<void> {
    for (const phone of [this.phone, this.carrier, ...this.#more]) phone.close();
    await this.#media.close();
  }
}

/** Two phones of the same thread that hear each other. */
async function controlStream(media: PhoneMedia): Promise<PhoneStream> {
  const address = '127.0.0.1';
  const [speaker, listener] = await Promise.all([media.open(address), media.open(address)]);
  const codec = { codec: 'PCMU', payloadType: 0, eventPayloadType: null } as const;
  speaker.setRemote({ address, port: listener.port, ...codec, send: true });
  return listener;
}
