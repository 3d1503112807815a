/**
 * The cells of the transfer matrix: what becomes of a REFER × what becomes of the bridge, or who hangs up before × which
 * process is killed at which step. And what each has to come to.
 */
import type { SeededRandom } from '../live/random';

/** A REFER that decides, by what the peer says of it. `none`: not asked. */
const LAST_WORDS = ['notify200', 'notify486', 'notify603', 'silence', 'expiry', 'bye'] as const;
const GOES_ON = ['none', 'notify503', 'refused403', 'refused405', 'refused501', 'refused603'] as const;

export type ReferCase = (typeof LAST_WORDS)[number] | (typeof GOES_ON)[number];

/** How it ends. `refer_only`: no bridge is asked for. `gone_…`: the caller hangs up at this step. */
export type EndCase =
  | 'refer'
  | 'refer_only'
  | 'caller_leaves'
  | 'callee_leaves'
  | 'callee_leaves_at_once'
  | 'busy'
  | 'declined'
  | 'no_answer'
  | 'unreachable'
  | 'gone_announce'
  | 'gone_asked'
  | 'gone_ringing'
  /** Of a warm transfer: whoever has answered takes the caller, or does not; the caller goes while they are told. */
  | 'takes'
  | 'declines'
  | 'gone_told';

/**
 * Heard by the caller; the REFER is unanswered; it was accepted; a phone rings; whoever has answered is told who is there,
 * and is asked; the two talk.
 */
export const STEPS = ['announce', 'asked', 'referred', 'ringing', 'told', 'questioned', 'joined'] as const;
export type Step = (typeof STEPS)[number];
export const KILLED = ['worker', 'api', 'temporal'] as const;
export type Killed = (typeof KILLED)[number];

export interface Kill {
  readonly process: Killed;
  readonly step: Step;
}

export interface TransferCell {
  readonly refer: ReferCase;
  readonly end: EndCase;
  readonly kill: Kill | null;
}

export interface Expected {
  readonly mode: 'refer' | 'bridge' | 'warm';
  readonly outcome: string;
  readonly sip_status: number | null;
  readonly failed_step: 'announce' | 'refer' | 'dial' | 'consult' | null;
  /** INVITEs that the destination sees. */
  readonly invites: 0 | 1;
  readonly cancelled: boolean;
}

const BRIDGE_ENDS: readonly EndCase[] = [
  'caller_leaves',
  'callee_leaves',
  'callee_leaves_at_once',
  'busy',
  'declined',
  'no_answer',
  'unreachable',
  'gone_ringing',
];
const WARM_ENDS: readonly EndCase[] = ['takes', 'declines', 'gone_told'];
const REFUSED: Readonly<Partial<Record<ReferCase, number>>> = {
  refused403: 403,
  refused405: 405,
  refused501: 501,
  refused603: 603,
};
/** What the peer says of the call that it has made. */
const NOTIFIED: Readonly<Partial<Record<ReferCase, number>>> = {
  notify200: 200,
  notify486: 486,
  notify503: 503,
  notify603: 603,
};
/** The words of telephony.md for a status. */
const WORDS: Readonly<Record<number, string>> = {
  403: 'trunk_denied',
  405: 'failed',
  486: 'busy',
  501: 'failed',
  503: 'congestion',
  603: 'rejected',
};

export const refusalOf = (refer: ReferCase): number | null => REFUSED[refer] ?? null;
export const isWarm = ({ end }: TransferCell): boolean => WARM_ENDS.includes(end);
export const notifiedOf = (refer: ReferCase): number | null => NOTIFIED[refer] ?? null;

function withoutKill(): TransferCell[] {
  const cells: TransferCell[] = [];
  for (const refer of LAST_WORDS) cells.push({ refer, end: 'refer', kill: null });
  for (const refer of GOES_ON) {
    const ends = refer === 'none' ? BRIDGE_ENDS : [...BRIDGE_ENDS, 'refer_only' as const];
    for (const end of ends) cells.push({ refer, end, kill: null });
  }
  // What the peer would have said does not matter to who hangs up before.
  cells.push({ refer: 'none', end: 'gone_announce', kill: null });
  for (const end of ['gone_announce', 'gone_asked'] as const) cells.push({ refer: 'notify200', end, kill: null });
  for (const end of WARM_ENDS) cells.push({ refer: 'none', end, kill: null });
  return cells;
}

/** That a cell comes by, in their order. */
export function stepsOf({ refer, end }: TransferCell): readonly Step[] {
  const steps: Step[] = ['announce'];
  if (end === 'gone_announce') return steps;
  if (refer !== 'none') steps.push('asked');
  if (end === 'gone_asked') return steps;
  if (refer !== 'none' && refusalOf(refer) === null) steps.push('referred');
  if (end === 'refer' || end === 'refer_only' || end === 'unreachable') return steps;
  steps.push('ringing');
  if (WARM_ENDS.includes(end)) steps.push('told');
  if (end === 'takes' || end === 'declines') steps.push('questioned');
  if (end === 'takes' || end === 'caller_leaves' || end === 'callee_leaves') steps.push('joined');
  return steps;
}

export const PEACEFUL: readonly TransferCell[] = withoutKill();

/** Every cell in which a process dies at a step. */
export function killedAt(kill: Kill): TransferCell[] {
  return PEACEFUL.filter((cell) => stepsOf(cell).includes(kill.step)).map((cell) => ({ ...cell, kill }));
}

export const KILLS: readonly Kill[] = KILLED.flatMap((process) => STEPS.map((step) => ({ process, step })));

/** Where its sentence would only take time, it has none. */
export const announces = ({ end, kill }: TransferCell): boolean => end === 'gone_announce' || kill?.step === 'announce';

/** By itself or as the choice of `auto`: it comes to the same. */
export function modeOf(cell: TransferCell): 'auto' | 'refer' | 'bridge' | 'warm' {
  const { refer, end, kill } = cell;
  if (isWarm(cell)) return 'warm';
  if (refer === 'none') return kill === null && end !== 'gone_announce' ? 'auto' : 'bridge';
  return end === 'refer_only' || (end === 'refer' && kill !== null) ? 'refer' : 'auto';
}

export function titleOf({ refer, end, kill }: TransferCell): string {
  return `${refer} → ${end}${kill === null ? '' : `, ${kill.process} dies at ${kill.step}`}`;
}

export function expectedOf({ refer, end }: TransferCell): Expected {
  const asks = refer !== 'none';
  const nobody = { invites: 0, cancelled: false } as const;
  const byBridge = { mode: 'bridge', invites: 1, cancelled: false, failed_step: 'dial' } as const;
  const done = { outcome: 'transferred', sip_status: 200, failed_step: null } as const;
  const gone = { outcome: 'call_ended', sip_status: null } as const;
  switch (end) {
    case 'refer':
      return { mode: 'refer', ...nobody, ...ofRefer(refer) };
    case 'refer_only':
      return { mode: 'refer', ...nobody, ...failedRefer(refusalOf(refer) ?? notifiedOf(refer) ?? 0) };
    case 'caller_leaves':
    case 'callee_leaves':
    case 'callee_leaves_at_once':
      return { ...byBridge, ...done };
    case 'busy':
      return { ...byBridge, outcome: 'busy', sip_status: 486 };
    case 'declined':
      return { ...byBridge, outcome: 'rejected', sip_status: 603 };
    case 'no_answer':
      return { ...byBridge, outcome: 'no_answer', sip_status: null, cancelled: true };
    case 'unreachable':
      return { ...byBridge, outcome: 'trunk_unreachable', sip_status: null, invites: 0 };
    case 'gone_announce':
      return { mode: asks ? 'refer' : 'bridge', ...nobody, ...gone, failed_step: 'announce' };
    case 'gone_asked':
      return { mode: 'refer', ...nobody, ...gone, failed_step: 'refer' };
    case 'gone_ringing':
      return { ...byBridge, ...gone, cancelled: true };
    case 'takes':
      return { ...byBridge, ...done, mode: 'warm' };
    case 'declines':
      return { ...byBridge, mode: 'warm', outcome: 'declined', sip_status: 200, failed_step: 'consult' };
    case 'gone_told':
      return { ...byBridge, ...gone, mode: 'warm', failed_step: 'consult' };
  }
}

function ofRefer(refer: ReferCase): Pick<Expected, 'outcome' | 'sip_status' | 'failed_step'> {
  if (refer === 'bye') return { outcome: 'transferred_assumed', sip_status: null, failed_step: null };
  if (refer === 'notify200') return { outcome: 'transferred', sip_status: 200, failed_step: null };
  const status = notifiedOf(refer);
  return status === null ? { outcome: 'unknown', sip_status: null, failed_step: 'refer' } : failedRefer(status);
}

function failedRefer(status: number): Pick<Expected, 'outcome' | 'sip_status' | 'failed_step'> {
  return { outcome: WORDS[status] ?? 'failed', sip_status: status, failed_step: 'refer' };
}

/** So many of them, each once, in a random order. */
export function some<T>(random: SeededRandom, cells: readonly T[], count: number): T[] {
  const left = [...cells];
  const picked: T[] = [];
  while (left.length > 0 && picked.length < count) picked.push(...left.splice(random.between(0, left.length - 1), 1));
  return picked;
}
