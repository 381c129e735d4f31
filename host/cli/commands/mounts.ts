/** `portolan mounts`: the folders of this machine that agents see, and the file that allows them. */
import type { Context } from '../context.ts';
import { findAgent } from '../find.ts';
import { shellWord } from '../output/shell.ts';
import { oneLine } from '../output/text.ts';
import { tellUndo } from './config-change.ts';
import { printTable } from './page.ts';

const EXAMPLE = '{ "version": 1, "allow": [{ "path": "/srv/reports", "readOnly": true }] }';

export async function showAllowed(context: Context): Promise<void> {
  const allowed = await context.api.readAllowedMounts();
  if (context.json) return context.printJson(allowed);
  const { style } = context;
  context.print(`${style.dim('allowlist')}  ${oneLine(allowed.path)}`);
  if (allowed.state === 'absent') {
    context.print(
      `It is not there, so agents see no folder of this machine. To allow one, write it, for example:\n${EXAMPLE}`,
    );
    return;
  }
  if (allowed.state === 'unusable') {
    context.print(
      style.red(`It is not used: ${oneLine(allowed.why ?? '')}. Until that is mended no folder is mounted.`),
    );
    return;
  }
  printTable(
    context,
    { items: allowed.folders, nextCursor: null },
    [
      { title: 'FOLDER', value: ({ path }) => path, minColumns: 12 },
      { title: 'MAY BE', value: ({ isReadOnly }) => (isReadOnly ? 'read' : 'read and written') },
    ],
    'It allows no folder that is there.',
  );
}

/** Throws CliError `agent_not_found`, `ambiguous`. */
export async function listMounts(context: Context, name: string): Promise<void> {
  const agent = await findAgent(context.api, name);
  const { items } = await context.api.listMounts(agent.id);
  if (context.json) return context.printJson({ items });
  const { style } = context;
  printTable(
    context,
    { items, nextCursor: null },
    [
      { title: 'NAME', value: (mount) => mount.name, paint: () => style.bold },
      { title: 'FOLDER', value: ({ path }) => path, minColumns: 10 },
      { title: 'INSIDE', value: ({ containerPath }) => containerPath, minColumns: 12 },
      {
        title: 'MODE',
        value: ({ mountedAs, isReadOnly }) => ((mountedAs?.isReadOnly ?? isReadOnly) ? 'read' : 'write'),
      },
      {
        title: 'NOW',
        value: ({ why }) => (why === null ? 'fine' : `refused: ${why}`),
        paint: ({ why }) => (why === null ? style.green : style.red),
        minColumns: 10,
      },
    ],
    `${oneLine(agent.name)} sees no folder of this machine. What may be given: ${context.typeable('portolan mounts allowed')}`,
  );
}

/** Throws CliError of `findAgent`, and the API's `mount_refused`, `name_taken`, `too_many`, `stale`. */
export async function addMount(
  context: Context,
  agentName: string,
  name: string,
  folder: string,
  { write }: { write?: boolean },
): Promise<void> {
  const agent = await findAgent(context.api, agentName);
  const seen = await context.api.readConfig(agent.id);
  const mount = { name, path: folder, ...(write === true ? { write } : {}) };
  const config = await context.api.addMount(agent.id, seen.revision, mount);
  if (context.json) return context.printJson(config);
  const how = write === true ? 'may read and write' : 'may read';
  context.print(
    `${context.style.green('✓')} ${oneLine(agent.name)} ${how} ${oneLine(folder)} at /workspace/mounts/${name}, from its next containers on.`,
  );
  context.print(context.style.dim('Its containers run as users of their own: files must be readable by everybody.'));
  tellUndo(context, agent.name, seen.revision);
}

/** Throws CliError of `findAgent`, and the API's `not_found`, `stale`. */
export async function removeMount(context: Context, agentName: string, name: string): Promise<void> {
  const agent = await findAgent(context.api, agentName);
  const seen = await context.api.readConfig(agent.id);
  const config = await context.api.removeMount(agent.id, seen.revision, name);
  if (context.json) return context.printJson(config);
  context.print(
    `${context.style.green('✓')} ${oneLine(agent.name)} sees ${shellWord(name)} no more, from its next containers on.`,
  );
  tellUndo(context, agent.name, seen.revision);
}
