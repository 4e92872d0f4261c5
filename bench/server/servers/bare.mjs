// What node:http alone takes: it reads the request to its end and answers with headers and bytes
// that it was given beforehand. The baseline of the ratios.
import { createServer } from "node:http";
import { listen } from "./answer.mjs";

const answer = JSON.parse(process.argv[2]);
const headers = Object.fromEntries(answer.headers);

listen(
  createServer((request, response) => {
    if (request.method === "GET") {
      response.writeHead(answer.status, headers);
      response.end(answer.body);
      return;
    }
    request.resume();
    request.on("end", () => {
      response.writeHead(answer.status, headers);
      response.end(answer.body);
    });
  }),
);
