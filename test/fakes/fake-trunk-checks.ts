import type { TrunkChecksDeps } from '../../api/trunk-check/trunk-checks';
import type { InboundTrunkFindings, OutboundTrunkReport } from '../../contract/trunk-check';
import { openCheck, sealCheck } from '../../store/sealed-check';
import type { SealedCheckRequest } from '../../store/sealed-check';
import type { SecretBox } from '../../store/secrets';
import type { TrunkCheckInput, TrunkCheckOutcome } from '../../workflows/trunk-check/messages';

/** One media node that finds what the test says; other outcomes can be set ahead, one per check. */
export class FakeTrunkChecks implements Pick<TrunkChecksDeps['workflows'], 'check'> {
  readonly asked: (TrunkCheckInput & { readonly request: SealedCheckRequest })[] = [];
  outcomes: (TrunkCheckOutcome | 'running' | Error)[] = [];
  report: OutboundTrunkReport = {
    ok: true,
    steps: [{ step: 'dns', ok: true, durationMs: 1.5, detail: 'Found.', cause: null, remedy: null }],
    call: null,
  };
  findings: InboundTrunkFindings = {
    knowsTrunk: true,
    unavailable: null,
    endpoint: { addresses: ['203.0.113.9'], status: 200, ours: true, error: null, durationMs: 2 },
    attempts: [],
    mediaPort: { port: 20_000, error: null, durationMs: 3 },
  };
  readonly #secrets: SecretBox;

  constructor(secrets: SecretBox) {
    this.#secrets = secrets;
  }

  check(input: TrunkCheckInput): Promise<TrunkCheckOutcome | 'running'> {
    this.asked.push({ ...input, request: openCheck(this.#secrets, input, input.sealed) });
    const outcome = this.outcomes.shift();
    if (outcome instanceof Error) return Promise.reject(outcome);
    if (outcome !== undefined) return Promise.resolve(outcome);
    const found = input.kind === 'outbound' ? this.report : this.findings;
    const sealed = sealCheck(this.#secrets, input, found);
    return Promise.resolve({ reports: [{ nodeId: 'node-1', sealed }], silent: [], refusals: [] });
  }
}
