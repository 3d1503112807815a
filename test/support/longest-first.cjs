/**
 * jest's `testSequencer`. In a new clone jest knows no times and begins with the largest files, but those that take longest
 * are small here: what begins last must not keep one worker busy while the others have nothing left to do.
 */
const Sequencer = require('@jest/test-sequencer').default;

/**
 * About the longest first; folders and files under `test/`. The first one keeps the Temporal server busy for most of a
 * minute, so those that need none come next.
 */
const LONGEST = [
  'integration/workflows/many-calls',
  'integration/workflows/campaign-simulation',
  'integration/media/agent/echo-guard',
  'integration/api/concurrent-repeats',
  'integration/media/call/trunk-check/',
  'integration/media/sip/session-timers',
  'integration/store/list-plans',
  'integration/workflows/histories',
  'integration/workflows/',
  'e2e/calls/transfer-warm',
  'e2e/calls/transfer-by-agent',
  'e2e/calls/transfer-attended',
  'e2e/calls/refer-in',
  'e2e/calls/transfer-matrix',
  'e2e/calls/call-model',
  'e2e/calls/trunk-health',
  'e2e/supervisor/lifecycle',
  'e2e/calls/conversation',
  'e2e/calls/registration',
  'e2e/calls/dial-once',
];

const rank = ({ path }) => {
  const place = LONGEST.findIndex((name) => path.includes(`/test/${name}`));
  return place === -1 ? LONGEST.length : place;
};

module.exports = class LongestFirst extends Sequencer {
  async sort(tests) {
    return [...(await super.sort(tests))].sort((a, b) => rank(a) - rank(b));
  }
};
