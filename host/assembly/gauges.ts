/** What is counted of the host as a whole, for metrics and for its status. */
import type { Delivery } from '../delivery/delivery.ts';
import type { EgressLog } from '../egress/egress-log.ts';
import type { Gateway } from '../egress/gateway.ts';
import type { MeteredDoor } from '../egress/model/metered-door.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { SessionLife } from '../session-life.ts';
import type { HeldStore } from '../store/held.ts';
import type { SessionStore } from '../store/sessions.ts';
import type { Transcript } from '../store/transcript.ts';

interface GaugedParts {
  delivery: Pick<Delivery, 'backlog'>;
  life: Pick<SessionLife, 'count'>;
  gateway: Pick<Gateway, 'count'>;
  egressTail: Pick<EgressLog, 'dropped' | 'onRow'>;
  modelDoor: Pick<MeteredDoor, 'onCall'>;
}

interface GaugedGround {
  metrics: Metrics;
  stores: { held: Pick<HeldStore, 'total'>; transcript: Pick<Transcript, 'onFlush'> };
}

/** Counts go on until the stores close. */
export function registerGauges(
  { metrics, stores }: GaugedGround,
  { delivery, life, gateway, egressTail, modelDoor }: GaugedParts,
): void {
  metrics.gauge('portolan_sessions_running', 'Sessions with a running container', () => life.count('running'));
  metrics.gauge('portolan_sessions_paused', 'Sessions with a frozen container', () => life.count('paused'));
  metrics.gauge('portolan_sessions_waiting', 'Sessions with work that waits for a container', () =>
    life.count('waiting'),
  );
  metrics.gauge('portolan_messages_held', 'Messages that wait for an admin', () => stores.held.total.count);
  metrics.gauge('portolan_deliveries_open', 'Deliveries that are not at their end', () => delivery.backlog);
  metrics.gauge('portolan_egress_sessions', 'Sessions with a way out', () => gateway.count('sessions'));
  metrics.gauge('portolan_egress_connections', 'Connections of containers to the gateway', () =>
    gateway.count('connections'),
  );
  metrics.gauge('portolan_egress_open', 'Requests and tunnels on their way', () => gateway.count('open'));
  metrics.gauge('portolan_egress_unrecorded', 'Requests that the egress log had no room for', () => egressTail.dropped);
  egressTail.onRow(({ kind, outcome }, added) => metrics.egressEnded(kind, outcome, added));
  countModelUse(metrics, modelDoor);
  stores.transcript.onFlush((messages) => {
    for (const message of messages) {
      if (message.direction === 'in' && message.state === 'answered') metrics.messageTraced(message.stamps);
      if (message.direction === 'out' && message.state !== 'queued' && message.state !== 'sending')
        metrics.deliveryEnded(message.state);
    }
  });
}

/** Since the host started; what was used before is in the database. */
function countModelUse(metrics: Metrics, modelDoor: GaugedParts['modelDoor']): void {
  modelDoor.onCall(({ service, inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, costNanousd }) => {
    const input = inputTokens + cacheReadTokens + cacheWriteTokens;
    metrics.modelUsed(service, { input, output: outputTokens, nanousd: costNanousd ?? 0 });
  });
}

export function countSessions(sessions: SessionStore, life: SessionLife) {
  const stored = sessions.countByState();
  const total = Object.values(stored).reduce((sum, count) => sum + count, 0);
  const running = life.count('running') + life.count('starting') + life.count('stopping');
  const paused = life.count('paused');
  const failed = life.count('failed');
  const quarantined = stored.quarantined ?? 0;
  return { running, paused, failed, quarantined, idle: Math.max(0, total - running - paused - failed - quarantined) };
}
