/**
 * One turn of a campaign: who is due is claimed, as many as leave in a moment, and their calls are started.
 *
 * Whatever dies in between, nobody is called twice and nobody is lost: a claim is one statement, a call's id follows from the
 * claim, and a started call ends by itself. Claimed and not started: the same turn, repeated, starts it; or a later turn finds
 * that no workflow knows the call and gives the contact back.
 */
import { claimContact } from '../../store/campaigns/contact-claim';
import { CLAIM_MARGIN_MS, rulesOf } from '../../store/campaigns/contact-rules';
import { destinationGuard } from '../../store/campaigns/destination-guard';
import { CAP_WEEK_MS } from '../../store/campaigns/number-caps';
import { FaultsInARow, outsideRules, standingFault } from '../../store/campaigns/standing-fault';
import { TurnRoom } from '../../store/campaigns/turn-room';
import type { Campaign } from '../../store/entities/campaign';
import { campaignCallId, uuidV8 } from '../../store/ids';
import type { Caller, CallerRepository } from '../../store/repositories/caller-repository';
import type {
  CampaignContactRepository,
  DueContact,
  DuePosition,
} from '../../store/repositories/campaign-contact-repository';
import type {
  CampaignDiallingRepository,
  ClaimedContact,
  DiallingTrunk,
  MovedContact,
  TurnStanding,
} from '../../store/repositories/campaign-dialling-repository';
import type { CampaignStandingRepository } from '../../store/repositories/campaign-standing-repository';
import type { SecretBox } from '../../store/secrets';
import type { CampaignDialActivities, CampaignTurn, TurnReport } from '../../workflows/campaign/activities';
import type { CallWorkflows } from '../../workflows/client/call-workflows';
import { campaignCallInput } from './campaign-call';

export interface DialDueDeps {
  readonly contacts: Pick<CampaignContactRepository, 'due'>;
  readonly dialling: Pick<
    CampaignDiallingRepository,
    'standing' | 'remainder' | 'claim' | 'move' | 'claimedBy' | 'stuck' | 'giveBack' | 'noteCoolDowns'
  >;
  readonly standings: Pick<CampaignStandingRepository, 'pause' | 'sees'>;
  readonly callers: Pick<CallerRepository, 'find' | 'countries'>;
  readonly workflows: Pick<CallWorkflows, 'startOutbound' | 'describe'>;
  readonly secrets: Pick<SecretBox, 'seal'>;
  /** ISO codes; empty = the countries of the organisation's own numbers. */
  readonly allowedCountries: readonly string[];
  /** Epoch ms. */
  readonly nowMs?: () => number;
}

/** Contacts that are looked at in one statement, and in one turn: those that are moved on are not looked at again. */
const PAGE = 250;
const MOST_PAGES = 8;
/** Calls that are started, or looked for, at the same time. */
const PARALLEL = 10;
/** A call of which nothing is seen for so long was perhaps never started. */
const STUCK_AFTER_MS = 60_000;
/** There is more to do than there was room for. */
const SOON_MS = 500;
/** Somebody else has the slots, whose end is not told here. */
const CROWDED_MS = 2_000;
const LATEST_MS = 300_000;
/** What is set elsewhere has changed, and had a moment ago. */
const LOOK_AGAIN_MS = 10_000;

export function createDialDue(deps: DialDueDeps): CampaignDialActivities {
  return { dialDue: (turn) => dialDue(deps, turn, (deps.nowMs ?? Date.now)()) };
}

async function dialDue(deps: DialDueDeps, turn: CampaignTurn, nowMs: number): Promise<TurnReport> {
  const { campaignId, orgId } = turn;
  const before = await deps.dialling.standing(orgId, campaignId, nowMs);
  if (before === null) return { status: 'deleted', started: 0, calling: 0, open: 0, wakeInMs: null };
  const { campaign } = before;
  const { status, endsAt } = campaign;
  const repeated = await startClaimed(deps, before, turn, nowMs);
  const givenBack = await giveBackStuck(deps, before, turn, nowMs);
  const dials = new Turn(deps, before, turn, { rules: await rulesElsewhere(deps, before), nowMs });
  // Whoever waits is ended as the campaign is settled.
  const dialling = status === 'running' && (endsAt === null || endsAt.getTime() > nowMs);
  let paused = false;
  let rules: 'same' | 'changed' | 'later' = 'same';
  if (dialling) {
    // Of whom a call is under way nobody is to be called.
    const fault = before.open > before.calling ? standingFault(campaign, before.agent, before.trunks) : null;
    paused = fault !== null && (await deps.standings.pause(campaign, fault));
    if (fault === null) {
      rules = await deps.standings.sees(campaign, dials.rules);
      // By the new ones it looks in a moment, as the version of its row is another.
      if (rules !== 'changed') paused = await dials.run({ givenBack });
    }
  }
  const stirred = givenBack || dials.stirred;
  const { calling, open, nextDueMs } = stirred ? await deps.dialling.remainder(campaignId) : before;
  const goesOn = dialling && !paused;
  const changed = rules === 'changed';
  const dueInMs = goesOn ? wakeIn(nextDueMs, campaign, dials, nowMs) : null;
  const lookInMs = changed ? SOON_MS : goesOn && rules === 'later' ? LOOK_AGAIN_MS : null;
  const wakeInMs = lookInMs === null ? dueInMs : Math.min(lookInMs, dueInMs ?? Infinity);
  const report = { status: paused ? 'paused' : status, started: repeated + dials.started, calling, open, wakeInMs };
  return changed ? { ...report, changed } : report;
}

/** Of one that does not run nobody asks for the countries of its organisation's numbers. */
async function rulesElsewhere({ callers, allowedCountries }: DialDueDeps, standing: TurnStanding): Promise<string> {
  const { orgId, status } = standing.campaign;
  const own = allowedCountries.length === 0 && status === 'running';
  return outsideRules(standing, own ? await callers.countries(orgId) : allowedCountries);
}

/** An earlier try of this turn has claimed them: whether it has started all of them is not known. */
async function startClaimed(
  deps: DialDueDeps,
  standing: TurnStanding,
  { orgId, campaignId, turn }: CampaignTurn,
  nowMs: number,
): Promise<number> {
  if (!standing.undialledTurns.includes(turn)) return 0;
  const claimed = await deps.dialling.claimedBy(orgId, campaignId, turn);
  return startAll(deps, standing, claimed, nowMs);
}

async function startAll(
  deps: DialDueDeps,
  { campaign, agent, trunks }: TurnStanding,
  contacts: readonly ClaimedContact[],
  nowMs: number,
): Promise<number> {
  const { agentId } = campaign;
  // Without them they are given back, in a while: nothing of theirs was started.
  if (agent === null || agentId === null) return 0;
  const options = {
    secrets: deps.secrets,
    countries: deps.allowedCountries,
    agentId,
    maxDurationSeconds: agent.maxCallDurationSeconds,
    nowMs,
  };
  let started = 0;
  const start = async (contact: ClaimedContact): Promise<void> => {
    const trunk = trunks.find(({ id }) => id === contact.trunkId);
    if (trunk === undefined) return;
    const outcome = await deps.workflows.startOutbound(campaignCallInput(campaign, contact, trunk, options));
    if (outcome === 'started') started += 1;
  };
  await someAtATime(contacts, start);
  return started;
}

async function someAtATime<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < all.length; at += PARALLEL) await Promise.all(all.slice(at, at + PARALLEL).map(work));
}

/** Whether there were any that may be. */
async function giveBackStuck(
  deps: DialDueDeps,
  { undialledSinceMs }: TurnStanding,
  { orgId, campaignId }: CampaignTurn,
  nowMs: number,
): Promise<boolean> {
  const claimedBeforeMs = nowMs - STUCK_AFTER_MS;
  if (undialledSinceMs === null || undialledSinceMs >= claimedBeforeMs) return false;
  const stuck = await deps.dialling.stuck(orgId, campaignId, claimedBeforeMs);
  await someAtATime(stuck, async ({ id, callId }) => {
    if ((await deps.workflows.describe(callId)) === null) await deps.dialling.giveBack(id, callId, nowMs);
  });
  return stuck.length > 0;
}

function wakeIn(nextDueMs: number | null, { endsAt }: Campaign, turn: Turn, nowMs: number): number | null {
  if (nextDueMs === null) return null;
  const nextInMs = nextDueMs <= nowMs ? turn.roomInMs : nextDueMs - nowMs;
  const endsInMs = endsAt === null ? Infinity : endsAt.getTime() - nowMs;
  return Math.min(Math.max(Math.min(nextInMs, endsInMs), SOON_MS), LATEST_MS);
}

/** Looks at who is due, in their order, until there is no room or nobody left. */
class Turn {
  readonly #deps: DialDueDeps;
  readonly #campaign: Campaign;
  readonly #standing: TurnStanding;
  readonly #turn: CampaignTurn;
  readonly #nowMs: number;
  readonly #room: TurnRoom;
  /** What decides of contacts and is set elsewhere. */
  readonly rules: string;
  readonly #faults = new FaultsInARow();
  #started = 0;
  #stirred = false;

  constructor(
    deps: DialDueDeps,
    standing: TurnStanding,
    turn: CampaignTurn,
    { rules, nowMs }: { readonly rules: string; readonly nowMs: number },
  ) {
    const { campaign } = standing;
    this.#deps = deps;
    this.#campaign = campaign;
    this.#standing = standing;
    this.#turn = turn;
    this.#nowMs = nowMs;
    const { maxConcurrentCalls, callsPerSecond, pace } = campaign;
    const { calling, organisationFree } = standing;
    this.#room = new TurnRoom(standing.trunks, { maxConcurrentCalls, callsPerSecond, pace, calling, organisationFree });
    this.rules = rules;
  }

  get started(): number {
    return this.#started;
  }

  /** Contacts are not what they were. */
  get stirred(): boolean {
    return this.#stirred;
  }

  /** When somebody may be called who is due already. */
  get roomInMs(): number {
    const { trunks, calling } = this.#standing;
    // The end of one of its calls is told.
    if (calling + this.#started >= (this.#campaign.maxConcurrentCalls ?? Infinity)) return LATEST_MS;
    const cool = trunks.map(({ coolMs }) => coolMs);
    if (cool.length > 0 && cool.every((ms) => ms > 0)) return Math.min(Math.max(Math.min(...cool), SOON_MS), LATEST_MS);
    const free = trunks.some(({ maxConcurrentCalls, leases }) => leases < (maxConcurrentCalls ?? Infinity));
    return free ? SOON_MS : CROWDED_MS;
  }

  /**
   * @param givenBack somebody is due since it was looked
   * @returns true: it has paused its campaign, for what so many have been left out for
   */
  async run({ givenBack }: { readonly givenBack: boolean }): Promise<boolean> {
    const { agent, trunks, nextDueMs } = this.#standing;
    if (!givenBack && (nextDueMs === null || nextDueMs > this.#nowMs)) return false;
    const { orgId, agentId } = this.#campaign;
    const cooling = trunks.filter(({ coolMs }) => coolMs > 0);
    await this.#deps.dialling.noteCoolDowns(orgId, this.#campaign.id, cooling, this.#nowMs);
    const rules = rulesOf(this.#campaign, agent, CLAIM_MARGIN_MS);
    const { allowedCountries } = this.#deps;
    // Where the server names the countries, those of the organisation's own numbers are not asked for.
    const known = { trunks: [], hasNumberThere: false, allowedCountries: this.#standing.allowedCountries };
    const callerIn = (country: string | null): Promise<Omit<Caller, 'agent'>> =>
      allowedCountries.length > 0 ? Promise.resolve(known) : this.#deps.callers.find(orgId, agentId, country);
    const mayCall = destinationGuard(callerIn, allowedCountries, trunks);
    let after: DuePosition | null = null;
    for (let page = 0; this.#room.left > 0 && page < MOST_PAGES; page++) {
      // Most contacts that are due may be called: others are left for the next turn unread.
      const limit = page === 0 ? Math.min(PAGE, 4 * this.#room.left + 20) : PAGE;
      const due: DueContact[] = await this.#due(after, limit);
      const wanted: (ClaimedContact & { readonly calls: number })[] = [];
      const moved: MovedContact[] = [];
      for (const contact of due) {
        if (this.#room.left === 0) break;
        const { trunks: allowed, refusal } = await mayCall(contact.phoneNumber);
        const claim = claimContact({ ...contact, destinationRefusal: refusal }, rules, this.#nowMs);
        if (claim.kind === 'call') {
          this.#faults.callable();
          const claimed = this.#claimed(contact, allowed);
          if (claimed !== null) wanted.push(claimed);
        } else {
          const { note } = claim;
          if (claim.kind === 'done') this.#faults.leftOut(note);
          else this.#faults.callable(); // some day
          const [result, dueAtMs] = claim.kind === 'done' ? [claim.result, null] : [null, claim.dueAtMs];
          moved.push({ id: contact.id, seen: contact.seen, result, dueAtMs, note });
        }
      }
      this.#stirred ||= moved.length > 0 || wanted.length > 0;
      // Before anybody more is left out.
      if (await this.#pauses(rules.needed)) return true;
      await this.#deps.dialling.move(orgId, this.#campaign.id, moved, this.#nowMs);
      // Somebody was in the way: the campaign has changed, or another try of this turn goes on.
      if (!(await this.#start(wanted)) || due.length < limit) return false;
      // Whoever is left behind waits for a trunk that is taken; others may go by another one.
      after = due.at(-1) ?? null;
    }
    return false;
  }

  /** Once by the same rules: who resumes it then has these contacts left out. */
  async #pauses(needed: readonly string[]): Promise<boolean> {
    const { fault } = this.#faults;
    if (fault === null) return false;
    const { id, dialWindow, ringTimeoutSeconds } = this.#campaign;
    const own = fault.reason === 'outside_window' ? JSON.stringify([dialWindow, ringTimeoutSeconds]) : needed.join(' ');
    const once = uuidV8('campaign-fault', id, fault.reason, this.rules, own);
    return this.#deps.standings.pause(this.#campaign, fault, once);
  }

  #due(after: DuePosition | null, limit: number): Promise<DueContact[]> {
    const dialledSince = new Date(this.#nowMs - CAP_WEEK_MS);
    const { orgId, id } = this.#campaign;
    return this.#deps.contacts.due(orgId, id, new Date(this.#nowMs), { after, limit, dialledSince });
  }

  #claimed(contact: DueContact, allowed: readonly DiallingTrunk[]): ClaimedContact | null {
    const trunk = this.#room.take(allowed);
    if (trunk === null) return null;
    const { id, phoneNumber, name, variables } = contact;
    const calls = contact.calls + 1;
    const callId = campaignCallId(this.#campaign.id, id, calls);
    return { id, calls, callId, trunkId: trunk.id, phoneNumber, name, variables };
  }

  /** Whether all of them were claimed. */
  async #start(contacts: readonly ClaimedContact[]): Promise<boolean> {
    const { id: campaignId, orgId, version } = this.#campaign;
    const wanted = contacts.map(({ id, calls, callId, trunkId }) => ({ id, calls, callId, trunkId }));
    const claim = { turn: this.#turn.turn, version, wanted, nowMs: this.#nowMs };
    const claimed = new Map((await this.#deps.dialling.claim(orgId, campaignId, claim)).map((one) => [one.id, one]));
    const ours = contacts.flatMap((contact) => {
      const texts = claimed.get(contact.id);
      return texts === undefined ? [] : { ...contact, ...texts };
    });
    this.#started += await startAll(this.#deps, this.#standing, ours, this.#nowMs);
    return ours.length === contacts.length;
  }
}
