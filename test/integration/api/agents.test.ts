import { ApiServer } from './support/api-server';

describe('agents', () => {
  let api: ApiServer;

  beforeAll(async () => {
    api = await ApiServer.start();
    await api.seeNode();
  });
  afterAll(() => api.stop());

  it('says of every setting that nothing acts on it yet, and of no other', async () => {
    const { body } = await api.post('/phone', {
      name: 'Ambitious',
      recording_enabled: true,
      stt_keyterms: ['Trunkline'],
      ambient_noise: 'office',
      llm: { provider: 'openai', model: 'gpt-5' },
      actionIds: [],
      instructions: ['Be brief'],
      interruptible: false,
    });
    const paths = body.warnings.map(({ path }: { path: string }) => path);
    expect(paths).toEqual(['recording_enabled', 'stt_keyterms', 'ambient_noise', 'llm']);
    const calmed = await api.patch(`/phone/${body.id}`, { recording_enabled: false, ambient_noise: 'none', llm: null });
    expect(calmed.body.warnings).toEqual([
      { path: 'stt_keyterms', message: 'Stored; no recogniser is told of them yet' },
    ]);
  });

  it('gives every field its default', async () => {
    const { status, body } = await api.post('/phone', { name: 'Plain' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      org_id: api.tenant.orgId,
      type: 'inbound',
      phone_number: null,
      voice_id: null,
      language: ['en'],
      first_message: 'Hello?',
      instructions: [],
      handoff_phone_number: null,
      use_org_knowledgebase: false,
      actionIds: null,
      interruptible: true,
      recording_enabled: false,
      stt_keyterms: [],
      tts_speed_pct: 100,
      session_window_hours: 24,
      ambient_noise: 'none',
      max_call_duration_seconds: 3600,
      silence_timeout_seconds: 10,
      llm: null,
      custom_llm: null,
      manual_mode: false,
    });
    expect(body.warnings).toBeUndefined();
  });

  it('stores and returns everything a client sets, and ignores what it does not know', async () => {
    const sent = {
      name: 'Full',
      type: 'outbound',
      voice_id: 'slt',
      language: ['en', 'de'],
      first_message: 'Hi {{name}}',
      instructions: ['Be brief'],
      handoff_phone_number: '+1 (555) 123-4567',
      use_org_knowledgebase: true,
      actionIds: [],
      interruptible: false,
      recording_enabled: true,
      stt_keyterms: ['Trunkline'],
      tts_speed_pct: 120,
      data_collection_fields: ['email'],
      data_collection_webhook_url: 'https://example.com/collect',
      session_window_hours: 0.5,
      ambient_noise: 'office',
      max_call_duration_seconds: 60,
      silence_timeout_seconds: 5,
      llm: { provider: 'openai', model: 'some-model', temperature: 0.2, api_key: 'sk-very-secret' },
      custom_llm: 'http://127.0.0.1:9999/v1',
      some_future_field: { nested: true },
    };
    const { body } = await api.post('/phone', sent);
    const { llm: _, handoff_phone_number: __, some_future_field: ___, ...same } = sent;
    expect(body).toMatchObject({ ...same, handoff_phone_number: '+15551234567' });
    expect(body.llm).toEqual({ provider: 'openai', model: 'some-model', temperature: 0.2 });
    expect(body.some_future_field).toBeUndefined();
    expect((await api.get(`/phone/${body.id}`)).body).toMatchObject(same);
    expect(JSON.stringify((await api.get('/phone')).body)).not.toContain('sk-very-secret');
  });

  it('accepts a language that nobody speaks with a warning', async () => {
    const { status, body } = await api.post('/phone', { name: 'Finn', language: 'fi', voice_id: 'nobody' });
    expect(status).toBe(200);
    expect(body.language).toEqual(['fi']);
    expect(body.warnings.map((warning: { path: string }) => warning.path)).toEqual(['language', 'voice_id']);
  });

  it('changes only what a patch names', async () => {
    const { body: before } = await api.post('/phone', {
      name: 'Before',
      instructions: ['one'],
      language: ['en', 'fr'],
    });
    const { body: after } = await api.patch(`/phone/${before.id}`, { first_message: 'Good morning' });
    expect(after).toMatchObject({ name: 'Before', instructions: ['one'], first_message: 'Good morning' });
    expect(after.created_at).toBe(before.created_at);
    expect((await api.patch(`/phone/${before.id}`, {})).body).toMatchObject({ first_message: 'Good morning' });
  });

  it('lists agents oldest first, as a bare array', async () => {
    const { body } = await api.get('/phone');
    const times: number[] = body.map((agent: { created_at: string }) => Date.parse(agent.created_at));
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('says which numbers a deleted agent leaves', async () => {
    const { body: agent } = await api.post('/phone', { name: 'Gone soon' });
    const { body: number } = await api.post('/phone/numbers', { phone_number: '+15550100001', method: 'attest' });
    await api.put(`/phone/sip/agents/${agent.id}/inbound-numbers`, { phone_number_ids: [number.id] });
    expect((await api.get(`/phone/${agent.id}`)).body.phone_number).toBe('+15550100001');
    const gone = await api.delete(`/phone/${agent.id}`);
    expect(gone.body).toEqual({
      id: agent.id,
      deleted: true,
      detached: { phone_numbers: [{ id: number.id, phone_number: '+15550100001' }], campaigns: [] },
    });
    expect((await api.get(`/phone/${agent.id}`)).body.code).toBe('agent_not_found');
    expect((await api.get(`/phone/numbers/${number.id}`)).body.phone_agent_id).toBeNull();
  });

  it('answers the voices of the live media nodes', async () => {
    const { body } = await api.get('/phone/voices');
    expect(body).toEqual([
      {
        id: 'slt',
        name: 'SLT',
        provider: 'embedded',
        language: ['en'],
        gender: 'female',
        sample_url: null,
        default: true,
      },
    ]);
  });

  it.each([
    ['no name', {}, 'name'],
    ['a wrong type', { name: 'x', interruptible: 'yes' }, 'interruptible'],
    ['a number out of range', { name: 'x', tts_speed_pct: 20 }, 'tts_speed_pct'],
    ['a language that may not be mixed', { name: 'x', language: ['en', 'fi'] }, 'language'],
    ['an impossible number', { name: 'x', handoff_phone_number: '+1555' + '1'.repeat(20) }, 'handoff_phone_number'],
    ['a URL of another scheme', { name: 'x', custom_llm: 'ftp://example.com' }, 'custom_llm'],
  ])('refuses %s and names the field', async (_, body, path) => {
    const answer = await api.post('/phone', body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'validation_failed', error: 'Bad Request' });
    expect(answer.body.issues.map((issue: { path: string }) => issue.path)).toContain(path);
  });

  it('refuses an emergency number as a hand-off target', async () => {
    const { status, body } = await api.post('/phone', { name: 'x', handoff_phone_number: '911' });
    expect([status, body.code]).toEqual([422, 'emergency_number']);
  });

  it('keeps an audit row of each change, with before and after', async () => {
    const { body: agent } = await api.post('/phone', { name: 'Audited' }, { headers: { 'X-Request-Id': 'req-1' } });
    await api.patch(`/phone/${agent.id}`, { name: 'Renamed' });
    await api.delete(`/phone/${agent.id}`);
    const rows = await api.dataSource.query(
      'SELECT action, key_id, request_id, before, after FROM audit_log WHERE resource_id = $1 ORDER BY at',
      [agent.id],
    );
    expect(rows.map((row: { action: string }) => row.action)).toEqual(['create', 'update', 'delete']);
    expect(rows[0]).toMatchObject({ key_id: api.tenant.keyId, request_id: 'req-1', before: null });
    expect([rows[1].before.name, rows[1].after.name]).toEqual(['Audited', 'Renamed']);
  });
});
