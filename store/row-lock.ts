/**
 * Locks of rows that a transaction reads and holds to its end, as `lock` of a find. Two transactions that take the same rows
 * in one order wait for each other; in two orders they deadlock, and PostgreSQL ends one of them after a second. The order:
 * organisation, transfer destination, outbound trunk, agent, phone number, campaign, inbound trunk, the counter of versions;
 * several of a kind by id.
 */

/**
 * Alone: whoever wants the row too waits, and then sees what became of it. Rows that point at it may meanwhile be written
 * again: that the counter's last statement checks their foreign keys must not wait for who is waiting for them.
 */
export const FOR_UPDATE = { mode: 'for_no_key_update' } as const;
/** As alone, and no row comes to point at it any more. */
export const FOR_DELETE = { mode: 'pessimistic_write' } as const;
/** Together with others who only need the row to stay. */
export const FOR_SHARE = { mode: 'pessimistic_read' } as const;
