/** What the phone system that a caller is handed over to is told of them, and what it gets when it challenges us. */
import { CALLER_NUMBER, newNumber } from '../../support/outbound';
import type { Header } from '../../support/phone/options';
import { headerOf } from '../../support/phone/sip-text';
import { DIALED } from '../../support/transfer/matrix-stack';
import { TransferStack } from '../../support/transfer/transfer-stack';

const CALLER_USER = '+15557654321';
const CREDENTIALS = { username: 'sales-desk', password: 'desk-password-51c2' };

describe('a transfer shows', () => {
  let kit: TransferStack;

  beforeAll(async () => {
    kit = await TransferStack.start({
      agent: { name: 'Ada' },
      caller: { user: CALLER_USER },
      trunk: { pass_caller_id: true, from_host: 'acme.example' },
    });
    kit.answering = { status: 200 };
  }, 90_000);

  afterAll(async () => {
    await kit?.close();
  }, 60_000);

  async function transferred(body: object, headers: readonly Header[] = []): Promise<string | null> {
    const { phone, path } = await kit.answered(() => kit.caller.call(DIALED, { headers }));
    await kit.transfer(path, { mode: 'bridge', ...body });
    const { outcome } = await kit.outcomeOf(path);
    await phone.hangup();
    return outcome;
  }

  it('who calls and whom they called, by a trunk that passes it, unless they want privacy', async () => {
    const [open, hidden] = [newNumber(), newNumber()];
    expect(await transferred({ type: 'phone', value: open })).toBe('transferred');
    expect(await transferred({ type: 'phone', value: hidden }, [['Privacy', 'id']])).toBe('transferred');
    const invite = kit.far.invites.find(({ user }) => user === open);
    expect(invite?.fromUser).toBe(CALLER_NUMBER);
    expect(headerOf(invite!.message, 'p-asserted-identity')).toBe(`<sip:${CALLER_USER}@acme.example>`);
    expect(headerOf(invite!.message, 'diversion')).toBe(`<sip:${DIALED}@acme.example>;reason=deflection;counter=1`);
    const nothing = kit.far.invites.find(({ user }) => user === hidden);
    expect(JSON.stringify(nothing!.message.headers)).not.toContain(CALLER_USER.slice(1));
  }, 60_000);

  it('the credentials of a SIP destination to that destination, and no others', async () => {
    const desk = await kit.openFar({ challenge: CREDENTIALS });
    const destination = async (more: object): Promise<string> => {
      const create = { name: 'Sales', type: 'sip', value: `sip:sales@127.0.0.1:${desk.port}`, ...more };
      const path = `/phone/sip/agents/${kit.agentId}/transfer-destinations`;
      return (await kit.stack.api<{ destination_id: string }>('POST', path, { create })).body.destination_id;
    };
    expect(await transferred({ destination_id: await destination(CREDENTIALS) })).toBe('transferred');
    expect(desk.invites.at(-1)?.authenticated).toBe(true);
    expect(await transferred({ destination_id: await destination({}) })).toBe('trunk_denied');
    const wrong = { ...CREDENTIALS, password: 'another' };
    expect(await transferred({ destination_id: await destination(wrong) })).toBe('trunk_denied');
    desk.close();
  }, 60_000);
});
