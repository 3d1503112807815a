import { Bench, REMOTE, SILENCE } from '../../../fakes/media/rtp/session-bench';

/** Neither of the SDP nor of signalling. */
const ELSEWHERE = { address: '198.51.100.77', port: 7000 };
const PRIVATE = { address: '10.0.0.7', port: 7000 };

function heardFrom(source: typeof ELSEWHERE, bench: Bench): string | undefined {
  bench.session.setRemote(REMOTE, 0);
  bench.run(10, () => bench.receive(SILENCE, source));
  return bench.rtp.at(-1)?.address;
}

describe('audio from a host that neither SDP nor signalling names', () => {
  it('is nobody’s, and gets none back', () => {
    expect(heardFrom(ELSEWHERE, new Bench())).toBe(REMOTE.address);
  });

  it('is the peer’s where any source may be, and ours goes back there', () => {
    const bench = new Bench(true, 30_000, true);
    expect(heardFrom(ELSEWHERE, bench)).toBe(ELSEWHERE.address);
    expect(bench.events.some((event) => event.startsWith('received'))).toBe(true);
  });

  it('is not taken from a private address where those are forbidden', () => {
    expect(heardFrom(PRIVATE, new Bench(false, 30_000, true))).not.toBe(PRIVATE.address);
  });
});
