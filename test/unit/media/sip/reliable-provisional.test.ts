import type { SipRequest, SipResponse } from '../../../../media/sip/message/message';
import { parseMessage } from '../../../../media/sip/message/parser';
import { rackFor, ReliableProvisional } from '../../../../media/sip/reliable-provisional';
import { FakeClock } from '../../../fakes/fake-clock';

function ringing(): { clock: FakeClock; ringing: ReliableProvisional; told: string[] } {
  const clock = new FakeClock();
  const told: string[] = [];
  const note = (what: string) => (): number => told.push(`${what} ${clock.now() / 1_000}`);
  const options = { clock, cseq: 7, repeat: note('180'), onTimeout: note('timeout') };
  return { clock, ringing: new ReliableProvisional(options), told };
}

const prack = (rack: string): SipRequest =>
  parseMessage(Buffer.from(`PRACK sip:a@b SIP/2.0\r\nRAck: ${rack}\r\nContent-Length: 0\r\n\r\n`)) as SipRequest;

describe('a reliable provisional answer', () => {
  it('is repeated at T1 doubling until the INVITE has had no PRACK for 32 s', async () => {
    const { clock, ringing: answer, told } = ringing();
    answer.sent();
    await clock.advance(60_000);
    expect(told).toEqual(['180 0.5', '180 1.5', '180 3.5', '180 7.5', '180 15.5', '180 31.5', 'timeout 32']);
    expect([clock.armed, answer.acknowledged]).toEqual([0, false]);
  });

  it('is repeated no more after its PRACK, which counts once', async () => {
    const { clock, ringing: answer, told } = ringing();
    answer.sent();
    await clock.advance(600);
    expect(answer.acknowledgedBy(prack(`${answer.rseq} 7 INVITE`))).toBe(true);
    await clock.advance(60_000);
    expect([told, clock.armed, answer.acknowledged]).toEqual([['180 0.5'], 0, true]);
    expect(answer.acknowledgedBy(prack(`${answer.rseq} 7 INVITE`))).toBe(false);
  });

  it('is still acknowledged when the final answer came first', async () => {
    const { clock, ringing: answer, told } = ringing();
    answer.sent();
    answer.stop();
    await clock.advance(60_000);
    expect([told, clock.armed]).toEqual([[], 0]);
    expect(answer.acknowledgedBy(prack(`${answer.rseq} 7 INVITE`))).toBe(true);
  });

  it('is acknowledged by no other PRACK', () => {
    const { ringing: answer } = ringing();
    for (const rack of ['', 'x', `${answer.rseq}`, `${answer.rseq + 1} 7 INVITE`, `${answer.rseq} 8 INVITE`]) {
      expect(answer.acknowledgedBy(prack(rack))).toBe(false);
    }
    expect(answer.acknowledgedBy(prack(`${answer.rseq} 7 UPDATE`))).toBe(false);
    expect(answer.acknowledgedBy(prack(`${answer.rseq}  7\t INVITE `))).toBe(true);
  });

  it('begins anywhere', () => {
    const numbers = Array.from({ length: 50 }, () => ringing().ringing);
    expect(new Set(numbers.map(({ rseq }) => rseq)).size).toBeGreaterThan(45);
    for (const { rseq, headers } of numbers) {
      expect(rseq >= 1 && rseq < 2 ** 31).toBe(true);
      expect(headers).toEqual(['Require: 100rel', `RSeq: ${rseq}`]);
    }
  });
});

describe('what is owed to a provisional answer', () => {
  const to = (status: number, headers: readonly string[]): string | null =>
    rackFor(
      parseMessage(
        Buffer.from(`SIP/2.0 ${status} X\r\nCSeq: 3 INVITE\r\n${headers.map((h) => `${h}\r\n`).join('')}\r\n`),
      ) as SipResponse,
    );

  it.each<[number, readonly string[], string | null]>([
    [183, ['Require: 100rel', 'RSeq: 42'], '42 3 INVITE'],
    [180, ['Require: precondition', 'require: 100REL', 'RSeq: 4294967295'], '4294967295 3 INVITE'],
    [180, ['Require: 100rel'], null],
    [180, ['Require: 100rel', 'RSeq: one'], null],
    [180, ['Supported: 100rel', 'RSeq: 1'], null],
    [100, ['Require: 100rel', 'RSeq: 1'], null],
    [200, ['Require: 100rel', 'RSeq: 1'], null],
  ])('%d %j', (status, headers, rack) => expect(to(status, headers)).toBe(rack));
});
