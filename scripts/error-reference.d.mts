import type { ErrorCodeEntry } from "../packages/protocol/src/index.ts";

/** The reference page of an error table. */
export declare function errorReference(codes: Readonly<Record<string, ErrorCodeEntry>>): string;
