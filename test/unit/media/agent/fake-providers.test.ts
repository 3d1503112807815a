/** The fakes keep the providers' contracts, so what is tested with them holds for the real ones. */
import { EnergyDetector } from '../../../../media/agent/vad/energy-detector';
import type { VoiceActivityDetector } from '../../../../media/agent/vad/voice-activity';
import { FakeResponder, FakeStt, FakeTts } from '../../../fakes/fake-speech';
import { describeResponder } from '../../../support/agent/responder-contract';
import { describeSpeechToText } from '../../../support/agent/speech-to-text-contract';
import { describeTextToSpeech } from '../../../support/agent/text-to-speech-contract';
import { describeVoiceActivityDetector } from '../../../support/agent/voice-activity-contract';
import { sine } from '../../../support/tones';

describeTextToSpeech('fake', () => Promise.resolve(new FakeTts()));

describeSpeechToText('fake', () => {
  const stt = new FakeStt();
  stt.text = 'hello there';
  return Promise.resolve({ stt, speech: sine(300, 8_000), word: 'hello' });
});

describeResponder('fake', () => {
  const responder = new FakeResponder();
  responder.answer = [{ type: 'text', delta: 'Goodbye.' }, { type: 'end_call' }];
  return Promise.resolve({ responder });
});

describeVoiceActivityDetector('energy', () =>
  Promise.resolve({ detector: new EnergyDetector() as VoiceActivityDetector, speech: sine(300, 2_560) }),
);
