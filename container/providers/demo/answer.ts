/** What the demo provider does about one message. */
export type Answer =
  /** `replyTo`: the number of the message that this answers, when it is not the one at hand. */
  | { kind: 'text'; to: string; text: string; replyTo?: number; isStop?: boolean }
  | { kind: 'slow-task'; seconds: number }
  /** A person is asked, or a program runs, which takes as long as it takes; `work` resolves with what to say then. */
  | { kind: 'wait'; work: (signal: AbortSignal) => Promise<string> }
  /** A tool has answered already, or there is nobody to answer. */
  | { kind: 'nothing' };

export const NOTHING: Answer = { kind: 'nothing' };
