/** Chats and the wirings of agents to them, over the API. */
import { parseId } from '../../../../shared/ids.ts';
import { checkPattern } from '../../../routing/pattern.ts';
import type { WiringSettings } from '../../../store/wirings.ts';
import { newApi, paginate } from '../api.ts';
import * as routes from '../chat-routes.ts';
import { readIfMatch, refuseChange, setEtag } from '../conditions.ts';
import type { ApiParts } from '../ports.ts';
import { presentChat, presentWiring } from '../present.ts';
import { notFound, Problem } from '../problem.ts';
import { requireAdmin, scopeOf } from '../rights.ts';
import { findSubject, subjectOfChat } from '../subjects.ts';
import { findAgent } from './agents.ts';

/** What a wiring is when nothing is said: answers people it knows, when they address it. */
const DEFAULT_WIRING: WiringSettings = {
  engageMode: 'mention',
  engagePattern: null,
  senderScope: 'known',
  ignoredMessagePolicy: 'drop',
  sessionMode: 'shared',
  priority: 0,
};

export function chatRoutes(parts: ApiParts) {
  const { chats, wirings, visible } = parts;
  return newApi()
    .openapi(routes.listChats, (c) => {
      const { cursor, limit } = c.req.valid('query');
      const scope = scopeOf(c);
      const list = (n: number) =>
        scope === null
          ? chats.list(n, cursor ?? null)
          : visible.listChats(scope, n, cursor ?? null).flatMap((id) => chats.get(id) ?? []);
      const page = paginate(limit, list, (chat) => chat.id);
      return c.json({ ...page, items: page.items.map(presentChat) }, 200);
    })
    .openapi(routes.getChat, (c) => {
      const chat = findChat({ chats }, c.req.valid('param').id);
      setEtag(c, chat);
      return c.json(presentChat(chat), 200);
    })
    .openapi(routes.updateChat, (c) => {
      const { id } = findChat({ chats }, c.req.valid('param').id);
      const { name, unknownSenderPolicy } = c.req.valid('json');
      const chat = chats.update(
        id,
        readIfMatch(c),
        {
          ...(name === undefined ? {} : { name }),
          ...(unknownSenderPolicy === undefined ? {} : { unknownSenderPolicy }),
        },
        { by: c.var.userId, at: parts.now() },
      );
      if (chat === null) throw refuseChange('chat', chats.get(id));
      // The name is in the charts of the agents that listen there.
      if (name !== undefined)
        for (const wiring of wirings.listFor(id)) parts.onDestinationsChanged(wiring.agentGroupId);
      setEtag(c, chat);
      return c.json(presentChat(chat), 200);
    });
}

export function wiringRoutes(parts: ApiParts) {
  const { wirings, visible } = parts;
  return newApi()
    .openapi(routes.listWirings, (c) => {
      const { cursor, limit } = c.req.valid('query');
      const scope = scopeOf(c);
      const list = (n: number) =>
        scope === null
          ? wirings.list(n, cursor ?? null)
          : visible.listWirings(scope, n, cursor ?? null).flatMap((id) => wirings.get(id) ?? []);
      const page = paginate(limit, list, (wiring) => wiring.id);
      return c.json({ ...page, items: page.items.map(presentWiring) }, 200);
    })
    .openapi(routes.createWiring, (c) => {
      const { chatId, agentId, ...given } = c.req.valid('json');
      const chat = findChat(parts, chatId);
      const agent = findAgent(parts, agentId);
      requireAdmin(c, 'chat', subjectOfChat(parts, chat.id));
      requireAdmin(c, 'agent', findSubject(parts, 'agents', agent.id));
      const wiring = wirings.create(chat.id, agent.id, mergeSettings(DEFAULT_WIRING, given), parts.now(), {
        by: c.var.userId,
      });
      if (wiring === null) {
        throw new Problem(409, 'already_wired', 'This agent is wired to this chat already.', {
          next: 'change that wiring instead',
        });
      }
      parts.onDestinationsChanged(agent.id);
      setEtag(c, wiring);
      return c.json(presentWiring(wiring), 201);
    })
    .openapi(routes.getWiring, (c) => {
      const wiring = findWiring(parts, c.req.valid('param').id);
      setEtag(c, wiring);
      return c.json(presentWiring(wiring), 200);
    })
    .openapi(routes.updateWiring, (c) => {
      const current = findWiring(parts, c.req.valid('param').id);
      const revision = readIfMatch(c);
      const settings = mergeSettings(current, c.req.valid('json'));
      const wiring = wirings.update(current.id, revision, settings, { by: c.var.userId, at: parts.now() });
      if (wiring === null) throw refuseChange('wiring', wirings.get(current.id));
      setEtag(c, wiring);
      return c.json(presentWiring(wiring), 200);
    })
    .openapi(routes.deleteWiring, (c) => {
      const { id } = findWiring(parts, c.req.valid('param').id);
      if (!wirings.remove(id, readIfMatch(c), { by: c.var.userId, at: parts.now() }))
        throw refuseChange('wiring', wirings.get(id));
      return c.body(null, 204);
    });
}

type GivenSettings = { [K in keyof WiringSettings]?: WiringSettings[K] | undefined };

/** Leaving `pattern` drops the pattern; entering it needs one that compiles. Throws Problem 400. */
function mergeSettings(current: WiringSettings, given: GivenSettings): WiringSettings {
  const engageMode = given.engageMode ?? current.engageMode;
  const isPattern = engageMode === 'pattern';
  if (!isPattern && typeof given.engagePattern === 'string') {
    throw badPattern('engagePattern only goes with engageMode "pattern"');
  }
  const wanted = given.engagePattern === undefined ? current.engagePattern : given.engagePattern;
  const engagePattern = isPattern ? wanted : null;
  if (isPattern) {
    const check = checkPattern(engagePattern ?? '');
    if (!check.ok) throw badPattern(check.problem);
  }
  return {
    engageMode,
    engagePattern,
    senderScope: given.senderScope ?? current.senderScope,
    ignoredMessagePolicy: given.ignoredMessagePolicy ?? current.ignoredMessagePolicy,
    sessionMode: given.sessionMode ?? current.sessionMode,
    priority: given.priority ?? current.priority,
  };
}

function badPattern(problem: string): Problem {
  return new Problem(400, 'bad_pattern', `The pattern is not taken: ${problem}.`, {
    expected: 'with engageMode "pattern", a regular expression (JavaScript, matched without regard to case)',
  });
}

function findChat({ chats }: Pick<ApiParts, 'chats'>, id: string) {
  const chatId = parseId('messagingGroup', id);
  const chat = chatId === null ? null : chats.get(chatId);
  if (chat === null) throw notFound('chat');
  return chat;
}

function findWiring({ wirings }: ApiParts, id: string) {
  const wiringId = parseId('wiring', id);
  const wiring = wiringId === null ? null : wirings.get(wiringId);
  if (wiring === null) throw notFound('wiring');
  return wiring;
}
