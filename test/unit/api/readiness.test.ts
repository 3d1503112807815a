import { readiness } from '../../../api/readiness';

const there = { name: 'postgresql', check: () => Promise.resolve() };

describe('readiness', () => {
  afterEach(() => jest.useRealTimers());

  it('is given when everything is there', async () => {
    expect(await readiness([there])).toEqual({
      status: 'ready',
      checks: { api: 'ok', postgresql: 'ok' },
      missing: [],
    });
  });

  it('names what is missing', async () => {
    const gone = { name: 'temporal', check: () => Promise.reject(new Error('refused')) };
    expect(await readiness([there, gone])).toEqual({
      status: 'not_ready',
      checks: { api: 'ok', postgresql: 'ok', temporal: 'missing' },
      missing: ['temporal'],
    });
  });

  it('does not wait for what says nothing', async () => {
    jest.useFakeTimers();
    const silent = { name: 'media_node', check: () => new Promise<void>(() => undefined) };
    const report = readiness([silent]);
    await jest.advanceTimersByTimeAsync(1500);
    expect((await report).missing).toEqual(['media_node']);
  });
});
