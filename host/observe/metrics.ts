/**
 * Metrics for Prometheus, and the business events behind them: one function each, that never throws.
 * Labels take few values: a session id is none.
 */
import { readdirSync } from 'node:fs';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { NANOUSD_PER_USD } from '../../shared/money.ts';
import { STAGES, type Stamps } from '../../shared/trace.ts';

export class Metrics {
  readonly #registry = new Registry();
  readonly #received = this.#counter('portolan_messages_received_total', 'Messages that were routed', ['channel']);
  readonly #dropped = this.#counter('portolan_messages_dropped_total', 'Messages that policy turned away', ['reason']);
  readonly #deliveries = this.#counter('portolan_deliveries_total', 'Deliveries by how they ended', ['state']);
  readonly #quarantined = this.#counter('portolan_sessions_quarantined_total', 'Sessions set aside', []);
  readonly #egress = this.#counter('portolan_egress_requests_total', 'Requests out of containers by how they ended', [
    'kind',
    'outcome',
  ]);
  readonly #tokens = this.#counter('portolan_model_tokens_total', 'Tokens of models, those of their caches included', [
    'service',
    'direction',
  ]);
  readonly #cost = this.#counter('portolan_model_cost_usd_total', 'What calls of models cost, where it is known', [
    'service',
  ]);
  readonly #stages = new Histogram({
    name: 'portolan_stage_seconds',
    help: 'Time from one stage of a message’s path to the next',
    labelNames: ['stage'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 120],
    registers: [this.#registry],
  });

  /** The library's own set of process metrics wakes the host a hundred times a second; these are read when asked. */
  constructor() {
    new Counter({
      name: 'process_cpu_seconds_total',
      help: 'Processor time of the host',
      registers: [this.#registry],
      collect() {
        const { user, system } = process.cpuUsage();
        this.reset();
        this.inc((user + system) / 1e6);
      },
    });
    this.gauge('process_resident_memory_bytes', 'Memory of the host, without its readers', () =>
      process.memoryUsage.rss(),
    );
    this.gauge('process_open_fds', 'Open file descriptors of the host', () => readdirSync('/proc/self/fd').length);
    this.gauge(
      'process_start_time_seconds',
      'When the host started, epoch seconds',
      () => performance.timeOrigin / 1_000,
    );
    this.gauge('nodejs_heap_used_bytes', 'JavaScript heap in use', () => process.memoryUsage().heapUsed);
    this.gauge(
      'nodejs_eventloop_utilization',
      'Share of its life that the event loop was busy',
      () => performance.eventLoopUtilization().utilization,
    );
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  /** A figure that is read when somebody asks. */
  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read());
      },
    });
  }

  messageReceived(channelType: string): void {
    this.#received.inc({ channel: channelType });
  }

  messageDropped(reason: string): void {
    this.#dropped.inc({ reason });
  }

  deliveryEnded(state: string): void {
    this.#deliveries.inc({ state });
  }

  sessionQuarantined(): void {
    this.#quarantined.inc();
  }

  egressEnded(kind: string, outcome: string, requests: number): void {
    this.#egress.inc({ kind, outcome }, requests);
  }

  /** `input` is all that was read, from a cache too. A service is one of few, which owners name; a model is not. */
  modelUsed(service: string, { input, output, nanousd }: { input: number; output: number; nanousd: number }): void {
    this.#tokens.inc({ service, direction: 'input' }, input);
    this.#tokens.inc({ service, direction: 'output' }, output);
    this.#cost.inc({ service }, nanousd / NANOUSD_PER_USD);
  }

  /** The stages of an answered message. */
  messageTraced(stamps: Stamps): void {
    let previous: number | undefined;
    for (const stage of STAGES) {
      const at = stamps[stage];
      if (at === undefined) continue;
      if (previous !== undefined) this.#stages.observe({ stage }, Math.max(0, at - previous) / 1_000);
      previous = at;
    }
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
