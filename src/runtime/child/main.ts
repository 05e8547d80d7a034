// The engine's process: answers one request after the other until its parent disconnects or ends.
import type { AnswerMessage, RequestMessage } from '../protocol.ts';
import { engineRequests } from './engine-requests.ts';
import { oneLine, ReportedFailure } from './reported-failure.ts';

const answers = engineRequests();
let queue = Promise.resolve();

async function answer({ id, kind, ask }: RequestMessage): Promise<void> {
  let message: AnswerMessage;
  try {
    const respond = answers[kind] as (ask: unknown) => Promise<unknown>;
    message = { id, answer: await respond(ask) };
  } catch (error) {
    const code = error instanceof ReportedFailure ? error.code : 'engine-failed';
    message = { id, error: { code, reason: oneLine(error) } };
  }
  process.send?.(message);
}

process.on('message', (message: RequestMessage) => {
  queue = queue.then(() => answer(message));
});
process.on('disconnect', () => process.exit(0));
// An interrupt from the keyboard reaches the whole process group: the parent decides what it means.
process.on('SIGINT', () => {});
