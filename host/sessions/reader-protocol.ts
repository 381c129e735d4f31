/** What the host asks of a reader process, and what it answers. */

export interface ReadRequest {
  id: number;
  /** The session's out/ folder. */
  out: string;
  /** Owner that outbound.db must have. */
  ownerUid: number;
  /** Rows with a higher sequence number… */
  afterSeq: number;
  limit: number;
  /** …and these, whatever the cursor. */
  seqs: number[];
  /** Inbound messages whose processing state is of interest. */
  openIds: string[];
  /** Whether the runner's state is of interest: delivery goes by rows and marks alone. */
  withState: boolean;
}

/** One row of messages_out as it stands in the file: nothing in it is believed yet. */
export interface RawOutbound {
  id: string;
  seq: number;
  inReplyTo: string | null;
  timestamp: number;
  deliverAfter: number | null;
  kind: string;
  destination: string | null;
  channelType: string | null;
  platformId: string | null;
  threadId: string | null;
  traceId: string | null;
  /** Null when it is over the size limit. */
  content: string | null;
}

export interface RawProcessing {
  messageId: string;
  state: string;
  changedAt: number;
  note: string | null;
}

export interface OutboxSnapshot {
  rows: RawOutbound[];
  /** More rows wait behind the limit. */
  more: boolean;
  processing: RawProcessing[];
  /** runner_state values, JSON text by key; only the keys of the protocol, only small ones. */
  runnerState: Record<string, string>;
}

export type ReadAnswer =
  | { id: number; kind: 'snapshot'; snapshot: OutboxSnapshot }
  /** The container holds a lock; try again. */
  | { id: number; kind: 'busy' }
  /** A killed container left half a commit: it must be rolled back by a container, never by the host. */
  | { id: number; kind: 'hot-journal' }
  /** The contract is broken: quarantine. */
  | { id: number; kind: 'violation'; reason: string };

/** `up`: said once, before anything is asked: from here on a delay is the read's. */
export type ReaderMessage = { kind: 'up' } | ReadAnswer;
