/** Why a call went to its agent, for people. */
import type { Output } from './output';
import type { Column } from './table';

interface RoutingStep {
  readonly rule: string;
  readonly matched: boolean;
  readonly reason: string;
}

export interface RoutedBy {
  readonly steps: readonly RoutingStep[];
  readonly agent_id: string | null;
}

const COLUMNS: readonly Column<RoutingStep>[] = [
  { title: 'RULE', value: ({ rule }) => rule },
  { title: 'MATCHED', value: ({ matched }) => (matched ? 'yes' : 'no') },
  { title: 'REASON', value: ({ reason }) => reason },
];

/** Under what was decided. */
export function printSteps(output: Output, steps: readonly RoutingStep[]): void {
  output.line('');
  output.table(steps, COLUMNS);
}
