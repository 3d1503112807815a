import type { CallScript } from '../../../../contract/commands';
import { CallLayer } from '../../../fakes/call-layer';
import { settle } from '../../../fakes/fake-clock';
import { AGENT } from '../../../fakes/fake-directory';

const CALL = 'call-out';
const SCRIPT: CallScript = {
  variables: { name: 'Ada', plan: 'gold' },
  disclosureLine: 'An AI calls {{name}}.',
};

describe('a call that a campaign makes', () => {
  let layer: CallLayer;
  beforeEach(() => {
    layer = new CallLayer();
    const texts = {
      firstMessage: 'Hi {{name}}{{gone}}!',
      instructions: ['Their plan is {{ plan }}.', 'Answer {{"plan": 1}}.'],
    };
    layer.directory.profile = { ...AGENT, ...texts };
  });

  async function answered(script?: CallScript, firstMessage: string | null = null): Promise<void> {
    await layer.dial({ firstMessage, ...(script === undefined ? {} : { script }) });
    layer.endpoint.last.accept();
    await settle();
  }

  test('has its texts filled for whom it calls, the disclosure by itself', async () => {
    await answered(SCRIPT);
    expect(layer.agent.persona).toMatchObject({
      firstMessage: 'Hi Ada!',
      instructions: ['Their plan is gold.', 'Answer {{"plan": 1}}.'],
      disclosure: 'An AI calls Ada.',
      mayOptOut: true,
    });
  });

  test('without a disclosure says none', async () => {
    await answered({ ...SCRIPT, disclosureLine: null });
    expect(layer.agent.persona).toMatchObject({ disclosure: '', mayOptOut: true });
  });

  test('any other call leaves the texts as they are, and cannot be opted out of', async () => {
    await answered();
    expect(layer.agent.persona.firstMessage).toBe('Hi {{name}}{{gone}}!');
    expect(layer.agent.persona.mayOptOut).toBeUndefined();
  });

  test('that is opted out of has the event before the agent knows of it, and ends with the farewell', async () => {
    await answered(SCRIPT);
    expect(await layer.agent.delegate.onOptOut?.('key')).toBe(true);
    expect(layer.events.ofCall(CALL).find(({ type }) => type === 'opted_out')).toMatchObject({ by: 'key' });
    layer.agent.delegate.onOpeningSilence?.(40);
    layer.agent.delegate.onEnd('agent_goodbye');
    layer.endpoint.last.answerBye();
    await settle();
    const [ended] = layer.events.ended(CALL);
    expect(ended?.ending).toMatchObject({ disposition: 'answered', endReason: 'agent_goodbye', endedBy: 'agent' });
    expect(ended?.metrics.openingSilenceMs).toBe(40);
  });

  test('says so where the event could not be stored', async () => {
    await answered(SCRIPT);
    layer.events.stores = false;
    expect(await layer.agent.delegate.onOptOut?.('word')).toBe(false);
  });

  test('whose callee opts out and hangs up has the event before its end', async () => {
    await answered(SCRIPT);
    layer.agent.onFinish = () => void layer.agent.delegate.onOptOut?.('word');
    layer.endpoint.last.peerBye();
    await settle();
    const types = layer.events.types(CALL);
    expect(types).toContain('opted_out');
    expect(types.indexOf('opted_out')).toBeLessThan(types.indexOf('ended'));
    expect(layer.events.ended(CALL)[0]?.metrics.openingSilenceMs).toBeNull();
  });
});
