/**
 * Calls what belongs to the page. Its faults are its own: they stop nothing here, and are told in the
 * console. Thrown on, they would end a process of Node.js.
 */
export function callHost(call: () => void): void {
  try {
    call();
  } catch (fault) {
    console.error(fault);
  }
}
