/** What `/ready` says: each thing the server cannot work without, and whether it is there. */

export interface ReadinessProbe {
  readonly name: string;
  /** Resolves when it is there; rejects or hangs otherwise. */
  readonly check: () => Promise<void>;
}

export interface ReadinessReport {
  readonly status: 'ready' | 'not_ready';
  readonly checks: Readonly<Record<string, 'ok' | 'missing'>>;
  readonly missing: readonly string[];
}

const PROBE_LIMIT_MS = 1500;

export async function readiness(probes: readonly ReadinessProbe[]): Promise<ReadinessReport> {
  const results = await Promise.all(probes.map(async ({ name, check }) => [name, await holds(check)] as const));
  const missing = results.filter(([, there]) => !there).map(([name]) => name);
  return {
    status: missing.length === 0 ? 'ready' : 'not_ready',
    checks: { api: 'ok', ...Object.fromEntries(results.map(([name, there]) => [name, there ? 'ok' : 'missing'])) },
    missing,
  };
}

async function holds(check: () => Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), PROBE_LIMIT_MS);
  });
  try {
    return await Promise.race([
      check().then(
        () => true,
        () => false,
      ),
      limit,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
