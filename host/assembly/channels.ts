/** The channels, what agents are told of them, and what the host itself says in chats. */
import { join } from 'node:path';
import { TerminalChannel } from '../channels/terminal/channel.ts';
import { WebChannel } from '../channels/web/channel.ts';
import { KeptFiles } from '../channels/web/kept-files.ts';
import type { HomePaths } from '../config/home.ts';
import type { Channel } from '../delivery/channel.ts';
import { Notices } from '../delivery/notices.ts';
import { Charts } from '../sessions/chart.ts';
import type { Transcript } from '../store/transcript.ts';
import type { Ground } from './ground.ts';
import { reachLiveSessions } from './live.ts';
import type { WithSessions } from './sessions.ts';

export type WithChannels = WithSessions & ReturnType<typeof buildChannels>;

/** `given` are the channels beside this host's own. */
export function buildChannels(ground: Ground, given: readonly Channel[]) {
  const { closers, paths, stores, services, later } = ground;
  const { agents, chats, destinations, transcript } = stores;
  const keptFiles = closers.use(new KeptFiles(sentFilesOf(paths), transcript));
  const channels = connectChannels(given, transcript, keptFiles);
  const abilitiesOf = (type: string) => {
    const abilities = channels.get(type)?.abilities;
    return { canEdit: abilities?.canEdit ?? false, canReact: abilities?.canReact ?? false };
  };
  const apiOf = (service: string) => services.get(service)?.api ?? null;
  const charts = new Charts(agents, chats, destinations, abilitiesOf, apiOf);
  const notices = closers.use(
    new Notices(transcript, chats, channels, {
      get: (id) => later.questions.get(id),
      ended: (id, state) => later.approvals.cardDelivered(id, state),
    }),
  );
  const tellChat: Notices['tell'] = (ref, about, key, text) => notices.tell(ref, about, key, text);
  return { keptFiles, channels, charts, live: reachLiveSessions(ground, charts), notices, tellChat };
}

/** Where copies of what agents sent into chats of this host are kept. */
export function sentFilesOf(paths: HomePaths): string {
  return join(paths.channels, 'web', 'files');
}

function connectChannels(given: readonly Channel[], transcript: Transcript, files: KeptFiles): Map<string, Channel> {
  const own: Channel[] = [new WebChannel(files, transcript), new TerminalChannel(files, transcript)];
  return new Map([...own, ...given].map((channel) => [channel.type, channel]));
}
