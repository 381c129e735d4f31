/** What a measurement of the bench is: a name to choose it by, and rows when it is done. */
import type { Row } from './report.ts';

export interface MeasurementOptions {
  /** Fewer samples: to try the bench, not to judge by. */
  quick: boolean;
  /** One line of progress. */
  tell: (line: string) => void;
}

export interface Measurement {
  name: string;
  measure(options: MeasurementOptions): Promise<Row[]>;
}
