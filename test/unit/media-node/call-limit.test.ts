import { callLimit } from '../../../media-node/call-limit';

const HEARING = { callers: 17, utteranceMs: 147 };

describe('callLimit', () => {
  it('is what the recogniser can hear, and says so', () => {
    const { calls, because } = callLimit({ set: null, hearing: HEARING, cores: 2 });
    expect(calls).toBe(17);
    expect(because).toMatch(/hears about 17 callers, 147 ms/);
  });

  it('is what is set, whatever can be heard, and tells that too', () => {
    expect(callLimit({ set: 60, hearing: HEARING, cores: 2 })).toMatchObject({
      calls: 60,
      because: expect.stringMatching(/^MEDIA_MAX_CALLS; .*17 callers/) as string,
    });
    expect(callLimit({ set: 3, hearing: null, cores: 2 })).toEqual({ calls: 3, because: 'MEDIA_MAX_CALLS' });
  });

  it('is what the cores carry where nothing is recognised, or more could be heard', () => {
    expect(callLimit({ set: null, hearing: null, cores: 2 }).calls).toBe(200);
    expect(callLimit({ set: null, hearing: { callers: 300, utteranceMs: 8 }, cores: 2 }).calls).toBe(200);
  });
});
