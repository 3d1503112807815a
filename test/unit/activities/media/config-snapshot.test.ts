import { ConfigSnapshot } from '../../../../activities/media/config-snapshot';
import { delta, newAgent, newNumber } from './config-fixture';

const inbound = (authUsername: string, phoneNumbers: readonly string[] = []) => ({
  id: 't1',
  orgId: 'org-1',
  authUsername,
  authPassword: 'password',
  phoneNumbers,
  krispEnabled: false,
  version: 1,
});

test('a delta replaces rows by id and removes what was deleted', () => {
  const config = new ConfigSnapshot();
  config.apply(delta({ agents: [newAgent({ id: 'a' }), newAgent({ id: 'b' })], inboundTrunks: [inbound('first')] }));
  expect(config.inboundAgents('org-1').map(({ id }) => id)).toEqual(['a', 'b']);
  config.apply(
    delta({
      version: 2,
      full: false,
      agents: [newAgent({ id: 'b', name: 'Renamed' })],
      inboundTrunks: [inbound('second')],
      deleted: [{ kind: 'agent', id: 'a' }],
    }),
  );
  expect(config.version).toBe(2);
  expect(config.inboundAgents('org-1').map(({ name }) => name)).toEqual(['Renamed']);
  // Rotated credentials: the old name is gone.
  expect(config.inboundTrunk('first')).toBeUndefined();
  expect(config.inboundTrunk('second')).toMatchObject({ id: 't1', password: 'password' });
});

test('a full load forgets everything it does not contain', () => {
  const config = new ConfigSnapshot();
  config.apply(delta({ agents: [newAgent()], phoneNumbers: [newNumber()], inboundTrunks: [inbound('user')] }));
  config.apply(delta({ version: 1 }));
  expect(config.agent('agent')).toBeUndefined();
  expect(config.verifiedNumbers('org-1')).toEqual([]);
  expect(config.inboundTrunk('user')).toBeUndefined();
});

test('a trunk whose secret does not open any more is not used with the old one', () => {
  const config = new ConfigSnapshot();
  config.apply(delta({ inboundTrunks: [inbound('user')] }));
  config.apply(delta({ version: 2, full: false, unreadable: [{ kind: 'inbound_trunk', id: 't1' }] }));
  expect(config.inboundTrunk('user')).toBeUndefined();
});
