// Loaded before a server that is measured: tells the bench how much processor time and
// memory it has used.
process.on("message", (message) => {
  if (message === "usage") process.send({ usage: process.cpuUsage() });
  if (message !== "memory") return;
  for (let round = 0; round < 3; round += 1) globalThis.gc?.();
  process.send({ memory: process.memoryUsage.rss() });
});
// Asking must not keep a server alive that wants to end.
process.channel?.unref();
