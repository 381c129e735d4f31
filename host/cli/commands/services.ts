/** `portolan services`: places outside to which the gateway adds a credential. */
import type { Service } from '../client/types.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { printTable } from './page.ts';

export async function listServices(context: Context): Promise<void> {
  const { items } = await context.api.listServices();
  if (context.json) return context.printJson({ items });
  const { style } = context;
  printTable(
    context,
    { items, nextCursor: null },
    [
      { title: 'NAME', value: ({ name }) => name, paint: () => style.bold },
      { title: 'MODELS', value: ({ api }) => (api === null ? '–' : `${api} API`) },
      {
        title: 'SECRET',
        value: describeSecret,
        paint: (service) => (service.secretFor === 'none' ? style.dim : style.green),
      },
      { title: 'ADDRESS', value: describeAddress, minColumns: 16 },
    ],
    'There are no services.',
  );
}

function describeSecret({ secretFor, header }: Service): string {
  if (header === '') return 'none needed';
  return { all: 'yes', some: 'of some agents', none: 'no' }[secretFor];
}

function describeAddress({ baseUrl, isPrivate }: Service): string {
  return isPrivate ? `${baseUrl} (private)` : baseUrl;
}

export interface ServiceOptions {
  url?: string;
  api?: string;
  header?: string;
  private?: boolean;
}

/** Throws CliError `no_url`, `bad_api`, and the API's refusals. */
export async function addService(context: Context, name: string, options: ServiceOptions): Promise<void> {
  const { url, api, header, private: isPrivate = false } = options;
  if (url === undefined) {
    throw new CliError(EXIT.usage, 'no_url', 'Where is it?', {
      expected: '--url <address>',
      next: 'portolan services add --help',
    });
  }
  if (api !== undefined && api !== 'anthropic' && api !== 'openai') {
    throw new CliError(EXIT.usage, 'bad_api', 'There is no such model API.', {
      expected: '--api anthropic or --api openai; without it, it is no model service',
      next: 'portolan services add --help',
    });
  }
  const service = await context.api.addService({
    ...{ name, url, private: isPrivate },
    ...(api === undefined ? {} : { api }),
    ...(header === undefined ? {} : { header }),
  });
  if (context.json) return context.printJson(service);
  context.print(`${context.style.green('✓')} The service ${service.name} is ${describeAddress(service)}.`);
  const isOpen = service.header === '' || service.isPrivate;
  if (service.isPrivate && service.header !== '') {
    context.print(`  If it asks for a key: ${context.typeable(`portolan secrets set ${service.name}`)}`);
  }
  context.print(
    `\nNext, type:\n  ${context.typeable(isOpen ? adviseUse(service) : `portolan secrets set ${service.name}`)}`,
  );
}

function adviseUse({ name, api }: Service): string {
  if (api === null) return `portolan access allow main ${name}`;
  const provider = api === 'anthropic' ? 'claude' : 'openai';
  return `portolan provider set main ${provider} --service ${name} --model <model>`;
}

/** Throws CliError `service_not_found`, `not_confirmed`, `service_used`, `known_service`, `stale`. */
export async function removeService(context: Context, name: string, { yes }: { yes?: boolean }): Promise<void> {
  const { items } = await context.api.listServices();
  const service = items.find((item) => item.name === name);
  if (service === undefined) {
    throw new CliError(EXIT.notFound, 'service_not_found', 'There is no such service.', {
      expected: `one of ${
        items
          .filter((item) => !item.isKnown)
          .map((item) => item.name)
          .join(', ') || 'those you added; there is none'
      }`,
      next: 'portolan services list',
    });
  }
  await confirm(context, {
    question: `Remove the service ${name}? Its secrets are kept, and assigned anew if it comes back.`,
    yes,
    command: `portolan services remove ${name} --yes`,
    unattended: 'refuse',
  });
  await context.api.removeService(service);
  if (context.json) return context.printJson({ removed: name });
  context.print(`${context.style.green('✓')} The service ${name} is removed.`);
}
