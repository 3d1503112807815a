/**
 * `npm run bench:routing`: how long a media node takes to decide which agent answers, with 50,000 numbers and 10,000 agents
 * of one organisation in memory, for numbers in every spelling, ours and not ours. Prints one JSON line.
 */
import { cpus, loadavg } from 'node:os';

import { ConfigSnapshot } from '../media-node/config-snapshot';
import { routeInbound } from '../media-node/inbound-routing';
import { delta, newAgent, newNumber } from '../test/unit/media-node/config-fixture';
import { percentiles } from './percentiles';

const NUMBERS = 50_000;
const AGENTS = 10_000;
const CALLS = 20_000;
const GOAL_P99_US = 1_000;
const ORG_ID = 'org-1';
/** Their numbers, and what is dialled before one at home. */
const COUNTRIES = [
  { code: '1', area: '202', trunkPrefix: '' },
  { code: '44', area: '20', trunkPrefix: '0' },
  { code: '7', area: '916', trunkPrefix: '8' },
] as const;

const e164 = (n: number): string => {
  const { code, area } = country(n);
  // The same ending in every country: whoever dials in national form may mean each of them.
  const rest = String(2_000_000 + Math.floor(n / COUNTRIES.length) * 7);
  return `+${code}${area}${code === '44' ? '7' : ''}${rest}`;
};

const country = (n: number): (typeof COUNTRIES)[number] => COUNTRIES[n % COUNTRIES.length] ?? COUNTRIES[0];

function spelled(n: number): string {
  const number = e164(n);
  const { code, trunkPrefix } = country(n);
  const digits = number.slice(1);
  const spellings = [number, digits, `00${digits}`, `011${digits}`, `${trunkPrefix}${digits.slice(code.length)}`];
  return spellings[Math.floor(n / COUNTRIES.length) % spellings.length] ?? number;
}

function main(): void {
  const snapshot = new ConfigSnapshot();
  const loadBegan = performance.now();
  snapshot.apply(
    delta({
      agents: Array.from({ length: AGENTS }, (_, n) => newAgent({ id: `agent-${n}`, createdAtMs: n })),
      phoneNumbers: Array.from({ length: NUMBERS }, (_, n) =>
        newNumber({ id: `number-${n}`, phoneNumber: e164(n), agentId: n % 2 === 0 ? `agent-${n % AGENTS}` : null }),
      ),
      inboundTrunks: [
        {
          id: 'trunk',
          orgId: ORG_ID,
          authUsername: 'user',
          authPassword: 'password',
          previousPassword: null,
          phoneNumbers: Array.from({ length: NUMBERS }, (_, n) => e164(n)),
          mediaTimeoutSeconds: 30,
        },
      ],
    }),
  );
  const loadMs = Math.round(performance.now() - loadBegan);
  const us: number[] = [];
  const rules: Record<string, number> = {};
  for (let call = 0; call < CALLS; call += 1) {
    // Every tenth number is nobody's, and every tenth call comes after a change of an agent.
    const n = (call * 7919) % Math.round(NUMBERS * 1.1);
    if (call % 10 === 0) snapshot.apply(delta({ full: false, agents: [newAgent({ id: 'agent-5', name: `${call}` })] }));
    const request = {
      trunkId: 'trunk',
      orgId: ORG_ID,
      sipCallId: 'sip',
      fromTag: 'tag',
      cseq: 1,
      privacy: [],
      dialedUser: spelled(n),
      callerUser: '4930123456',
      agentIdHeader: call % 5 === 0 ? 'agent-of-nobody' : null,
    };
    const began = performance.now();
    const decision = routeInbound(snapshot, request);
    us.push((performance.now() - began) * 1_000);
    const rule = decision.ok ? decision.rule : String(decision.status);
    rules[rule] = (rules[rule] ?? 0) + 1;
  }
  const decisionUs = percentiles(us);
  const passed = decisionUs.p99 < GOAL_P99_US;
  console.log(
    JSON.stringify({
      bench: 'routing',
      numbers: NUMBERS,
      agents: AGENTS,
      loadMs,
      decisionUs,
      rules,
      goalP99Us: GOAL_P99_US,
      cpus: cpus().length,
      load: loadavg()[0],
      passed,
    }),
  );
  if (!passed) process.exitCode = 1;
}

main();
