/** Rows that come at the same time, written together. */
export interface GroupCommit<Row> {
  /**
   * Resolves when the row is durable.
   *
   * @throws What kept this row, or the whole group, from being written.
   */
  add(row: Row): Promise<void>;
  /** Resolves when everything that was added is durable or refused. */
  flush(): Promise<void>;
}

/**
 * Writes a group of rows in one durable transaction. Gives for each row, in the order they came,
 * what keeps just this one from being written, or undefined.
 *
 * @throws When the group as a whole was not written.
 */
export type WriteGroup<Row> = (rows: readonly Row[]) => Promise<readonly (Error | undefined)[]>;

interface Waiting<Row> {
  readonly row: Row;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Options of {@link createGroupCommit}. */
export interface GroupCommitOptions {
  /** The most rows of one group. @default 64 */
  readonly maxRows?: number;
  /** How long a group waits for more rows while several come at a time, in ms. @default 2 */
  readonly maxWaitMs?: number;
}

/**
 * Creates a group commit. Making a transaction durable costs as much for one row as for many, so
 * rows wait until the requests that arrived with them have been read, which is one turn of the
 * event loop, and while an earlier group is being written. Where the group before had several rows,
 * more are on their way, and it pays to wait a little for them; a row that comes alone does not
 * wait. Groups are written in the order in which they came.
 */
export function createGroupCommit<Row>(
  write: WriteGroup<Row>,
  { maxRows = 64, maxWaitMs = 2 }: GroupCommitOptions = {},
): GroupCommit<Row> {
  let waiting: Waiting<Row>[] = [];
  let writing: Promise<void> | undefined;
  let rowsBefore = 1;

  async function writeAll(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      if (rowsBefore > 1 && waiting.length < maxRows) {
        await new Promise((resolve) => setTimeout(resolve, maxWaitMs));
      }
      const group = waiting.slice(0, maxRows);
      waiting = waiting.slice(maxRows);
      rowsBefore = group.length;
      await writeGroup(write, group);
    }
    writing = undefined;
  }

  return {
    add: (row) =>
      new Promise((resolve, reject) => {
        waiting.push({ row, resolve, reject });
        writing ??= writeAll();
      }),
    flush: async () => writing,
  };
}

async function writeGroup<Row>(
  write: WriteGroup<Row>,
  group: readonly Waiting<Row>[],
): Promise<void> {
  try {
    const problems = await write(group.map(({ row }) => row));
    for (const [at, { resolve, reject }] of group.entries()) {
      const problem = problems[at];
      if (problem) reject(problem);
      else resolve();
    }
  } catch (error) {
    for (const { reject } of group) reject(error);
  }
}
