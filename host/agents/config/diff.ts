/** What differs between two configs, for people and for the ledger. Pure. */
import { packageName } from '../../../shared/packages.ts';
import type { ConfigContent, Mount } from '../../store/agents.ts';
import { quoteCommand } from './quote.ts';

/** One thing of a config: null where it is not there, or is left to the default. */
export interface ConfigDifference {
  /** `provider`, `memory`, `apt cowsay`, `MCP server files`, `mount reports`… */
  what: string;
  before: string | null;
  after: string | null;
}

/** In a fixed order: settings, resources, packages, servers, mounts. Empty when they are the same. */
export function diffConfigs(before: ConfigContent, after: ConfigContent): ConfigDifference[] {
  const [old, now] = [flatten(before), flatten(after)];
  const names = [...new Set([...old.keys(), ...now.keys()])];
  return names.flatMap((what) => {
    const [one, other] = [old.get(what) ?? null, now.get(what) ?? null];
    return one === other ? [] : [{ what, before: one, after: other }];
  });
}

/** One line each: `provider: demo → echo`, `+ apt cowsay`, `- mount reports: /srv/reports, read-only`. */
export function formatDifference({ what, before, after }: ConfigDifference): string {
  if (before !== null && after !== null) return `${what}: ${before} → ${after}`;
  const sign = after === null ? '-' : '+';
  const value = after ?? before ?? '';
  return value === '' ? `${sign} ${what}` : `${sign} ${what}: ${value}`;
}

function describeMount({ path, isReadOnly }: Pick<Mount, 'path' | 'isReadOnly'>): string {
  return `${path}, ${isReadOnly ? 'read-only' : 'writable'}`;
}

/** Settings always have their place, so that the order does not depend on which are set. */
function flatten(config: ConfigContent): Map<string, string | null> {
  const { resources, packages } = config;
  return new Map<string, string | null>([
    ['provider', config.provider],
    ['model', config.model],
    ['service', config.service],
    ['effort', config.effort],
    ['timezone', config.timezone],
    ['memory', resources.memoryMb === undefined ? null : `${resources.memoryMb} MB`],
    ['cpus', resources.cpus?.toString() ?? null],
    ['pids', resources.pids?.toString() ?? null],
    ...packages.apt.map((spec) => nameVersion('apt', spec, '=')),
    ...packages.npm.map((spec) => nameVersion('npm', spec, '@')),
    ['rebuilds', packages.generation === 0 ? null : String(packages.generation)],
    ...config.mcpServers.map(({ name, command, args, env }): [string, string] => [
      `MCP server ${name}`,
      quoteCommand(command, args, env),
    ]),
    ...config.mounts.map((mount): [string, string] => [`mount ${mount.name}`, describeMount(mount)]),
  ]);
}

/** Its version apart, so that another one is one difference. */
function nameVersion(kind: string, spec: string, sign: string): [string, string] {
  const name = packageName(spec);
  const version = spec.slice(name.length);
  return [`${kind} ${name}`, version.startsWith(sign) ? version.slice(1) : version];
}
