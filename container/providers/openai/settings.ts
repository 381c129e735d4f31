/** What the provider itself is made with: the same for all turns of a process. */
import type { Patience } from './limits.ts';

export interface ProviderSettings {
  patience: Patience;
  /** Nine letters and digits, which every API takes as the id of a call. */
  makeCallId(): string;
  /** For a conversation that begins with no message. */
  makeTranscriptId(): string;
  /** Models that were found not to take an effort, by `service model`. */
  withoutEffort: Set<string>;
}
