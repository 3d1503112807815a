import type { DataSource } from 'typeorm';
import type { TranscriptTurn } from '../../contract/events';
import { TranscriptTurnRow } from '../entities/transcript-turn';
import { isUuid } from '../ids';

/** Reads what `EventRepository.insertBatch` writes. */
export class TranscriptRepository {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  /** In the order of the conversation; empty for a call the organisation does not have. */
  async list(orgId: string, callId: string): Promise<TranscriptTurn[]> {
    if (!isUuid(callId)) return [];
    const rows = await this.#dataSource.manager.find(TranscriptTurnRow, {
      where: { callId, orgId },
      order: { index: 'ASC' },
    });
    return rows.map(({ index, speaker, text, startMs, endMs, interruptedAtMs }) => ({
      index,
      speaker,
      text,
      startMs,
      endMs,
      interruptedAtMs,
    }));
  }
}
