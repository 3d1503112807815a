import { missingVariables, neededVariables } from '../../../../store/campaigns/text-variables';

const TEXTS = { firstMessage: null, instructions: [], voicemailMessage: null, disclosureLine: null };

describe('variables of texts', () => {
  test('are found once each, in the order of their use, with spaces or without', () => {
    const found = (...instructions: string[]): string[] => neededVariables({ ...TEXTS, instructions }, {});
    expect(found('Hi {{name}}, {{ city }} and {{name}}', 'no {x} {{}} {{a b}} {{{plan}}}')).toEqual([
      'name',
      'city',
      'a_b',
      'plan',
    ]);
    expect(found(`{{${'x'.repeat(65)}}}`)).toEqual([]);
  });

  test('that a contact has to bring along are those of all texts, without what the campaign has', () => {
    const texts = {
      firstMessage: 'Hi {{name}} of {{company}}',
      instructions: ['Their plan is {{plan}}', 'They live in {{city}}'],
      voicemailMessage: 'Call {{phone_number}} about {{plan}}',
      disclosureLine: 'For {{company}}',
    };
    expect(neededVariables(texts, { company: 'Example', city: '' })).toEqual(['name', 'plan']);
    expect(neededVariables(TEXTS, {})).toEqual([]);
  });

  test('that are missing: not there, empty, or somebody else’s', () => {
    const contact = { name: null, variables: { plan: 'gold', city: '' } };
    expect(missingVariables(['plan', 'city', 'toString', 'name'], contact)).toEqual(['city', 'toString', 'name']);
    expect(missingVariables(['name'], { name: 'Ada', variables: {} })).toEqual([]);
  });
});
