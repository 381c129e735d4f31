/** Limits of the gateway. Each names the cost of too high and too low. */

const MIB = 1024 * 1024;

export interface GatewayLimits {
  /** Requests and tunnels of one session at a time. Higher: one session takes more of the host's sockets. Lower: installers of packages wait. */
  maxOpen: number;
  /** Connections of one session, idle ones too; those beyond are dropped. Higher: the same. Lower: programs that keep them fail. */
  maxConnections: number;
  /** Connections at once, and per second after that; then the session's door is shut for a second. Higher: a flood costs the host more (30 µs each). Lower: many short-lived programs fail. */
  connectionBurst: number;
  connectionsPerSecond: number;
  /** Requests at once, and per minute after that. Higher: a loop fills the log and others' servers. Lower: an install is refused. */
  requestBurst: number;
  requestsPerMinute: number;
  /** A refusal for too much is held back this long, so that asking again at once costs the host nothing. Lower: a flood costs more. */
  refusalDelayMs: number;
  /** How long the door stays shut after requests or chunks without end, which cost more than connections do. Higher: the agent's own programs wait. Lower: who goes on costs the host more. */
  floodShutMs: number;
  /** Head of a request. Higher: memory for each connection. Lower: long URLs and many headers are refused. */
  maxHeadBytes: number;
  /** Until a request's head is whole. Higher: who trickles holds a connection. Lower: a paused container fails. */
  headMs: number;
  /** A connection without a request. Higher: it is held. Lower: programs connect anew. */
  keepAliveMs: number;
  /** Body of a request for a model or a service. Higher: costs of a mistake. Lower: large pictures and files are refused. */
  maxBodyBytes: number;
  /** Until a server outside has taken the connection, its TLS included. Higher: a dead one is noticed late. Lower: far ones fail. */
  connectMs: number;
  /** Without a byte in either direction. Higher: dead connections are held. Lower: long thought is cut off. */
  idleMs: number;
  /** The same for a tunnel of which one side has ended. */
  halfClosedMs: number;
  /** A connection to a server outside that waits for the next request. Higher: servers close it under us. Lower: each request connects. */
  keptMs: number;
  /** Servers outside to which one session keeps connections. Higher: sockets. Lower: each request connects. */
  maxKeptServers: number;
}

export const GATEWAY_LIMITS: GatewayLimits = {
  maxOpen: 64,
  maxConnections: 256,
  connectionBurst: 512,
  connectionsPerSecond: 50,
  requestBurst: 600,
  requestsPerMinute: 1_200,
  refusalDelayMs: 1_000,
  floodShutMs: 5_000,
  maxHeadBytes: 16 * 1024,
  headMs: 15_000,
  keepAliveMs: 30_000,
  maxBodyBytes: 64 * MIB,
  connectMs: 10_000,
  idleMs: 15 * 60_000,
  halfClosedMs: 60_000,
  keptMs: 4_000,
  maxKeptServers: 16,
};

/** Part of a path that the log keeps. Higher: a row of many requests grows. Lower: long ones look alike. */
export const MAX_LOGGED_PATH = 512;
/** Secrets shorter than this are taken out of headers alone: in a body they would be words. */
export const MIN_REDACTED_BYTES = 6;
