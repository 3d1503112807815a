/** The user guide as its readers work through it: in a shell, with curl and jq, each command once and then the whole. */
import { ShellCommands } from '../../support/shell';
import { ApiServer } from './support/api-server';

const COMMON = `
  call() { curl -sS --fail-with-body -H "Authorization: Bearer $API_KEY" -H 'Content-Type: application/json' "$@"; }
`;

/** In order; each may use what those before it have set. The last line of each prints what its answer is told by. */
const COMMANDS: readonly (readonly [name: string, command: string, printed: RegExp])[] = [
  [
    'an agent',
    `AGENT_ID=$(call -X POST "$API/phone" -d '{"name": "Support Agent", "type": "inbound", "language": "en",
       "first_message": "Hi, how can I help?", "use_org_knowledgebase": true}' | jq -r .id); echo "$AGENT_ID"`,
    /^[0-9a-f-]{36}$/,
  ],
  ['the voices', `call "$API/phone/voices" | jq -r type`, /^array$/],
  [
    'the inbound trunk',
    `call -X POST "$API/phone/sip/inbound-trunk" -d '{"phone_numbers": ["+15551234567"], "krisp_enabled": true}' |
       jq -r '[.sip_endpoint, .agent_id_header, (.auth_password | length), .phone_numbers[0], .krisp_enabled] | join(" ")'`,
    /^sip\.test\.example:5070 X-OPENCX-AGENT-ID 32 \+15551234567 true$/,
  ],
  [
    'the numbers of the agent',
    `NUMBER_ID=$(call "$API/phone/numbers" | jq -r '.items[0].id')
     call -X PUT "$API/phone/sip/agents/$AGENT_ID/inbound-numbers" -d '{"phone_number_ids": ["'$NUMBER_ID'"]}' |
       jq -r '.inbound_numbers[0].phone_number'`,
    /^\+15551234567$/,
  ],
  [
    "the agent's configuration",
    `call "$API/phone/sip/agents/$AGENT_ID/config" | jq -r '[.phone_agent_id == "'$AGENT_ID'", .outbound_trunk] | join(" ")'`,
    /^true ?$/,
  ],
  [
    'an outbound trunk',
    `TRUNK_ID=$(call -X POST "$API/phone/sip/outbound-trunks" -d '{"name": "Twilio Outbound", "host": "sip.twilio.com",
       "port": 5060, "username": "your-sip-username", "password": "your-sip-password", "caller_number": "+15551234567",
       "transport": "udp"}' | jq -r 'select(keys == ["created_at", "id", "name", "updated_at"]) | .id'); echo "$TRUNK_ID"`,
    /^[0-9a-f-]{36}$/,
  ],
  [
    'the trunk of the agent',
    `call -X PUT "$API/phone/sip/agents/$AGENT_ID/outbound-trunk" -d '{"trunk_id": "'$TRUNK_ID'"}' | jq -r .outbound_trunk.name`,
    /^Twilio Outbound$/,
  ],
  [
    'a call',
    `call -X POST "$API/phone/outbound-call" -d '{"phone_agent_id": "'$AGENT_ID'", "phone_number": "+15559876543"}' |
       jq -r '[.status, .from, .to] | join(" ")'`,
    /^queued \+15551234567 \+15559876543$/,
  ],
  [
    'a transfer destination',
    `DEST_ID=$(call -X POST "$API/phone/sip/transfer-destinations" -d '{"name": "Support Team", "type": "phone",
       "value": "+15559999999"}' | jq -r .id); echo "$DEST_ID"`,
    /^[0-9a-f-]{36}$/,
  ],
  [
    'its assignment',
    `call -X POST "$API/phone/sip/agents/$AGENT_ID/transfer-destinations" -d '{"destination_id": "'$DEST_ID'"}' |
       jq -r '.destination_id == "'$DEST_ID'"'`,
    /^true$/,
  ],
  [
    'creation and assignment at once',
    `call -X POST "$API/phone/sip/agents/$AGENT_ID/transfer-destinations" -d '{"create": {"name": "Sales Dept",
       "type": "sip", "value": "sip:sales@pbx.example.com"}}' | jq -r .destination_id`,
    /^[0-9a-f-]{36}$/,
  ],
  [
    'another number on the trunk',
    `call -X POST "$API/phone/sip/inbound-trunk/phone-numbers" -d '{ "phone_numbers": ["+15552223333"] }' |
       jq -r '.phone_numbers | join(" ")'`,
    /^\+15551234567 \+15552223333$/,
  ],
  [
    'its removal, the + as it is',
    `call -X DELETE "$API/phone/sip/inbound-trunk/phone-numbers/+15552223333" | jq -r '.phone_numbers | join(" ")'`,
    /^\+15551234567$/,
  ],
  [
    'all verified numbers',
    `call -X POST "$API/phone/sip/inbound-trunk/sync" | jq -r '.phone_numbers | join(" ")'`,
    /^\+15551234567 \+15552223333$/,
  ],
  [
    'the lists',
    `call "$API/phone/sip/outbound-trunks" | jq length; call "$API/phone/sip/transfer-destinations" | jq length`,
    /^1\n2$/,
  ],
  [
    'a new name of the trunk',
    `call -X PUT "$API/phone/sip/outbound-trunks/$TRUNK_ID" -d '{"name": "Carrier"}' | jq -r .name`,
    /^Carrier$/,
  ],
  [
    'the end of it all',
    `call -X DELETE "$API/phone/sip/agents/$AGENT_ID/transfer-destinations/$DEST_ID" | jq -r .deleted
     call -X DELETE "$API/phone/sip/transfer-destinations/$DEST_ID" | jq -r .deleted
     call -X DELETE "$API/phone/sip/outbound-trunks/$TRUNK_ID?force=true" | jq -r .deleted
     call -X DELETE "$API/phone/sip/inbound-trunk" | jq -r .deleted`,
    /^true\ntrue\ntrue\ntrue$/,
  ],
];

/** From nothing to an agent that receives, makes and transfers calls. */
const END_TO_END = `
  AGENT_ID=$(call -X POST "$API/phone" -d '{"name":"Support Agent","type":"inbound","language":"en",
    "first_message":"Hello, how can I help?","use_org_knowledgebase":true}' | jq -r .id)
  call -X POST "$API/phone/sip/inbound-trunk" -d '{"krisp_enabled":true}' |
    jq -e '{sip_endpoint, auth_username, auth_password} | all(length > 0)' >/dev/null
  OUT_ID=$(call -X POST "$API/phone/sip/outbound-trunks" -d '{"name":"My SIP Provider","host":"sip.provider.com",
    "username":"user","password":"pass","caller_number":"+15551234567"}' | jq -r .id)
  call -X PUT "$API/phone/sip/agents/$AGENT_ID/outbound-trunk" -d "{\\"trunk_id\\": \\"$OUT_ID\\"}" >/dev/null
  call -X POST "$API/phone/sip/agents/$AGENT_ID/transfer-destinations" \\
    -d '{"create":{"name":"Human Support","type":"phone","value":"+15559999999"}}' >/dev/null
  call "$API/phone/sip/agents/$AGENT_ID/config" |
    jq -r '[.outbound_trunk.name, .transfer_destinations[0].name, .transfer_destinations[0].value] | join(", ")'
`;

let api: ApiServer;

beforeEach(async () => {
  api = await ApiServer.start();
  await api.seeNode();
});
afterEach(() => api.stop());

const shell = (script: string): Promise<string> =>
  ShellCommands.run(COMMON + script, { API: api.url, API_KEY: api.tenant.key });

ShellCommands.itWithCurl('each command of the guide is answered as it says', async () => {
  const marks = COMMANDS.map(([, command], n) => `${command}\necho "--- ${n}"`);
  const printed = (await shell(marks.join('\n'))).split(/^--- \d+\n/m).map((text) => text.trim());
  for (const [n, [name, , expected]] of COMMANDS.entries())
    expect([name, printed[n]]).toEqual([name, expect.stringMatching(expected)]);
});

ShellCommands.itWithCurl('its sequence from nothing leads to an agent that is wired up', async () => {
  expect(await shell(END_TO_END)).toBe('My SIP Provider, Human Support, +15559999999\n');
});
