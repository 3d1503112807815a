import fc from 'fast-check';
import { ROUTING_RULES } from '../../../contract/directory';
import { chooseAgent } from '../../../contract/inbound-routing';
import type { RoutedOrganisation } from '../../../contract/inbound-routing';
import { OwnNumbers } from '../../../store/routing/own-numbers';

interface TestAgent {
  readonly id: string;
  readonly type: 'inbound' | 'outbound';
}

interface World {
  /** Oldest first. */
  readonly agents: readonly TestAgent[];
  readonly numbers: readonly { readonly digits: string; readonly agent: number | null; readonly onTrunk: boolean }[];
}

const AGENT_ID = fc.constantFrom('agent-a', 'agent-b', 'agent-c', 'agent-d');
const DIGITS = fc.constantFrom('12025550100', '12025550101', '12025550102', '12025550103');

const world: fc.Arbitrary<World> = fc.record({
  agents: fc.uniqueArray(fc.record({ id: AGENT_ID, type: fc.constantFrom('inbound' as const, 'outbound' as const) }), {
    selector: ({ id }) => id,
  }),
  numbers: fc.uniqueArray(
    fc.record({ digits: DIGITS, agent: fc.option(fc.nat(3), { nil: null }), onTrunk: fc.boolean() }),
    { selector: ({ digits }) => digits },
  ),
});

const invite = fc.record({
  digits: DIGITS,
  spelling: fc.constantFrom('+', '', '00', '011', 'national'),
  header: fc.option(fc.oneof(AGENT_ID, fc.constantFrom('', ' ', '__proto__', 'agent-of-others'), fc.string()), {
    nil: null,
  }),
});

function organisation({ agents, numbers }: World): RoutedOrganisation<TestAgent> {
  const own = new OwnNumbers();
  for (const { digits, agent, onTrunk } of numbers) {
    if (onTrunk) own.putOnTrunk([`+${digits}`]);
    if (agent !== null) own.verify(`+${digits}`, agents[agent]?.id ?? null);
  }
  return {
    dialed: (user) => own.dialed(user),
    agent: (id) => agents.find((agent) => agent.id === id),
    oldestInboundAgent: () => agents.find(({ type }) => type === 'inbound'),
  };
}

const dialedUser = ({ digits, spelling }: { readonly digits: string; readonly spelling: string }): string =>
  spelling === 'national' ? digits.slice(1) : spelling + digits;

test('the agent is the one of the first rule that finds any, however the number is written', () => {
  fc.assert(
    fc.property(world, invite, (given, asked) => {
      const choice = chooseAgent(organisation(given), dialedUser(asked), asked.header);
      const named = given.agents.find(({ id }) => id === asked.header?.trim().toLowerCase());
      const number = given.numbers.find(({ digits }) => digits === asked.digits);
      const assigned = number?.agent == null ? undefined : given.agents[number.agent];
      const oldest = given.agents.find(({ type }) => type === 'inbound');
      const expected =
        named !== undefined
          ? { ok: true, rule: 'header', agent: named }
          : assigned !== undefined
            ? { ok: true, rule: 'number_assignment', agent: assigned }
            : oldest !== undefined
              ? { ok: true, rule: number?.onTrunk === true ? 'trunk_number' : 'fallback', agent: oldest }
              : { ok: false, status: 480 };
      expect(choice).toMatchObject(expected);
    }),
    { numRuns: 500 },
  );
});

test('steps come in the order of the rules, only the last may match, and reasons hold neither digits nor the header', () => {
  fc.assert(
    fc.property(world, invite, (given, asked) => {
      const { ok, steps } = chooseAgent(organisation(given), dialedUser(asked), asked.header);
      expect(steps.map(({ rule }) => rule)).toEqual(ROUTING_RULES.slice(0, steps.length));
      expect(steps.map(({ matched }) => matched)).toEqual(steps.map((_, n) => ok && n === steps.length - 1));
      const text = steps.map(({ reason }) => reason).join(' ');
      expect(text).not.toMatch(/\d{3}/);
      if (asked.header !== null && asked.header.length > 12) expect(text).not.toContain(asked.header);
    }),
  );
});

test('an id in upper case names its agent, one with blanks too', () => {
  const given: World = { agents: [{ id: 'agent-a', type: 'outbound' }], numbers: [] };
  expect(chooseAgent(organisation(given), 'alice', ' AGENT-A ')).toMatchObject({ ok: true, rule: 'header' });
});

test('an ambiguous national number is said to be one', () => {
  const own = new OwnNumbers();
  own.verify('+12079460000', 'agent-a');
  own.verify('+442079460000', 'agent-a');
  const given = organisation({ agents: [{ id: 'agent-a', type: 'inbound' }], numbers: [] });
  const choice = chooseAgent({ ...given, dialed: (user) => own.dialed(user) }, '2079460000', null);
  expect(choice).toMatchObject({ ok: true, rule: 'fallback' });
  expect(choice.steps[1]?.reason).toContain('several');
});
