/** The last look before, and the first after, a container with folders of the machine is made. */
import { realpathSync, statSync } from 'node:fs';
import { errorCode } from '../../config/errors.ts';
import { type ContainerSpec, DriverFault } from './driver.ts';

/** Throws DriverFault `mount-refused` when a source is not the very folder that was judged. */
export function confirmFolders({ folders = [] }: ContainerSpec): void {
  for (const { name, source, identity } of folders) {
    if (identify(source) === identity) continue;
    throw new DriverFault('mount-refused', `the folder of the mount ${name} was changed for another`);
  }
}

/** Null when it is no real path any more. */
function identify(source: string): string | null {
  try {
    if (realpathSync(source) !== source) return null;
    const { dev, ino } = statSync(source, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if (errorCode(error) === '') throw error;
    return null;
  }
}
