import { statusesBefore } from '../../../store/call-status';

describe('statusesBefore', () => {
  it.each([
    ['scheduled', []],
    ['queued', ['scheduled']],
    ['dialing', ['scheduled', 'queued']],
    ['ringing', ['scheduled', 'queued', 'dialing']],
    ['in_progress', ['scheduled', 'queued', 'dialing', 'ringing', 'held', 'transferring']],
    ['held', ['scheduled', 'queued', 'dialing', 'ringing', 'in_progress', 'transferring']],
    ['completed', ['scheduled', 'queued', 'dialing', 'ringing', 'in_progress', 'held', 'transferring']],
  ] as const)('a call moves to %s only from an earlier status', (next, before) => {
    expect(statusesBefore(next)).toEqual(before);
  });
});
