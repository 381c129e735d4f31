/** `portolan status`: is it well, and what does it do now. */

import { isSessionState, type Status } from '../client/types.ts';
import type { Context } from '../context.ts';
import type { Style } from '../output/style.ts';
import { formatFields } from '../output/table.ts';
import { oneLine } from '../output/text.ts';
import { formatAge, formatBytes } from '../output/units.ts';
import { paintState } from './lists.ts';

function describeDeliveries({ deliveries, overdue }: Status['queue'], style: Style): string {
  if (deliveries === 0) return 'none under way';
  const late = overdue === 0 ? '' : `, ${style.red(`${overdue} for more than a minute`)}`;
  return `${deliveries} under way${late}`;
}

function describeGateway({ sockets, missing, open, unrecorded }: Status['gateway'], style: Style): string {
  const whole = `${sockets === 1 ? '1 container has' : `${sockets} containers have`} one${open === 0 ? '' : `, ${open === 1 ? '1 request' : `${open} requests`} on the way`}`;
  const lost = unrecorded === 0 ? '' : `; ${style.red(`${unrecorded} requests are in no log: the disk took none`)}`;
  if (missing > 0)
    return `${style.red(`${missing === 1 ? '1 container has' : `${missing} containers have`} none`)}; ${whole}${lost}`;
  return sockets === 0 ? `no container needs one${lost}` : `${whole}${lost}`;
}

function describeVault({ state, source, why, next }: Status['vault'], { style, typeable }: Context): string {
  if (state === 'empty') return 'none';
  if (state === 'open') return `open, by ${WORDS_OF_SOURCE[source ?? 'file']}`;
  return `${style.red(oneLine(why ?? state))}; next: ${typeable(oneLine(next ?? 'portolan doctor'))}`;
}

const WORDS_OF_SOURCE = {
  file: 'its key in the home',
  passphrase: 'the passphrase',
  environment: 'PORTOLAN_VAULT_KEY',
};

export async function showStatus(context: Context): Promise<void> {
  const status = await context.api.readStatus();
  if (context.json) return context.printJson(status);
  const { style, terminal } = context;
  const { engine } = status;
  const detail = engine.detail ? oneLine(engine.detail) : '';
  const sessions = Object.entries(status.sessions)
    .filter(([, count]) => count > 0)
    .map(([state, count]) =>
      isSessionState(state) ? paintState(style, state)(`${count} ${state}`) : `${count} ${state}`,
    );
  context.print(
    formatFields(
      [
        [
          'Host',
          `${style.green('running')}, version ${oneLine(status.version)}, started ${formatAge(status.startedAt, terminal.now())}`,
        ],
        [
          'Engine',
          `${oneLine(status.driver)} ${engine.ok ? style.green('answers') : style.red('does not answer')}${detail && ` (${detail})`}`,
        ],
        ['Sessions', sessions.length > 0 ? sessions.join(', ') : 'none'],
        ['Waiting', status.queue.waiting === 0 ? 'nobody' : style.yellow(`${status.queue.waiting} for a free place`)],
        ['Deliveries', describeDeliveries(status.queue, style)],
        ['Way out', describeGateway(status.gateway, style)],
        ['Secrets', describeVault(status.vault, context)],
        ['Memory', formatBytes(status.memoryBytes)],
        ['Home', oneLine(status.home)],
      ],
      style,
    ),
  );
}
