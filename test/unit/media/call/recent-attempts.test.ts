import { RecentAttempts } from '../../../../media/call/recent-attempts';
import { CallLayer } from '../../../fakes/call-layer';
import { FakeClock, settle } from '../../../fakes/fake-clock';
import { FakeInboundDialog } from '../../../fakes/fake-sip';

const refused = { source: '192.0.2.1', status: 403, why: 'wrong_password' };

test('the latest attempts of a trunk are kept, and no more than five', () => {
  const attempts = new RecentAttempts(new FakeClock());
  for (let n = 0; n < 8; n++) attempts.note('a', { ...refused, source: `192.0.2.${n}` });
  attempts.note('b', refused);
  expect(attempts.of('a').map(({ source }) => source)).toEqual([
    '192.0.2.7',
    '192.0.2.6',
    '192.0.2.5',
    '192.0.2.4',
    '192.0.2.3',
  ]);
  expect(attempts.of('b')).toHaveLength(1);
  expect(attempts.of('c')).toEqual([]);
});

test('of very many trunks those are forgotten that were tried longest ago', () => {
  const attempts = new RecentAttempts(new FakeClock());
  for (let n = 0; n < 5_000; n++) attempts.note(`trunk-${n}`, refused);
  expect(attempts.of('trunk-4999')).toHaveLength(1);
  expect(attempts.of('trunk-0')).toEqual([]);
});

test('an INVITE that no agent answers leaves its reason, one that is answered its success', async () => {
  const layer = new CallLayer();
  layer.directory.decision = { ok: false, status: 480, steps: [] };
  const dialog = layer.receive();
  await settle();
  const { trunkId } = dialog.invite.identity;
  const { address: source } = dialog.invite.peer;
  expect(layer.attempts.of(trunkId)).toMatchObject([{ status: 480, why: 'no_agent', source }]);
  const other = new CallLayer();
  await other.answered(new FakeInboundDialog());
  expect(other.attempts.of(trunkId)).toMatchObject([{ status: 200, why: 'answered', source }]);
});
