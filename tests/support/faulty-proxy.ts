import { createConnection, createServer, type Socket } from "node:net";

/**
 * One thing that a network does to the bytes of a conversation. Frames and requests are counted
 * over all connections, from 0, from the moment that the fault is set.
 */
export type Fault =
  /** The connection breaks behind a frame, or that many bytes into the one behind it. */
  | { readonly after: "frame"; readonly number: number; readonly bytesMore: number }
  /** The connection breaks before the server has seen a request. */
  | { readonly after: "request"; readonly number: number }
  /** The connection breaks when the server answers a request, before a byte of it has come. */
  | { readonly after: "answer"; readonly number: number };

/** A wire between a client and a server that breaks where a test says so. */
export interface FaultyProxy {
  /** The server's address through it. */
  readonly url: string;
  /** What is counted since the last {@link FaultyProxy.expect}. */
  readonly seen: { readonly frames: number; readonly requests: number };
  /** What will happen, each fault once and in this order; counting begins anew after each. */
  expect(...faults: readonly Fault[]): void;
  /** Whether every fault has happened. */
  readonly isDone: boolean;
  /** Whether a broken connection ends as one that was closed, or is reset. */
  how: "FIN" | "RST";
  close(): Promise<void>;
}

/** Where the first frame ends behind `from`; frames alone hold two line feeds in a row. */
const frameEnd = (bytes: Buffer, from: number): number => {
  const at = bytes.indexOf("\n\n", from);
  return at < 0 ? -1 : at + 2;
};
const requestLine = /^(?:GET|POST|DELETE|OPTIONS) \S+ HTTP\/1\.1\r\n/;

/** Opens one before a server on this machine. */
export async function openFaultyProxy(port: number): Promise<FaultyProxy> {
  const sockets = new Set<Socket>();
  let faults: Fault[] = [];
  let seen = { frames: 0, requests: 0 };
  let how: FaultyProxy["how"] = "FIN";

  const next = (): void => {
    faults = faults.slice(1);
    seen = { frames: 0, requests: 0 };
  };

  const server = createServer((near) => {
    const far = createConnection(port, "127.0.0.1");
    let isBroken = false;
    let losesAnswer = false;
    /** What has not been looked at of the frames: a mark may be cut in two. */
    let tail = Buffer.alloc(0);
    let bytesToCut: number | undefined;

    const breakOff = (last?: Buffer): void => {
      isBroken = true;
      far.destroy();
      if (last && last.length > 0) near.write(last, end);
      else end();
      function end(): void {
        if (how === "RST") near.resetAndDestroy();
        else near.destroySoon();
      }
    };

    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.once("close", () => {
        sockets.delete(socket);
        if (isBroken && socket === far) return;
        near.destroy();
        far.destroy();
      });
    }
    near.on("data", (piece) => {
      if (isBroken) return;
      // A client of HTTP/1.1 that waits for its answers sends each request in pieces of its own.
      if (requestLine.test(piece.toString("latin1"))) {
        const [fault] = faults;
        const isMeant =
          fault !== undefined && fault.after !== "frame" && fault.number === seen.requests;
        seen = { ...seen, requests: seen.requests + 1 };
        if (isMeant && fault.after === "request") {
          next();
          breakOff();
          return;
        }
        if (isMeant) losesAnswer = true;
      }
      far.write(piece);
    });
    far.on("data", (piece) => {
      if (isBroken) return;
      if (losesAnswer) {
        next();
        breakOff();
        return;
      }
      const cutAt = placeOfCut(piece);
      if (cutAt === undefined) {
        near.write(piece);
        return;
      }
      next();
      breakOff(piece.subarray(0, cutAt));
    });
    near.on("end", () => far.end());
    far.on("end", () => {
      if (!isBroken) near.end();
    });

    /** Counts the frames of a piece. @returns Where in it the connection breaks, if it does. */
    function placeOfCut(piece: Buffer): number | undefined {
      if (bytesToCut !== undefined) return takeFrom(piece, 0);
      const bytes = Buffer.concat([tail, piece]);
      let from = 0;
      for (let end = frameEnd(bytes, from); end >= 0; end = frameEnd(bytes, from)) {
        from = end;
        const [fault] = faults;
        const isMeant = fault?.after === "frame" && fault.number === seen.frames;
        seen = { ...seen, frames: seen.frames + 1 };
        if (!isMeant) continue;
        bytesToCut = fault.bytesMore;
        return takeFrom(piece, end - tail.length);
      }
      tail = bytes.subarray(Math.max(from, bytes.length - 1));
      return undefined;
    }

    function takeFrom(piece: Buffer, at: number): number | undefined {
      const cutAt = at + (bytesToCut ?? 0);
      if (cutAt <= piece.length) return cutAt;
      bytesToCut = cutAt - piece.length;
      return undefined;
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`,
    get seen() {
      return seen;
    },
    expect(...expected) {
      faults = [...expected];
      seen = { frames: 0, requests: 0 };
    },
    get isDone() {
      return faults.length === 0;
    },
    get how() {
      return how;
    },
    set how(next) {
      how = next;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
