/** Calls what belongs to the page. Its faults are its own: they are reported, and stop nothing here. */
export function callHost(call: () => void): void {
  try {
    call();
  } catch (fault) {
    queueMicrotask(() => {
      throw fault;
    });
  }
}
