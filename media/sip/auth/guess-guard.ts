import { createHash } from 'node:crypto';

import { userNetwork } from '../../../ops/address-scope';
import { Backoff } from '../../../ops/backoff';
import { keepNewest } from '../../../ops/keep-newest';
import { GuessLog } from './guess-log';

import type { Clock } from '../../clock';
import type { GuessReport } from './guess-log';

/** Where credentials come from. */
interface Origin {
  readonly address: string;
  /** Address and port, as one name. */
  readonly flow: string;
}

interface GuessGuardOptions {
  readonly clock: Clock;
  readonly onGuesses: (report: GuessReport) => void;
}

/** So many mistakes cost nothing: a password that was changed, or mistyped by hand. */
const FREE_OF_ONE_USER = 3;
const FREE_OF_ONE_SOURCE = 10;
const FIRST_PAUSE_MS = 500;
/** Below the 32 s for which a phone repeats its INVITE: with the right password now, it still gets through. */
const LONGEST_PAUSE_MS = 30_000;
/** Who made no mistake for so long begins anew. */
const FORGET_MS = 60 * 60_000;
const MAX_ENTRIES = 20_000;

/**
 * Makes guessing of passwords slow. Each wrong one makes a source wait longer before its next is looked at, for this
 * user, and after several for every user. Nobody else waits: the same user's right password from elsewhere is taken at
 * once, and so is that of who has proved itself before while its neighbours guess. Only answers to our own nonces are
 * counted, and those are bound to the source, so nobody can make another wait by forging its address.
 */
export class GuessGuard {
  readonly #sources: Mistakes;
  readonly #users: Mistakes;
  readonly #proven = new RecentKeys();
  readonly #log: GuessLog;

  constructor({ clock, onGuesses }: GuessGuardOptions) {
    this.#sources = new Mistakes(clock, FREE_OF_ONE_SOURCE);
    this.#users = new Mistakes(clock, FREE_OF_ONE_USER);
    this.#log = new GuessLog(clock, onGuesses);
  }

  /** Whether credentials are looked at: not during a pause, be they right or wrong. */
  mayTry({ address, flow }: Origin, username: string): boolean {
    const source = userNetwork(address);
    const user = userKey(source, username);
    const paused = this.#users.paused(user) || (this.#sources.paused(source) && !this.#proven.has(user));
    if (!paused || this.#proven.has(userKey(flow, username))) return true;
    this.#log.note({ source, user, withheld: true });
    return false;
  }

  /** @param trunkId of the user, when there is such a user */
  failed({ address, flow }: Origin, username: string, trunkId: string | undefined): void {
    const source = userNetwork(address);
    const user = userKey(source, username);
    this.#proven.delete(userKey(flow, username));
    this.#users.add(user);
    this.#sources.add(source);
    this.#log.note({ source, user, trunkId, withheld: false });
  }

  succeeded({ address, flow }: Origin, username: string): void {
    const user = userKey(userNetwork(address), username);
    this.#users.delete(user);
    this.#proven.add(user);
    this.#proven.add(userKey(flow, username));
  }

  /** Tells of what has not been told yet. */
  close(): void {
    this.#log.close();
  }
}

interface Entry {
  count: number;
  lastMs: number;
  pausedUntilMs: number;
  readonly backoff: Backoff;
}

/** Failures by key; those whose last one is the oldest are forgotten when there are too many. */
class Mistakes {
  readonly #clock: Clock;
  readonly #free: number;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, free: number) {
    this.#clock = clock;
    this.#free = free;
  }

  paused(key: string): boolean {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#clock.now() < entry.pausedUntilMs;
  }

  add(key: string): void {
    const nowMs = this.#clock.now();
    let entry = this.#entries.get(key);
    this.#entries.delete(key);
    if (entry === undefined || nowMs - entry.lastMs > FORGET_MS) {
      const backoff = new Backoff({ pauseMs: FIRST_PAUSE_MS, maximumPauseMs: LONGEST_PAUSE_MS });
      entry = { count: 0, lastMs: nowMs, pausedUntilMs: nowMs, backoff };
    }
    entry.count += 1;
    entry.lastMs = nowMs;
    if (entry.count > this.#free) entry.pausedUntilMs = nowMs + entry.backoff.next();
    this.#entries.set(key, entry);
    keepNewest(this.#entries, MAX_ENTRIES);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}

class RecentKeys {
  readonly #keys = new Set<string>();

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  add(key: string): void {
    this.#keys.delete(key);
    this.#keys.add(key);
    keepNewest(this.#keys, MAX_ENTRIES);
  }

  delete(key: string): void {
    this.#keys.delete(key);
  }
}

/** Of one length, however long a name a guesser makes up, and without the name itself. */
function userKey(where: string, username: string): string {
  return createHash('sha256').update(`${where} ${username}`).digest('base64');
}
