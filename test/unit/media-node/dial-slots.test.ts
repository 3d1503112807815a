import { DialSlots } from '../../../media-node/dial-slots';

const never = new AbortController().signal;

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, Promise.resolve(pending)])) === pending;
}

test('no slot is given while the node does not accept, and every waiting one when it does again', async () => {
  const slots = new DialSlots(5);
  const [first, second] = [slots.reserveSlot({}, never), slots.reserveSlot({}, never)];
  expect(await isPending(first)).toBe(true);
  expect(slots.tryReserveSlot()).toBeNull();
  slots.accept(true);
  await Promise.all([first, second]);
  slots.accept(false);
  expect(await isPending(slots.reserveSlot({}, never))).toBe(true);
});

test('no more than the limit at once; a released slot goes to who waits', async () => {
  const slots = new DialSlots(1);
  slots.accept(true);
  await slots.reserveSlot({}, never);
  const second = slots.reserveSlot({}, never);
  expect(await isPending(second)).toBe(true);
  slots.releaseSlot();
  await second;
});

test('a reservation that is not needed any more is rejected and takes nothing', async () => {
  const slots = new DialSlots(1);
  const abort = new AbortController();
  const first = slots.reserveSlot({}, abort.signal);
  abort.abort();
  // By its identity the SDK knows that it has asked for it.
  await expect(first).rejects.toBe(abort.signal.reason);
  slots.accept(true);
  await slots.reserveSlot({}, never);
});
