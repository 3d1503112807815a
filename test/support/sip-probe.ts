import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether somebody answers OPTIONS over UDP at a port of this machine. */
export async function answersOptions(port: number, limitMs: number): Promise<boolean> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  socket.on('error', () => undefined); // nobody listens yet
  let answered = false;
  socket.on('message', () => (answered = true));
  const own = socket.address().port;
  const endMs = performance.now() + limitMs;
  for (let n = 1; !answered && performance.now() < endMs; n++) {
    const lines = [
      `OPTIONS sip:127.0.0.1:${port} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${own};branch=z9hG4bKprobe${n};rport`,
      'From: <sip:probe@127.0.0.1>;tag=1',
      `To: <sip:127.0.0.1:${port}>`,
      `Call-ID: probe-${own}-${n}`,
      'CSeq: 1 OPTIONS',
      'Max-Forwards: 70',
      'Content-Length: 0',
    ];
    socket.send(`${lines.join('\r\n')}\r\n\r\n`, port, '127.0.0.1');
    await sleep(100);
  }
  socket.close();
  return answered;
}
