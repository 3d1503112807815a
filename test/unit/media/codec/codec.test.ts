import { AUDIO_CODECS } from '../../../../contract/audio-codecs';
import { FRAME_MS, GRAPH_FRAME_SAMPLES, GRAPH_RATE_HZ } from '../../../../media/audio/frame';
import { createCodec } from '../../../../media/codec/codec';
import { atGraphRate } from '../../../../media/codec/graph-rate-codec';
import { codecOfStaticType, RTP_FORMATS } from '../../../../media/codec/rtp-format';
import { amplitudeAt, rms, sine } from '../../../support/tones';

/** What every codec keeps to, whatever it is. */
describe.each(AUDIO_CODECS)('the codec %s', (name) => {
  it('is what RTP and SDP call so, and counts 20 ms in its own clock and rate', () => {
    const codec = createCodec(name);
    expect(codec.name).toBe(name);
    expect(codec.clockRateHz).toBe(RTP_FORMATS[name].clockRateHz);
    expect(codec.frameTicks).toBe((codec.clockRateHz * FRAME_MS) / 1000);
    expect(codec.frameSamples).toBe((codec.sampleRateHz * FRAME_MS) / 1000);
    expect(codec.ticksOf(codec.frameBytes)).toBe(codec.frameTicks);
    expect(codecOfStaticType(RTP_FORMATS[name].payloadType)).toBe(name);
  });

  it('joins the graph as it is, or through a change of rate', () => {
    const codec = createCodec(name);
    const joined = atGraphRate(codec);
    expect(joined === codec).toBe(codec.sampleRateHz === GRAPH_RATE_HZ);
    expect(joined.sampleRateHz).toBe(GRAPH_RATE_HZ);
    expect(joined.frameSamples).toBe(GRAPH_FRAME_SAMPLES);
  });

  it('carries a tone through, frame by frame and in parts of a frame', () => {
    const codec = atGraphRate(createCodec(name));
    const { frameSamples: frame, frameTicks } = codec;
    const tone = sine(440, 25 * frame);
    const heard = new Int16Array(tone.length);
    const payload = new Uint8Array(codec.frameBytes);
    for (let at = 0; at < tone.length; at += frame) {
      const out = heard.subarray(at, at + frame);
      codec.encode(tone.subarray(at, at + frame), payload, 0);
      codec.decode(payload, 0, frameTicks / 4, out, 0);
      codec.decode(payload, frameTicks / 4, (3 * frameTicks) / 4, out, frameTicks / 4);
    }
    expect(amplitudeAt(heard, 440)).toBeGreaterThan(7800);
    expect(rms(heard)).toBeLessThan(8000 / Math.SQRT2 + 100);
  });

  it('says nothing where it encodes silence', () => {
    const codec = createCodec(name);
    const payload = new Uint8Array(codec.frameBytes);
    const out = new Int16Array(codec.frameSamples);
    codec.encodeSilence(payload, 0);
    codec.decode(payload, 0, codec.frameTicks, out, 0);
    expect(rms(out)).toBeLessThanOrEqual(8);
  });

  it('fills in what is missing from what was heard, and nothing after a reset', () => {
    const codec = atGraphRate(createCodec(name));
    const { frameSamples: frame, frameTicks } = codec;
    const payload = new Uint8Array(codec.frameBytes);
    const out = new Int16Array(frame);
    const tone = sine(200, 6 * frame);
    for (let at = 0; at < tone.length; at += frame) {
      codec.encode(tone.subarray(at, at + frame), payload, 0);
      codec.decode(payload, 0, frameTicks, out, 0);
    }
    codec.conceal(out, 0, frameTicks);
    expect(amplitudeAt(out, 200)).toBeGreaterThan(6000);
    codec.reset();
    codec.conceal(out, 0, frameTicks);
    expect(rms(out)).toBe(0);
  });
});
