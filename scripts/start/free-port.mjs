import { createServer } from "node:net";

/**
 * Resolves when the port can be listened on.
 *
 * @throws {Error} Saying which port is taken, for what, and how to change it.
 */
export function requireFreePort(port, variable, what) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error) => {
      const taken = error.code === "EADDRINUSE";
      reject(
        new Error(
          taken
            ? `Port ${port}, which ${what} needs, is taken. Stop what uses it, or choose another: ${variable}=${Number(port) + 100} npm start`
            : `Port ${port} cannot be used for ${what}: ${error.message}. Choose another with ${variable}.`,
        ),
      );
    });
    probe.listen({ port: Number(port), host: "127.0.0.1" }, () => probe.close(() => resolve()));
  });
}
