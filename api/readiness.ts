/** What `/ready` says: each thing the server cannot work without, and whether it is there. */
import { z } from 'zod';

import { withDeadline } from '../ops/deadline';
import type { LiveNode } from './live-nodes';

export interface ReadinessProbe {
  readonly name: string;
  /** Resolves when it is there; rejects or hangs otherwise. */
  readonly check: () => Promise<void>;
}

export const readinessReport = z
  .object({
    status: z.enum(['ready', 'not_ready']),
    checks: z.record(z.string(), z.enum(['ok', 'missing'])),
    missing: z.array(z.string()),
  })
  .meta({ id: 'Readiness' });

export type ReadinessReport = z.output<typeof readinessReport>;

const PROBE_LIMIT_MS = 1500;

export interface ReadinessSources {
  /** Rejects when PostgreSQL does not answer or takes no writes. */
  readonly store: () => Promise<void>;
  /** Does Temporal answer? */
  readonly temporal: () => Promise<boolean>;
  /** The media nodes that live; each tells in `info.refuses_writes` what takes none of its writes. */
  readonly nodes: () => Promise<readonly Pick<LiveNode, 'info'>[]>;
}

/** PostgreSQL, Temporal, and a media node that takes calls. */
export function readinessProbes({ store, temporal, nodes }: ReadinessSources): readonly ReadinessProbe[] {
  return [
    { name: 'postgresql', check: store },
    {
      name: 'temporal',
      check: async () => {
        const [answers, live] = await Promise.all([temporal(), nodes().catch(() => [])]);
        if (!answers) throw new Error('Temporal does not answer');
        if (live.some((node) => refusedBy(node).includes('temporal'))) throw new Error('Temporal takes no writes');
      },
    },
    {
      name: 'media_node',
      check: async () => {
        if (!(await nodes()).some((node) => refusedBy(node).length === 0)) throw new Error('no media node takes calls');
      },
    },
  ];
}

function refusedBy({ info }: Pick<LiveNode, 'info'>): readonly unknown[] {
  const refused = info['refuses_writes'];
  return Array.isArray(refused) ? refused : [];
}

async function readiness(probes: readonly ReadinessProbe[]): Promise<ReadinessReport> {
  const results = await Promise.all(probes.map(async ({ name, check }) => [name, await holds(check)] as const));
  const missing = results.filter(([, there]) => !there).map(([name]) => name);
  return {
    status: missing.length === 0 ? 'ready' : 'not_ready',
    checks: { api: 'ok', ...Object.fromEntries(results.map(([name, there]) => [name, there ? 'ok' : 'missing'])) },
    missing,
  };
}

/** Asked by anybody without a key: however many ask at once, each thing is probed once. */
export class SharedReadiness {
  readonly #probes: readonly ReadinessProbe[];
  #running: Promise<ReadinessReport> | undefined;

  constructor(probes: readonly ReadinessProbe[]) {
    this.#probes = probes;
  }

  report(): Promise<ReadinessReport> {
    this.#running ??= readiness(this.#probes).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }
}

async function holds(check: () => Promise<void>): Promise<boolean> {
  try {
    await withDeadline(check(), PROBE_LIMIT_MS);
    return true;
  } catch {
    return false; // missing, whatever the reason
  }
}
