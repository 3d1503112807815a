import {
  checkCampaignCall,
  ofCampaign,
  refusedByStore,
  refusedMeanwhile,
} from '../../../../activities/media/campaign-dial';
import { DEFAULT_NUMBER_CAPS } from '../../../../store/campaigns/number-caps';
import type { Campaign } from '../../../../store/entities/campaign';
import type { DialFacts } from '../../../../store/repositories/dial-facts-repository';
import type { OutboundCallInput } from '../../../../workflows/call/input';

/** A Monday, 10:00 in New York. */
const NOW = Date.UTC(2026, 0, 12, 15);
const TO = '+12125550000';
const FACTS: DialFacts = {
  campaign: {
    dialWindow: {
      days: ['mon'],
      start: '09:00',
      end: '17:00',
      holidays: [],
      defaultTimeZone: null,
      legal: 'default',
    },
    ringTimeoutSeconds: 30,
    caps: DEFAULT_NUMBER_CAPS,
    requireConsent: true,
    voicemailMessage: null,
    disclosureLine: null,
    variables: {},
  } as unknown as Campaign,
  agent: { firstMessage: 'Hello {{name}}', instructions: [] },
  contact: {
    phoneNumber: TO,
    name: 'Ada',
    timeZone: 'America/New_York',
    consentId: 'form-1',
    variables: {},
    suppressed: false,
    dialledAt: [],
  },
  caller: {
    trunks: [{ id: 'trunk', callerNumber: '+12025550100', callerNumbers: [], allowedCountries: null }],
    hasNumberThere: false,
    allowedCountries: null,
  },
};
const call = {
  orgId: 'org',
  trunkId: 'trunk',
  campaign: { campaignId: 'c', contactId: 'p', version: 3, countries: [] as string[] },
} as unknown as OutboundCallInput & { readonly campaign: NonNullable<OutboundCallInput['campaign']> };

function check(facts: Partial<DialFacts> | null = {}, { nowMs = NOW, countries = [] as string[] } = {}) {
  const store = { facts: () => Promise.resolve(facts === null ? null : { ...FACTS, ...facts }) };
  return checkCampaignCall(store, { ...call, campaign: { ...call.campaign, countries } }, TO, nowMs);
}

test('only calls of campaigns are asked after', () => {
  expect(ofCampaign(call)).toBe(true);
  const { campaign: _, ...plain } = call;
  expect(ofCampaign(plain)).toBe(false);
});

test('every check that was passed is kept, with what it looked at', async () => {
  const found = await check();
  expect(found).toMatchObject({ ok: true, admission: { campaignId: 'c', contactId: 'p', version: 3 } });
  const checks = found.ok ? found.admission.checks : [];
  expect(checks.every(({ passed }) => passed)).toBe(true);
  const detailOf = (name: string): string | undefined => checks.find((one) => one.check === name)?.detail;
  expect(detailOf('no_consent')).toBe('Consent form-1');
  expect(detailOf('outside_window')).toBe('America/New_York: 2026-01-12T10:00:00-05:00, legal hours federal');
  // With the law as it was read then; of a campaign that keeps none that it did not.
  const law = {
    rule: 'federal',
    certainty: 'statute',
    source: expect.stringContaining('47 CFR'),
    checked: '2026-11-29',
  };
  expect(checks.find((one) => one.check === 'outside_window')).toMatchObject({ law });
  const dialWindow = { ...FACTS.campaign.dialWindow, legal: 'off' } as const;
  const off = await check({ campaign: Object.assign({}, FACTS.campaign, { dialWindow }) });
  expect(off.ok && off.admission.checks.find((one) => one.check === 'outside_window')).toMatchObject({ law: null });
});

test.each<readonly [string, Partial<DialFacts> | null, object]>([
  ['suppressed', { contact: { ...FACTS.contact, suppressed: true } }, {}],
  ['no_consent', { contact: { ...FACTS.contact, consentId: null } }, {}],
  ['missing_variable', { contact: { ...FACTS.contact, name: null } }, {}],
  ['destination_not_allowed', {}, { countries: ['DE'] }],
  ['outside_window', {}, { nowMs: Date.UTC(2026, 0, 12, 23) }],
  ['cap_per_day', { contact: { ...FACTS.contact, dialledAt: [1, 2, 3].map((n) => new Date(NOW - n)) } }, {}],
  ['contact_moved', null, {}],
  ['contact_moved', { contact: { ...FACTS.contact, phoneNumber: '+12125550001' } }, {}],
])('refused: %s', async (refusal, facts, options) => {
  expect(await check(facts, options)).toMatchObject({ ok: false, refusal });
});

test('an INVITE that leaves a little later still rings within the window', async () => {
  const closesMs = Date.UTC(2026, 0, 12, 22);
  expect(await check({}, { nowMs: closesMs - 33_000 })).toMatchObject({ ok: true });
  expect(await check({}, { nowMs: closesMs - 32_999 })).toMatchObject({ ok: false, refusal: 'outside_window' });
});

test('what the admission has found stands among the checks, in the place of what had passed before', () => {
  const checks = [
    { check: 'suppressed', passed: true, detail: 'on none' },
    { check: 'no_consent', passed: true, detail: 'yes' },
  ];
  const admission = { campaignId: 'c', contactId: 'p', version: 3, checks };
  expect(refusedByStore('suppressed', admission).checks).toEqual([
    checks[1],
    { check: 'suppressed', passed: false, detail: 'The number has come onto a do-not-call list' },
  ]);
  expect(refusedByStore('campaign_changed', admission).checks).toHaveLength(3);
});

test.each([
  ['may leave as long as the campaign wants the call and the window is open', null, 0, null],
  ['does not once the campaign is paused', 'campaign_not_running', 0, 'campaign_not_running'],
  ['does not once the number is listed', 'suppressed', 0, 'suppressed'],
  ['does not when it would ring past the window', null, 7 * 3_600_000, 'outside_window'],
])('an INVITE to another gateway %s', async (_, stored, laterMs, refusal) => {
  const checked = await check();
  if (!checked.ok) throw new Error('it may be called');
  const store = { campaignRefusal: () => Promise.resolve(stored) };
  const refused = await refusedMeanwhile(store, 'call', checked, NOW + laterMs);
  expect(refused?.refusal ?? null).toBe(refusal);
  if (refused === null) return;
  expect(refused.checks.filter(({ passed }) => !passed)).toMatchObject([{ check: refusal }]);
});
