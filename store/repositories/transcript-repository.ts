import type { TranscriptTurn } from '../../contract/events';
import { TranscriptTurnRow } from '../entities/transcript-turn';
import { isUuid } from '../ids';
import type { StoreSession } from '../organisation-scope';
import type { SecretBox } from '../secrets';
import { openTurnText } from '../turn-text';

/** Reads what `EventRepository.insertBatch` writes. */
export class TranscriptRepository {
  readonly #session: StoreSession;

  readonly #secrets: Pick<SecretBox, 'open'>;

  constructor(session: StoreSession, secrets: Pick<SecretBox, 'open'>) {
    this.#session = session;
    this.#secrets = secrets;
  }

  /** In the order of the conversation; empty for a call the organisation does not have. */
  async list(orgId: string, callId: string): Promise<TranscriptTurn[]> {
    if (!isUuid(callId)) return [];
    const rows = await this.#session.manager.find(TranscriptTurnRow, {
      where: { callId, orgId },
      order: { index: 'ASC' },
    });
    return rows.map(({ index, speaker, text, startMs, endMs, interruptedAtMs }) => ({
      index,
      speaker,
      text: openTurnText(this.#secrets, { orgId, callId }, text),
      startMs,
      endMs,
      interruptedAtMs,
    }));
  }
}
