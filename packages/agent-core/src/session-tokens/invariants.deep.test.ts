import { test } from "vitest";
import { checkTokenMachine } from "../testing/token-machine.ts";

test("twenty thousand sequences do not break a rule either", async () => {
  await checkTokenMachine(20_000);
});
