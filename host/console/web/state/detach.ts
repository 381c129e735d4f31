/** Lets work run on its own; what it throws is a bug and goes to the browser's console. */
export function detach(work: Promise<unknown>): void {
  work.catch((error: unknown) => reportError(error));
}
