/** Locks of rows that a transaction reads and holds to its end, as `lock` of a find. */

/** Alone: whoever wants the row too waits, and then sees what became of it. */
export const FOR_UPDATE = { mode: 'pessimistic_write' } as const;
/** Together with others who only need the row to stay. */
export const FOR_SHARE = { mode: 'pessimistic_read' } as const;
