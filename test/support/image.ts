/**
 * The agent image of these sources, by its exact tag. `latest` is the one that any clone on this machine
 * built last: a test that names it may run another tree's runner.
 */
export function agentImage(): string {
  const image = process.env.PORTOLAN_IMAGE;
  if (image === undefined) throw new Error('PORTOLAN_IMAGE is not set: test/support/global-setup.ts sets it');
  return image;
}
