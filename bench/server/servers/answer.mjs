import { createServer } from "node:http";

/** Says where a server listens, as `valet start --json-ready` does. */
export function listen(server) {
  server.listen(0, "127.0.0.1", () => {
    console.log(JSON.stringify({ ready: true, url: `http://127.0.0.1:${server.address().port}` }));
  });
  process.once("SIGTERM", () => process.exit(0));
}

/** HTTP in front of a library that brings none: `handle` gets path, headers and body. */
export function serve(handle) {
  listen(
    createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8");
      request.on("data", (piece) => {
        body += piece;
      });
      request.on("end", () => {
        handle({ path: request.url, headers: request.headers, body }).then(
          ({ status = 200, body: answer }) => {
            const text = JSON.stringify(answer);
            response.writeHead(status, {
              "cache-control": "no-store",
              "content-type": "application/json",
              "content-length": Buffer.byteLength(text),
            });
            response.end(text);
          },
          (error) => {
            console.error(error);
            response.writeHead(500);
            response.end();
          },
        );
      });
    }),
  );
}
