import { contactOutcome, countsForRetry } from '../../../../store/campaigns/contact-outcome';
import type { ContactsCampaign, EndedContact } from '../../../../store/campaigns/contact-outcome';
import { DEFAULT_RETRY_MATRIX } from '../../../../store/campaigns/retry-plan';
import { MINUTE_MS } from '../../../../store/campaigns/zone-clock';
import { DISPOSITIONS } from '../../../../contract/endings';
import type { CallEnding, Disposition } from '../../../../contract/endings';

/** A Monday, 10:00 in New York. */
const NOW = Date.UTC(2026, 0, 12, 15);
const CAMPAIGN: ContactsCampaign = {
  status: 'running',
  dialWindow: {
    days: ['mon', 'tue', 'wed', 'thu', 'fri'],
    start: '09:00',
    end: '17:00',
    holidays: [],
    defaultTimeZone: null,
    legal: 'default',
  },
  ringTimeoutSeconds: 30,
  caps: { perNumberPerDay: 3, perNumberPerWeek: 7 },
  requireConsent: true,
  voicemailMessage: null,
  disclosureLine: null,
  variables: {},
  retry: DEFAULT_RETRY_MATRIX,
  endsAt: null,
};

function outcome(
  disposition: Disposition,
  contact: Partial<EndedContact> = {},
  campaign: Partial<ContactsCampaign> = {},
  endReason: CallEnding['endReason'] = null,
) {
  const dialled = contact.dialled ?? true;
  const past = countsForRetry(disposition, dialled) ? [{ atMs: NOW - MINUTE_MS, disposition }] : [];
  const ended: EndedContact = {
    phoneNumber: '+12125550000',
    timeZone: 'America/New_York',
    past,
    dialled,
    optedOut: false,
    suppressed: false,
    refusal: null,
    ...contact,
  };
  return contactOutcome(ended, { ...CAMPAIGN, ...campaign }, { disposition, endReason }, NOW);
}
const done = (result: string) => ({ done: true, result });
const due = (ms: number) => ({ done: false, dueAtMs: NOW + ms });

describe('what becomes of a contact', () => {
  test.each<readonly [string, ReturnType<typeof outcome>, object]>([
    ['answered: reached', outcome('answered'), done('reached')],
    ['busy: in a quarter of an hour after it was dialled', outcome('busy'), due(14 * MINUTE_MS)],
    ['rejected: not again', outcome('rejected'), done('exhausted')],
    [
      'uncertain: never again, whatever the campaign says',
      outcome(
        'uncertain',
        {},
        { retry: { maxAttemptsTotal: 9, rules: { uncertain: { max: 5, delaysMinutes: [1] } } } },
      ),
      done('uncertain'),
    ],
    [
      'who has opted out is not called again, also if the call broke',
      outcome('failed', { optedOut: true }),
      done('opted_out'),
    ],
    ['who came onto a list meanwhile', outcome('busy', { suppressed: true }), done('suppressed')],
    ['who was reached and came onto a list was reached', outcome('answered', { suppressed: true }), done('reached')],
    ['a canceled campaign calls nobody again', outcome('busy', {}, { status: 'canceled' }), done('canceled')],
    ['a paused one does, when it is resumed', outcome('busy', {}, { status: 'paused' }), due(14 * MINUTE_MS)],
    [
      'one that has ended by then does not',
      outcome('busy', {}, { endsAt: new Date(NOW + MINUTE_MS) }),
      done('canceled'),
    ],
    [
      'a window that never opens',
      outcome('busy', {}, { dialWindow: { ...CAMPAIGN.dialWindow, days: [] } }),
      done('exhausted'),
    ],
  ])('%s', (_, found, expected) => {
    expect(found).toEqual(expected);
  });

  describe('undialled', () => {
    test.each<readonly [string, ReturnType<typeof outcome>, object]>([
      ['paused or changed: at once', outcome('canceled', { dialled: false, refusal: 'campaign_changed' }), due(0)],
      [
        'refused by a check: the claim sees why',
        outcome('canceled', { dialled: false, refusal: 'outside_window' }),
        due(5_000),
      ],
      ['no room in time', outcome('expired', { dialled: false }), due(MINUTE_MS)],
      ['no media node', outcome('failed', { dialled: false }), due(MINUTE_MS)],
      ['its node died before it had dialled', outcome('uncertain', { dialled: false }), due(MINUTE_MS)],
      [
        'hung up by an operator while it waited',
        outcome('canceled', { dialled: false }, {}, 'api_hangup'),
        done('canceled'),
      ],
      ['a trunk that was not reached counts', outcome('trunk_unreachable', { dialled: false }), due(4 * MINUTE_MS)],
      ['canceled with its campaign', outcome('canceled', { dialled: false }, { status: 'canceled' }), done('canceled')],
    ])('%s', (_, found, expected) => {
      expect(found).toEqual(expected);
    });

    test('it never ends a contact for reasons of ours, however often', () => {
      for (const disposition of ['canceled', 'expired', 'failed'] as const) {
        expect(outcome(disposition, { dialled: false, past: [] })).toMatchObject({ done: false });
      }
    });
  });

  test('after any ending the contact is done, or due in the window and not before now', () => {
    for (const disposition of DISPOSITIONS) {
      const found = outcome(disposition);
      if (found.done) continue;
      expect(found.dueAtMs).toBeGreaterThanOrEqual(NOW);
    }
  });
});
