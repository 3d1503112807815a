/**
 * Whoever opts out of a campaign's call is on the list of those that are not called as soon as the event of it is stored, in
 * the same transaction: while the call lasts, or later, when PostgreSQL was away and the event was kept in a file.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A contact with a call under way is moved by the end of that. */
const NOTE = `
  CREATE FUNCTION note_opt_out() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    of_call record;
    entry dnc_entries;
  BEGIN
    SELECT to_number, campaign_id, contact_id INTO of_call FROM calls WHERE id = NEW.call_id AND org_id = NEW.org_id;
    IF NOT FOUND THEN RETURN NULL; END IF;
    INSERT INTO dnc_entries (id, org_id, phone_number, reason, source)
    VALUES (gen_random_uuid(), NEW.org_id, of_call.to_number, 'Opted out in call ' || NEW.call_id, 'opt_out')
    ON CONFLICT DO NOTHING RETURNING * INTO entry;
    IF FOUND THEN
      INSERT INTO audit_log (id, org_id, at, action, resource, resource_id, after)
      VALUES (gen_random_uuid(), NEW.org_id, clock_timestamp(), 'create', 'dnc_entry', entry.id, jsonb_build_object('id',
        entry.id, 'phone_number', entry.phone_number, 'reason', entry.reason, 'source', entry.source));
    END IF;
    IF of_call.campaign_id IS NULL THEN RETURN NULL; END IF;
    INSERT INTO campaign_events (id, org_id, campaign_id, at, type, data)
    VALUES (gen_random_uuid(), NEW.org_id, of_call.campaign_id, NEW.at, 'opted_out', jsonb_build_object('call_id',
      NEW.call_id, 'contact_id', of_call.contact_id, 'by', NEW.data->>'by'));
    UPDATE campaign_contacts SET result = CASE WHEN state = 'calling' THEN result ELSE 'opted_out' END,
      due_at = CASE WHEN state = 'calling' THEN due_at END, state = CASE WHEN state = 'calling' THEN state ELSE 'done' END
    WHERE id = of_call.contact_id AND campaign_id = of_call.campaign_id;
    RETURN NULL;
  END $$`;

export class OptOuts1764601730000 implements MigrationInterface {
  readonly name = 'OptOuts1764601730000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(NOTE);
    await runner.query(
      `CREATE TRIGGER call_events_opted_out AFTER INSERT ON call_events FOR EACH ROW
       WHEN (NEW.type = 'opted_out' AND NEW.source = 'node') EXECUTE FUNCTION note_opt_out()`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TRIGGER call_events_opted_out ON call_events');
    await runner.query('DROP FUNCTION note_opt_out()');
  }
}
