/** Of the checks of trunks. */
import type { TrunkCheckResource } from './trunk-check';

const CHECKED = '2026-11-24T09:30:00.000Z';
const told = { cause: null, remedy: null };

export const outboundTrunkCheckExample: TrunkCheckResource = {
  ok: false,
  checked_at: CHECKED,
  node: 'media-1',
  steps: [
    {
      step: 'dns',
      ok: true,
      duration_ms: 18.4,
      detail: 'sip.provider.com: A 203.0.113.20. Tried: 203.0.113.20:5060/udp.',
      ...told,
    },
    {
      step: 'transport',
      ok: false,
      duration_ms: 31.2,
      detail: '203.0.113.20:5060/udp: connection refused.',
      cause: 'The host is there, and nothing listens at its port 5060 over UDP.',
      remedy: 'Correct port and transport of the trunk: most carriers take UDP at 5060, some TCP or another port.',
    },
    { step: 'options', ok: null, duration_ms: null, detail: 'Not sent: the carrier was not reached.', ...told },
  ],
  call_id: null,
};

export const inboundTrunkCheckExample: TrunkCheckResource = {
  ok: false,
  checked_at: CHECKED,
  node: 'media-1, media-2',
  steps: [
    {
      step: 'credentials',
      ok: true,
      duration_ms: null,
      detail: 'User name trunk-3f1c8e90b2d4a657: 2 of 2 media nodes let it in.',
      ...told,
    },
    {
      step: 'recent_attempts',
      ok: false,
      duration_ms: null,
      detail: '2026-11-24T09:29:41.000Z from 203.0.113.50: 403 wrong password.',
      cause: 'The user name is right, the password is not. After several such tries its address is kept waiting.',
      remedy: 'Copy auth_password of GET /phone/sip/inbound-trunk into the phone system.',
    },
  ],
  call_id: null,
};
