/** Folders of the machine that agents are given, over the API. For owners and global admins. */
import { MAX_MOUNTS } from '../../../agents/config/limits.ts';
import { type MountPlan, planPath } from '../../../agents/mounts/plan.ts';
import type { AgentGroup, Mount } from '../../../store/agents.ts';
import { newApi } from '../api.ts';
import { readIfMatch } from '../conditions.ts';
import * as routes from '../config-routes.ts';
import type { ApiParts } from '../ports.ts';
import { presentMount } from '../present-config.ts';
import { notFound, Problem } from '../problem.ts';
import { findAgent } from './agents.ts';
import { answerChange } from './configs.ts';

export function mountRoutes(parts: ApiParts) {
  const { configs, mounts } = parts;
  return newApi()
    .openapi(routes.getAllowedMounts, (c) => {
      const allowed = mounts.allowed();
      const state = allowed.kind === 'list' ? 'used' : allowed.kind === 'none' ? 'absent' : 'unusable';
      return c.json(
        {
          path: allowed.path,
          state: state as 'used' | 'absent' | 'unusable',
          why: allowed.kind === 'unusable' ? allowed.why : null,
          folders: allowed.kind === 'list' ? [...allowed.folders] : [],
        },
        200,
      );
    })
    .openapi(routes.listMounts, async (c) => {
      const agent = findAgent(parts, c.req.valid('param').id);
      const items = await Promise.all(
        agent.config.mounts.map(async (mount) => presentStatus(mount, await mounts.check(agent, mount))),
      );
      return c.json({ items }, 200);
    })
    .openapi(routes.addMount, async (c) => {
      const agent = findAgent(parts, c.req.valid('param').id);
      const ifRevision = readIfMatch(c);
      const { name, path, write } = c.req.valid('json');
      const mount = await judge(parts, agent, { name, path, isReadOnly: write !== true });
      // Judging took time: what was judged is given on top of what was seen, or not at all.
      const author = { by: c.var.userId, approvalId: null, reason: `mount ${name} added`, ifRevision };
      const outcome = configs.change(agent.id, { mounts: [...agent.config.mounts, mount] }, author);
      return c.json(answerChange(c, outcome, parts), 201);
    })
    .openapi(routes.removeMount, (c) => {
      const { id, name } = c.req.valid('param');
      const agent = findAgent(parts, id);
      const rest = agent.config.mounts.filter((mount) => mount.name !== name);
      if (rest.length === agent.config.mounts.length) throw notFound('mount');
      const author = {
        by: c.var.userId,
        approvalId: null,
        reason: `mount ${name} removed`,
        ifRevision: readIfMatch(c),
      };
      return c.json(answerChange(c, configs.change(agent.id, { mounts: rest }, author), parts), 200);
    });
}

/** The mount as it is kept. Throws Problem 409. */
async function judge({ mounts }: ApiParts, agent: AgentGroup, asked: Mount): Promise<Mount> {
  const { name } = asked;
  if (agent.config.mounts.some((one) => one.name === name)) {
    throw new Problem(409, 'name_taken', `This agent has a mount "${name}" already.`, { next: 'choose another name' });
  }
  if (agent.config.mounts.length >= MAX_MOUNTS) {
    throw new Problem(409, 'too_many', `An agent may have ${MAX_MOUNTS} mounts.`, { next: 'remove one first' });
  }
  const plan = await mounts.check(agent, asked);
  const path = planPath(asked.path);
  if (plan.kind === 'refuse' || path.kind === 'refuse') {
    throw new Problem(409, 'mount_refused', `It may not be mounted: ${plan.kind === 'refuse' ? plan.why : ''}.`, {
      next: 'see what is allowed: portolan mounts allowed',
    });
  }
  if (plan.isReadOnly && !asked.isReadOnly) {
    throw new Problem(
      409,
      'mount_refused',
      'It may be mounted read-only alone: the allowlist does not say "readOnly": false.',
      {
        next: 'give it read-only (without --write), or change the allowlist: portolan mounts allowed',
      },
    );
  }
  return { ...asked, path: path.path };
}

function presentStatus(mount: Mount, plan: MountPlan) {
  const mountedAs = plan.kind === 'mount' ? { realPath: plan.source, isReadOnly: plan.isReadOnly } : null;
  return { ...presentMount(mount), mountedAs, why: plan.kind === 'refuse' ? plan.why : null };
}
