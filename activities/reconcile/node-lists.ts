import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeCalls } from '../../contract/nodes';
import type { NodeCallListRepository } from '../../store/repositories/node-call-list-repository';

/** A node answers with its next sign of life, a second later at most; from one that is slower nothing is concluded. */
const ANSWER_LIMIT_MS = 3_000;
const POLL_MS = 100;

/** What the nodes that answer in time have, one after the other. */
export async function listsOfNodes(lists: NodeCallListRepository): Promise<NodeCalls[]> {
  const surveyId = randomUUID();
  const asked = await lists.ask(surveyId);
  const untilMs = performance.now() + ANSWER_LIMIT_MS;
  let told: string[] = [];
  while (told.length < asked.length && performance.now() < untilMs) {
    await sleep(POLL_MS);
    told = await lists.told(surveyId);
  }
  const answers: NodeCalls[] = [];
  for (const nodeId of told) {
    const answer = await lists.find(surveyId, nodeId);
    if (answer !== null) answers.push(answer);
  }
  return answers;
}
