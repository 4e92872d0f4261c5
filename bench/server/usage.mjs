// Loaded before a server that is measured: tells the bench how much processor time it has used.
process.on("message", (message) => {
  if (message === "usage") process.send({ usage: process.cpuUsage() });
});
// Asking must not keep a server alive that wants to end.
process.channel?.unref();
