// The last line of a run: `N passed, N failed, N skipped`. In CI a skipped test is a failure.
export default class PlainReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      if (module.state() === "failed" && module.children.allTests().next().done) counts.failed += 1;
      for (const test of module.children.allTests()) counts[test.result().state] += 1;
    }
    if (process.env.CI === "true" && counts.skipped > 0) process.exitCode = 1;
    const line = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
    process.on("exit", () => console.log(line));
  }
}
