import { createBenchDirectory, createEchoAgent } from '../../../media-node/bench-mode';
import { MediaService } from '../../../media/media-service';
import type { SipEndpointDelegate } from '../../../media/sip/endpoint';
import { createLogger } from '../../../ops/logger';
import { DIAL } from '../../fakes/call-layer';
import { FakeClock, settle } from '../../fakes/fake-clock';
import { FakeDirectory } from '../../fakes/fake-directory';
import { FakeRtpEngine } from '../../fakes/fake-rtp-engine';
import { FakeInboundDialog, FakeSipEndpoint } from '../../fakes/fake-sip';
import { FakeCapacity } from '../../fakes/fake-capacity';
import { NO_OBSERVER } from '../../fakes/no-observer';
import { RecordingEvents } from '../../fakes/recording-events';

describe('MediaNode', () => {
  const endpoint = new FakeSipEndpoint();
  const directory = Object.assign(new FakeDirectory(), {
    inboundTrunk: (username: string) =>
      username === 'pbx' ? { id: 't', orgId: 'o', username, password: 'p', phoneNumbers: [] } : undefined,
  });
  const events = new RecordingEvents();
  const clock = new FakeClock();
  let logged: object[];
  let sip: SipEndpointDelegate;
  let node: MediaService;

  beforeEach(() => {
    logged = [];
    node = new MediaService({
      nodeId: 'node-1',
      bootId: 'boot-1',
      maxCalls: 200,
      clock,
      events,
      directory,
      rtp: new FakeRtpEngine(),
      createAgent: createEchoAgent,
      capacity: new FakeCapacity(),
      observer: NO_OBSERVER,
      logger: createLogger({
        name: 'media',
        destination: { write: (line) => logged.push(JSON.parse(line) as object) },
      }),
      createEndpoint: (delegate) => {
        sip = delegate;
        return endpoint;
      },
    });
  });

  it('knows the credentials of its trunks and nobody else', () => {
    expect(sip.credentials('pbx')).toEqual({ trunkId: 't', orgId: 'o', username: 'pbx', password: 'p' });
    expect(sip.credentials('other')).toBeUndefined();
  });

  it('says that it is not available when its directory says so', () => {
    directory.available = { available: false, retryAfterSeconds: 7, reason: 'temporal_unreachable' };
    expect(sip.availability()).toMatchObject({ available: false, retryAfterSeconds: 7 });
  });

  it('refuses what is too much for its surroundings, and every call while too many are being set up', async () => {
    expect(sip.overload?.()).toBeNull();
    directory.overloaded = { reason: 'records', share: 0.5 };
    expect(sip.overload?.()).toEqual(directory.overloaded);
    const { start } = directory;
    const starts: ((started: boolean) => void)[] = [];
    directory.start = ({ sipCallId }) =>
      new Promise((resolve) =>
        starts.push((started) =>
          resolve(started ? { ok: true, callId: sipCallId, sessionId: 's' } : { ok: false, reason: 'busy' }),
        ),
      );
    const dialogs = Array.from({ length: 128 }, (_, n) => new FakeInboundDialog({ sipCallId: `sip-${n}` }));
    for (const dialog of dialogs.slice(0, 127)) sip.onInvite(dialog);
    await settle();
    expect(sip.overload?.()).toEqual(directory.overloaded);
    sip.onInvite(dialogs[127]!);
    await settle();
    expect(sip.overload?.()).toEqual({ reason: 'set_ups', share: 1 });
    // One is ready and stays, and another one is refused.
    starts[0]!(true);
    starts[1]!(false);
    await settle();
    expect(dialogs[1]!.rejection).toMatchObject({ status: 503, retryAfterSeconds: 5 });
    expect([node.calls.settingUp, node.calls.size]).toEqual([126, 127]);
    Object.assign(directory, { start, overloaded: null });
    expect(sip.overload?.()).toBeNull();
  });

  it('drains at once without calls, and hangs up what is left when hurried', async () => {
    await node.drain(new AbortController().signal);
    expect(endpoint.draining).toBe(true);
    const dialog = new FakeInboundDialog();
    sip.onInvite(dialog);
    await settle();
    expect(dialog.rejection?.status).toBe(503);
  });

  it('hangs up its calls with a Reason when it is hurried', async () => {
    const dialog = new FakeInboundDialog();
    sip.onInvite(dialog);
    await settle();
    dialog.ack();
    const hurry = new AbortController();
    const drained = node.drain(hurry.signal);
    await settle();
    expect(dialog.over).toBe(false);
    hurry.abort();
    await settle();
    expect(dialog.byeReason).toMatchObject({ cause: 41 });
    dialog.answerBye();
    await drained;
    expect(events.ended('call-sip-1')[0]?.ending).toMatchObject({ endReason: 'node_drained' });
  });

  it('says at its close what it leaves without a word', async () => {
    await node.control.dial(DIAL, {
      deadlineMs: clock.epochMs() + 3_000,
      beforeSend: () => Promise.resolve(true),
    });
    await node.close();
    expect(logged).toMatchObject([{ level: 'info', msg: 'SIP sockets are closed', dialogs: 1, rtpSessions: 1 }]);
  });

  it('routes every user of bench mode to the echo agent and asks for a user', () => {
    const bench = createBenchDirectory();
    const request = {
      trunkId: '',
      orgId: '',
      sipCallId: '',
      fromTag: '',
      cseq: 1,
      callerUser: '',
      privacy: [],
      agentIdHeader: null,
    };
    expect(bench.routeInbound({ ...request, dialedUser: 'x' }).ok).toBe(true);
    expect(bench.routeInbound({ ...request, dialedUser: '' })).toMatchObject({ ok: false, status: 404 });
  });
});
