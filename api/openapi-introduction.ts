/** What `/docs` begins with, in Markdown: what every client needs to know before its first request. */
export const INTRODUCTION = `Connects a PBX, contact centre or SIP carrier to AI phone agents.

**First steps.** \`POST /phone\` makes an agent. For calls that come in, \`POST /phone/sip/inbound-trunk\` gives the address, user name and password to
enter in your phone system. For calls that go out, \`POST /phone/sip/outbound-trunks\` takes your carrier's, \`PUT /phone/sip/agents/{id}/outbound-trunk\`
gives it to the agent, and \`POST /phone/outbound-call\` dials. What became of a call stands in \`GET /phone/calls/{id}\`, and step by step in its \`/events\`.

**Keys.** Every request carries \`Authorization: Bearer <key>\`. \`npm start\` writes the first key to \`.data/api-key\` (the path is in its banner). A key
belongs to one organisation and sees nothing of others: their ids are answered like ids that do not exist. Each operation names the scope it needs;
\`POST /api-keys\` makes keys with fewer scopes or an expiry. The first key is the operator's too: \`POST /orgs\` makes further organisations.

**Repeats.** A POST that makes something takes an \`Idempotency-Key\` (1 to 255 printable ASCII characters). The same key with the same body within 24 hours
gives the first answer again, with \`Idempotent-Replayed: true\`, and makes nothing twice; with another body it is refused with 422. Send one with every call:
after a timeout, or a 503 \`outcome_unknown\`, repeat the request with the same key.

**Limits.** \`RateLimit-Limit\`, \`RateLimit-Remaining\` and \`RateLimit-Reset\` come with every answer to a known key:
requests per minute, those left now, and the seconds until all are there again. All processes of a server count together. 429 and 503 carry \`Retry-After\` in seconds.

**Lists.** \`limit\` is 1 to 100. \`next\` of an answer is the \`cursor\` of the next page and \`null\` on the last; rows that arrive meanwhile shift nothing.
A list carries an \`ETag\`; asked with \`If-None-Match\` it is answered with 304 and no body while it is the same.

**Errors** have one shape, with a stable \`code\` to decide by, a \`message\` for people and the \`requestId\` of the log.`;
