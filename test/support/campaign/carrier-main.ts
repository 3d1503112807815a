/** The process of a `SimulatedCarrier`. */
import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

import { voiceLike } from '../agent/voice-like';
import type { Answering, IncomingInvite } from '../phone/options';
import { PhoneMedia } from '../phone/media';
import { Phone } from '../phone/phone';
import type { PhoneCall } from '../phone/phone-call';
import type { CarrierCall, CarrierOptions, FromCarrier, ToCarrier } from './carrier';
import { treatmentOf } from './carrier-mix';
import type { CarrierTreatment } from './carrier-mix';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

const options = JSON.parse(process.argv[2] ?? '{}') as CarrierOptions;
/** By Call-ID, in the order of their INVITEs. */
const calls = new Map<string, Writable<CarrierCall>>();
const treatments = new Map<string, CarrierTreatment>();
const callsTo = new Map<string, number>();
const GREETING = voiceLike({ seed: 1, seconds: 4, pitchHz: 130 });

const say = (what: FromCarrier): boolean | undefined => process.send?.(what);
const now = (): number => performance.timeOrigin + performance.now();

function treat(invite: IncomingInvite): Answering {
  const known = calls.get(invite.sipCallId);
  if (known !== undefined) known.transactions++;
  const treatment = treatments.get(invite.sipCallId) ?? begin(invite);
  const { outcome, ringMs } = treatment;
  switch (outcome) {
    case 'answered':
    case 'voicemail':
      return { status: 200, ringMs };
    case 'busy':
      return { status: 486, reason: 'Busy Here', ringMs };
    case 'no_answer':
      return { ring: 'forever' };
    case 'declined':
      return { status: 603, reason: 'Decline', ringMs };
    case 'blocked':
      return { status: 607, reason: 'Unwanted' };
    case 'rejected':
      return { status: 608, reason: 'Rejected' };
    case 'congested':
      return {
        status: 503,
        reason: 'Service Unavailable',
        headers: [['Retry-After', String(options.retryAfterSeconds ?? 1)]],
      };
  }
}

function begin({ sipCallId, user, fromUser }: IncomingInvite): CarrierTreatment {
  const number = decodeURIComponent(user);
  const n = (callsTo.get(number) ?? 0) + 1;
  callsTo.set(number, n);
  const treatment = treatmentOf(options, number, n);
  treatments.set(sipCallId, treatment);
  calls.set(sipCallId, {
    sipCallId,
    number,
    fromNumber: decodeURIComponent(fromUser),
    outcome: treatment.outcome,
    atMs: now(),
    transactions: 1,
    cancelledAtMs: null,
    over: false,
  });
  return treatment;
}

/** Whoever has answered speaks if it is a machine, and hangs up after a while. */
async function talk(call: PhoneCall): Promise<void> {
  const { outcome, talkMs = 0 } = treatments.get(call.sipCallId) ?? {};
  if (outcome === 'voicemail') void call.play(GREETING);
  await Promise.race([call.ended, sleep(talkMs)]);
  await call.hangup();
  call.stream.close();
  const noted = calls.get(call.sipCallId);
  if (noted !== undefined) noted.over = true;
}

async function main(): Promise<void> {
  try {
    setPriority(-10);
  } catch {
    // Not permitted: what it notes may be a little late.
  }
  const media = new PhoneMedia();
  const phone = await Phone.open({
    media,
    port: options.port ?? 0,
    answer: treat,
    onCancel: (sipCallId) => {
      const cancelled = calls.get(sipCallId);
      if (cancelled !== undefined) cancelled.cancelledAtMs ??= now();
    },
  });
  process.on('message', ({ ask }: ToCarrier) => {
    if (ask === 'log') say({ log: [...calls.values()] });
  });
  process.once('disconnect', () => process.exit());
  say({ port: phone.port });
  for (;;) void talk(await phone.nextCall());
}

void main();
