/** Key presses of many kinds of senders, over a network that loses, doubles and swaps packets. */
import { DtmfReceiver } from '../../../../media/rtp/dtmf-receiver';
import { RtpPacketView } from '../../../../media/rtp/packet';
import { seededRandom } from '../../../support/seeded-random';

const DIGITS = '0123456789*#ABCD';
const ROUNDS = 100;
const PRESSES = 8;

interface Press {
  readonly event: number;
  /** Clock ticks. */
  readonly start: number;
  readonly durationTicks: number;
}

interface Packet {
  readonly event: number;
  readonly timestamp: number;
  readonly durationTicks: number;
  readonly end: boolean;
  readonly sequenceNumber: number;
  readonly atMs: number;
}

/** What a sender makes of one press, but for the numbers: updates at their time, then the ends. */
interface Sender {
  readonly name: string;
  readonly stepTicks: number;
  readonly ends: number;
  readonly longPresses?: boolean;
  /** Audio goes on in the pauses (and takes sequence numbers). */
  readonly audio?: boolean;
  readonly update: (press: Press, elapsedTicks: number) => readonly [timestamp: number, durationTicks: number];
  readonly end: (press: Press, repeat: number) => readonly [timestamp: number, durationTicks: number];
  /** Ends the segments of a long press one by one. */
  readonly endsSegments?: boolean;
}

const plain = {
  update: (press: Press, elapsed: number) => [press.start, elapsed] as const,
  end: (press: Press) => [press.start, press.durationTicks] as const,
};

const SEGMENT = 0xffff;
const segmented = {
  longPresses: true,
  update: (press: Press, elapsed: number) => {
    const segment = Math.floor((elapsed - 1) / SEGMENT);
    return [press.start + segment * SEGMENT, elapsed - segment * SEGMENT] as const;
  },
  end: (press: Press) => segmented.update(press, press.durationTicks),
};

const SENDERS: readonly Sender[] = [
  { name: 'as RFC 4733 has it', stepTicks: 160, ends: 3, ...plain },
  { name: 'with updates every 50 ms', stepTicks: 400, ends: 3, ...plain },
  { name: 'without audio in the pauses', stepTicks: 160, ends: 3, audio: false, ...plain },
  { name: 'that never ends a press', stepTicks: 160, ends: 0, ...plain },
  { name: 'with one end packet', stepTicks: 160, ends: 1, ...plain },
  { name: 'with six end packets', stepTicks: 160, ends: 6, ...plain },
  { name: 'of long presses in segments', stepTicks: 160, ends: 3, ...segmented },
  { name: 'that ends each segment', stepTicks: 160, ends: 3, endsSegments: true, ...segmented },
  {
    name: 'of long presses whose counter wraps',
    stepTicks: 160,
    ends: 3,
    longPresses: true,
    update: (press, elapsed) => [press.start, elapsed & 0xffff],
    end: (press) => [press.start, press.durationTicks & 0xffff],
  },
  {
    name: 'whose timestamp moves within a press',
    stepTicks: 160,
    ends: 3,
    update: (press, elapsed) => [press.start + elapsed - 160, elapsed],
    end: (press, repeat) => [press.start + press.durationTicks + repeat * 160, press.durationTicks],
  },
  {
    name: 'whose timestamp moves, every 50 ms',
    stepTicks: 400,
    ends: 3,
    update: (press, elapsed) => [press.start + elapsed - 400, elapsed],
    end: (press, repeat) => [press.start + press.durationTicks + repeat * 400, press.durationTicks],
  },
  {
    name: 'whose end packets have timestamps of their own',
    stepTicks: 160,
    ends: 3,
    update: plain.update,
    end: (press, repeat) => [press.start + press.durationTicks * (repeat + 1), press.durationTicks],
  },
  {
    name: 'whose end packets are timed anywhere',
    stepTicks: 160,
    ends: 3,
    update: plain.update,
    end: (press, repeat) => [press.start * 7 + 90_000 * (repeat + 1), press.durationTicks],
  },
  {
    name: 'whose presses all have one timestamp',
    stepTicks: 160,
    ends: 3,
    update: (_, elapsed) => [77, elapsed],
    end: (press) => [77, press.durationTicks],
  },
  {
    name: 'that moves the timestamp back to the start with the end',
    stepTicks: 160,
    ends: 3,
    update: (press, elapsed) => [press.start + elapsed - 160, elapsed],
    end: (press) => [press.start, press.durationTicks],
  },
];

function presses(random: () => number, long: boolean): Press[] {
  const list: Press[] = [];
  let at = Math.floor(random() * 0xffffffff);
  for (let i = 0; i < PRESSES; i++) {
    // The same digit again as often as another one; 60 to 300 ms, or up to 25 s.
    const again = i > 0 && random() < 0.5;
    const event = again ? list[i - 1]!.event : Math.floor(random() * DIGITS.length);
    const frames = long && random() < 0.4 ? 300 + Math.floor(random() * 900) : 3 + Math.floor(random() * 12);
    list.push({ event, start: at, durationTicks: frames * 160 });
    at += frames * 160 + 480 + Math.floor(random() * 20) * 160;
  }
  return list;
}

function packetsOf(sender: Sender, list: readonly Press[]): Packet[][] {
  let sequenceNumber = 65_000;
  let beforeTicks = list[0]!.start;
  const origin = beforeTicks;
  return list.map((press) => {
    if (sender.audio !== false) sequenceNumber += Math.floor((press.start - beforeTicks) / 160);
    const packets: Packet[] = [];
    const push = (elapsed: number, end: boolean, [timestamp, durationTicks]: readonly [number, number]): void => {
      const atMs = (press.start - origin + elapsed) / 8;
      const number = sequenceNumber++ & 0xffff;
      packets.push({
        event: press.event,
        timestamp: timestamp >>> 0,
        durationTicks,
        end,
        sequenceNumber: number,
        atMs,
      });
    };
    for (let elapsed = sender.stepTicks; elapsed < press.durationTicks; elapsed += sender.stepTicks) {
      const content = sender.update(press, elapsed);
      push(elapsed, sender.endsSegments === true && content[1] > SEGMENT - sender.stepTicks, content);
    }
    for (let i = 0; i < sender.ends; i++) push(press.durationTicks + i * 160, true, sender.end(press, i));
    beforeTicks = press.start + press.durationTicks;
    return packets;
  });
}

/** Each packet lost, doubled or swapped with its successor at these rates; one of each press comes. */
function overNetwork(packets: readonly Packet[], random: () => number, rates: Rates): Packet[] {
  const kept = packets.filter(() => random() >= rates.loss);
  if (kept.length === 0) kept.push(packets[Math.floor(random() * packets.length)]!);
  const arrived = kept.flatMap((packet) => (random() < rates.duplication ? [packet, packet] : [packet]));
  for (let i = 0; i + 1 < arrived.length; i++) {
    if (random() < rates.reorder) [arrived[i], arrived[i + 1]] = [arrived[i + 1]!, arrived[i]!];
  }
  return arrived;
}

interface Rates {
  readonly loss: number;
  readonly duplication: number;
  readonly reorder: number;
}

function heard(arrivals: readonly Packet[]): string {
  let digits = '';
  const dtmf = new DtmfReceiver(8000, (digit) => (digits += digit));
  const view = Object.assign(new RtpPacketView(), { ssrc: 9, payloadBytes: 4 });
  let nowMs = 0;
  for (const { event, timestamp, durationTicks, end, sequenceNumber, atMs } of arrivals) {
    for (; nowMs + 20 < atMs; nowMs += 20) dtmf.poll(nowMs);
    nowMs = Math.max(nowMs, atMs);
    Object.assign(view, { timestamp, sequenceNumber });
    dtmf.receive(view, Uint8Array.of(event, end ? 0x8a : 0x0a, durationTicks >> 8, durationTicks & 0xff), nowMs);
  }
  dtmf.poll(nowMs + 1000);
  return digits;
}

function wrongRounds(sender: Sender, rates: Rates): string[] {
  const wrong: string[] = [];
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const random = seededRandom(seed);
    const list = presses(random, sender.longPresses === true);
    const arrivals = packetsOf(sender, list).flatMap((packets) => overNetwork(packets, random, rates));
    const pressed = list.map(({ event }) => DIGITS.charAt(event)).join('');
    const digits = heard(arrivals);
    if (digits !== pressed) wrong.push(`seed ${seed}: ${pressed} heard as ${digits}`);
  }
  return wrong;
}

describe.each(SENDERS)('a sender $name', (sender) => {
  it('has one digit a press', () => {
    expect(wrongRounds(sender, { loss: 0, duplication: 0, reorder: 0 })).toEqual([]);
  });

  it('has one digit a press over a network that loses, doubles and swaps packets', () => {
    expect(wrongRounds(sender, { loss: 0.1, duplication: 0.1, reorder: 0.1 })).toEqual([]);
  });
});

describe('a sender as RFC 4733 has it', () => {
  it('has one digit a press though most of its packets are lost', () => {
    expect(wrongRounds(SENDERS[0]!, { loss: 0.7, duplication: 0.1, reorder: 0 })).toEqual([]);
  });
});
