export interface TemporalProbe {
  /** A write such as calls need: false when nobody answered in time. Rejects when it failed. Null: nothing to write yet. */
  readonly write: (() => Promise<boolean>) | null;
  /** Is anybody there, whatever becomes of writes? */
  readonly answers: () => Promise<boolean>;
  readonly onAnswer: () => void;
}

/**
 * Rejects when Temporal is there and refuses to write. Once a second on every node: a write that is answered says all there
 * is to know, and only without one it is asked whether it is there.
 */
export async function probeTemporal({ write, answers, onAnswer }: TemporalProbe): Promise<void> {
  try {
    if (write !== null && (await write())) {
      onAnswer();
      return;
    }
  } catch (error) {
    // A server that is away fails with the same status as one that refuses.
    if (!(await answers())) return;
    onAnswer();
    throw error;
  }
  if (await answers()) onAnswer();
}
