import type { Command } from 'commander';

import { EXIT } from '../exit-code';
import { usageFailure } from '../failure';
import type { Output } from '../output';
import { resourcePath } from '../resource';
import type { CliSession } from '../session';
import type { Column } from '../table';
import { INBOUND_TRUNK_PATH } from './inbound-trunk';
import { OUTBOUND_TRUNKS } from './outbound-trunks';

interface CheckedStep {
  readonly step: string;
  readonly ok: boolean | null;
  readonly duration_ms: number | null;
  readonly detail: string;
  readonly cause: string | null;
  readonly remedy: string | null;
}

interface CheckedTrunk {
  readonly ok: boolean | null;
  readonly node: string;
  readonly steps: readonly CheckedStep[];
  readonly call_id: string | null;
}

const MARKS = new Map<boolean | null, string>([
  [true, '✓'],
  [false, '✗'],
  [null, '–'],
]);

/** Cause and remedy are sentences, with lines of their own: the third column of a table would be off the screen. */
const COLUMNS: readonly Column<readonly [mark: string, step: string, time: string, text: string]>[] = [
  { title: 'OK', value: ([mark]) => mark },
  { title: 'STEP', value: ([, step]) => step || ' ' },
  { title: 'TIME', value: ([, , time]) => time || ' ' },
  { title: 'DETAIL, CAUSE, REMEDY', value: ([, , , text]) => text },
];

const VERDICTS = new Map<boolean | null, string>([
  [true, 'The trunk works, as far as was looked.'],
  [false, 'The trunk does not work: see ✗.'],
  [null, 'Nothing is wrong as far as can be seen, and the other side was never heard: see –.'],
]);

export function addTrunkCheckCommand(trunks: Command, session: CliSession): void {
  trunks
    .command('check [trunk]')
    .description('why a trunk does not work; without an outbound one: the inbound trunk')
    .option('--test-number <number>', 'of an outbound trunk: call this number once, for some seconds')
    .action(async (word: string | undefined, { testNumber }: { readonly testNumber?: string }) => {
      if (word === undefined && testNumber !== undefined) throw usageFailure('--test-number is for an outbound trunk');
      const { api, output } = session;
      const path = word === undefined ? INBOUND_TRUNK_PATH : await resourcePath(session, OUTBOUND_TRUNKS, word);
      const body = word === undefined ? {} : { body: { test_number: testNumber } };
      const checking = api.request<CheckedTrunk>('POST', `${path}/check`, body);
      const checked = await output.waiting('looking at the trunk', checking);
      if (output.json) output.value(checked);
      else printCheck(output, checked);
      if (checked.ok !== true) session.exitCode = EXIT.refused;
    });
}

function printCheck(output: Output, { ok, node, steps, call_id: callId }: CheckedTrunk): void {
  const rows = steps.flatMap(({ ok: passed, step, duration_ms: ms, detail, cause, remedy }) => [
    [MARKS.get(passed) ?? '–', step, ms === null ? '–' : `${Math.round(ms)} ms`, detail] as const,
    ...(cause === null ? [] : [[' ', '', '', `cause: ${cause}`] as const]),
    ...(remedy === null ? [] : [[' ', '', '', `remedy: ${remedy}`] as const]),
  ]);
  output.table(rows, COLUMNS);
  output.note(`${VERDICTS.get(ok) ?? ''} Looked at by ${node || 'no media node'}.`);
  if (callId !== null) output.note(`The test call: trunkline calls show ${callId}`);
}
