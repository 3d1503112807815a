import { StartGate } from '../../../../api/calls/start-gate';

const never = (): Promise<never> => new Promise(() => undefined);

describe('StartGate', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('runs no more at once than its limit, in order of arrival', async () => {
    const gate = new StartGate({ limit: 2, maxWaitMs: 1000 });
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const runs = [1, 2, 3, 4].map((n) =>
      gate.run(() => {
        begun.push(n);
        return new Promise<number>((resolve) => ends.push(() => resolve(n)));
      }),
    );
    await jest.advanceTimersByTimeAsync(0);
    expect(begun).toEqual([1, 2]);
    ends[0]?.();
    await jest.advanceTimersByTimeAsync(0);
    expect([begun, gate.active]).toEqual([[1, 2, 3], 2]);
    ends[1]?.();
    await jest.advanceTimersByTimeAsync(0);
    for (const end of ends.slice(2)) end();
    expect(await Promise.all(runs)).toEqual([{ value: 1 }, { value: 2 }, { value: 3 }, { value: 4 }]);
    expect(gate.active).toBe(0);
  });

  it('gives up a place in line after the longest wait', async () => {
    const gate = new StartGate({ limit: 1, maxWaitMs: 1000 });
    void gate.run(never);
    const late = gate.run(() => Promise.resolve('ran'));
    await jest.advanceTimersByTimeAsync(1000);
    expect(await late).toBeUndefined();
    expect(gate.active).toBe(1);
  });

  it('frees its place when the task fails', async () => {
    const gate = new StartGate({ limit: 1, maxWaitMs: 1000 });
    await expect(gate.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(gate.active).toBe(0);
  });
});
