import type { Disposition } from '../../contract/endings';
import type { AttemptState } from '../entities/call-attempt';
import { CampaignContact } from '../entities/campaign-contact';
import { ContactDecision } from '../entities/contact-decision';
import { isUuid } from '../ids';
import type { StoreSession } from '../organisation-scope';
import { prepared } from '../prepared';
import { rowTable } from '../rows';

export interface CallCount {
  readonly disposition: Disposition;
  /** Of the contact's day; -1: not known. */
  readonly hour: number;
  /** Of the contact, from 1 on. */
  readonly attempt: number;
  readonly calls: number;
  readonly seconds: number;
}

/** Of the calls of one contact. */
export interface Talk {
  readonly lastCallId: string;
  /** From answer to end, of all of them; null: none has ended. */
  readonly seconds: number | null;
}

/** One dial of a contact, with the call that it was made for. */
export interface ContactAttempt {
  readonly contactId: string;
  readonly callId: string;
  readonly sipCallId: string;
  readonly state: AttemptState;
  readonly at: Date;
  readonly sentAt: Date | null;
  readonly disposition: Disposition | null;
  readonly sipFinalStatus: number | null;
  readonly answeredAt: Date | null;
  readonly endedAt: Date | null;
  readonly durationSeconds: number | null;
}

/** Since when a number is on a list; null: it is on none. */
export interface NumberListing {
  readonly organisation: { readonly since: Date; readonly source: string; readonly reason: string | null } | null;
  readonly server: { readonly since: Date } | null;
}

/** All that is on record of why somebody was called, or not. */
export interface ContactEvidence {
  readonly contact: CampaignContact;
  readonly listing: NumberListing;
  readonly decisions: readonly ContactDecision[];
  readonly attempts: readonly ContactAttempt[];
}

const COUNTS = prepared(
  `SELECT disposition, hour, attempt, sum(calls)::float8 AS calls, sum(seconds)::float8 AS seconds
   FROM campaign_call_tallies WHERE campaign_id = $1 AND org_id = $2 GROUP BY disposition, hour, attempt
   ORDER BY disposition, hour, attempt`,
);
const ATTEMPTS = prepared(
  `SELECT c.contact_id AS "contactId", c.id AS "callId", a.sip_call_id AS "sipCallId", a.state, a.created_at AS at,
     a.sent_at AS "sentAt", c.disposition, c.sip_final_status AS "sipFinalStatus", c.answered_at AS "answeredAt",
     c.ended_at AS "endedAt", c.duration_seconds AS "durationSeconds"
   FROM calls c JOIN call_attempts a ON a.call_id = c.id
   WHERE c.contact_id = ANY($3::uuid[]) AND c.campaign_id = $2 AND c.org_id = $1 ORDER BY a.created_at, a.n`,
);
const TALKS = prepared(
  `SELECT contact_id AS "contactId", sum(duration_seconds)::int AS seconds,
     (array_agg(id ORDER BY created_at DESC, id DESC))[1] AS "lastCallId"
   FROM calls WHERE contact_id = ANY($3::uuid[]) AND campaign_id = $2 AND org_id = $1 GROUP BY contact_id`,
);
const LISTINGS = prepared(
  `SELECT n.number, d.created_at AS "ownSince", d.source, d.reason, g.created_at AS "serverSince"
   FROM unnest($2::text[]) AS n (number)
   LEFT JOIN dnc_entries d ON d.org_id = $1 AND d.phone_number = n.number
   LEFT JOIN global_dnc_entries g ON g.phone_number = n.number`,
);

interface ListingRow {
  readonly number: string;
  readonly ownSince: Date | null;
  readonly source: string | null;
  readonly reason: string | null;
  readonly serverSince: Date | null;
}

/** What came of a campaign's calls, and why each of its contacts was called or not. */
export class CampaignResultsRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** Of its dialled calls that have ended, exactly: counted as they end. */
  async callCounts(orgId: string, campaignId: string): Promise<CallCount[]> {
    return this.#session.manager.query(COUNTS, [campaignId, orgId]);
  }

  /** By contact, as far as there were calls. */
  async talks(orgId: string, campaignId: string, contactIds: readonly string[]): Promise<ReadonlyMap<string, Talk>> {
    const rows: (Talk & { readonly contactId: string })[] = await this.#session.manager.query(TALKS, [
      orgId,
      campaignId,
      contactIds,
    ]);
    return new Map(rows.map(({ contactId, ...talk }) => [contactId, talk]));
  }

  /** Of those contacts that are of this campaign, in the order of the ids. */
  async evidence(orgId: string, campaignId: string, contactIds: readonly string[]): Promise<ContactEvidence[]> {
    const { manager } = this.#session;
    const ids = contactIds.filter(isUuid);
    if (ids.length === 0 || !isUuid(campaignId)) return [];
    const found = rowTable(manager, CampaignContact);
    const decided = rowTable(manager, ContactDecision);
    const ofContacts = [orgId, campaignId, ids];
    const [contacts, decisions, attempts]: [CampaignContact[], ContactDecision[], ContactAttempt[]] = await Promise.all(
      [
        manager.query(
          prepared(`${found.select} WHERE id = ANY($3::uuid[]) AND campaign_id = $2 AND org_id = $1`),
          ofContacts,
        ),
        manager.query(
          prepared(
            `${decided.select} WHERE campaign_id = $2 AND contact_id = ANY($3::uuid[]) AND org_id = $1 ORDER BY at, id`,
          ),
          ofContacts,
        ),
        manager.query(ATTEMPTS, ofContacts),
      ],
    );
    const numbers = contacts.map(({ phoneNumber }) => phoneNumber);
    const listings: ListingRow[] = await manager.query(LISTINGS, [orgId, numbers]);
    const listingOf = new Map(listings.map((row) => [row.number, listed(row)]));
    const decisionsOf = byContact(decisions.map(decided.read));
    const attemptsOf = byContact(attempts);
    const byId = new Map(contacts.map((row) => [row.id, found.read(row)]));
    return ids.flatMap((id) => {
      const contact = byId.get(id);
      if (contact === undefined) return [];
      return {
        contact,
        listing: listingOf.get(contact.phoneNumber) ?? { organisation: null, server: null },
        decisions: decisionsOf.get(id) ?? [],
        attempts: attemptsOf.get(id) ?? [],
      };
    });
  }
}

function byContact<Row extends { readonly contactId: string }>(rows: readonly Row[]): ReadonlyMap<string, Row[]> {
  const found = new Map<string, Row[]>();
  for (const row of rows) {
    const known = found.get(row.contactId);
    if (known === undefined) found.set(row.contactId, [row]);
    else known.push(row);
  }
  return found;
}

function listed({ ownSince, source, reason, serverSince }: ListingRow): NumberListing {
  return {
    organisation: ownSince === null ? null : { since: ownSince, source: source ?? '', reason },
    server: serverSince === null ? null : { since: serverSince },
  };
}
