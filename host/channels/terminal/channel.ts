/**
 * The channel of `portolan chat`. The terminal reads the same transcript as the page, over the Unix
 * socket, so that nothing is lost while no terminal is open.
 */
import type { ChannelAbilities } from '../../delivery/channel.ts';
import { WebChannel } from '../web/channel.ts';

export class TerminalChannel extends WebChannel {
  override readonly type = 'terminal';
  override readonly abilities: ChannelAbilities = {
    idempotency: 'native',
    canEdit: true,
    canReact: true,
    typing: null,
    canAsk: false,
  };
}
