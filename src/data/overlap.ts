/**
 * Starts `work` on every item in turn and hands its results to `finish` in order, always with the next piece of work
 * started: for work that another process does.
 */
export async function overlap<Item, Result>(
  items: AsyncIterable<Item>,
  work: (item: Item) => Promise<Result>,
  finish: (result: Result) => void,
): Promise<void> {
  let pending: Promise<Result> | undefined;
  for await (const item of items) {
    const started = work(item);
    // An error is raised when its turn has come.
    started.catch(() => {});
    if (pending !== undefined) finish(await pending);
    pending = started;
  }
  if (pending !== undefined) finish(await pending);
}
