import type { CommandResult, DialResult } from '../../../../contract/commands';
import { CallRegistry, type RegisteredCall } from '../../../../media/call/call-registry';
import { FakeClock } from '../../../fakes/fake-clock';

class StubCall implements RegisteredCall {
  readonly trunkId = 'trunk-1';
  readonly liveState = 'answered';
  lastSeq = 3;
  readonly hangUps: string[] = [];

  control(): CommandResult {
    return { ok: true };
  }

  hangUp(endReason: string): void {
    this.hangUps.push(endReason);
  }
}

const SENT: DialResult = { sent: true, nodeId: 'n', bootId: 'b', sipCallId: 's' };

describe('CallRegistry', () => {
  const clock = new FakeClock();
  let registry: CallRegistry;

  beforeEach(() => {
    registry = new CallRegistry({ clock, maxCalls: 2 });
  });

  it('takes calls up to its limit, counting those without an id', () => {
    const first = new StubCall();
    expect(registry.enter(first)).toBeNull();
    expect(registry.enter(new StubCall())).toBeNull();
    expect(registry.hasRoom).toBe(false);
    expect(registry.enter(new StubCall())).toBe('node_full');
    registry.leave(first);
    expect(registry.enter(new StubCall())).toBeNull();
  });

  it('takes more, or fewer, by another limit, and tells whoever shows that; calls that there are stay', () => {
    let told = 0;
    registry.onLoadChange = () => told++;
    registry.enter(new StubCall());
    registry.enter(new StubCall());
    told = 0;
    registry.limitTo(3);
    expect([registry.maxCalls, registry.hasRoom, told]).toEqual([3, true, 1]);
    registry.limitTo(1);
    expect([registry.size, registry.hasRoom]).toEqual([2, false]);
    expect(registry.enter(new StubCall())).toBe('node_full');
  });

  it('takes none while draining and says when the last has left', async () => {
    const call = new StubCall();
    registry.enter(call);
    let empty = false;
    const drained = registry.drain().then(() => (empty = true));
    expect(registry.enter(new StubCall())).toBe('node_draining');
    await Promise.resolve();
    expect(empty).toBe(false);
    registry.leave(call);
    await drained;
    expect(empty).toBe(true);
  });

  it('remembers an ended call for a while', async () => {
    const call = new StubCall();
    registry.enter(call);
    registry.identify(call, 'c');
    expect(registry.status('c')).toEqual({ known: true, state: 'answered', lastSeq: 3 });
    registry.leave(call);
    expect(registry.status('c')).toEqual({ known: true, state: 'ended', lastSeq: 3 });
    await clock.advance(16 * 60_000);
    expect(registry.status('c')).toEqual({ known: false });
  });

  it('gives one id to one live call', () => {
    const first = new StubCall();
    const second = new StubCall();
    registry.enter(first);
    registry.enter(second);
    expect(registry.identify(first, 'c')).toBe(true);
    expect(registry.identify(second, 'c')).toBe(false);
    registry.leave(second);
    expect(registry.find('c')).toBe(first);
  });

  it('answers a repeated command with its first result', async () => {
    let runs = 0;
    const run = async () => ({ ok: ++runs > 0 }) as const;
    const results = [registry.commandOnce('c', '1', run as never), registry.commandOnce('c', '1', run as never)];
    await Promise.all(results);
    await registry.commandOnce('c', '2', run as never);
    expect(runs).toBe(2);
  });

  it('lets a dial that sent never run again and one that did not be tried anew', async () => {
    let runs = 0;
    const refused: DialResult = { sent: false, code: 'no_port', detail: '' };
    const results = [refused, SENT];
    const run = (): Promise<DialResult> => Promise.resolve(results[Math.min(runs++, 1)]!);
    expect(await registry.dialOnce('a', run)).toBe(refused);
    await Promise.resolve();
    expect(await registry.dialOnce('a', run)).toBe(SENT);
    expect(await registry.dialOnce('a', run)).toBe(SENT);
    expect(runs).toBe(2);
  });

  it('keeps a tombstone', () => {
    registry.tombstone('c');
    expect(registry.isTombstoned('c')).toBe(true);
    expect(registry.isTombstoned('d')).toBe(false);
  });
});
