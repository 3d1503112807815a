import { changedOutside, FaultsInARow, outsideRules, standingFault } from '../../../../store/campaigns/standing-fault';

const AGENT = { firstMessage: 'Hello {{name}}', instructions: ['On {{plan}}.'] };
const CAMPAIGN = {
  voicemailMessage: null,
  disclosureLine: null,
  variables: {},
  variableNames: ['name', 'plan'],
  dialWindow: {
    days: ['sat', 'sun'],
    start: '20:58',
    end: '02:00',
    holidays: [],
    defaultTimeZone: null,
    legal: 'default',
  },
  ringTimeoutSeconds: 110,
} as unknown as Parameters<typeof standingFault>[0];
const TRUNKS = [{ id: 't', allowedCountries: null }];

describe('nobody can be called', () => {
  test.each([
    ['no_agent', CAMPAIGN, null, TRUNKS, {}],
    ['no_trunk', CAMPAIGN, AGENT, [], {}],
    // Two minutes of the law's day: with ten seconds to dial.
    ['window_never_opens', { ...CAMPAIGN, ringTimeoutSeconds: 111 }, AGENT, TRUNKS, {}],
    [
      'invalid_placeholder',
      { ...CAMPAIGN, voicemailMessage: 'Of {{a/b}}' },
      // What the agent is told may have examples in braces.
      { ...AGENT, instructions: ['{{#if plan}}'] },
      TRUNKS,
      { placeholders: ['{{a/b}}'] },
    ],
    ['missing_column', { ...CAMPAIGN, variableNames: ['name'] }, AGENT, TRUNKS, { columns: ['plan'] }],
  ])('%s', (reason, campaign, agent, trunks, data) => {
    expect(standingFault(campaign, agent, trunks)).toMatchObject({ reason, data: { reason, ...data } });
  });

  test('unless all is there, or the campaign has the value for everybody', () => {
    expect(standingFault(CAMPAIGN, AGENT, TRUNKS)).toBeNull();
    const own = { ...CAMPAIGN, variableNames: [], variables: { name: 'there', plan: 'gold' } };
    expect(standingFault(own, AGENT, TRUNKS)).toBeNull();
  });

  test('nor where a list that an earlier release has read does not tell of names', () => {
    expect(standingFault({ ...CAMPAIGN, variableNames: ['plan'] }, AGENT, TRUNKS)).toBeNull();
  });
});

describe('contacts in a row that what is set leaves out', () => {
  const note = (reason: string) => ({ at: '', called: false, reason, detail: '' }) as const;

  test('are a fault of the campaign from the twentieth on, by the reason of most of them', () => {
    const faults = new FaultsInARow();
    for (let n = 0; n < 7; n++) faults.leftOut(note('missing_variable'));
    for (let n = 0; n < 12; n++) faults.leftOut(note('destination_not_allowed'));
    expect(faults.fault).toBeNull();
    faults.leftOut(note('destination_not_allowed'));
    const data = { reason: 'destination_not_allowed', contacts: 13, in_a_row: 20 };
    expect(faults.fault).toMatchObject({ reason: 'destination_not_allowed', data });
  });

  test('are a fault also where the window opens for none of them, whatever it does for others', () => {
    const faults = new FaultsInARow();
    for (let n = 0; n < 20; n++) faults.leftOut(note('outside_window'));
    expect(faults.fault?.data).toEqual({ reason: 'outside_window', contacts: 20, in_a_row: 20 });
  });

  test('are none with one between them who may be called; who is left out for themselves is passed over', () => {
    const faults = new FaultsInARow();
    for (let n = 0; n < 19; n++) faults.leftOut(note('missing_variable'));
    faults.leftOut(note('no_consent'));
    expect(faults.fault).toBeNull();
    faults.callable();
    faults.leftOut(note('missing_variable'));
    expect(faults.fault).toBeNull();
  });
});

test('rules that are set elsewhere tell which of them has changed', () => {
  const rules = { agent: AGENT, trunks: TRUNKS, allowedCountries: ['US'] };
  const before = outsideRules(rules, []);
  expect(outsideRules({ ...rules, agent: { ...AGENT, firstMessage: 'Good day {{name}}' } }, [])).toBe(before);
  const texts = outsideRules({ ...rules, agent: { ...AGENT, firstMessage: 'Good day' } }, []);
  expect(changedOutside(before, texts)).toEqual(['agent_texts']);
  expect(changedOutside(before, outsideRules({ ...rules, allowedCountries: null }, []))).toEqual(['allowed_countries']);
  const trunks = [{ id: 't', allowedCountries: ['DE'] }];
  expect(changedOutside(before, outsideRules({ ...rules, trunks }, ['US']))).toEqual(['allowed_countries']);
});
