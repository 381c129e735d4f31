/** Marks a switch over a union as complete: adding a variant without a case fails to compile. */
export function assertNever(value: never): never {
  throw new Error(`unhandled variant: ${JSON.stringify(value)}`);
}
