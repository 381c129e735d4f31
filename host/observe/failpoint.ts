/**
 * Named points between two statements, where the crash suite ends the process. Nothing is installed in
 * a real host: a failpoint is then one comparison with null.
 */
let hook: ((name: string) => void) | null = null;

export function failpoint(name: string): void {
  if (hook !== null) hook(name);
}

/** For the crash suite alone. */
export function installFailpointHook(installed: ((name: string) => void) | null): void {
  hook = installed;
}
